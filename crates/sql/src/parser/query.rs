//! Whole queries: WITH, set operations, ORDER BY, OFFSET, LIMIT and FETCH.

use super::Parser;
use crate::text::lexer::Kind;
use model::Result;
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    Cte, Expr, Fetch, LimitClause, Offset, OffsetRows, OrderBy, OrderByKind, Parens, Query, Select,
    SelectItem, SetExpr, SetOperator, SetQuantifier, TableAlias, TableAliasColumnDef, TableFactor,
    TableWithJoins, Values, WildcardAdditionalOptions, With,
};

/// A query of this body alone.
pub(super) fn query_of(body: SetExpr) -> Query {
    Query {
        with: None,
        body: Box::new(body),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    }
}

/// `SELECT * FROM relation`
pub(super) fn select_all_from(relation: TableFactor) -> Select {
    let mut select = super::select::empty_select();
    select.projection = vec![SelectItem::Wildcard(WildcardAdditionalOptions::default())];
    select.from = vec![TableWithJoins { relation, joins: Vec::new() }];
    select
}

impl Parser<'_> {
    /// Whether the `(` so far ahead opens a query: `(SELECT …`, `((SELECT …) UNION …`.
    pub(super) fn is_query_at(&self, ahead: usize) -> bool {
        let mut at = self.at + ahead;
        let mut closes = Vec::new();
        while closes.len() <= super::MAX_DEPTH as usize && self.is_symbol_at(at - self.at, "(") {
            closes.push(self.closing(at));
            at += 1;
        }
        if closes.is_empty()
            || !["SELECT", "WITH", "VALUES", "TABLE"].iter().any(|w| self.is_word_at(at - self.at, w))
        {
            return false;
        }
        // Every inner pair must be followed by what continues or closes a query.
        closes.iter().skip(1).all(|close| {
            close.is_some_and(|close| {
                let behind = close + 1 - self.at;
                let words = ["UNION", "EXCEPT", "INTERSECT", "ORDER", "LIMIT", "OFFSET", "FETCH"];
                self.is_symbol_at(behind, ")") || words.iter().any(|word| self.is_word_at(behind, word))
            })
        })
    }

    /// A query in its parentheses.
    pub(super) fn query_in_parentheses(&mut self) -> Result<Box<Query>> {
        self.need("(")?;
        let query = self.query()?;
        self.need(")")?;
        Ok(query)
    }

    /// A query.
    pub(super) fn query(&mut self) -> Result<Box<Query>> {
        self.nested(|p| {
            let with = if p.accept("WITH") { Some(p.with()?) } else { None };
            let mut query = query_of(p.set_expression()?);
            query.with = with;
            p.tail(&mut query)?;
            Ok(Box::new(query))
        })
    }

    fn with(&mut self) -> Result<With> {
        let recursive = self.accept("RECURSIVE");
        let cte_tables = self.list(Self::cte)?;
        Ok(With { with_token: AttachedToken::empty(), recursive, cte_tables })
    }

    fn cte(&mut self) -> Result<Cte> {
        let name = self.identifier("a name for the query")?;
        let columns = self.column_aliases()?;
        self.expect("AS")?;
        if !self.peek_symbol("(") {
            return Err(self.unexpected());
        }
        let query = self.query_in_parentheses()?;
        let alias = TableAlias { explicit: false, name, columns, at: None };
        Ok(Cte { alias, query, from: None, materialized: None, closing_paren_token: AttachedToken::empty() })
    }

    /// `(a, b)` behind an alias, if there.
    pub(super) fn column_aliases(&mut self) -> Result<Vec<TableAliasColumnDef>> {
        if !self.peek_symbol("(") {
            return Ok(Vec::new());
        }
        self.in_parentheses(|p| {
            Ok(TableAliasColumnDef { name: p.identifier("a column's name")?, data_type: None })
        })
    }

    /// UNION and EXCEPT, which bind alike; runs of one kind become flat trees.
    fn set_expression(&mut self) -> Result<SetExpr> {
        let mut left = self.intersection()?;
        loop {
            let Some((op, quantifier)) = self.set_operator(&["UNION", "EXCEPT"])? else { return Ok(left) };
            let right = self.aside(Self::intersection)?;
            if op != SetOperator::Union {
                self.grow()?;
                left = combined(left, op, quantifier, right);
                continue;
            }
            let mut operands = vec![left, right];
            while let Some(start) = self.same_operator("UNION", quantifier) {
                self.at += start;
                operands.push(self.aside(Self::intersection)?);
            }
            self.grow_by_logarithm(operands.len())?;
            left = balanced(operands, op, quantifier);
        }
    }

    fn intersection(&mut self) -> Result<SetExpr> {
        let mut left = self.query_primary()?;
        loop {
            let Some((op, quantifier)) = self.set_operator(&["INTERSECT"])? else { return Ok(left) };
            let mut operands = vec![left, self.aside(Self::query_primary)?];
            while let Some(start) = self.same_operator("INTERSECT", quantifier) {
                self.at += start;
                operands.push(self.aside(Self::query_primary)?);
            }
            self.grow_by_logarithm(operands.len())?;
            left = balanced(operands, op, quantifier);
        }
    }

    fn set_operator(&mut self, words: &[&'static str]) -> Result<Option<(SetOperator, SetQuantifier)>> {
        let Some(word) = words.iter().copied().find(|word| self.accept(word)) else {
            if self.is_word_at(0, "MINUS") && (self.is_word_at(1, "SELECT") || self.is_query_at(1)) {
                let token = self.token(0);
                return self.refuse(&token, "`MINUS` is not a set operation of Athena's", "write EXCEPT");
            }
            return Ok(None);
        };
        let op = match word {
            "UNION" => SetOperator::Union,
            "EXCEPT" => SetOperator::Except,
            _ => SetOperator::Intersect,
        };
        let quantifier = match () {
            () if self.accept("ALL") => SetQuantifier::All,
            () if self.accept("DISTINCT") => SetQuantifier::Distinct,
            () => SetQuantifier::None,
        };
        Ok(Some((op, quantifier)))
    }

    /// How many tokens the same operator takes if it comes next.
    fn same_operator(&self, word: &str, quantifier: SetQuantifier) -> Option<usize> {
        let (all, distinct) = (self.is_word_at(1, "ALL"), self.is_word_at(1, "DISTINCT"));
        if !self.is_word_at(0, word) {
            return None;
        }
        match quantifier {
            SetQuantifier::All => all.then_some(2),
            SetQuantifier::Distinct => distinct.then_some(2),
            _ => (!all && !distinct).then_some(1),
        }
    }

    fn query_primary(&mut self) -> Result<SetExpr> {
        if self.peek("SELECT") {
            return Ok(SetExpr::Select(Box::new(self.select()?)));
        }
        if self.accept("VALUES") {
            return Ok(SetExpr::Values(self.rows()?));
        }
        if self.accept("TABLE") {
            let name = self.object_name("a table's name")?;
            return Ok(SetExpr::Select(Box::new(select_all_from(super::relation::table_of(name)))));
        }
        if self.peek_symbol("(") {
            return Ok(SetExpr::Query(self.query_in_parentheses()?));
        }
        if self.is_word_at(0, "FROM") {
            let token = self.token(0);
            return self.refuse(&token, "a query begins with SELECT", "write `SELECT * FROM …`");
        }
        Err(self.unexpected())
    }

    fn rows(&mut self) -> Result<Values> {
        let rows = self.list(|p| {
            let mut row = p.expression()?;
            while let Expr::Nested(inner) = row {
                row = *inner;
            }
            let content = if let Expr::Tuple(values) = row { values } else { vec![row] };
            Ok(Parens {
                opening_token: AttachedToken::empty(),
                content,
                closing_token: AttachedToken::empty(),
            })
        })?;
        Ok(Values { explicit_row: false, value_keyword: false, rows })
    }

    /// ORDER BY, OFFSET, LIMIT or FETCH.
    fn tail(&mut self, query: &mut Query) -> Result<()> {
        if self.accept_all(&["ORDER", "BY"]) {
            let items = self.list(Self::sort_item)?;
            query.order_by = Some(OrderBy { kind: OrderByKind::Expressions(items), interpolate: None });
        }
        let mut offset = self.offset()?;
        let mut limit = None;
        let mut limited = false;
        if self.accept("LIMIT") {
            limited = true;
            limit = if self.accept("ALL") { None } else { Some(self.row_count()?) };
            let token = self.token(0);
            if self.is_symbol_at(0, ",") && self.token(1).kind == Kind::Number {
                return self.refuse(&token, "`LIMIT a, b` is not supported", "write `OFFSET a LIMIT b`");
            }
            if offset.is_none() && self.is_word_at(0, "OFFSET") {
                let hint = "write OFFSET before LIMIT: `OFFSET 5 LIMIT 10`";
                return self.refuse(&token, "OFFSET must stand before LIMIT", hint);
            }
        } else if self.accept("FETCH") {
            query.fetch = Some(self.fetch()?);
        }
        if limited || offset.is_some() {
            query.limit_clause =
                Some(LimitClause::LimitOffset { limit, offset: offset.take(), limit_by: Vec::new() });
        }
        Ok(())
    }

    fn offset(&mut self) -> Result<Option<Offset>> {
        if !self.accept("OFFSET") {
            return Ok(None);
        }
        let value = self.row_count()?;
        let rows = match () {
            () if self.accept("ROWS") => OffsetRows::Rows,
            () if self.accept("ROW") => OffsetRows::Row,
            () => OffsetRows::None,
        };
        Ok(Some(Offset { value, rows }))
    }

    fn fetch(&mut self) -> Result<Fetch> {
        self.one_of(&["FIRST", "NEXT"])?;
        let quantity = if self.is_word_at(0, "ROW") || self.is_word_at(0, "ROWS") {
            None
        } else {
            Some(self.row_count()?)
        };
        self.one_of(&["ROWS", "ROW"])?;
        let with_ties = if self.accept("ONLY") {
            false
        } else {
            self.expect_all(&["WITH", "TIES"])?;
            true
        };
        Ok(Fetch { with_ties, percent: false, quantity })
    }

    /// A number of rows: digits or a parameter.
    fn row_count(&mut self) -> Result<Expr> {
        if self.is_symbol_at(0, "?") {
            return Ok(self.parameter());
        }
        let token = self.token(0);
        let digits = token.kind == Kind::Number && self.piece(&token).bytes().all(|b| b.is_ascii_digit());
        if !digits {
            return Err(self.expected("a whole number of rows, as in LIMIT 10,"));
        }
        Ok(self.number())
    }
}

fn combined(left: SetExpr, op: SetOperator, set_quantifier: SetQuantifier, right: SetExpr) -> SetExpr {
    SetExpr::SetOperation { left: Box::new(left), op, set_quantifier, right: Box::new(right) }
}

/// A flat tree of one associative operator, its operands in the given order.
fn balanced(mut operands: Vec<SetExpr>, op: SetOperator, quantifier: SetQuantifier) -> SetExpr {
    while operands.len() > 1 {
        let mut above = Vec::with_capacity(operands.len().div_ceil(2));
        let mut pairs = operands.into_iter();
        while let Some(left) = pairs.next() {
            above.push(match pairs.next() {
                Some(right) => combined(left, op, quantifier, right),
                None => left,
            });
        }
        operands = above;
    }
    let nothing = Values { explicit_row: false, value_keyword: false, rows: Vec::new() };
    operands.pop().unwrap_or(SetExpr::Values(nothing))
}
