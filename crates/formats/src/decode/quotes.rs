//! Quoted text: taking doubled and escaped quotes out, and reading lines whose quotes stand in odd places.

/// A quoted field's text without doubled and escaped quotes.
pub(super) fn unescaped(text: &[u8], quote: u8, escape: u8) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let next = text.get(at + 1).copied();
        let special = |b: u8| b != b'\n' && (b == quote || b == escape);
        if *byte == escape && escape != b'\n' {
            if let Some(next) = next.filter(|b| special(*b)) {
                plain.push(next);
                at += 1;
            }
        } else {
            plain.push(*byte);
            at += usize::from(*byte == quote && next == Some(quote));
        }
        at += 1;
    }
    plain
}

/// The fields of any line, by the rules of OpenCSV's parser: quotes within a field are kept, but still protect
/// separators; escapes vanish. Also whether every quote is closed: a field with an open one is left out.
pub(super) fn odd_fields(line: &[u8], separator: u8, quote: u8, escape: u8) -> (Vec<Vec<u8>>, bool) {
    let mut fields = Vec::new();
    let mut value = Vec::new();
    let (mut quoted, mut in_field, mut at) = (false, false, 0);
    let is = |byte: u8, mark: u8| mark != b'\n' && byte == mark;
    while let Some(byte) = line.get(at).copied() {
        let next = line.get(at + 1).copied();
        if is(byte, escape) {
            if let Some(next) = next.filter(|b| (quoted || in_field) && (is(*b, quote) || is(*b, escape))) {
                value.push(next);
                at += 1;
            }
        } else if is(byte, quote) {
            if (quoted || in_field) && next == Some(quote) {
                value.push(quote);
                at += 1;
            } else {
                let before = at.checked_sub(1).and_then(|i| line.get(i)).copied();
                if at > 2 && before != Some(separator) && next.is_some_and(|b| b != separator) {
                    if !value.is_empty() && value.iter().all(u8::is_ascii_whitespace) {
                        value.clear();
                    } else {
                        value.push(quote);
                    }
                }
                quoted = !quoted;
            }
            in_field = !in_field;
        } else if byte == separator && !quoted {
            fields.push(std::mem::take(&mut value));
            in_field = false;
        } else {
            value.push(byte);
            in_field = true;
        }
        at += 1;
    }
    if !quoted {
        fields.push(value);
    }
    (fields, !quoted)
}
