//! One line of an access log taken apart, in a single pass over its bytes. Two shapes occur, told by what stands between
//! address and user:
//!
//! ```text
//! 192.0.2.1 - anna [02/Mar/2026:13:43:01 +0000] "GET /order-service/api/orders/7 HTTP/1.1" 200 "Edge"
//! 192.0.2.1  - anna "GET /api/orders/{id}" 200 [2026-03-02T13:43:01.005Z] "Edge"
//! ```

use memchr::{memchr, memchr2, memchr3, memrchr};

/// A piece of the line: where it begins and ends.
pub(super) type Span = (usize, usize);

/// A line's pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AccessLine {
    pub(super) address: Span,
    pub(super) user: Span,
    pub(super) time: Span,
    pub(super) method: Span,
    pub(super) path: Span,
    /// Empty where there is none.
    pub(super) protocol: Span,
    /// Three digits.
    pub(super) status: Span,
    pub(super) agent: Span,
    pub(super) shape: Shape,
}

/// Which shape a line has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A server's in front of services: the path begins with the service, and local time with its offset comes early.
    Front,
    /// A service's own: ISO time comes late, and the file's name says which service it is.
    Service,
}

/// A place in the line.
struct Cursor<'a> {
    line: &'a [u8],
    at: usize,
}

type Parsed<T> = Result<T, &'static str>;

impl AccessLine {
    /// Takes a line apart, or says what is wrong with it.
    #[inline]
    pub(super) fn parse(line: &[u8]) -> Parsed<Self> {
        let mut cursor = Cursor { line, at: 0 };
        let address = cursor.word("it does not begin with an address")?;
        let shape = if cursor.skips(b" - ") {
            Shape::Front
        } else if cursor.skips(b"  - ") {
            Shape::Service
        } else {
            return Err("no ` - ` stands behind the address");
        };
        let user = cursor.word("no user stands behind the address")?;
        cursor.at += 1;
        match shape {
            Shape::Front => cursor.front(address, user),
            Shape::Service => cursor.service(address, user),
        }
    }

    /// Which service made the call, if it was one: it is named by the agent, or it is the user.
    #[inline]
    pub(super) fn source(&self, line: &[u8]) -> Option<Span> {
        let agent = line.get(self.agent.0..self.agent.1)?;
        match self.shape {
            Shape::Service => (agent == b"Apache HTTP Client").then_some(self.user),
            Shape::Front => {
                const BEGIN: &[u8] = b"Machine (";
                let inner = agent.strip_prefix(BEGIN)?.strip_suffix(b")")?;
                let Some(at) = memchr2(b';', b')', inner) else { return Some(self.user) };
                let name = inner.get(at..)?.strip_prefix(b"; ")?;
                let is_name = !name.is_empty() && memchr(b')', name).is_none();
                is_name.then_some((self.agent.0 + BEGIN.len() + at + 2, self.agent.1 - 1))
            }
        }
    }

    /// The first segment of the path, where it is the service that was called.
    #[inline]
    pub(super) fn target(&self, line: &[u8]) -> Option<Span> {
        let path = line.get(self.path.0..self.path.1)?;
        let slash = usize::from(path.first() == Some(&b'/'));
        let segment = path.get(slash..)?;
        let length = memchr3(b'/', b'?', b' ', segment).unwrap_or(segment.len());
        let start = self.path.0 + slash;
        (length > 0).then_some((start, start + length))
    }
}

impl Cursor<'_> {
    /// Behind the user: `[time] "method path protocol" status "agent"`.
    #[inline]
    fn front(mut self, address: Span, user: Span) -> Parsed<AccessLine> {
        let time = self.brackets()?;
        let method = self.method()?;
        let path = self.word("no path and protocol stand behind the method")?;
        let end = self.find(b'"').ok_or("the request's quote is never closed")?;
        // Spaces may stand in the path, but not in the protocol.
        let rest = self.line.get(self.at + 1..end).unwrap_or_default();
        let protocol = self.at + 1 + memrchr(b' ', rest).map_or(0, |space| space + 1);
        self.at = end + 1;
        let path = (path.0, protocol - 1);
        let protocol = (protocol, end);
        let status = self.status()?;
        let agent = self.agent()?;
        Ok(AccessLine { address, user, time, method, path, protocol, status, agent, shape: Shape::Front })
    }

    /// Behind the user: `"method path" status [time] "agent"`.
    #[inline]
    fn service(mut self, address: Span, user: Span) -> Parsed<AccessLine> {
        let method = self.method()?;
        let (start, end) = self.word("no path stands behind the method")?;
        // The closing quote stands in front of the space.
        let end = end - 1;
        if end == start || self.line.get(end) != Some(&b'"') {
            return Err("the request's quote is not closed behind the path");
        }
        let path = (start, end);
        let status = self.status()?;
        if !self.skips(b" ") {
            return Err("a space is missing behind the status");
        }
        let time = self.brackets()?;
        self.at -= 1;
        let agent = self.agent()?;
        let protocol = (end, end);
        Ok(AccessLine { address, user, time, method, path, protocol, status, agent, shape: Shape::Service })
    }

    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    /// Steps over this text, if it stands here.
    #[inline]
    fn skips(&mut self, text: &[u8]) -> bool {
        let stands = self.line.get(self.at..).is_some_and(|rest| rest.starts_with(text));
        if stands {
            self.at += text.len();
        }
        stands
    }

    fn find(&self, byte: u8) -> Option<usize> {
        memchr(byte, self.line.get(self.at..)?).map(|more| self.at + more)
    }

    /// What stands in front of the next space, at least one byte.
    #[inline]
    fn word(&mut self, missing: &'static str) -> Parsed<Span> {
        let start = self.at;
        self.at = space(self.line, start).ok_or(missing)?;
        if self.at == start { Err(missing) } else { Ok((start, self.at)) }
    }

    /// `[…] `
    #[inline]
    fn brackets(&mut self) -> Parsed<Span> {
        if self.peek() != Some(b'[') {
            return Err("its time does not stand in brackets");
        }
        self.at += 1;
        let start = self.at;
        let end = self.find(b']').ok_or("a bracket is never closed")?;
        self.at = end + 1;
        if end == start || !self.skips(b" ") {
            return Err("its time does not stand in brackets");
        }
        Ok((start, end))
    }

    /// `"method `
    #[inline]
    fn method(&mut self) -> Parsed<Span> {
        if self.peek() != Some(b'"') {
            return Err("its request does not stand in quotes");
        }
        self.at += 1;
        let method = self.word("its request does not begin with a method")?;
        self.at += 1;
        Ok(method)
    }

    /// ` 200`
    #[inline]
    fn status(&mut self) -> Parsed<Span> {
        match self.line.get(self.at..self.at + 4) {
            Some([b' ', digits @ ..]) if digits.iter().all(u8::is_ascii_digit) => {
                self.at += 4;
                Ok((self.at - 3, self.at))
            }
            _ => Err("its status is not of three digits"),
        }
    }

    /// ` "…"` at the line's end.
    #[inline]
    fn agent(&mut self) -> Parsed<Span> {
        if !self.skips(b" \"") {
            return Err("its user agent does not stand in quotes");
        }
        match self.find(b'"') {
            Some(end) if end + 1 == self.line.len() => Ok((self.at, end)),
            Some(_) => Err("something stands behind the user agent"),
            None => Err("the user agent's quote is never closed"),
        }
    }
}

/// The next space; none if another white space comes first. Eight bytes are looked at together.
#[inline]
fn space(bytes: &[u8], from: usize) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let mut at = from;
    loop {
        let rest = bytes.get(at..)?;
        at += match rest.first_chunk::<8>() {
            Some(eight) => {
                let word = u64::from_le_bytes(*eight);
                // The lowest bit that is set says where the first byte below 0x21 stands.
                let low = word.wrapping_sub(ONES * 0x21) & !word & HIGHS;
                if low == 0 {
                    at += 8;
                    continue;
                }
                (low.trailing_zeros() / 8) as usize
            }
            None => rest.iter().position(|byte| *byte <= b' ')?,
        };
        match bytes.get(at)? {
            b' ' => return Some(at),
            b'\t'..=b'\r' => return None,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use regex::bytes::{Regex, RegexBuilder};
    use std::sync::LazyLock;

    static FRONT: LazyLock<Regex> = LazyLock::new(|| {
        compiled(r#"^(\S+) - (\S+) \[([^\]]+)\] "(\S+) (\S+(?: [^"]*)?) ([^ "]*)" ([0-9]{3}) "([^"]*)"$"#)
    });
    static SERVICE: LazyLock<Regex> =
        LazyLock::new(|| compiled(r#"^(\S+)  - (\S+) "(\S+) (\S+)" ([0-9]{3}) \[([^\]]+)\] "([^"]*)"$"#));

    fn compiled(pattern: &str) -> Regex {
        RegexBuilder::new(pattern).unicode(false).dot_matches_new_line(true).build().unwrap()
    }

    fn spans(line: &[u8], regex: &Regex) -> Option<Vec<Span>> {
        let found = regex.captures(line)?;
        Some(found.iter().skip(1).flatten().map(|group| (group.start(), group.end())).collect())
    }

    fn agrees(line: &[u8]) {
        let ours = AccessLine::parse(line).ok().map(|l| match l.shape {
            Shape::Front => {
                vec![l.address, l.user, l.time, l.method, l.path, l.protocol, l.status, l.agent]
            }
            Shape::Service => vec![l.address, l.user, l.method, l.path, l.status, l.time, l.agent],
        });
        let theirs = spans(line, &FRONT).or_else(|| spans(line, &SERVICE));
        assert_eq!(ours, theirs, "{}", String::from_utf8_lossy(line));
    }

    #[test]
    fn as_plain_expressions_read_damaged_lines() {
        for line in [
            "66.249.65.3 - order-service [06/Nov/2014:19:11:24 +0600] \"GET /u/a b?c HTTP/1.1\" 200 \"Machine (x; y)\"",
            "192.168.16.16  - 34509dlkjg \"GET /api/v1/orders/{id}\" 200 [2022-09-15T13:43:01.005Z] \"Edge\"",
        ] {
            agrees(line.as_bytes());
            for at in 0..line.len() {
                agrees(&line.as_bytes()[..at]);
                let mut damaged = line.as_bytes().to_vec();
                damaged.remove(at);
                agrees(&damaged);
                for byte in [b' ', b'"', b'[', b']', b'\t', 0, 0xff] {
                    let mut damaged = line.as_bytes().to_vec();
                    damaged[at] = byte;
                    agrees(&damaged);
                    damaged[at] = line.as_bytes()[at];
                    damaged.insert(at, byte);
                    agrees(&damaged);
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn as_plain_expressions_read_anything(
            pieces in proptest::collection::vec(
                prop_oneof![
                    Just(" - "), Just("  - "), Just(" "), Just("["), Just("] "), Just("\""), Just("\" "), Just(" 200"),
                    Just("a"), Just("/x/y"), Just("\u{1}"), Just("\t"), Just("é"), Just("some longer word"),
                ],
                0..18,
            ),
        ) {
                agrees(pieces.concat().as_bytes());
        }
    }
}
