//! Statements that write rows, and the properties that say how.

use super::Parser;
use crate::ast::{
    Assignment, At, Delete, Insert, Merge, MergeAction, MergeClause, Statement, Unload, Update, WriteOptions,
};
use model::{Result, nearest_hint};
use sqlparser::ast::{Expr, Ident};

/// The properties of CTAS and UNLOAD.
const OPTIONS: &[&str] = &[
    "format",
    "external_location",
    "location",
    "write_compression",
    "parquet_compression",
    "orc_compression",
    "avro_compression",
    "compression",
    "compression_level",
    "partitioned_by",
    "bucketed_by",
    "bucket_count",
    "field_delimiter",
    "table_type",
    "is_external",
    "partitioning",
    "vacuum_max_snapshot_age_seconds",
    "vacuum_min_snapshots_to_keep",
    "vacuum_max_metadata_files_to_keep",
    "optimize_rewrite_data_file_threshold",
    "optimize_rewrite_delete_file_threshold",
    "optimize_rewrite_min_data_file_size_bytes",
    "optimize_rewrite_max_data_file_size_bytes",
];

impl Parser<'_> {
    pub(super) fn insert(&mut self) -> Result<Statement> {
        self.expect("INSERT")?;
        if self.is_word_at(0, "OVERWRITE") {
            let token = self.token(0);
            let hint = "drop the partition's objects first, or write `CREATE TABLE … AS SELECT …`";
            return self.refuse(&token, "INSERT OVERWRITE is not supported", hint);
        }
        self.expect("INTO")?;
        if self.is_word_at(0, "TABLE") {
            self.at += 1;
        }
        let table = self.qualified_name("a table's name")?;
        let columns = if self.is_symbol_at(0, "(") && !self.is_query_at(0) {
            self.in_parentheses(|p| p.identifier("a column's name"))?
        } else {
            Vec::new()
        };
        if self.is_word_at(0, "PARTITION") {
            let token = self.token(0);
            let hint = "partition columns stand last in the query: `INSERT INTO t SELECT …, key FROM …`";
            return self.refuse(&token, "INSERT with PARTITION (…) is not supported", hint);
        }
        Ok(Statement::Insert(Box::new(Insert { table, columns, source: self.query()? })))
    }

    pub(super) fn unload(&mut self) -> Result<Statement> {
        self.expect("UNLOAD")?;
        if !self.is_query_at(0) {
            return Err(self.expected("a query in parentheses"));
        }
        let query = self.query_in_parentheses()?;
        self.expect("TO")?;
        let token = self.token(0);
        let to = At { value: self.plain_string()?, span: token.span() };
        let options = if self.accept("WITH") { self.write_options()? } else { WriteOptions::default() };
        if options.format.is_none() {
            let token = self.previous();
            let error = self.invalid(&token, "UNLOAD needs a format");
            return Err(
                error.hint("write `WITH (format = 'PARQUET')`; ORC, AVRO, JSON and TEXTFILE are the others")
            );
        }
        Ok(Statement::Unload(Box::new(Unload { query, to, options })))
    }

    pub(super) fn delete(&mut self) -> Result<Statement> {
        self.expect_all(&["DELETE", "FROM"])?;
        let table = self.qualified_name("a table's name")?;
        let alias = self.alias("a name for the table")?;
        let selection = if self.accept("WHERE") { Some(self.expression()?) } else { None };
        Ok(Statement::Delete(Box::new(Delete { table, alias, selection })))
    }

    pub(super) fn update(&mut self) -> Result<Statement> {
        self.expect("UPDATE")?;
        let table = self.qualified_name("a table's name")?;
        let alias = self.alias("a name for the table")?;
        self.expect("SET")?;
        let assignments = self.list(Self::assignment)?;
        if self.is_word_at(0, "FROM") {
            let token = self.token(0);
            return self.refuse(&token, "UPDATE with FROM is not supported", "write a MERGE statement");
        }
        let selection = if self.accept("WHERE") { Some(self.expression()?) } else { None };
        Ok(Statement::Update(Box::new(Update { table, alias, assignments, selection })))
    }

    fn assignment(&mut self) -> Result<Assignment> {
        let column = self.identifier("a column's name")?;
        self.need("=")?;
        Ok(Assignment { column, value: self.expression()? })
    }

    pub(super) fn merge(&mut self) -> Result<Statement> {
        self.expect_all(&["MERGE", "INTO"])?;
        let target = self.qualified_name("a table's name")?;
        let alias = self.alias("a name for the table")?;
        self.expect("USING")?;
        let source = self.relation()?;
        self.expect("ON")?;
        let on = self.expression()?;
        let mut clauses = Vec::new();
        while self.accept("WHEN") {
            clauses.push(self.merge_clause()?);
        }
        if clauses.is_empty() {
            return Err(self.unexpected());
        }
        Ok(Statement::Merge(Box::new(Merge { target, alias, source, on, clauses })))
    }

    fn merge_clause(&mut self) -> Result<MergeClause> {
        let matched = !self.accept("NOT");
        self.expect("MATCHED")?;
        if self.is_word_at(0, "BY") {
            let token = self.token(0);
            return self.refuse(
                &token,
                "WHEN NOT MATCHED BY is not supported",
                "delete the rows in a statement of its own",
            );
        }
        let condition = if self.accept("AND") { Some(self.expression()?) } else { None };
        self.expect("THEN")?;
        let action = if !matched {
            self.expect("INSERT")?;
            let columns = if self.peek_symbol("(") {
                self.in_parentheses(|p| p.identifier("a column's name"))?
            } else {
                Vec::new()
            };
            self.expect("VALUES")?;
            let values = self.in_parentheses(Self::expression)?;
            MergeAction::Insert { columns, values }
        } else if self.accept("DELETE") {
            MergeAction::Delete
        } else {
            self.expect_all(&["UPDATE", "SET"])?;
            MergeAction::Update(self.list(Self::assignment)?)
        };
        Ok(MergeClause { matched, condition, action })
    }

    /// `(format = 'PARQUET', partitioned_by = ARRAY['a'])`
    pub(super) fn write_options(&mut self) -> Result<WriteOptions> {
        let mut options = WriteOptions::default();
        let mut seen: Vec<String> = Vec::new();
        self.in_parentheses(|p| {
            let token = p.token(0);
            let name = p.identifier("a property's name")?;
            let key = name.value.to_lowercase();
            if !OPTIONS.contains(&key.as_str()) {
                let error = p.invalid(&token, format!("unknown property `{}`", name.value));
                return Err(error.hint(nearest_hint(&key, OPTIONS.iter().copied())));
            }
            if seen.contains(&key) {
                return Err(p.invalid(&token, format!("the property `{key}` is said twice")));
            }
            p.need("=")?;
            p.write_option(&name, &key, &mut options)?;
            seen.push(key);
            Ok(())
        })?;
        Ok(options)
    }

    fn write_option(&mut self, name: &Ident, key: &str, options: &mut WriteOptions) -> Result<()> {
        match key {
            "format" => options.format = Some(self.upper_option()?),
            "table_type" => options.table_type = Some(self.upper_option()?),
            "external_location" | "location" => options.location = Some(self.text_option()?),
            "field_delimiter" => options.field_delimiter = Some(self.text_option()?),
            "partitioned_by" => options.partitioned_by = self.array_option()?,
            "bucketed_by" => options.bucketed_by = self.array_option()?,
            "partitioning" => options.partitioning = self.array_option()?,
            "bucket_count" => options.bucket_count = Some(self.whole_number()?),
            "compression_level" => options.compression_level = Some(self.whole_number()?),
            "is_external" => {
                let span = self.token(0).span();
                let value = self.one_of(&["TRUE", "FALSE"])? == "TRUE";
                options.is_external = Some(At { value, span });
            }
            other if other.ends_with("compression") => {
                let token = self.token(0);
                if options.compression.replace(self.upper_option()?).is_some() {
                    return Err(self.invalid(&token, "the compression is said twice"));
                }
            }
            _ => {
                let first = self.token(0);
                self.expression()?;
                let value = self.text_from(&first).to_owned();
                options.others.push((name.clone(), At { value, span: self.span_from(&first) }));
            }
        }
        Ok(())
    }

    fn text_option(&mut self) -> Result<At<String>> {
        let token = self.token(0);
        Ok(At { value: self.plain_string()?, span: token.span() })
    }

    fn upper_option(&mut self) -> Result<At<String>> {
        let mut text = self.text_option()?;
        text.value = text.value.to_uppercase();
        Ok(text)
    }

    /// `ARRAY['a', 'b']`
    fn array_option(&mut self) -> Result<Vec<At<String>>> {
        let token = self.token(0);
        let Ok(Expr::Array(array)) = self.expression() else {
            return Err(self.invalid(&token, "this property is a list").hint("write ARRAY['a', 'b']"));
        };
        let mut texts = Vec::new();
        for element in array.elem {
            let Expr::Value(value) = element else {
                return Err(self.invalid(&token, "the list may only hold strings"));
            };
            let sqlparser::ast::Value::SingleQuotedString(text) = value.value else {
                return Err(self.invalid(&token, "the list may only hold strings"));
            };
            texts.push(At { value: text, span: value.span });
        }
        Ok(texts)
    }
}
