//! Functions in FROM that give a row for each element.

use super::translate::Rewriter;
use model::Result;
use sql::quote_ident;

impl Rewriter<'_> {
    /// `FROM generate_series(1, 3) AS g`: the alias names the table and its column.
    pub(super) fn series(
        &mut self,
        at: usize,
        close: usize,
        to: usize,
        name: &str,
        arguments: &[(usize, usize)],
    ) -> Result<usize> {
        match (name, arguments) {
            ("generate_series", [from, to, rest @ ..]) => self.sequence(at, *from, *to, rest, arguments)?,
            _ => self.wrap(at, "UNNEST(", arguments, ")")?,
        }
        let mut next = close + 1;
        if self.tokens.get(next).is_some_and(|token| token.is("WITH")) {
            return Ok(next);
        }
        let has_as = next < to && self.tokens.get(next).is_some_and(|token| token.is("AS"));
        if has_as {
            next += 1;
        }
        const WORDS: [&str; 14] = [
            "WHERE", "GROUP", "ORDER", "LIMIT", "OFFSET", "CROSS", "JOIN", "LEFT", "RIGHT", "INNER", "FULL",
            "ON", "HAVING", "UNION",
        ];
        let alias = self
            .tokens
            .get(next)
            .filter(|token| next < to && token.is_name() && !WORDS.iter().any(|word| token.is(word)));
        match alias {
            Some(_) => {
                if has_as {
                    self.push("as", next - 1);
                }
                let name = self.text_of((next, next + 1)).to_owned();
                if self.is_symbol(next + 1, "(") {
                    self.push(name, next);
                } else {
                    self.push(format!("{name}({name})"), next);
                }
                Ok(next + 1)
            }
            None => {
                let name = quote_ident(name);
                self.push(format!("as {name}({name})"), at);
                Ok(next)
            }
        }
    }

    /// The numbers of a series. The engine's sequence counts down where PostgreSQL's series has nothing in it.
    fn sequence(
        &mut self,
        at: usize,
        from: (usize, usize),
        to: (usize, usize),
        step: &[(usize, usize)],
        arguments: &[(usize, usize)],
    ) -> Result<()> {
        let number = |piece: (usize, usize)| self.text_of(piece).parse::<i64>().ok();
        let rises = match step {
            [] => Some(true),
            [step] => number(*step).filter(|step| *step != 0).map(|step| step > 0),
            _ => None,
        };
        let is_plain = match (number(from), number(to), rises) {
            (Some(from), Some(to), Some(true)) => from <= to,
            (Some(from), Some(to), Some(false)) => from >= to,
            _ => false,
        };
        let Some(rises) = rises.filter(|_| !is_plain) else {
            return self.wrap(at, "UNNEST(sequence(", arguments, "))");
        };
        self.push("UNNEST(CASE WHEN", at);
        self.group(from.0, from.1)?;
        self.push(if rises { "<=" } else { ">=" }, at);
        self.group(to.0, to.1)?;
        self.wrap(at, "THEN sequence(", arguments, ") END)")
    }
}
