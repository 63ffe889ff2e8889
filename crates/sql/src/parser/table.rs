//! Hive's CREATE TABLE: columns, partitions, buckets, row format, file format, location, properties.

use super::Parser;
use crate::ast::{At, CreateTable, Delimited, RowFormat, Statement, StoredAs};
use crate::text::lexer::Kind;
use model::{Result, nearest_hint};

/// What STORED AS knows.
const FORMATS: &[&str] = &[
    "TEXTFILE",
    "PARQUET",
    "PARQUETFILE",
    "ORC",
    "ORCFILE",
    "AVRO",
    "JSONFILE",
    "RCFILE",
    "SEQUENCEFILE",
    "ION",
];

impl Parser<'_> {
    pub(super) fn create_table(&mut self, external: bool) -> Result<Statement> {
        let if_not_exists = self.accept_all(&["IF", "NOT", "EXISTS"]);
        let mut table = CreateTable {
            name: self.hive_name("a table's name")?,
            external,
            if_not_exists,
            columns: Vec::new(),
            comment: None,
            partitioned_by: Vec::new(),
            partition_transforms: Vec::new(),
            clustered_by: Vec::new(),
            buckets: None,
            row_format: None,
            stored_as: None,
            location: None,
            properties: Vec::new(),
            options: None,
        };
        if self.is_word_at(0, "LIKE") {
            let token = self.token(0);
            let hint = "write `SHOW CREATE TABLE …` and change the name in its answer";
            return self.refuse(&token, "CREATE TABLE LIKE is not supported", hint);
        }
        if self.peek_symbol("(") {
            table.columns = if external { self.columns()? } else { self.strict_columns()? };
        }
        while self.table_clause(&mut table)? {}
        if self.is_word_at(0, "AS") {
            let token = self.token(0);
            let hint =
                "write `CREATE TABLE name WITH (format = 'PARQUET', external_location = '…') AS SELECT …`";
            return self.refuse(&token, "a table from a query takes its properties in WITH (…)", hint);
        }
        Ok(Statement::CreateTable(Box::new(table)))
    }

    /// One clause; they are taken in any order, as Athena does in practice, but each only once.
    fn table_clause(&mut self, table: &mut CreateTable) -> Result<bool> {
        let token = self.token(0);
        let mut twice = false;
        if self.accept("COMMENT") {
            twice = table.comment.replace(self.hive_text()?.value).is_some();
        } else if self.accept_all(&["PARTITIONED", "BY"]) {
            twice = !table.partitioned_by.is_empty();
            self.partitioned_by(table)?;
        } else if self.accept_all(&["CLUSTERED", "BY"]) {
            twice = table.buckets.is_some();
            table.clustered_by = self.in_parentheses(|p| p.hive_identifier("a column's name"))?;
            if self.is_word_at(0, "SORTED") {
                let token = self.token(0);
                return self.refuse(&token, "SORTED BY is not supported", "leave it out");
            }
            self.expect("INTO")?;
            table.buckets = Some(self.whole_number()?);
            self.expect("BUCKETS")?;
        } else if self.accept_all(&["ROW", "FORMAT"]) {
            twice = table.row_format.replace(self.row_format()?).is_some();
        } else if self.accept_all(&["STORED", "AS"]) {
            twice = table.stored_as.replace(self.stored_as()?).is_some();
        } else if self.accept("LOCATION") {
            twice = table.location.replace(self.hive_text()?).is_some();
        } else if self.accept("TBLPROPERTIES") {
            twice = !table.properties.is_empty();
            table.properties = self.properties()?;
        } else if self.accept_all(&["WITH", "SERDEPROPERTIES"]) {
            self.late_serde_properties(table)?;
        } else if !table.external && self.is_word_at(0, "WITH") && self.is_symbol_at(1, "(") {
            self.expect("WITH")?;
            twice = table.options.replace(self.write_options()?).is_some();
        } else {
            return self.refuse_table_clause();
        }
        if twice {
            return Err(self.invalid(&token, format!("{} is said twice", self.piece(&token).to_uppercase())));
        }
        Ok(true)
    }

    fn refuse_table_clause(&mut self) -> Result<bool> {
        let token = self.token(0);
        for (word, what, instead) in [
            ("SKEWED", "SKEWED BY is not supported", "leave it out"),
            ("SORTED", "SORTED BY is not supported", "leave it out"),
            ("WITH", "`WITH (…)` belongs to CREATE TABLE AS", "write TBLPROPERTIES ('key' = 'value')"),
        ] {
            if self.is_word_at(0, word) {
                return self.refuse(&token, what, instead);
            }
        }
        Ok(false)
    }

    /// `(name type, …)`, or Iceberg's `(name, transform(name), …)`.
    fn partitioned_by(&mut self, table: &mut CreateTable) -> Result<()> {
        let plain = matches!(self.token(1).kind, Kind::Word | Kind::BackQuoted | Kind::Quoted);
        let behind = self.is_symbol_at(2, ",") || self.is_symbol_at(2, ")") || self.is_symbol_at(2, "(");
        if !(plain && behind) {
            table.partitioned_by = self.columns()?;
            return Ok(());
        }
        table.partition_transforms = self.in_parentheses(|p| {
            let first = p.token(0);
            p.hive_identifier("a column's name")?;
            if p.take("(") {
                while !p.take(")") {
                    if p.kind() == Kind::End {
                        return Err(p.unexpected());
                    }
                    p.at += 1;
                }
            }
            Ok(At { value: p.text_from(&first).to_owned(), span: p.span_from(&first) })
        })?;
        Ok(())
    }

    fn row_format(&mut self) -> Result<RowFormat> {
        if self.accept("SERDE") {
            let class = self.hive_text()?;
            let properties =
                if self.accept_all(&["WITH", "SERDEPROPERTIES"]) { self.properties()? } else { Vec::new() };
            return Ok(RowFormat::Serde { class, properties });
        }
        self.expect("DELIMITED")?;
        let mut parts = Box::new(Delimited::default());
        loop {
            let target = if self.accept_all(&["FIELDS", "TERMINATED", "BY"]) {
                &mut parts.fields
            } else if self.accept_all(&["ESCAPED", "BY"]) {
                &mut parts.escape
            } else if self.accept_all(&["COLLECTION", "ITEMS", "TERMINATED", "BY"]) {
                &mut parts.items
            } else if self.accept_all(&["MAP", "KEYS", "TERMINATED", "BY"]) {
                &mut parts.keys
            } else if self.accept_all(&["LINES", "TERMINATED", "BY"]) {
                &mut parts.lines
            } else if self.accept_all(&["NULL", "DEFINED", "AS"]) {
                &mut parts.null
            } else {
                return Ok(RowFormat::Delimited(parts));
            };
            let text = self.hive_text()?;
            if target.replace(text).is_some() {
                let token = self.previous();
                return Err(self.invalid(&token, "this part of the row format is said twice"));
            }
        }
    }

    /// `WITH SERDEPROPERTIES` behind STORED AS, where Athena's own examples put it at times.
    fn late_serde_properties(&mut self, table: &mut CreateTable) -> Result<()> {
        let token = self.previous();
        let more = self.properties()?;
        match &mut table.row_format {
            Some(RowFormat::Serde { properties, .. }) => {
                properties.extend(more);
                Ok(())
            }
            _ => self.refuse(
                &token,
                "SERDEPROPERTIES without a serde",
                "write `ROW FORMAT SERDE '…'` before it",
            ),
        }
    }

    fn stored_as(&mut self) -> Result<StoredAs> {
        if self.accept("INPUTFORMAT") {
            let input = self.hive_text()?;
            self.expect("OUTPUTFORMAT")?;
            return Ok(StoredAs::Classes { input, output: self.hive_text()? });
        }
        let token = self.token(0);
        if token.kind != Kind::Word {
            return Err(self.expected("a format such as PARQUET"));
        }
        let value = self.piece(&token).to_ascii_uppercase();
        if !FORMATS.contains(&value.as_str()) {
            let error = self.invalid(&token, format!("`{value}` is not a file format"));
            let json = matches!(value.as_str(), "JSON" | "CSV");
            return Err(if json {
                error.hint("write ROW FORMAT SERDE '…' and STORED AS TEXTFILE")
            } else {
                error.hint(nearest_hint(&value, FORMATS.iter().copied()))
            });
        }
        self.at += 1;
        Ok(StoredAs::Format(At { value, span: token.span() }))
    }

    pub(super) fn whole_number(&mut self) -> Result<At<i64>> {
        let token = self.token(0);
        match self.piece(&token).parse() {
            Ok(value) if token.kind == Kind::Number => {
                self.at += 1;
                Ok(At { value, span: token.span() })
            }
            _ => Err(self.expected("a whole number")),
        }
    }
}
