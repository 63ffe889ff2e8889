//! The path language of the SQL standard's JSON functions, as a tree: `lax $.a[0 to 2, last]?(@.b > 1).size()`.

use model::{Error, Result};

/// Expressions may nest so deep. Parentheses in a filter are read in two ways, so that each level may double the work.
const MAX_DEPTH: usize = 60;
const MAX_GROUPS: usize = 12;

/// A path with its mode.
#[derive(Debug)]
pub(crate) struct SqlPath {
    pub(crate) lax: bool,
    pub(crate) root: Expr,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    Context,
    Current,
    Last,
    Variable(String),
    Integer(i64),
    Double(f64),
    Text(String),
    Bool(bool),
    Null,
    Negative(Box<Expr>),
    Positive(Box<Expr>),
    Arithmetic(Box<Expr>, char, Box<Expr>),
    Member(Box<Expr>, String),
    Members(Box<Expr>),
    Descendants(Box<Expr>, String),
    /// Single subscripts, or ranges.
    Elements(Box<Expr>, Vec<(Expr, Option<Expr>)>),
    AllElements(Box<Expr>),
    Filter(Box<Expr>, Box<Predicate>),
    Method(Box<Expr>, Method),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Abs,
    Ceiling,
    Double,
    Floor,
    KeyValue,
    Size,
    Type,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Predicate {
    And(Box<Predicate>, Box<Predicate>),
    Or(Box<Predicate>, Box<Predicate>),
    Not(Box<Predicate>),
    IsUnknown(Box<Predicate>),
    Exists(Expr),
    StartsWith(Expr, Expr),
    Compare(Expr, Comparison, Expr),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl SqlPath {
    pub(crate) fn parse(text: &str) -> Result<SqlPath> {
        let mut reader = Reader { text, at: 0, depth: 0, groups: 0 };
        reader.whole().map_err(|why| {
            Error::invalid(format!("the JSON path '{}' is not valid", crate::scalar::string::shorten(text)))
                .why(format!("{why}, at byte {}", reader.at))
                .hint("a path begins with lax or strict: 'lax $.name[0]'")
        })
    }
}

type Read<T> = std::result::Result<T, String>;

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    groups: usize,
}

impl<'a> Reader<'a> {
    fn whole(&mut self) -> Read<SqlPath> {
        let lax = match self.name().as_deref() {
            Some("lax") => true,
            Some("strict") => false,
            _ => return Err("the mode is missing".into()),
        };
        let root = self.expr()?;
        self.blanks();
        if self.at < self.text.len() {
            return Err("this is not expected".into());
        }
        Ok(SqlPath { lax, root })
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn take(&mut self, token: &str) -> bool {
        self.blanks();
        let there = self.rest().starts_with(token);
        self.at += if there { token.len() } else { 0 };
        there
    }

    fn expect(&mut self, token: &str) -> Read<()> {
        if self.take(token) { Ok(()) } else { Err(format!("`{token}` is expected")) }
    }

    /// A word, if one comes next.
    fn name(&mut self) -> Option<String> {
        self.blanks();
        let rest = self.rest();
        let end = rest.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(rest.len());
        let word =
            rest.get(..end).filter(|w| !w.is_empty() && !w.starts_with(|c: char| c.is_ascii_digit()))?;
        self.at += end;
        Some(word.to_owned())
    }

    /// This word, and not a longer one.
    fn word(&mut self, wanted: &str) -> bool {
        let before = self.at;
        let found = self.name().as_deref() == Some(wanted);
        if !found {
            self.at = before;
        }
        found
    }

    fn expr(&mut self) -> Read<Expr> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("it nests too deep".into());
        }
        let mut left = self.product()?;
        loop {
            let operator = if self.take("+") {
                '+'
            } else if self.take("-") {
                '-'
            } else {
                break;
            };
            left = Expr::Arithmetic(Box::new(left), operator, Box::new(self.product()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn product(&mut self) -> Read<Expr> {
        let mut left = self.signed()?;
        loop {
            let operator = if self.take("*") {
                '*'
            } else if self.take("/") {
                '/'
            } else if self.take("%") {
                '%'
            } else {
                return Ok(left);
            };
            left = Expr::Arithmetic(Box::new(left), operator, Box::new(self.signed()?));
        }
    }

    fn signed(&mut self) -> Read<Expr> {
        let mut signs = Vec::new();
        loop {
            if self.take("-") {
                signs.push(true);
            } else if self.take("+") {
                signs.push(false);
            } else {
                break;
            }
            if signs.len() > MAX_DEPTH {
                return Err("it nests too deep".into());
            }
        }
        let mut value = self.accessors()?;
        for negative in signs.into_iter().rev() {
            value = if negative { Expr::Negative(Box::new(value)) } else { Expr::Positive(Box::new(value)) };
        }
        Ok(value)
    }

    fn accessors(&mut self) -> Read<Expr> {
        let mut base = self.primary()?;
        let mut steps = 0;
        loop {
            let inner = Box::new(base.clone());
            base = if self.take("..") {
                Expr::Descendants(inner, self.key()?)
            } else if self.take(".") {
                if self.take("*") { Expr::Members(inner) } else { self.member_or_method(inner)? }
            } else if self.take("[") {
                self.subscripts(inner)?
            } else if self.take("?") {
                self.expect("(")?;
                let predicate = self.predicate()?;
                self.expect(")")?;
                Expr::Filter(inner, Box::new(predicate))
            } else {
                return Ok(base);
            };
            steps += 1;
            if steps > MAX_DEPTH {
                return Err("it has too many steps".into());
            }
        }
    }

    fn key(&mut self) -> Read<String> {
        self.blanks();
        if self.rest().starts_with('"') {
            return self.quoted();
        }
        self.name().ok_or_else(|| "a member's name is expected".into())
    }

    fn member_or_method(&mut self, inner: Box<Expr>) -> Read<Expr> {
        let quoted = {
            self.blanks();
            self.rest().starts_with('"')
        };
        let name = self.key()?;
        if quoted || !self.take("(") {
            return Ok(Expr::Member(inner, name));
        }
        let method = match name.as_str() {
            "abs" => Method::Abs,
            "ceiling" => Method::Ceiling,
            "double" => Method::Double,
            "floor" => Method::Floor,
            "keyvalue" => Method::KeyValue,
            "size" => Method::Size,
            "type" => Method::Type,
            other => return Err(format!("the method {other}() is not supported")),
        };
        self.expect(")")?;
        Ok(Expr::Method(inner, method))
    }

    fn subscripts(&mut self, inner: Box<Expr>) -> Read<Expr> {
        if self.take("*") {
            self.expect("]")?;
            return Ok(Expr::AllElements(inner));
        }
        let mut subscripts = Vec::new();
        loop {
            let from = self.expr()?;
            let to = if self.word("to") { Some(self.expr()?) } else { None };
            subscripts.push((from, to));
            if !self.take(",") {
                break;
            }
        }
        self.expect("]")?;
        Ok(Expr::Elements(inner, subscripts))
    }

    fn primary(&mut self) -> Read<Expr> {
        self.blanks();
        match self.rest().chars().next() {
            Some('(') => {
                self.expect("(")?;
                let inner = self.expr()?;
                self.expect(")")?;
                Ok(inner)
            }
            Some('$') => {
                self.at += 1;
                let follows = self.rest().starts_with(|c: char| c == '_' || c.is_alphabetic());
                Ok(match follows.then(|| self.name()).flatten() {
                    Some(name) => Expr::Variable(name),
                    None => Expr::Context,
                })
            }
            Some('@') => {
                self.at += 1;
                Ok(Expr::Current)
            }
            Some('"') => self.quoted().map(Expr::Text),
            Some(c) if c.is_ascii_digit() || c == '.' => self.number(),
            _ => match self.name().as_deref() {
                Some("true") => Ok(Expr::Bool(true)),
                Some("false") => Ok(Expr::Bool(false)),
                Some("null") => Ok(Expr::Null),
                Some("last") => Ok(Expr::Last),
                _ => Err("a value is expected".into()),
            },
        }
    }

    fn number(&mut self) -> Read<Expr> {
        let rest = self.rest().as_bytes();
        let digits = |from: usize| rest.iter().skip(from).take_while(|b| b.is_ascii_digit()).count();
        let mut end = digits(0);
        let mut float = false;
        if rest.get(end) == Some(&b'.') && rest.get(end + 1).is_some_and(u8::is_ascii_digit) {
            float = true;
            end += 1 + digits(end + 1);
        }
        if matches!(rest.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(rest.get(end + 1), Some(b'+' | b'-')));
            let exponent = digits(end + 1 + sign);
            if exponent > 0 {
                float = true;
                end += 1 + sign + exponent;
            }
        }
        let text = self.rest().get(..end).unwrap_or_default();
        self.at += end;
        let bad = |_| "this is no number".to_owned();
        if float {
            return text.parse().map(Expr::Double).map_err(|e: std::num::ParseFloatError| bad(e.to_string()));
        }
        match text.parse() {
            Ok(number) => Ok(Expr::Integer(number)),
            Err(_) => {
                text.parse().map(Expr::Double).map_err(|e: std::num::ParseFloatError| bad(e.to_string()))
            }
        }
    }

    fn quoted(&mut self) -> Read<String> {
        let mut scanner = super::scan::Scanner::new(self.rest());
        match scanner.string() {
            Ok(raw) => {
                self.at += raw.text.len() + 2;
                Ok(raw.to_text())
            }
            Err(_) => Err("this string is not closed or has an unknown escape".into()),
        }
    }

    fn predicate(&mut self) -> Read<Predicate> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("it nests too deep".into());
        }
        let mut left = self.conjunction()?;
        while self.take("||") {
            left = Predicate::Or(Box::new(left), Box::new(self.conjunction()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn conjunction(&mut self) -> Read<Predicate> {
        let mut left = self.single()?;
        while self.take("&&") {
            left = Predicate::And(Box::new(left), Box::new(self.single()?));
        }
        Ok(left)
    }

    fn single(&mut self) -> Read<Predicate> {
        self.blanks();
        if self.rest().starts_with('!') && !self.rest().starts_with("!=") {
            self.at += 1;
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err("it nests too deep".into());
            }
            let inner = self.single()?;
            self.depth -= 1;
            return Ok(Predicate::Not(Box::new(inner)));
        }
        if self.word("exists") {
            self.expect("(")?;
            let inner = self.expr()?;
            self.expect(")")?;
            return Ok(Predicate::Exists(inner));
        }
        if self.rest().starts_with('(') {
            // A predicate in parentheses, or a comparison whose left side begins with some.
            let (at, depth) = (self.at, self.depth);
            self.groups += 1;
            if self.groups > MAX_GROUPS {
                return Err("there are too many parentheses in each other".into());
            }
            let grouped = self.grouped();
            self.groups -= 1;
            if let Ok(grouped) = grouped {
                return Ok(grouped);
            }
            (self.at, self.depth) = (at, depth);
        }
        self.comparison()
    }

    fn grouped(&mut self) -> Read<Predicate> {
        self.expect("(")?;
        let inner = self.predicate()?;
        self.expect(")")?;
        self.blanks();
        let behind = self.rest();
        if self.word("is") {
            return if self.word("unknown") {
                Ok(Predicate::IsUnknown(Box::new(inner)))
            } else {
                Err("`unknown` is expected".into())
            };
        }
        // What follows a predicate; anything else belongs to an expression.
        if behind.is_empty() || behind.starts_with([')', '&', '|']) {
            return Ok(inner);
        }
        Err("this is not expected".into())
    }

    fn comparison(&mut self) -> Read<Predicate> {
        let left = self.expr()?;
        if self.word("starts") {
            if !self.word("with") {
                return Err("`with` is expected".into());
            }
            return Ok(Predicate::StartsWith(left, self.primary()?));
        }
        let operators = [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<>", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        for (token, comparison) in operators {
            if self.take(token) {
                return Ok(Predicate::Compare(left, comparison, self.expr()?));
            }
        }
        if self.word("like_regex") {
            return Err("like_regex is not supported".into());
        }
        Err("a comparison is expected".into())
    }
}
