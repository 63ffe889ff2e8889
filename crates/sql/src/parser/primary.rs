//! The innermost expressions: literals, names, parentheses, CASE, CAST, subqueries, and what hangs behind them.

use super::{Parser, words};
use crate::text::lexer::Kind;
use model::Result;
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    AccessExpr, Array, CaseWhen, CastKind, DateTimeField, Expr, ExtractSyntax, Ident, LambdaFunction,
    LambdaFunctionParameter, LambdaSyntax, OneOrManyWithParens, Subscript, TypedString, Value,
};

/// What EXTRACT can take.
const EXTRACT_FIELDS: &[&str] = &[
    "year",
    "quarter",
    "month",
    "week",
    "day",
    "day_of_month",
    "day_of_week",
    "dow",
    "day_of_year",
    "doy",
    "year_of_week",
    "yow",
    "hour",
    "minute",
    "second",
    "timezone_hour",
    "timezone_minute",
];

impl Parser<'_> {
    /// A primary expression with its subscripts and fields.
    pub(super) fn primary(&mut self) -> Result<Expr> {
        let root = self.root()?;
        let mut chain = Vec::new();
        loop {
            if self.take("[") {
                let index = self.expression()?;
                self.need("]")?;
                chain.push(AccessExpr::Subscript(Subscript::Index { index }));
            } else if self.is_symbol_at(0, ".") && !self.is_symbol_at(1, "*") {
                self.at += 1;
                chain.push(AccessExpr::Dot(Expr::Identifier(self.identifier("a field's name")?)));
            } else {
                break;
            }
        }
        if chain.is_empty() {
            return Ok(root);
        }
        self.grow()?;
        Ok(Expr::CompoundFieldAccess { root: Box::new(root), access_chain: chain })
    }

    fn root(&mut self) -> Result<Expr> {
        match self.kind() {
            Kind::Number => Ok(self.number()),
            Kind::Text | Kind::UnicodeText => Ok(Expr::Value(self.string_value()?)),
            Kind::Hex => self.hex(),
            Kind::Word => self.word(),
            Kind::Quoted | Kind::UnicodeQuoted => self.name_or_call(),
            Kind::Symbol if self.is_symbol_at(0, "(") => self.parenthesised(),
            Kind::Symbol if self.is_symbol_at(0, "?") => Ok(self.parameter()),
            _ => Err(self.expected("an expression")),
        }
    }

    fn word(&mut self) -> Result<Expr> {
        let token = self.token(0);
        let word = self.piece(&token).to_ascii_uppercase();
        let open = self.is_symbol_at(1, "(");
        match word.as_str() {
            "NULL" => Ok(self.constant(Value::Null)),
            "TRUE" => Ok(self.constant(Value::Boolean(true))),
            "FALSE" => Ok(self.constant(Value::Boolean(false))),
            "CASE" => self.case(),
            "CAST" => self.cast(CastKind::Cast),
            "TRY_CAST" if open => self.cast(CastKind::TryCast),
            "EXTRACT" => self.extract(),
            "EXISTS" => {
                self.at += 1;
                if !self.is_query_at(0) {
                    return Err(self.expected("a query in parentheses"));
                }
                Ok(Expr::Exists { subquery: self.query_in_parentheses()?, negated: false })
            }
            "INTERVAL" if self.begins_interval() => self.interval(),
            "ARRAY" if self.is_symbol_at(1, "[") => self.array(),
            "ROW" if open => {
                self.at += 1;
                Ok(Expr::Tuple(self.in_parentheses(Self::expression)?))
            }
            "DOUBLE" if self.is_word_at(1, "PRECISION") && self.token(2).kind == Kind::Text => {
                self.typed_literal()
            }
            _ if self.is_clock_word(&word) => self.clock_word(),
            _ if open && self.is_special_call(&word) => self.special_call(&word),
            _ if self.is_symbol_at(1, "->") && !words::is_reserved(&word) => self.lambda(),
            _ if matches!(self.token(1).kind, Kind::Text | Kind::UnicodeText)
                && !words::is_reserved(&word) =>
            {
                self.typed_literal()
            }
            _ => self.name_or_call(),
        }
    }

    fn constant(&mut self, value: Value) -> Expr {
        let token = self.advance();
        Expr::Value(value.with_span(token.span()))
    }

    /// `TYPE 'text'`
    fn typed_literal(&mut self) -> Result<Expr> {
        let data_type = self.data_type()?;
        let value = self.string_value()?;
        Ok(Expr::TypedString(TypedString { data_type, value, uses_odbc_syntax: false }))
    }

    /// A column, a column of a table, or the call of a function.
    fn name_or_call(&mut self) -> Result<Expr> {
        if self.kind() != Kind::Word && self.is_symbol_at(1, "->") {
            return self.lambda();
        }
        let mut parts = vec![self.identifier("an expression")?];
        while self.is_symbol_at(0, ".") && self.is_name_at(1) {
            self.at += 1;
            parts.push(self.identifier("a name")?);
        }
        if self.peek_symbol("(") {
            return self.call(parts);
        }
        if self.is_symbol_at(0, ".") && !self.is_symbol_at(1, "*") {
            self.at += 1;
            return Err(self.expected("a column's name"));
        }
        Ok(match parts.len() {
            1 => parts.pop().map_or(Expr::Tuple(Vec::new()), Expr::Identifier),
            _ => Expr::CompoundIdentifier(parts),
        })
    }

    /// `x -> body` or `(x, y) -> body`
    fn lambda(&mut self) -> Result<Expr> {
        let parameter = |p: &mut Self| -> Result<LambdaFunctionParameter> {
            Ok(LambdaFunctionParameter { name: p.identifier("a parameter's name")?, data_type: None })
        };
        let params = if self.take("(") {
            let mut many = Vec::new();
            if !self.is_symbol_at(0, ")") {
                many = self.list(parameter)?;
            }
            self.need(")")?;
            OneOrManyWithParens::Many(many)
        } else {
            OneOrManyWithParens::One(parameter(self)?)
        };
        self.need("->")?;
        let body = Box::new(self.expression()?);
        Ok(Expr::Lambda(LambdaFunction { params, body, syntax: LambdaSyntax::Arrow }))
    }

    /// Whether `(a, b) ->` begins here.
    fn begins_lambda(&self) -> bool {
        let mut ahead = 1;
        while self.is_name_at(ahead) && self.is_symbol_at(ahead + 1, ",") {
            ahead += 2;
        }
        ahead += usize::from(self.is_name_at(ahead));
        self.is_symbol_at(ahead, ")") && self.is_symbol_at(ahead + 1, "->")
    }

    fn parenthesised(&mut self) -> Result<Expr> {
        if self.is_query_at(0) {
            return Ok(Expr::Subquery(self.query_in_parentheses()?));
        }
        if self.begins_lambda() {
            return self.lambda();
        }
        self.need("(")?;
        let mut all = self.list(Self::expression)?;
        self.need(")")?;
        Ok(match all.pop() {
            Some(only) if all.is_empty() => Expr::Nested(Box::new(only)),
            Some(last) => {
                all.push(last);
                Expr::Tuple(all)
            }
            None => Expr::Tuple(all),
        })
    }

    fn array(&mut self) -> Result<Expr> {
        self.expect("ARRAY")?;
        self.need("[")?;
        let elem = if self.is_symbol_at(0, "]") { Vec::new() } else { self.list(Self::expression)? };
        self.need("]")?;
        Ok(Expr::Array(Array { elem, named: true }))
    }

    fn cast(&mut self, kind: CastKind) -> Result<Expr> {
        self.at += 1;
        self.need("(")?;
        let expr = Box::new(self.expression()?);
        self.expect("AS")?;
        let data_type = self.data_type()?;
        self.need(")")?;
        Ok(Expr::Cast { kind, expr, data_type, array: false, format: None })
    }

    fn extract(&mut self) -> Result<Expr> {
        self.at += 1;
        self.need("(")?;
        let token = self.token(0);
        let field = self.piece(&token).to_lowercase();
        if !EXTRACT_FIELDS.contains(&field.as_str()) {
            let error = self.invalid(&token, format!("`{field}` is not a field of EXTRACT"));
            return Err(error.hint(model::nearest_hint(&field, EXTRACT_FIELDS.iter().copied())));
        }
        self.at += 1;
        self.expect("FROM")?;
        let expr = Box::new(self.expression()?);
        self.need(")")?;
        let field = DateTimeField::Custom(Ident::with_span(token.span(), field));
        Ok(Expr::Extract { field, syntax: ExtractSyntax::From, expr })
    }

    fn case(&mut self) -> Result<Expr> {
        self.expect("CASE")?;
        let operand = if self.peek("WHEN") { None } else { Some(Box::new(self.expression()?)) };
        let mut conditions = Vec::new();
        while self.accept("WHEN") {
            let condition = self.expression()?;
            self.expect("THEN")?;
            conditions.push(CaseWhen { condition, result: self.expression()? });
        }
        if conditions.is_empty() {
            return Err(self.unexpected());
        }
        let else_result = if self.accept("ELSE") { Some(Box::new(self.expression()?)) } else { None };
        self.expect("END")?;
        Ok(Expr::Case {
            case_token: AttachedToken::empty(),
            end_token: AttachedToken::empty(),
            operand,
            conditions,
            else_result,
        })
    }
}
