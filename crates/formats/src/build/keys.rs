//! JSON keys to fields. Objects mostly have the same keys in the same order, so the key at each position is remembered
//! and a glance suffices.

use std::collections::HashMap;

/// How keys stand for names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct KeyRules {
    /// Keys and names must agree in case.
    pub(crate) case_sensitive: bool,
    /// A dot in a key stands for an underscore in a name.
    pub(crate) dots: bool,
}

/// Positions after this one are looked up anew each time.
const REMEMBERED: usize = 256;

pub(crate) struct Keys {
    rules: KeyRules,
    known: HashMap<Vec<u8>, usize>,
    /// The key that the last object had at each position, as written with its quotes and a colon, and its field.
    order: Vec<(Vec<u8>, Option<usize>)>,
}

impl Keys {
    /// Fields by the keys they are called.
    pub(crate) fn new<'a>(names: impl IntoIterator<Item = (&'a str, usize)>, rules: KeyRules) -> Self {
        let mut keys = Self { rules, known: HashMap::new(), order: Vec::new() };
        for (name, field) in names {
            let folded = keys.folded(name.as_bytes());
            keys.known.entry(folded).or_insert(field);
        }
        keys
    }

    fn folded(&self, key: &[u8]) -> Vec<u8> {
        if self.rules.case_sensitive {
            return key.to_vec();
        }
        match std::str::from_utf8(key) {
            Ok(text) => text.to_lowercase().into_bytes(),
            Err(_) => key.to_ascii_lowercase(),
        }
    }

    /// The field at that position of its object, if the key there is the one that the last object had, written as it
    /// was; and how long it is with its quotes and colon.
    #[inline]
    pub(crate) fn expected(&self, position: usize, text: &[u8]) -> Option<(usize, Option<usize>)> {
        let (key, field) = self.order.get(position)?;
        begins_with(text, key).then_some((key.len(), *field))
    }

    /// The field of the key (as written, escapes and all) at that position of its object.
    pub(crate) fn find(
        &mut self,
        position: usize,
        key: &[u8],
        unescape: impl FnOnce() -> Option<Vec<u8>>,
    ) -> Option<usize> {
        if let Some((remembered, field)) = self.order.get(position)
            && remembered.get(1..remembered.len().saturating_sub(2)) == Some(key)
        {
            return *field;
        }
        let plain = unescape();
        let folded = self.folded(plain.as_deref().unwrap_or(key));
        let mut field = self.known.get(&folded).copied();
        if field.is_none() && self.rules.dots {
            let dotless: Vec<u8> = folded.iter().map(|b| if *b == b'.' { b'_' } else { *b }).collect();
            field = self.known.get(&dotless).copied();
        }
        let entry = ([b"\"", key, b"\":"].concat(), field);
        if let Some(slot) = self.order.get_mut(position) {
            *slot = entry;
        } else if position == self.order.len() && position < REMEMBERED && key.len() <= 1024 {
            self.order.push(entry);
        }
        field
    }
}

/// Whether the text begins with the token, compared by eight bytes at a time: tokens are short.
#[inline]
fn begins_with(text: &[u8], token: &[u8]) -> bool {
    let Some(text) = text.get(..token.len()) else { return false };
    let (Some(end), Some(expected)) = (text.last_chunk::<8>(), token.last_chunk::<8>()) else {
        return text == token;
    };
    let (eights, _) = text.as_chunks::<8>();
    let (tokens, _) = token.as_chunks::<8>();
    end == expected && eights.iter().zip(tokens).all(|(one, other)| one == other)
}
