//! Expressions from the outside in: OR, AND, NOT, predicates.

use super::{Parser, operators::balanced};
use crate::text::lexer::Kind;
use model::Result;
use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, ValueWithSpan};

impl Parser<'_> {
    /// Any expression.
    pub(super) fn expression(&mut self) -> Result<Expr> {
        self.nested(Self::disjunction)
    }

    /// Reads something beside what was read before: their heights do not add up.
    pub(super) fn aside<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let beside = std::mem::take(&mut self.height);
        let result = read(self)?;
        self.height = self.height.max(beside);
        Ok(result)
    }

    fn disjunction(&mut self) -> Result<Expr> {
        let mut operands = vec![self.conjunction()?];
        while self.accept("OR") {
            operands.push(self.aside(Self::conjunction)?);
        }
        self.grow_by_logarithm(operands.len())?;
        Ok(balanced(operands, &BinaryOperator::Or))
    }

    fn conjunction(&mut self) -> Result<Expr> {
        let mut operands = vec![self.negation()?];
        while self.accept("AND") {
            operands.push(self.aside(Self::negation)?);
        }
        self.grow_by_logarithm(operands.len())?;
        Ok(balanced(operands, &BinaryOperator::And))
    }

    fn negation(&mut self) -> Result<Expr> {
        let mut count = 0_usize;
        while self.accept("NOT") {
            count += 1;
        }
        let mut expr = self.predicate()?;
        for _ in 0..count {
            self.grow()?;
            expr = Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(expr) };
        }
        Ok(expr)
    }

    /// A value, perhaps compared with something.
    fn predicate(&mut self) -> Result<Expr> {
        let left = self.value_expression()?;
        if self.ends_expression() {
            return Ok(left);
        }
        if let Some(op) = self.comparison() {
            self.grow()?;
            return self.compared(left, op);
        }
        if self.accept("IS") {
            self.grow()?;
            return self.is_something(left);
        }
        let negated = self.peek("NOT")
            && ["BETWEEN", "IN", "LIKE"].iter().any(|word| self.is_word_at(1, word))
            && self.accept("NOT");
        if self.accept("BETWEEN") {
            return self.between(left, negated);
        }
        if self.accept("IN") {
            return self.among(left, negated);
        }
        if self.accept("LIKE") {
            return self.like(left, negated);
        }
        self.refuse_foreign_predicates()?;
        Ok(left)
    }

    fn comparison(&mut self) -> Option<BinaryOperator> {
        for (symbol, op) in [
            ("=", BinaryOperator::Eq),
            ("<>", BinaryOperator::NotEq),
            ("!=", BinaryOperator::NotEq),
            ("<", BinaryOperator::Lt),
            ("<=", BinaryOperator::LtEq),
            (">", BinaryOperator::Gt),
            (">=", BinaryOperator::GtEq),
        ] {
            if self.is_symbol_at(0, symbol) {
                self.at += 1;
                return Some(op);
            }
        }
        None
    }

    fn compared(&mut self, left: Expr, compare_op: BinaryOperator) -> Result<Expr> {
        let quantified =
            ["ALL", "ANY", "SOME"].iter().any(|word| self.is_word_at(0, word)) && self.is_query_at(1);
        if !quantified {
            if self.is_symbol_at(0, "=") {
                let token = self.token(0);
                return self.refuse(&token, "`==` is not an operator", "equality is written `=`");
            }
            let right = Box::new(self.aside(Self::value_expression)?);
            return Ok(Expr::BinaryOp { left: Box::new(left), op: compare_op, right });
        }
        let word = self.one_of(&["ALL", "ANY", "SOME"])?;
        let right = Box::new(Expr::Subquery(self.query_in_parentheses()?));
        let left = Box::new(left);
        Ok(match word {
            "ALL" => Expr::AllOp { left, compare_op, right },
            _ => Expr::AnyOp { left, compare_op, right, is_some: word == "SOME" },
        })
    }

    fn is_something(&mut self, left: Expr) -> Result<Expr> {
        let negated = self.accept("NOT");
        if self.accept("NULL") {
            let left = Box::new(left);
            return Ok(if negated { Expr::IsNotNull(left) } else { Expr::IsNull(left) });
        }
        if self.accept_all(&["DISTINCT", "FROM"]) {
            let right = Box::new(self.aside(Self::value_expression)?);
            let left = Box::new(left);
            return Ok(if negated {
                Expr::IsNotDistinctFrom(left, right)
            } else {
                Expr::IsDistinctFrom(left, right)
            });
        }
        let token = self.token(0);
        if ["TRUE", "FALSE", "UNKNOWN"].iter().any(|word| self.is_word_at(0, word)) {
            let what = format!("`IS {}` is not supported", self.piece(&token).to_uppercase());
            return self.refuse(&token, what, "compare with `= true` or use `IS NOT DISTINCT FROM true`");
        }
        Err(self.unexpected())
    }

    fn between(&mut self, left: Expr, negated: bool) -> Result<Expr> {
        let low = Box::new(self.aside(Self::value_expression)?);
        self.expect("AND")?;
        let high = Box::new(self.aside(Self::value_expression)?);
        self.grow()?;
        Ok(Expr::Between { expr: Box::new(left), negated, low, high })
    }

    fn among(&mut self, left: Expr, negated: bool) -> Result<Expr> {
        self.grow()?;
        let expr = Box::new(left);
        if self.is_query_at(0) {
            let subquery = self.query_in_parentheses()?;
            return Ok(Expr::InSubquery { expr, subquery, negated });
        }
        let open = self.token(0);
        self.need("(")?;
        if self.is_symbol_at(0, ")") {
            return Err(self.invalid(&open, "an IN list needs at least one value"));
        }
        let list = self.list(Self::expression)?;
        self.need(")")?;
        Ok(Expr::InList { expr, list, negated })
    }

    fn like(&mut self, left: Expr, negated: bool) -> Result<Expr> {
        let pattern = Box::new(self.aside(Self::value_expression)?);
        let escape_char = if self.accept("ESCAPE") { Some(self.escape()?) } else { None };
        self.grow()?;
        Ok(Expr::Like { negated, any: false, expr: Box::new(left), pattern, escape_char })
    }

    fn escape(&mut self) -> Result<ValueWithSpan> {
        if !matches!(self.kind(), Kind::Text | Kind::UnicodeText) {
            return Err(self.expected("a string of one character"));
        }
        let value = self.string_value()?;
        let one =
            matches!(&value.value, sqlparser::ast::Value::SingleQuotedString(s) if s.chars().count() == 1);
        if one {
            return Ok(value);
        }
        let token = self.previous();
        Err(self.invalid(&token, "the escape of a LIKE pattern must be one character"))
    }

    /// Other databases' predicates, by name.
    fn refuse_foreign_predicates(&mut self) -> Result<()> {
        let token = self.token(0);
        for (word, instead) in [
            ("ILIKE", "write `lower(a) LIKE lower(b)`"),
            ("RLIKE", "write `regexp_like(a, 'pattern')`"),
            ("REGEXP", "write `regexp_like(a, 'pattern')`"),
        ] {
            if self.is_word_at(0, word) || (self.is_word_at(0, "NOT") && self.is_word_at(1, word)) {
                let behind = self.token(1);
                if behind.kind != Kind::End && !self.is_symbol_at(1, ",") {
                    return self.refuse(&token, format!("`{word}` is not an operator of Athena's"), instead);
                }
            }
        }
        for (symbol, instead) in [
            (":", "casts are written `CAST(value AS type)`"),
            ("&", "write `bitwise_and(a, b)`"),
            ("|", "write `bitwise_or(a, b)`"),
            ("^", "write `bitwise_xor(a, b)` or `power(a, b)`"),
            ("~", "write `regexp_like(a, 'pattern')` or `bitwise_not(a)`"),
        ] {
            // A lone `:` separates keys from values in json_object.
            if self.is_symbol_at(0, symbol) && (symbol != ":" || self.is_symbol_at(1, ":")) {
                let shown = if symbol == ":" { "::" } else { symbol };
                return self.refuse(&token, format!("`{shown}` is not an operator of Athena's"), instead);
            }
        }
        Ok(())
    }
}
