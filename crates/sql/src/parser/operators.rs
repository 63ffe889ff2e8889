//! Values with operators: `||`, `+ -`, `* / %`, signs, `AT TIME ZONE`.

use super::Parser;
use super::call::plain_function;
use model::Result;
use sqlparser::ast::{BinaryOperator, Expr, Ident, Spanned, UnaryOperator};

/// A longer chain of `||` becomes one call, so that the tree stays flat.
const LONG_CONCATENATION: usize = 100;

/// A tree of one associative operator that is as flat as can be, its leaves in the given order.
pub(super) fn balanced(mut operands: Vec<Expr>, op: &BinaryOperator) -> Expr {
    while operands.len() > 1 {
        let mut above = Vec::with_capacity(operands.len().div_ceil(2));
        let mut pairs = operands.into_iter();
        while let Some(left) = pairs.next() {
            above.push(match pairs.next() {
                Some(right) => {
                    Expr::BinaryOp { left: Box::new(left), op: op.clone(), right: Box::new(right) }
                }
                None => left,
            });
        }
        operands = above;
    }
    // There is always one; an empty tuple would be refused by whoever reads it.
    operands.pop().unwrap_or(Expr::Tuple(Vec::new()))
}

impl Parser<'_> {
    /// A balanced tree over so many operands is about that much higher.
    pub(super) fn grow_by_logarithm(&mut self, operands: usize) -> Result<()> {
        let mut rest = operands;
        while rest > 1 {
            self.grow()?;
            rest = rest.div_ceil(2);
        }
        Ok(())
    }

    /// A value without comparison or logic at its top.
    pub(super) fn value_expression(&mut self) -> Result<Expr> {
        let first = self.sum()?;
        if !self.peek_symbol("||") {
            return Ok(first);
        }
        let mut operands = vec![first];
        while self.take("||") {
            operands.push(self.aside(Self::sum)?);
        }
        if operands.len() > LONG_CONCATENATION {
            self.grow()?;
            let span = operands.first().map(Spanned::span).unwrap_or_else(sqlparser::tokenizer::Span::empty);
            return Ok(plain_function(Ident::with_span(span, "$concat"), operands));
        }
        let mut all = operands.into_iter();
        let mut left = all.next().unwrap_or(Expr::Tuple(Vec::new()));
        for right in all {
            self.grow()?;
            left = binary(left, BinaryOperator::StringConcat, right);
        }
        Ok(left)
    }

    fn sum(&mut self) -> Result<Expr> {
        let mut left = self.product()?;
        loop {
            if self.ends_expression() {
                return Ok(left);
            }
            let op = match () {
                () if self.take("+") => BinaryOperator::Plus,
                () if self.take("-") => BinaryOperator::Minus,
                () => return Ok(left),
            };
            let right = self.aside(Self::product)?;
            self.grow()?;
            left = binary(left, op, right);
        }
    }

    fn product(&mut self) -> Result<Expr> {
        let mut left = self.signed()?;
        loop {
            if self.ends_expression() {
                return Ok(left);
            }
            let op = match () {
                () if self.take("*") => BinaryOperator::Multiply,
                () if self.take("/") => BinaryOperator::Divide,
                () if self.take("%") => BinaryOperator::Modulo,
                () => return Ok(left),
            };
            let right = self.aside(Self::signed)?;
            self.grow()?;
            left = binary(left, op, right);
        }
    }

    fn signed(&mut self) -> Result<Expr> {
        let mut signs = Vec::new();
        loop {
            if self.take("-") {
                signs.push(UnaryOperator::Minus);
            } else if self.take("+") {
                signs.push(UnaryOperator::Plus);
            } else {
                break;
            }
        }
        let mut expr = self.in_time_zone()?;
        for op in signs.into_iter().rev() {
            self.grow()?;
            expr = Expr::UnaryOp { op, expr: Box::new(expr) };
        }
        Ok(expr)
    }

    fn in_time_zone(&mut self) -> Result<Expr> {
        let mut expr = self.primary()?;
        // `AT` may also be an alias, so all three words must be there.
        while self.accept_all(&["AT", "TIME", "ZONE"]) {
            let zone = self.aside(Self::primary)?;
            self.grow()?;
            expr = Expr::AtTimeZone { timestamp: Box::new(expr), time_zone: Box::new(zone) };
        }
        Ok(expr)
    }
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}
