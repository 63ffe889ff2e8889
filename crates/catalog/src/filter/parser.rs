//! From text to a checked expression. The grammar, weakest first: OR, AND, NOT, then one comparison or parentheses.

use super::lexer::{Token, TokenKind, mistake, tokens};
use super::like::Pattern;
use super::literal::{Literal, opaque};
use super::{Expression, Operator};
use crate::keys::{Key, KeyKind};
use model::{Error, ErrorKind, Result};
use std::ops::Range;

/// Glue's limit for an expression, in characters.
const MAX_LENGTH: usize = 2048;

/// How deep parentheses and negations may nest.
const MAX_DEPTH: usize = 64;

const KEYWORDS: [&str; 10] = ["AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "IS", "NULL", "TRUE", "FALSE"];

pub(super) fn parse(text: &str, keys: &[Key]) -> Result<Option<Expression>> {
    let length = text.chars().count();
    if length > MAX_LENGTH {
        return Err(Error::new(
            ErrorKind::LimitExceeded,
            format!("the filter has {length} characters, the limit is {MAX_LENGTH}"),
        )
        .hint("use BETWEEN for ranges, or ask in several steps"));
    }
    if text.contains('\0') {
        return Err(Error::invalid("the filter holds the character zero"));
    }
    let mut parser = Parser { text, keys, tokens: tokens(text)?, at: 0 };
    if parser.peek().kind == TokenKind::End {
        return Ok(None);
    }
    let expression = parser.any(0)?;
    match parser.peek().kind {
        TokenKind::End => Ok(Some(expression)),
        _ => Err(parser.unexpected("AND, OR or the end")),
    }
}

struct Parser<'a> {
    text: &'a str,
    keys: &'a [Key],
    tokens: Vec<Token>,
    at: usize,
}

/// A side of a comparison.
enum Operand {
    Key(usize),
    Literal(Literal, Range<usize>),
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        // The last token is the end, and nothing moves behind it.
        &self.tokens[self.at]
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn take(&mut self, kind: &TokenKind) -> bool {
        let found = self.peek().kind == *kind;
        if found {
            self.next();
        }
        found
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(&self.peek().kind, TokenKind::Word(w) if w.eq_ignore_ascii_case(word));
        if found {
            self.next();
        }
        found
    }

    fn expect(&mut self, kind: &TokenKind, name: &str) -> Result<()> {
        if self.take(kind) { Ok(()) } else { Err(self.unexpected(name)) }
    }

    fn unexpected(&self, wanted: &str) -> Error {
        let token = self.peek();
        let found = match token.kind {
            TokenKind::End => "the filter ends".to_owned(),
            _ => format!("`{}` stands", &self.text[token.span.clone()]),
        };
        mistake(self.text, &token.span, format!("{found} where {wanted} should be"))
    }

    fn deeper(&self, depth: usize) -> Result<usize> {
        if depth < MAX_DEPTH {
            return Ok(depth + 1);
        }
        Err(mistake(self.text, &self.peek().span, format!("the filter nests deeper than {MAX_DEPTH}")))
    }

    fn any(&mut self, depth: usize) -> Result<Expression> {
        let mut parts = vec![self.all(depth)?];
        while self.take_word("OR") {
            parts.push(self.all(depth)?);
        }
        Ok(single_or(parts, Expression::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Expression> {
        let mut parts = vec![self.negation(depth)?];
        while self.take_word("AND") {
            parts.push(self.negation(depth)?);
        }
        Ok(single_or(parts, Expression::All))
    }

    fn negation(&mut self, depth: usize) -> Result<Expression> {
        let depth = self.deeper(depth)?;
        if self.take_word("NOT") {
            return Ok(self.negation(depth)?.negate());
        }
        if self.take(&TokenKind::Open) {
            let inner = self.any(depth)?;
            self.expect(&TokenKind::Close, "`)`")?;
            return Ok(inner);
        }
        self.predicate()
    }

    fn predicate(&mut self) -> Result<Expression> {
        let start = self.peek().span.clone();
        match self.operand()? {
            Operand::Key(key) => self.after_key(key, &start),
            Operand::Literal(literal, span) => {
                let TokenKind::Operator(operator) = self.peek().kind else {
                    return Err(self.unexpected("a comparison"));
                };
                self.next();
                match self.operand()? {
                    Operand::Key(key) => self.compare(key, operator.turn_around(), &literal, &span),
                    Operand::Literal(..) => {
                        Err(mistake(self.text, &span, "a comparison needs a partition key on one side"))
                    }
                }
            }
        }
    }

    fn after_key(&mut self, key: usize, span: &Range<usize>) -> Result<Expression> {
        if let TokenKind::Operator(operator) = self.peek().kind {
            self.next();
            return match self.operand()? {
                Operand::Literal(literal, span) => self.compare(key, operator, &literal, &span),
                Operand::Key(_) => Err(mistake(
                    self.text,
                    &(span.start..self.tokens[self.at.saturating_sub(1)].span.end),
                    "two partition keys cannot be compared with each other",
                )
                .hint("compare a key with a value; put texts into single quotes")),
            };
        }
        if self.take_word("IS") {
            let negated = self.take_word("NOT");
            if !self.take_word("NULL") {
                return Err(self.unexpected("NULL"));
            }
            return Ok(Expression::Null { key, negated });
        }
        let negated = self.take_word("NOT");
        let expression = if self.take_word("IN") {
            self.list(key)?
        } else if self.take_word("BETWEEN") {
            self.between(key)?
        } else if self.take_word("LIKE") {
            self.like(key, span)?
        } else {
            return Err(self.unexpected(if negated { "IN, BETWEEN or LIKE" } else { "a comparison" }));
        };
        Ok(if negated { expression.negate() } else { expression })
    }

    fn between(&mut self, key: usize) -> Result<Expression> {
        let (low, low_span) = self.literal()?;
        if !self.take_word("AND") {
            return Err(self.unexpected("AND"));
        }
        let (high, high_span) = self.literal()?;
        Ok(Expression::All(vec![
            self.compare(key, Operator::GreaterOrEqual, &low, &low_span)?,
            self.compare(key, Operator::LessOrEqual, &high, &high_span)?,
        ]))
    }

    fn list(&mut self, key: usize) -> Result<Expression> {
        self.expect(&TokenKind::Open, "`(`")?;
        let (mut values, mut has_null, mut has_default) = (Vec::new(), false, false);
        loop {
            let (literal, span) = self.literal()?;
            if literal.is_default_partition() {
                has_default = true;
            } else {
                match literal.encode(&self.keys[key], self.text, &span)? {
                    Some(value) => values.push(value),
                    None => has_null = true,
                }
            }
            if !self.take(&TokenKind::Comma) {
                break;
            }
        }
        self.expect(&TokenKind::Close, "`,` or `)`")?;
        let mut parts = Vec::new();
        if !values.is_empty() {
            parts.push(Expression::In { key, values, negated: false });
        }
        if has_default {
            parts.push(Expression::Null { key, negated: false });
        }
        // With a null in the list the answer is true or unknown, never false: so that its negation is never true.
        if has_null {
            parts.push(Expression::Never);
        }
        Ok(single_or(parts, Expression::Any))
    }

    fn like(&mut self, key: usize, key_span: &Range<usize>) -> Result<Expression> {
        let described = &self.keys[key];
        if described.kind != KeyKind::Text {
            return Err(mistake(
                self.text,
                key_span,
                format!("LIKE compares texts, but `{}` is of type {}", described.name, described.hive_type),
            )
            .hint("use =, <, >, IN or BETWEEN"));
        }
        let (literal, span) = self.literal()?;
        let escape = if self.take_word("ESCAPE") { Some(self.escape()?) } else { None };
        let Some(text) = literal.encode(described, self.text, &span)? else { return Ok(Expression::Never) };
        let pattern = Pattern::parse(&text, escape).ok_or_else(|| {
            mistake(self.text, &span, "the escape character must stand before %, _ or itself")
        })?;
        Ok(Expression::Like { key, pattern, negated: false })
    }

    fn escape(&mut self) -> Result<char> {
        let (literal, span) = self.literal()?;
        if let Literal::Text(text) = &literal
            && let (Some(escape), 1) = (text.chars().next(), text.chars().count())
        {
            return Ok(escape);
        }
        Err(mistake(self.text, &span, "the escape must be one character in single quotes"))
    }

    fn compare(
        &self,
        key: usize,
        operator: Operator,
        literal: &Literal,
        span: &Range<usize>,
    ) -> Result<Expression> {
        if literal.is_default_partition() {
            return match operator {
                Operator::Equal => Ok(Expression::Null { key, negated: false }),
                Operator::NotEqual => Ok(Expression::Null { key, negated: true }),
                _ => Err(mistake(self.text, span, "null is neither smaller nor greater than a value")
                    .hint("use IS NULL or IS NOT NULL")),
            };
        }
        let value = literal.encode(&self.keys[key], self.text, span)?;
        Ok(value.map_or(Expression::Never, |value| Expression::Compare { key, operator, value }))
    }

    fn literal(&mut self) -> Result<(Literal, Range<usize>)> {
        let start = self.peek().span.clone();
        match self.operand()? {
            Operand::Literal(literal, span) => Ok((literal, span)),
            Operand::Key(_) => {
                Err(mistake(self.text, &start, "a value should stand here, not a partition key")
                    .hint("put texts into single quotes"))
            }
        }
    }

    fn operand(&mut self) -> Result<Operand> {
        let token = self.next();
        let literal = match token.kind {
            TokenKind::Text(text) => Literal::Text(text),
            TokenKind::Number(number) => Literal::Number(number),
            TokenKind::Quoted(name) => return self.key(&name, &token.span),
            TokenKind::Word(word) => return self.word(&word, token.span),
            _ => {
                self.at = self.at.saturating_sub(usize::from(token.kind != TokenKind::End));
                return Err(self.unexpected("a partition key or a value"));
            }
        };
        Ok(Operand::Literal(literal, token.span))
    }

    /// A word: a typed literal's beginning, a constant or a key.
    fn word(&mut self, word: &str, span: Range<usize>) -> Result<Operand> {
        let upper = word.to_ascii_uppercase();
        if let TokenKind::Text(text) = &self.peek().kind
            && matches!(upper.as_str(), "DATE" | "TIMESTAMP")
        {
            let literal =
                if upper == "DATE" { Literal::Date(text.clone()) } else { Literal::Timestamp(text.clone()) };
            let end = self.next().span.end;
            return Ok(Operand::Literal(literal, span.start..end));
        }
        match upper.as_str() {
            "TRUE" => Ok(Operand::Literal(Literal::Boolean(true), span)),
            "FALSE" => Ok(Operand::Literal(Literal::Boolean(false), span)),
            "NULL" => Ok(Operand::Literal(Literal::Null, span)),
            _ => self.key(word, &span),
        }
    }

    fn key(&self, name: &str, span: &Range<usize>) -> Result<Operand> {
        let folded = name.to_lowercase();
        match self.keys.iter().position(|key| key.name.to_lowercase() == folded) {
            Some(index) if self.keys[index].kind == KeyKind::Opaque && !self.is_null_test() => {
                Err(opaque(&self.keys[index], self.text, span))
            }
            Some(index) => Ok(Operand::Key(index)),
            None if KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(name)) => Err(mistake(
                self.text,
                span,
                format!("`{name}` stands where a partition key or a value should be"),
            )),
            None => Err(self.unknown_key(name, span)),
        }
    }

    fn is_null_test(&self) -> bool {
        matches!(&self.peek().kind, TokenKind::Word(word) if word.eq_ignore_ascii_case("IS"))
    }

    fn unknown_key(&self, name: &str, span: &Range<usize>) -> Error {
        let error = mistake(self.text, span, format!("`{name}` is no partition key of this table"));
        if self.keys.is_empty() {
            return error.hint("the table is not partitioned");
        }
        error.hint(model::nearest_hint(name, self.keys.iter().map(|key| key.name.as_str())))
    }
}

fn single_or(mut parts: Vec<Expression>, of: impl FnOnce(Vec<Expression>) -> Expression) -> Expression {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, Some(last)) => {
            parts.push(last);
            of(parts)
        }
        (_, None) => Expression::Never,
    }
}
