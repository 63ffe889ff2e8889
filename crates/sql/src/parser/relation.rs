//! What stands in FROM: tables, joins, derived tables, UNNEST, samples.

use super::Parser;
use super::query::{query_of, select_all_from};
use crate::ast::QualifiedName;
use crate::text::lexer::Kind;
use model::Result;
use sqlparser::ast::{
    Join, JoinConstraint, JoinOperator, ObjectName, SetExpr, TableAlias, TableFactor, TableSample,
    TableSampleKind, TableSampleMethod, TableSampleModifier, TableSampleQuantity, TableWithJoins,
};

/// A table without alias.
pub(super) fn table_of(name: ObjectName) -> TableFactor {
    TableFactor::Table {
        name,
        alias: None,
        args: None,
        with_hints: Vec::new(),
        version: None,
        with_ordinality: false,
        partitions: Vec::new(),
        json_path: None,
        sample: None,
        index_hints: Vec::new(),
    }
}

impl Parser<'_> {
    /// A name of up to three parts.
    pub(super) fn object_name(&mut self, what: &str) -> Result<ObjectName> {
        let first = self.token(0);
        let mut parts = vec![self.identifier(what)?];
        while self.take(".") {
            parts.push(self.identifier(what)?);
        }
        if parts.len() > 3 {
            let error = model::Error::invalid("a name has at most three parts: catalog, database and table");
            return Err(error.at(self.place_of(self.span_from(&first))));
        }
        Ok(ObjectName::from(parts))
    }

    /// The same as statements carry it.
    pub(super) fn qualified_name(&mut self, what: &str) -> Result<QualifiedName> {
        QualifiedName::of(&self.object_name(what)?)
    }

    /// The joins that follow a relation.
    pub(super) fn joined(&mut self, relation: TableFactor) -> Result<TableWithJoins> {
        let mut joins = Vec::new();
        while let Some((natural, kind)) = self.join_kind()? {
            joins.push(self.join(natural, kind)?);
        }
        Ok(TableWithJoins { relation, joins })
    }

    /// Takes the words of a join: whether it is natural, and its kind.
    fn join_kind(&mut self) -> Result<Option<(bool, &'static str)>> {
        self.refuse_lateral_view()?;
        if self.accept_all(&["CROSS", "JOIN"]) {
            return Ok(Some((false, "CROSS")));
        }
        let natural = self.accept("NATURAL");
        let kind = match () {
            () if self.accept("JOIN") => return Ok(Some((natural, "INNER"))),
            () if self.accept("INNER") => "INNER",
            () if self.accept("LEFT") => "LEFT",
            () if self.accept("RIGHT") => "RIGHT",
            () if self.accept("FULL") => "FULL",
            () if natural => return Err(self.unexpected()),
            () => return Ok(None),
        };
        let token = self.previous();
        if kind != "INNER" {
            self.accept("OUTER");
        }
        if self.is_word_at(0, "SEMI") || self.is_word_at(0, "ANTI") {
            let hint = "write `WHERE EXISTS (…)` or `WHERE NOT EXISTS (…)`";
            return self.refuse(&token, "semi and anti joins have no words of their own", hint);
        }
        self.expect("JOIN")?;
        Ok(Some((natural, kind)))
    }

    fn join(&mut self, natural: bool, kind: &str) -> Result<Join> {
        let mut relation = self.relation()?;
        let constraint = if kind == "CROSS" {
            JoinConstraint::None
        } else if natural {
            JoinConstraint::Natural
        } else {
            let constrained = self.peek("ON") || self.peek("USING");
            if !constrained && self.begins_join() {
                relation = self.nested(|p| {
                    let table_with_joins = Box::new(p.joined(relation)?);
                    Ok(TableFactor::NestedJoin { table_with_joins, alias: None })
                })?;
            }
            self.join_constraint()?
        };
        let join_operator = match kind {
            "CROSS" => JoinOperator::CrossJoin(constraint),
            "LEFT" => JoinOperator::Left(constraint),
            "RIGHT" => JoinOperator::Right(constraint),
            "FULL" => JoinOperator::FullOuter(constraint),
            _ => JoinOperator::Inner(constraint),
        };
        Ok(Join { relation, global: false, join_operator })
    }

    fn begins_join(&self) -> bool {
        ["JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL"]
            .iter()
            .any(|word| self.is_word_at(0, word))
    }

    fn join_constraint(&mut self) -> Result<JoinConstraint> {
        if self.accept("ON") {
            return Ok(JoinConstraint::On(self.expression()?));
        }
        self.expect("USING")?;
        let columns = self.in_parentheses(|p| p.identifier("a column's name"))?;
        Ok(JoinConstraint::Using(columns.into_iter().map(ObjectName::from).collect()))
    }

    /// One relation with its alias and sample.
    pub(super) fn relation(&mut self) -> Result<TableFactor> {
        let mut relation = self.nested(Self::relation_without_sample)?;
        self.refuse_pattern()?;
        while self.is_word_at(0, "TABLESAMPLE") && self.accept("TABLESAMPLE") {
            relation = self.sampled(relation)?;
        }
        Ok(relation)
    }

    fn relation_without_sample(&mut self) -> Result<TableFactor> {
        if self.accept("UNNEST") {
            let array_exprs = self.in_parentheses(Self::expression)?;
            let with_ordinality = self.accept_all(&["WITH", "ORDINALITY"]);
            let alias = self.table_alias()?;
            return Ok(TableFactor::UNNEST {
                alias,
                array_exprs,
                with_offset: false,
                with_offset_alias: None,
                with_ordinality,
            });
        }
        if self.is_word_at(0, "LATERAL") && self.is_symbol_at(1, "(") {
            self.at += 1;
            let subquery = self.query_in_parentheses()?;
            return Ok(TableFactor::Derived {
                lateral: true,
                subquery,
                alias: self.table_alias()?,
                sample: None,
            });
        }
        if self.accept("TABLE") {
            self.need("(")?;
            let expr = self.expression()?;
            self.need(")")?;
            return Ok(TableFactor::TableFunction { expr, alias: self.table_alias()? });
        }
        if self.is_query_at(0) {
            let subquery = self.query_in_parentheses()?;
            return Ok(TableFactor::Derived {
                lateral: false,
                subquery,
                alias: self.table_alias()?,
                sample: None,
            });
        }
        if self.take("(") {
            let table_with_joins = Box::new(self.table_with_joins()?);
            self.need(")")?;
            return Ok(TableFactor::NestedJoin { table_with_joins, alias: self.table_alias()? });
        }
        let name = self.object_name("a table, a query in parentheses or UNNEST")?;
        if self.is_symbol_at(0, "(") {
            let token = self.previous();
            let hint = "table functions stand in TABLE(…); arrays in UNNEST(…)";
            return self.refuse(&token, format!("`{name}` is called like a function in FROM"), hint);
        }
        self.refuse_version()?;
        let table_alias = self.table_alias()?;
        let mut table = table_of(name);
        if let TableFactor::Table { alias, .. } = &mut table {
            *alias = table_alias;
        }
        Ok(table)
    }

    pub(super) fn table_alias(&mut self) -> Result<Option<TableAlias>> {
        let explicit = self.peek("AS");
        let Some(name) = self.alias("a name for the table")? else { return Ok(None) };
        let columns = self.column_aliases()?;
        Ok(Some(TableAlias { explicit, name, columns, at: None }))
    }

    fn sampled(&mut self, relation: TableFactor) -> Result<TableFactor> {
        let method = match self.one_of(&["BERNOULLI", "SYSTEM"])? {
            "SYSTEM" => TableSampleMethod::System,
            _ => TableSampleMethod::Bernoulli,
        };
        self.need("(")?;
        let value = self.expression()?;
        self.need(")")?;
        let kind = TableSampleKind::AfterTableAlias(Box::new(TableSample {
            modifier: TableSampleModifier::TableSample,
            name: Some(method),
            quantity: Some(TableSampleQuantity { parenthesized: true, value, unit: None }),
            seed: None,
            bucket: None,
            offset: None,
        }));
        match relation {
            TableFactor::Table { name, alias, sample: None, .. } => {
                let mut table = table_of(name);
                if let TableFactor::Table { alias: to, sample, .. } = &mut table {
                    (*to, *sample) = (alias, Some(kind));
                }
                Ok(table)
            }
            TableFactor::Derived { lateral, subquery, alias, sample: None } => {
                Ok(TableFactor::Derived { lateral, subquery, alias, sample: Some(kind) })
            }
            other => {
                self.grow()?;
                let subquery = Box::new(query_of(SetExpr::Select(Box::new(select_all_from(other)))));
                Ok(TableFactor::Derived { lateral: false, subquery, alias: None, sample: Some(kind) })
            }
        }
    }

    fn refuse_pattern(&mut self) -> Result<()> {
        let token = self.token(0);
        for (word, instead) in [
            ("MATCH_RECOGNIZE", "find patterns with window functions such as lag and lead"),
            ("PIVOT", "write one aggregate with FILTER (WHERE …) for each column"),
            ("UNPIVOT", "use CROSS JOIN UNNEST(ARRAY[…])"),
        ] {
            if self.is_word_at(0, word) && self.is_symbol_at(1, "(") {
                return self.refuse(&token, format!("{word} is not supported"), instead);
            }
        }
        Ok(())
    }

    fn refuse_version(&mut self) -> Result<()> {
        let token = self.token(0);
        if self.is_word_at(0, "FOR") && token.kind == Kind::Word {
            let hint = "query the table as it is now";
            return self.refuse(&token, "reading an older version of a table is not supported", hint);
        }
        Ok(())
    }

    fn refuse_lateral_view(&mut self) -> Result<()> {
        let token = self.token(0);
        if self.is_word_at(0, "LATERAL") && self.is_word_at(1, "VIEW") {
            let hint = "write `CROSS JOIN UNNEST(column) AS t (element)`";
            return self.refuse(&token, "LATERAL VIEW is not supported", hint);
        }
        Ok(())
    }
}
