//! Java's regular expressions, as Trino reads them, in the notation of the `regex` and `fancy-regex` crates.
//!
//! Both are close to Java's. What differs is rewritten; what cannot be had is refused by name.

use model::{Error, Result};

/// A pattern in the crates' notation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Translated {
    /// The pattern. `$` and `\Z` match at the very end only.
    pub(crate) text: String,
    /// The same with `$` and `\Z` matching before a final line feed too, where that differs.
    pub(crate) before_final_newline: Option<String>,
    /// Whether it needs backtracking: look-around, back-references, possessive quantifiers, atomic groups.
    pub(crate) backtracks: bool,
}

/// Groups may nest so deep.
const MAX_DEPTH: usize = 200;

/// White space within a line.
const HORIZONTAL: &str = r"\t\x20\xA0\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}";

/// Any end of a line.
const LINE_BREAK: &str = r"(?:\r\n|[\n\x0B\x0C\r\x{85}\x{2028}\x{2029}])";

/// Marks the end anchors while the text is being written; it is no character of any pattern.
const END: char = '\u{10FFFF}';

/// What flags are on within a group.
#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    multi_line: bool,
    comments: bool,
}

struct Reader<'a> {
    pattern: &'a str,
    symbols: Vec<char>,
    at: usize,
    out: String,
    flags: Flags,
    /// The flags to return to at the end of each open group.
    open: Vec<Flags>,
    groups: usize,
    backtracks: bool,
    anchored_end: bool,
}

/// Rewrites a pattern.
pub(crate) fn translate(pattern: &str) -> Result<Translated> {
    let symbols: Vec<char> = pattern.chars().collect();
    let mut reader = Reader {
        pattern,
        groups: count_groups(&symbols),
        symbols,
        at: 0,
        out: String::with_capacity(pattern.len() + 16),
        flags: Flags::default(),
        open: Vec::new(),
        backtracks: false,
        anchored_end: false,
    };
    reader.run()?;
    let text = reader.out.replace(END, r"\z");
    let loose = reader.anchored_end.then(|| reader.out.replace(END, r"(?=\n?\z)"));
    Ok(Translated { text, before_final_newline: loose, backtracks: reader.backtracks })
}

/// How many capturing groups there are: back-references beyond them are read digit by digit.
fn count_groups(symbols: &[char]) -> usize {
    let (mut groups, mut at, mut in_class) = (0, 0, 0usize);
    while let Some(symbol) = symbols.get(at) {
        match symbol {
            '\\' => at += 1,
            '[' => in_class += 1,
            ']' => in_class = in_class.saturating_sub(1),
            '(' if in_class == 0 => {
                let ahead = (symbols.get(at + 1), symbols.get(at + 2), symbols.get(at + 3));
                let captures = match ahead {
                    (Some('?'), Some('<'), Some(c)) => !matches!(c, '=' | '!'),
                    (Some('?'), ..) => false,
                    _ => true,
                };
                groups += usize::from(captures);
            }
            _ => {}
        }
        at += 1;
    }
    groups
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.symbols.get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Option<char> {
        let symbol = self.peek(0)?;
        self.at += 1;
        Some(symbol)
    }

    fn refuse(&self, why: impl Into<String>) -> Error {
        let pattern = crate::scalar::string::shorten(self.pattern);
        Error::invalid(format!("the pattern '{pattern}' is not valid")).why(why)
    }

    fn run(&mut self) -> Result<()> {
        while let Some(symbol) = self.next() {
            match symbol {
                '\\' => self.escape(false)?,
                '[' => self.class(0)?,
                '(' => self.group()?,
                ')' => {
                    let Some(flags) = self.open.pop() else {
                        return Err(self.refuse("a closing parenthesis has no opening one"));
                    };
                    self.flags = flags;
                    self.out.push(')');
                }
                '$' if self.flags.multi_line => self.out.push('$'),
                '$' => self.end(),
                '*' | '+' | '?' => {
                    self.out.push(symbol);
                    self.possessive();
                }
                '{' => self.repetition(),
                '}' => self.out.push_str(r"\}"),
                '#' if self.flags.comments => {
                    while self.peek(0).is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                END => return Err(self.refuse("the character U+10FFFF cannot stand in a pattern")),
                other => self.out.push(other),
            }
        }
        if self.open.is_empty() { Ok(()) } else { Err(self.refuse("a group is not closed")) }
    }

    fn end(&mut self) {
        self.anchored_end = true;
        self.out.push(END);
    }

    /// A `+` behind a quantifier keeps what it has matched.
    fn possessive(&mut self) {
        if self.peek(0) == Some('+') {
            self.at += 1;
            self.out.push('+');
            self.backtracks = true;
        }
    }

    /// `{2}`, `{2,}`, `{2,5}`, `{,5}`; anything else is a brace that means itself.
    fn repetition(&mut self) {
        let rest = self.symbols.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|c| *c == '}');
        let inside: String = rest.get(..end.unwrap_or(0)).unwrap_or_default().iter().collect();
        let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        let text = match inside.split_once(',') {
            Some((least, most)) if digits(least) && digits(most) && inside.len() > 1 => {
                Some(format!("{{{},{most}}}", if least.is_empty() { "0" } else { least }))
            }
            None if !inside.is_empty() && digits(&inside) => Some(format!("{{{inside}}}")),
            _ => None,
        };
        match (text, end) {
            (Some(text), Some(end)) => {
                self.at += end + 1;
                self.out.push_str(&text);
                self.possessive();
            }
            _ => self.out.push_str(r"\{"),
        }
    }

    fn group(&mut self) -> Result<()> {
        if self.open.len() >= MAX_DEPTH {
            return Err(self.refuse(format!("groups nest deeper than {MAX_DEPTH}")));
        }
        let outer = self.flags;
        if self.peek(0) != Some('?') {
            self.open.push(outer);
            self.out.push('(');
            return Ok(());
        }
        self.at += 1;
        match (self.peek(0), self.peek(1)) {
            (Some('<'), Some('=' | '!')) => {
                self.backtracks = true;
                self.out.push_str("(?<");
                self.out.extend(self.peek(1));
                self.at += 2;
            }
            (Some('<'), _) => {
                self.out.push_str("(?<");
                self.at += 1;
            }
            (Some(kind @ ('=' | '!' | '>')), _) => {
                self.backtracks = true;
                self.out.push_str("(?");
                self.out.push(kind);
                self.at += 1;
            }
            (Some(':'), _) => {
                self.out.push_str("(?:");
                self.at += 1;
            }
            (Some('#'), _) => {
                while self.next().is_some_and(|c| c != ')') {}
                return Ok(());
            }
            _ => return self.flag_group(outer),
        }
        self.open.push(outer);
        Ok(())
    }

    /// `(?i)` to the end of the group, `(?i:…)` within its own.
    fn flag_group(&mut self, outer: Flags) -> Result<()> {
        let mut on = true;
        self.out.push_str("(?");
        while let Some(symbol) = self.next() {
            match symbol {
                '-' => on = false,
                'm' => self.flags.multi_line = on,
                'x' => self.flags.comments = on,
                'i' | 's' => {}
                ')' => {
                    self.out.push(')');
                    return Ok(());
                }
                ':' => {
                    self.out.push(':');
                    self.open.push(outer);
                    return Ok(());
                }
                other => {
                    return Err(
                        self.refuse(format!("the flag `{other}` is not supported; i, m, s and x are"))
                    );
                }
            }
            self.out.push(symbol);
        }
        Err(self.refuse("a group is not closed"))
    }

    /// `[…]`, with classes inside and `&&` between.
    fn class(&mut self, depth: usize) -> Result<()> {
        if depth >= MAX_DEPTH {
            return Err(self.refuse(format!("classes nest deeper than {MAX_DEPTH}")));
        }
        self.out.push('[');
        if self.peek(0) == Some('^') {
            self.at += 1;
            self.out.push('^');
        }
        if self.peek(0) == Some(']') {
            self.at += 1;
            self.out.push_str(r"\]");
        }
        while let Some(symbol) = self.next() {
            match symbol {
                ']' => {
                    self.out.push(']');
                    return Ok(());
                }
                '[' => self.class(depth + 1)?,
                '\\' => self.escape(true)?,
                // Doubled, these mean set operations that Java does not have.
                '-' | '~' if self.peek(0) == Some(symbol) => {
                    self.out.push('\\');
                    self.out.push(symbol);
                }
                '#' => self.out.push_str(r"\#"),
                other => self.out.push(other),
            }
        }
        Err(self.refuse("a character class is not closed"))
    }

    /// What follows a backslash.
    fn escape(&mut self, in_class: bool) -> Result<()> {
        let Some(symbol) = self.next() else {
            return Err(self.refuse("it ends with a backslash"));
        };
        match symbol {
            't' | 'n' | 'r' | 'f' | 'a' | 'v' | 'd' | 'D' | 's' | 'S' | 'w' | 'W' => {
                self.out.push('\\');
                self.out.push(symbol);
            }
            'e' => self.out.push_str(r"\x1B"),
            'h' if in_class => self.out.push_str(HORIZONTAL),
            'h' => self.out.push_str(&format!("[{HORIZONTAL}]")),
            'H' => self.out.push_str(&format!("[^{HORIZONTAL}]")),
            'V' => self.out.push_str(r"[^\x0B]"),
            'R' if !in_class => self.out.push_str(LINE_BREAK),
            'p' | 'P' => self.property(symbol == 'P')?,
            'x' | 'u' => self.code(symbol)?,
            '0' => self.octal()?,
            'c' => match self.next().filter(char::is_ascii) {
                Some(c) => self.literal(char::from(c as u8 ^ 64)),
                None => return Err(self.refuse(r"\c is followed by no letter")),
            },
            'b' | 'B' | 'A' | 'z' if !in_class => {
                self.out.push('\\');
                self.out.push(symbol);
            }
            'Z' if !in_class => self.end(),
            'G' if !in_class => {
                self.backtracks = true;
                self.out.push_str(r"\G");
            }
            'k' if !in_class => self.named_reference()?,
            '1'..='9' if !in_class => self.reference(symbol),
            'Q' if !in_class => self.quoted(),
            'E' if !in_class => {}
            'X' | 'N' => return Err(self.refuse(format!(r"\{symbol} is not supported"))),
            END => return Err(self.refuse("the character U+10FFFF cannot stand in a pattern")),
            other => self.literal(other),
        }
        Ok(())
    }

    /// The character itself, whatever it means in the notation.
    fn literal(&mut self, symbol: char) {
        if symbol.is_ascii_alphanumeric() || !symbol.is_ascii() {
            self.out.push(symbol);
        } else {
            self.out.push_str(&format!(r"\x{:02X}", u32::from(symbol)));
        }
    }

    fn quoted(&mut self) {
        while let Some(symbol) = self.next() {
            if symbol == '\\' && self.peek(0) == Some('E') {
                self.at += 1;
                return;
            }
            self.literal(symbol);
        }
    }

    /// `\xHH`, `\x{H…}`, `\uHHHH`.
    fn code(&mut self, kind: char) -> Result<()> {
        let mut digits = String::new();
        if kind == 'x' && self.peek(0) == Some('{') {
            self.at += 1;
            while let Some(c) = self.next().filter(|c| *c != '}') {
                digits.push(c);
            }
        } else {
            let length = if kind == 'x' { 2 } else { 4 };
            while digits.len() < length && self.peek(0).is_some_and(|c| c.is_ascii_hexdigit()) {
                digits.extend(self.next());
            }
        }
        let symbol = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
        match symbol {
            Some(c) if c != END => {
                self.out.push_str(&format!(r"\x{{{:X}}}", u32::from(c)));
                Ok(())
            }
            _ => Err(self.refuse(format!(
                r"\{kind}{digits} is no character; write \x{{10000}} for one beyond \uFFFF"
            ))),
        }
    }

    fn octal(&mut self) -> Result<()> {
        let mut digits = String::new();
        while digits.len() < 3 && self.peek(0).is_some_and(|c| ('0'..='7').contains(&c)) {
            digits.extend(self.next());
        }
        match u32::from_str_radix(&digits, 8) {
            Ok(code) if code < 256 => {
                self.out.push_str(&format!(r"\x{code:02X}"));
                Ok(())
            }
            _ => Err(self.refuse(r"\0 is followed by one to three octal digits")),
        }
    }

    /// `\12` is the twelfth group if there is one, otherwise the first and a `2`.
    fn reference(&mut self, first: char) {
        let mut number = first.to_digit(10).unwrap_or(1) as usize;
        while let Some(digit) = self.peek(0).and_then(|c| c.to_digit(10)) {
            let longer = number * 10 + digit as usize;
            if longer > self.groups {
                break;
            }
            number = longer;
            self.at += 1;
        }
        self.backtracks = true;
        self.out.push_str(&format!(r"(?:\{number})"));
    }

    fn named_reference(&mut self) -> Result<()> {
        let mut name = String::new();
        if self.next() != Some('<') {
            return Err(self.refuse(r"\k is followed by no <name>"));
        }
        loop {
            match self.next() {
                Some('>') => break,
                Some(c) if c.is_alphanumeric() || c == '_' => name.push(c),
                _ => return Err(self.refuse(r"\k is followed by no <name>")),
            }
        }
        self.backtracks = true;
        self.out.push_str(&format!(r"\k<{name}>"));
        Ok(())
    }

    /// `\p{Name}`, `\pL`.
    fn property(&mut self, negated: bool) -> Result<()> {
        let mut name = String::new();
        let mut negated = negated;
        match self.next() {
            Some('{') => {
                while let Some(c) = self.next().filter(|c| *c != '}') {
                    name.push(c);
                }
            }
            Some(c) => name.push(c),
            None => return Err(self.refuse(r"\p is followed by no name")),
        }
        if let Some(rest) = name.strip_prefix('^') {
            negated = !negated;
            name = rest.to_owned();
        }
        let not = if negated { "^" } else { "" };
        let bare = name.strip_prefix("Is").unwrap_or(&name).to_owned();
        let inside = match bare.to_ascii_lowercase().as_str() {
            "alpha" => r"\p{Alphabetic}",
            "digit" => r"\p{Nd}",
            "alnum" => r"\p{Alphabetic}\p{Nd}",
            "lower" | "javalowercase" => r"\p{Lowercase}",
            "upper" | "javauppercase" => r"\p{Uppercase}",
            "punct" => r"\p{P}$+<=>\^`|~",
            "space" | "javawhitespace" => r"\p{White_Space}",
            "blank" => r"\p{Zs}\t",
            "cntrl" => r"\p{Cc}",
            "graph" => r"\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}\p{Co}",
            "print" => r"\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}\p{Co}\p{Zs}",
            "xdigit" => "0-9A-Fa-f",
            "word" => r"\w",
            "ascii" => r"\x00-\x7F",
            _ => "",
        };
        if !inside.is_empty() {
            self.out.push_str(&format!("[{not}{inside}]"));
            return Ok(());
        }
        if bare.is_empty() || !bare.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(self.refuse(format!(r"\p{{{name}}} is not supported")));
        }
        self.out.push_str(&format!(r"[{not}\p{{{bare}}}]"));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pattern: &str) -> String {
        translate(pattern).unwrap().text
    }

    #[test]
    fn what_is_alike_stays() {
        for pattern in [r"\d+\s*[a-z]?", "(a|b)*?c{2,3}", "(?i)x(?:y)(?<n>z)", "^a.b", r"[^\w.]&&[a&&b]"] {
            assert_eq!(text(pattern), pattern);
        }
    }

    #[test]
    fn what_differs_is_rewritten() {
        assert_eq!(text("a{"), r"a\{");
        assert_eq!(text(r#"{"id":(\d+)}"#), r#"\{"id":(\d+)\}"#);
        assert_eq!(text("a{,3}"), "a{0,3}");
        assert_eq!(text(r"\<\_\/"), r"\x3C\x5F\x2F");
        assert_eq!(text(r"\Qa.b\E."), r"a\x2Eb.");
        assert_eq!(text(r"\u00e9\x41\x{1F600}\012"), r"\x{E9}\x{41}\x{1F600}\x0A");
        assert_eq!(text("[a--]"), r"[a\--]");
        assert_eq!(text(r"\p{Alpha}\P{Digit}\pL"), r"[\p{Alphabetic}][^\p{Nd}][\p{L}]");
        assert_eq!(text("a$"), r"a\z");
        assert_eq!(text("(?m)a$"), "(?m)a$");
        assert_eq!(text("(?m:a$)b$"), r"(?m:a$)b\z");
        assert_eq!(translate("a$").unwrap().before_final_newline.as_deref(), Some(r"a(?=\n?\z)"));
        assert_eq!(text("(?x) a # ) comment\n b"), "(?x) a \n b");
    }

    #[test]
    fn backtracking_is_noticed() {
        for pattern in ["a++", "(?=a)", "(?<!a)b", r"(a)\1", "(?>a)", "a{2}+", r"(?<n>a)\k<n>"] {
            assert!(translate(pattern).unwrap().backtracks, "{pattern}");
        }
        assert_eq!(text(r"(a)\12"), r"(a)(?:\1)2");
    }

    #[test]
    fn what_cannot_be_had_is_refused() {
        for pattern in ["(", "a)", "[a", r"a\", "(?u)a", r"\X", r"\uD800", r"\p{blk=Greek}", r"\k"] {
            assert!(translate(pattern).is_err(), "{pattern}");
        }
        assert!(translate(&"(".repeat(100_000)).is_err());
        assert!(translate(&"[".repeat(100_000)).is_err());
    }
}
