//! The few XML documents that S3 answers with, as a small tree of names and texts.

use quick_xml::Reader;
use quick_xml::events::Event;

/// How deep S3's answers may nest; they never come near it.
const MAX_DEPTH: usize = 32;

/// An element. Attributes and namespaces carry nothing we need.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) name: String,
    content: String,
    children: Vec<Node>,
}

impl Node {
    /// The root element of a document.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|e| e.to_string())?;
        let mut reader = Reader::from_str(text);
        let mut open: Vec<Node> = vec![Node::default()];
        loop {
            match reader.read_event().map_err(|e| e.to_string())? {
                Event::Start(tag) => {
                    if open.len() > MAX_DEPTH {
                        return Err("it nests too deep".to_owned());
                    }
                    open.push(Self::named(tag.local_name().into_inner()));
                }
                Event::Empty(tag) => {
                    let node = Self::named(tag.local_name().into_inner());
                    if let Some(parent) = open.last_mut() {
                        parent.children.push(node);
                    }
                }
                Event::End(_) => {
                    if let (Some(node), Some(parent)) = (open.pop(), open.last_mut()) {
                        parent.children.push(node);
                    }
                }
                Event::Text(piece) => append(&mut open, &piece),
                Event::CData(piece) => append(&mut open, &piece),
                Event::GeneralRef(name) => {
                    append(&mut open, &resolve(&name).ok_or_else(|| format!("unknown entity `{}`", &*name))?);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        let root = open.into_iter().next().and_then(|mut all| all.children.pop());
        root.ok_or_else(|| "it has no element".to_owned())
    }

    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// The text of the first child of that name; empty when there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.children.iter().find(|child| child.name == name).map_or("", |child| child.content.as_str())
    }

    /// The children of that name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

fn append(open: &mut [Node], text: &str) {
    if let Some(node) = open.last_mut() {
        node.content.push_str(text);
    }
}

fn resolve(entity: &str) -> Option<String> {
    let code = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    let resolved = match entity {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        other => match other.strip_prefix("#x") {
            Some(digits) => code(digits, 16)?,
            None => code(other.strip_prefix('#')?, 10)?,
        },
    };
    Some(resolved.to_string())
}

/// Text inside an element.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Undoes the `encoding-type=url` of listings.
pub(super) fn url_decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        match first {
            b'%' => {
                let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
                out.push(u8::from_str_radix(digits, 16).ok()?);
                rest = &tail[2..];
            }
            b'+' => {
                out.push(b' ');
                rest = tail;
            }
            other => {
                out.push(other);
                rest = tail;
            }
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_read() {
        let node = Node::parse(
            b"<?xml version=\"1.0\"?><R xmlns=\"x\"><A>1</A><C><K>a&amp;b&#x41;</K></C><C><K/></C></R>",
        )
        .unwrap();
        assert_eq!((node.name.as_str(), node.text("A"), node.text("missing")), ("R", "1", ""));
        assert_eq!(node.all("C").map(|c| c.text("K")).collect::<Vec<_>>(), ["a&bA", ""]);
        for bad in ["", "no xml", "<a>", "<a></b>", "\u{1}<a>&nope;</a>"] {
            let _ = Node::parse(bad.as_bytes());
        }
        assert_eq!(url_decode("a%2Bb+c%C3%A4").as_deref(), Some("a+b cä"));
        assert_eq!(url_decode("%zz"), None);
    }
}
