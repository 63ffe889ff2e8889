//! The parts that Hive's definitions share: names, strings, columns, partitions, properties.

use super::Parser;
use crate::ast::{
    At, ColumnDef, DropPartition, PartitionCompare, PartitionFilter, PartitionSpec, PartitionValue, Property,
    QualifiedName,
};
use crate::text::lexer::{Kind, Token};
use crate::text::unescape_hive;
use model::{HiveType, Result};
use sqlparser::ast::Ident;

impl Parser<'_> {
    /// A name in a definition: any word, or anything in back-ticks or double quotes.
    pub(super) fn hive_identifier(&mut self, what: &str) -> Result<Ident> {
        let token = self.token(0);
        let piece = self.piece(&token);
        let (value, quote) = match token.kind {
            Kind::Word => (piece.to_owned(), None),
            Kind::BackQuoted => (inner(piece).replace("``", "`"), Some('`')),
            Kind::Quoted => (inner(piece).replace("\"\"", "\""), Some('"')),
            _ => return Err(self.expected(what)),
        };
        self.at += 1;
        if value.is_empty() {
            return Err(self.invalid(&token, "a name must not be empty"));
        }
        Ok(match quote {
            Some(quote) => Ident::with_quote_and_span(quote, token.span(), value),
            None => Ident::with_span(token.span(), value),
        })
    }

    /// `[[catalog.]database.]table` in a definition.
    pub(super) fn hive_name(&mut self, what: &str) -> Result<QualifiedName> {
        let first = self.token(0);
        let mut parts = vec![self.hive_identifier(what)?];
        while self.take(".") {
            parts.push(self.hive_identifier(what)?);
        }
        QualifiedName::from_parts(parts).ok_or_else(|| {
            self.invalid(&first, "a name has at most three parts: catalog, database and table")
        })
    }

    /// A string in single or double quotes, with escapes.
    pub(super) fn hive_text(&mut self) -> Result<At<String>> {
        let token = self.token(0);
        let delimiter = match token.kind {
            Kind::Text => '\'',
            Kind::Quoted => '"',
            _ => return Err(self.expected("a string in quotes")),
        };
        self.at += 1;
        Ok(At { value: unescape_hive(inner(self.piece(&token)), delimiter), span: token.span() })
    }

    pub(super) fn optional_comment(&mut self) -> Result<Option<String>> {
        if self.accept("COMMENT") { Ok(Some(self.hive_text()?.value)) } else { Ok(None) }
    }

    /// `('key' = 'value', …)`
    pub(super) fn properties(&mut self) -> Result<Vec<Property>> {
        self.in_parentheses(|p| {
            let key = p.hive_text()?;
            p.need("=")?;
            Ok(Property { key, value: p.hive_text()? })
        })
    }

    /// `(name type [COMMENT '…'], …)`
    pub(super) fn columns(&mut self) -> Result<Vec<ColumnDef>> {
        self.in_parentheses(Self::column)
    }

    /// The columns of a table that may keep a log, which can hold to NOT NULL.
    pub(super) fn strict_columns(&mut self) -> Result<Vec<ColumnDef>> {
        self.in_parentheses(|p| p.column_with(true))
    }

    pub(super) fn column(&mut self) -> Result<ColumnDef> {
        self.column_with(false)
    }

    fn column_with(&mut self, may_be_strict: bool) -> Result<ColumnDef> {
        let name = self.hive_identifier("a column's name")?;
        let hive_type = self.hive_type()?;
        let token = self.token(0);
        let strict = may_be_strict && self.accept_all(&["NOT", "NULL"]);
        let not_null = strict.then(|| At { value: (), span: token.span() });
        let token = self.token(0);
        for word in ["NOT", "NULL", "PRIMARY", "DEFAULT", "UNIQUE", "CHECK", "CONSTRAINT", "REFERENCES"] {
            if self.is_word_at(0, word) {
                return self.refuse(
                    &token,
                    "constraints of columns are not supported",
                    "leave the constraint out",
                );
            }
        }
        Ok(ColumnDef { name, hive_type, not_null, comment: self.optional_comment()? })
    }

    /// A type in Hive's words: `array<struct<a:int>>`.
    pub(super) fn hive_type(&mut self) -> Result<At<HiveType>> {
        let first = self.token(0);
        if first.kind != Kind::Word {
            return Err(self.expected("a type"));
        }
        self.at += 1;
        if self.is_word_at(0, "PRECISION") {
            self.at += 1;
        }
        let mut open = 0_usize;
        loop {
            if self.is_symbol_at(0, "(") || self.is_symbol_at(0, "<") {
                open += 1;
            } else if open == 0 {
                break;
            } else if self.is_symbol_at(0, ")") || self.is_symbol_at(0, ">") {
                open -= 1;
                self.at += 1;
                if open == 0 {
                    break;
                }
                continue;
            } else if self.kind() == Kind::End {
                return Err(self.expected("`>` to close the type"));
            }
            self.at += 1;
        }
        self.checked_type(&first)
    }

    fn checked_type(&self, first: &Token) -> Result<At<HiveType>> {
        let span = self.span_from(first);
        let text = self.text_from(first);
        let word = self.piece(first).to_ascii_lowercase();
        let plain = text.eq_ignore_ascii_case("double precision");
        let parsed = if plain { Ok(HiveType::Double) } else { text.parse::<HiveType>() };
        let value = parsed.map_err(|error| {
            let error = error.at(self.place_of(span));
            match word.as_str() {
                "row" => error.hint("definitions use Hive's words: `struct<a:int,b:string>`"),
                "varbinary" => error.hint("definitions use Hive's words: `binary`"),
                "json" | "uuid" | "text" => error.hint("definitions use Hive's words: `string`"),
                "real" => error.hint("definitions use Hive's words: `float`"),
                "time" | "interval" => error.hint("keep it as `string`, or as `bigint`"),
                _ => error,
            }
        })?;
        Ok(At { value, span })
    }

    /// `PARTITION (key = value, …)`, the first word already taken.
    pub(super) fn partition_spec(&mut self) -> Result<PartitionSpec> {
        let values = self.in_parentheses(|p| {
            let key = p.hive_identifier("a partition key's name")?;
            p.need("=")?;
            Ok((key, p.partition_value()?))
        })?;
        Ok(PartitionSpec { values })
    }

    /// `PARTITION (…)` if it is there.
    pub(super) fn optional_partition(&mut self) -> Result<Option<PartitionSpec>> {
        if self.accept("PARTITION") { Ok(Some(self.partition_spec()?)) } else { Ok(None) }
    }

    fn partition_value(&mut self) -> Result<At<PartitionValue>> {
        let token = self.token(0);
        if matches!(token.kind, Kind::Text | Kind::Quoted) {
            let text = self.hive_text()?;
            return Ok(At { value: PartitionValue { text: text.value, quoted: true }, span: text.span });
        }
        let mut text = String::new();
        if self.is_word_at(0, "DATE") && self.token(1).kind == Kind::Text {
            self.at += 1;
            let text = self.hive_text()?;
            return Ok(At { value: PartitionValue { text: text.value, quoted: true }, span: text.span });
        }
        if self.take("-") {
            text.push('-');
        }
        let number = self.token(0);
        let constant = ["TRUE", "FALSE"].iter().any(|word| self.is_word_at(0, word));
        if number.kind != Kind::Number && !constant {
            return Err(self.expected("a value: a string in quotes or a number"));
        }
        self.at += 1;
        text.push_str(self.piece(&number));
        Ok(At { value: PartitionValue { text, quoted: false }, span: self.span_from(&token) })
    }

    /// `(key >= value, …)` of a DROP PARTITION.
    pub(super) fn drop_partition(&mut self) -> Result<DropPartition> {
        self.expect("PARTITION")?;
        self.in_parentheses(|p| {
            let key = p.hive_identifier("a partition key's name")?;
            let compare = p.partition_compare()?;
            Ok(PartitionFilter { key, compare, value: p.partition_value()? })
        })
    }

    fn partition_compare(&mut self) -> Result<PartitionCompare> {
        for (symbol, compare) in [
            ("=", PartitionCompare::Equal),
            ("!=", PartitionCompare::NotEqual),
            ("<>", PartitionCompare::NotEqual),
            ("<=", PartitionCompare::LessOrEqual),
            (">=", PartitionCompare::GreaterOrEqual),
            ("<", PartitionCompare::Less),
            (">", PartitionCompare::Greater),
        ] {
            if self.take(symbol) {
                return Ok(compare);
            }
        }
        self.expect("LIKE")?;
        Ok(PartitionCompare::Like)
    }
}

/// A literal without its first and last character.
fn inner(piece: &str) -> &str {
    let end = piece.len().saturating_sub(1);
    piece.get(1..end.max(1)).unwrap_or("")
}
