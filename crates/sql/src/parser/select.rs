//! One SELECT: its items, FROM, WHERE, GROUP BY, HAVING and WINDOW.

use super::Parser;
use crate::text::lexer::Kind;
use model::Result;
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, GroupByWithModifier, Ident, ObjectName, Select, SelectFlavor, SelectItem,
    SelectItemQualifiedWildcardKind, TableWithJoins, WildcardAdditionalOptions,
};

/// A SELECT without anything.
pub(super) fn empty_select() -> Select {
    Select {
        select_token: AttachedToken::empty(),
        optimizer_hints: Vec::new(),
        distinct: None,
        select_modifiers: None,
        top: None,
        top_before_distinct: false,
        projection: Vec::new(),
        exclude: None,
        into: None,
        from: Vec::new(),
        lateral_views: Vec::new(),
        prewhere: None,
        selection: None,
        connect_by: Vec::new(),
        group_by: GroupByExpr::Expressions(Vec::new(), Vec::new()),
        cluster_by: Vec::new(),
        distribute_by: Vec::new(),
        sort_by: Vec::new(),
        having: None,
        named_window: Vec::new(),
        qualify: None,
        window_before_qualify: false,
        value_table_mode: None,
        flavor: SelectFlavor::Standard,
    }
}

impl Parser<'_> {
    pub(super) fn select(&mut self) -> Result<Select> {
        self.expect("SELECT")?;
        let mut select = empty_select();
        if self.accept("DISTINCT") {
            let token = self.previous();
            if self.is_word_at(0, "ON") {
                let hint = "use `row_number() OVER (PARTITION BY …)` and keep the rows with 1";
                return self.refuse(&token, "DISTINCT ON is not supported", hint);
            }
            select.distinct = Some(Distinct::Distinct);
        } else if self.is_word_at(0, "ALL") {
            self.at += 1;
        }
        if self.is_word_at(0, "TOP") && self.token(1).kind == Kind::Number {
            let token = self.token(0);
            return self.refuse(&token, "TOP is not supported", "write `LIMIT n` at the end of the query");
        }
        select.projection = self.list(Self::select_item)?;
        if self.is_word_at(0, "INTO") {
            let token = self.token(0);
            return self.refuse(
                &token,
                "SELECT INTO is not supported",
                "write `CREATE TABLE name AS SELECT …`",
            );
        }
        if self.accept("FROM") {
            select.from = self.list(Self::table_with_joins)?;
        }
        if self.accept("WHERE") {
            select.selection = Some(self.expression()?);
        }
        if self.accept_all(&["GROUP", "BY"]) {
            select.group_by = self.group_by()?;
        }
        if self.accept("HAVING") {
            select.having = Some(self.expression()?);
        }
        self.note("WINDOW");
        if self.begins_clause() && self.is_word_at(0, "WINDOW") {
            self.at += 1;
            select.named_window = self.list(Self::named_window)?;
        }
        self.refuse_foreign_clauses()?;
        Ok(select)
    }

    fn refuse_foreign_clauses(&mut self) -> Result<()> {
        let token = self.token(0);
        for (word, instead) in [
            ("QUALIFY", "filter in an outer query: `SELECT * FROM (SELECT …) WHERE …`"),
            ("CLUSTER", "Athena orders with ORDER BY alone"),
            ("DISTRIBUTE", "Athena orders with ORDER BY alone"),
            ("SORT", "Athena orders with ORDER BY alone"),
        ] {
            if self.is_word_at(0, word) {
                return self.refuse(&token, format!("{word} is not supported"), instead);
            }
        }
        Ok(())
    }

    fn select_item(&mut self) -> Result<SelectItem> {
        if self.take("*") {
            return Ok(SelectItem::Wildcard(self.wildcard()));
        }
        if let Some(parts) = self.wildcard_qualifier()? {
            self.need("*")?;
            let kind = SelectItemQualifiedWildcardKind::ObjectName(ObjectName::from(parts));
            let wildcard = self.wildcard();
            self.refuse_wildcard_alias()?;
            return Ok(SelectItem::QualifiedWildcard(kind, wildcard));
        }
        let expr = self.expression()?;
        if self.is_symbol_at(0, ".") && self.is_symbol_at(1, "*") {
            self.at += 2;
            let wildcard = self.wildcard();
            self.refuse_wildcard_alias()?;
            return Ok(SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(expr), wildcard));
        }
        Ok(match self.alias("a name for the column")? {
            Some(alias) => SelectItem::ExprWithAlias { expr, alias },
            None => SelectItem::UnnamedExpr(expr),
        })
    }

    /// The options of a wildcard, of which only its place is used.
    fn wildcard(&self) -> WildcardAdditionalOptions {
        let span = self.previous().span();
        let token = sqlparser::tokenizer::TokenWithSpan::new(sqlparser::tokenizer::Token::Mul, span);
        WildcardAdditionalOptions { wildcard_token: token.into(), ..WildcardAdditionalOptions::default() }
    }

    fn refuse_wildcard_alias(&mut self) -> Result<()> {
        let token = self.token(0);
        if self.is_word_at(0, "AS") {
            let hint = "select the fields one by one, each with its alias";
            return self.refuse(&token, "aliases for the columns of `.*` are not supported", hint);
        }
        Ok(())
    }

    /// The names before `.*`.
    fn wildcard_qualifier(&mut self) -> Result<Option<Vec<Ident>>> {
        let mut ahead = 0;
        while self.is_name_at(ahead) && self.is_symbol_at(ahead + 1, ".") {
            ahead += 2;
        }
        if ahead == 0 || !self.is_symbol_at(ahead, "*") {
            return Ok(None);
        }
        let mut parts = Vec::new();
        while self.is_name_at(0) {
            parts.push(self.identifier("a name")?);
            self.need(".")?;
        }
        Ok(Some(parts))
    }

    /// `[AS] name`
    pub(super) fn alias(&mut self, what: &str) -> Result<Option<Ident>> {
        let explicit = self.accept("AS");
        if self.kind() == Kind::Text {
            let token = self.token(0);
            let name = self.piece(&token).trim_matches('\'').replace('"', "\"\"");
            let error = self.invalid(&token, "an alias is a name, not a string");
            return Err(error.hint(format!("write \"{}\"", super::error::clip(&name))));
        }
        if explicit || (self.is_name_at(0) && !self.begins_clause()) {
            return Ok(Some(self.identifier(what)?));
        }
        Ok(None)
    }

    /// Whether a word that may be a name begins a clause here.
    pub(super) fn begins_clause(&self) -> bool {
        if self.kind() != Kind::Word {
            return false;
        }
        let count = self.token(1).kind == Kind::Number || self.is_symbol_at(1, "?");
        let word = |word: &str| self.is_word_at(0, word);
        let then = |words: &[&str]| words.iter().any(|word| self.is_word_at(1, word));
        (word("LIMIT")
            && (count || then(&["ALL"]) || self.is_symbol_at(1, "-") || self.token(1).kind == Kind::Text))
            || (word("OFFSET") && count)
            || (word("FETCH") && then(&["FIRST", "NEXT"]))
            || (word("WINDOW") && self.is_name_at(1) && self.is_word_at(2, "AS"))
            || (word("TABLESAMPLE") && self.token(1).kind == Kind::Word)
            || (word("MATCH_RECOGNIZE") && self.is_symbol_at(1, "("))
            || ((word("PIVOT") || word("UNPIVOT")) && self.is_symbol_at(1, "("))
            || (word("QUALIFY") && self.token(1).kind != Kind::End && !self.is_symbol_at(1, ","))
            || (word("MINUS") && (then(&["SELECT"]) || self.is_query_at(1)))
            || (word("LATERAL") && then(&["VIEW"]))
            || ((word("CLUSTER") || word("DISTRIBUTE") || word("SORT")) && then(&["BY"]))
            || (word("SET") && self.is_name_at(1) && self.is_symbol_at(2, "="))
    }

    fn group_by(&mut self) -> Result<GroupByExpr> {
        let mut marks = Vec::new();
        if self.accept("DISTINCT") {
            marks.push(GroupByWithModifier::Totals);
        } else if self.is_word_at(0, "ALL") && !self.is_symbol_at(1, ",") {
            let token = self.advance();
            if self.kind() == Kind::End || self.is_word_at(0, "ORDER") || self.is_word_at(0, "HAVING") {
                let hint = "name the columns, or their numbers: `GROUP BY 1, 2`";
                return self.refuse(&token, "GROUP BY ALL without columns is not supported", hint);
            }
        }
        Ok(GroupByExpr::Expressions(self.list(Self::grouping_element)?, marks))
    }

    fn grouping_element(&mut self) -> Result<Expr> {
        if self.is_word_at(1, "SETS") && self.accept("GROUPING") {
            self.at += 1;
            return Ok(Expr::GroupingSets(self.in_parentheses(Self::grouping_set)?));
        }
        for word in ["ROLLUP", "CUBE"] {
            if self.accept(word) {
                let sets = if self.is_symbol_at(0, "(") && self.is_symbol_at(1, ")") {
                    self.at += 2;
                    Vec::new()
                } else {
                    self.in_parentheses(Self::grouping_set)?
                };
                return Ok(if word == "CUBE" { Expr::Cube(sets) } else { Expr::Rollup(sets) });
            }
        }
        if self.is_symbol_at(0, "(") && self.is_symbol_at(1, ")") {
            self.at += 2;
            return Ok(Expr::Tuple(Vec::new()));
        }
        self.expression()
    }

    /// `(a, b)`, `()` or one expression.
    fn grouping_set(&mut self) -> Result<Vec<Expr>> {
        if self.is_symbol_at(0, "(") && self.is_symbol_at(1, ")") {
            self.at += 2;
            return Ok(Vec::new());
        }
        if (self.is_word_at(0, "ROLLUP") || self.is_word_at(0, "CUBE")) && self.is_symbol_at(1, "(") {
            let token = self.token(0);
            let hint = "write the sets one by one, or ROLLUP and CUBE directly behind GROUP BY";
            return self.refuse(&token, "ROLLUP and CUBE inside of GROUPING SETS are not supported", hint);
        }
        Ok(match self.expression()? {
            Expr::Tuple(many) => many,
            Expr::Nested(one) => vec![*one],
            one => vec![one],
        })
    }

    pub(super) fn table_with_joins(&mut self) -> Result<TableWithJoins> {
        let relation = self.relation()?;
        self.joined(relation)
    }
}
