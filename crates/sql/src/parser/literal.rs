//! Literals: numbers, strings, bytes, intervals, and names.

use super::Parser;
use super::words;
use crate::text::lexer::{Kind, Token};
use model::Result;
use sqlparser::ast::{DateTimeField, Expr, Ident, Interval, Value, ValueWithSpan};

impl Parser<'_> {
    pub(super) fn number(&mut self) -> Expr {
        let token = self.advance();
        let text = self.piece(&token).replace('_', "");
        Expr::Value(Value::Number(text, false).with_span(token.span()))
    }

    /// A string literal; `U&'…'` is decoded.
    pub(super) fn string_value(&mut self) -> Result<ValueWithSpan> {
        let token = self.token(0);
        let text = match token.kind {
            Kind::Text => {
                self.at += 1;
                undouble(self.piece(&token), '\'')
            }
            Kind::UnicodeText => {
                self.at += 1;
                self.decoded(&token, '\'')?
            }
            _ => return Err(self.expected("a string")),
        };
        Ok(Value::SingleQuotedString(text).with_span(self.span_from(&token)))
    }

    /// Trino's string where only its content matters.
    pub(super) fn plain_string(&mut self) -> Result<String> {
        match self.string_value()?.value {
            Value::SingleQuotedString(text) => Ok(text),
            other => Ok(other.to_string()),
        }
    }

    /// The content of a `U&` literal, with the escape character that UESCAPE names.
    fn decoded(&mut self, token: &Token, delimiter: char) -> Result<String> {
        let body = undouble(self.piece(token).get(2..).unwrap_or(""), delimiter);
        let mut escape = '\\';
        if self.accept("UESCAPE") {
            let at = self.token(0);
            let named = self.plain_string()?;
            let mut chars = named.chars();
            escape = match (chars.next(), chars.next()) {
                (Some(c), None)
                    if !c.is_ascii_hexdigit() && !matches!(c, '+' | '\'' | '"') && !c.is_whitespace() =>
                {
                    c
                }
                _ => {
                    return Err(self.invalid(
                        &at,
                        "the escape must be one character that is no hex digit, sign or quote",
                    ));
                }
            };
        }
        decode_unicode(&body, escape).map_err(|why| self.invalid(token, "invalid unicode escape").why(why))
    }

    pub(super) fn hex(&mut self) -> Result<Expr> {
        let token = self.advance();
        let digits: String = undouble(self.piece(&token).get(1..).unwrap_or(""), '\'')
            .chars()
            .filter(|c| !c.is_whitespace())
            .map(|c| c.to_ascii_uppercase())
            .collect();
        if !digits.chars().all(|c| c.is_ascii_hexdigit()) {
            return Err(self.invalid(&token, "a binary literal can only contain hexadecimal digits"));
        }
        if digits.len() % 2 == 1 {
            return Err(self.invalid(&token, "a binary literal must contain an even number of digits"));
        }
        Ok(Expr::Value(Value::HexStringLiteral(digits).with_span(token.span())))
    }

    /// `?`, numbered in order of appearance, or the value that it stands for.
    pub(super) fn parameter(&mut self) -> Expr {
        let token = self.advance();
        let known = self.values.get(self.parameters as usize).cloned();
        self.parameters += 1;
        match known {
            Some(value @ Expr::Value(_)) => return value,
            Some(value) => return Expr::Nested(Box::new(value)),
            None => {}
        }
        Expr::Value(Value::Placeholder(format!("?{}", self.parameters)).with_span(token.span()))
    }

    /// Whether an interval's literal begins at `INTERVAL`.
    pub(super) fn begins_interval(&self) -> bool {
        let sign = usize::from(self.is_symbol_at(1, "-") || self.is_symbol_at(1, "+"));
        matches!(self.token(1 + sign).kind, Kind::Text | Kind::UnicodeText)
    }

    /// `INTERVAL [sign] 'text' field [TO field]`
    pub(super) fn interval(&mut self) -> Result<Expr> {
        self.expect("INTERVAL")?;
        let minus = self.take("-");
        if !minus {
            self.take("+");
        }
        let value = Box::new(Expr::Value(self.string_value()?));
        let leading_field = Some(self.interval_field()?);
        let last_field = if self.accept("TO") { Some(self.interval_field()?) } else { None };
        let interval = Expr::Interval(Interval {
            value,
            leading_field,
            leading_precision: None,
            last_field,
            fractional_seconds_precision: None,
        });
        if !minus {
            return Ok(interval);
        }
        self.grow()?;
        Ok(Expr::UnaryOp { op: sqlparser::ast::UnaryOperator::Minus, expr: Box::new(interval) })
    }

    fn interval_field(&mut self) -> Result<DateTimeField> {
        let word = self.one_of(&["YEAR", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND"])?;
        Ok(match word {
            "YEAR" => DateTimeField::Year,
            "MONTH" => DateTimeField::Month,
            "WEEK" => DateTimeField::Week(None),
            "DAY" => DateTimeField::Day,
            "HOUR" => DateTimeField::Hour,
            "MINUTE" => DateTimeField::Minute,
            _ => DateTimeField::Second,
        })
    }

    /// Whether a name can begin here.
    pub(super) fn is_name_at(&self, ahead: usize) -> bool {
        let token = self.token(ahead);
        match token.kind {
            Kind::Word => !words::is_reserved(self.piece(&token)),
            Kind::Quoted | Kind::UnicodeQuoted => true,
            _ => false,
        }
    }

    /// A name.
    pub(super) fn identifier(&mut self, what: &str) -> Result<Ident> {
        if !self.is_name_at(0) {
            return Err(self.expected(what));
        }
        let token = self.advance();
        let value = match token.kind {
            Kind::Word => return Ok(Ident::with_span(token.span(), self.piece(&token))),
            Kind::UnicodeQuoted => self.decoded(&token, '"')?,
            _ => undouble(self.piece(&token), '"'),
        };
        if value.is_empty() {
            return Err(self.invalid(&token, "a name must not be empty"));
        }
        Ok(Ident::with_quote_and_span('"', token.span(), value))
    }
}

/// A literal without its delimiters, which are written twice inside.
fn undouble(piece: &str, delimiter: char) -> String {
    let inner = piece.strip_prefix(delimiter).and_then(|rest| rest.strip_suffix(delimiter)).unwrap_or(piece);
    inner.replace(&format!("{delimiter}{delimiter}"), &delimiter.to_string())
}

/// The text of a `U&` literal: `\0041`, `\+01F600`, and the escape itself written twice.
fn decode_unicode(body: &str, escape: char) -> Result<String, String> {
    let mut text = String::with_capacity(body.len());
    let mut rest = body.chars();
    while let Some(c) = rest.next() {
        if c != escape {
            text.push(c);
            continue;
        }
        let mut ahead = rest.clone();
        let digits = match ahead.next() {
            Some(next) if next == escape => {
                text.push(escape);
                rest = ahead;
                continue;
            }
            Some('+') => {
                rest = ahead;
                6
            }
            _ => 4,
        };
        let code: String = rest.by_ref().take(digits).collect();
        let number =
            u32::from_str_radix(&code, 16).ok().filter(|_| code.len() == digits && !code.starts_with('+'));
        let number = number.ok_or_else(|| format!("`{escape}{code}` needs {digits} hexadecimal digits"))?;
        text.push(char::from_u32(number).ok_or_else(|| format!("`{code}` is not a character's code"))?);
    }
    Ok(text)
}
