//! Calls of functions, with all that may stand in and behind the parentheses, and the calls with words inside.

use super::Parser;
use crate::text::lexer::Kind;
use model::Result;
use sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgOperator,
    FunctionArgumentClause, FunctionArgumentList, FunctionArguments, Ident, ListAggOnOverflow, NullTreatment,
    ObjectName, Value,
};

/// Words that are functions without parentheses.
const CLOCK_WORDS: &[&str] = &[
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "CURRENT_USER",
    "CURRENT_CATALOG",
    "CURRENT_SCHEMA",
    "CURRENT_PATH",
];

const SPECIAL: &[&str] = &[
    "SUBSTRING",
    "TRIM",
    "POSITION",
    "NORMALIZE",
    "LISTAGG",
    "JSON_EXISTS",
    "JSON_VALUE",
    "JSON_QUERY",
    "JSON_ARRAY",
    "JSON_OBJECT",
    "GROUPING",
];

/// A call with these arguments and nothing else.
pub(super) fn plain_function(name: Ident, args: Vec<Expr>) -> Expr {
    Expr::Function(function(name.into(), args.into_iter().map(unnamed).collect()))
}

pub(super) fn unnamed(expr: Expr) -> FunctionArg {
    FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))
}

pub(super) fn named(name: Ident, value: Expr) -> FunctionArg {
    FunctionArg::Named { name, arg: FunctionArgExpr::Expr(value), operator: FunctionArgOperator::RightArrow }
}

pub(super) fn function(name: ObjectName, args: Vec<FunctionArg>) -> Function {
    Function {
        name,
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args,
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    }
}

impl Parser<'_> {
    pub(super) fn is_clock_word(&self, word: &str) -> bool {
        CLOCK_WORDS.contains(&word) && (!word.ends_with("SCHEMA") || !self.is_symbol_at(1, "("))
    }

    pub(super) fn is_special_call(&self, word: &str) -> bool {
        SPECIAL.contains(&word)
    }

    /// `current_timestamp`, `localtime(3)`
    pub(super) fn clock_word(&mut self) -> Result<Expr> {
        let token = self.advance();
        let name = Ident::with_span(token.span(), self.piece(&token).to_lowercase());
        let mut call = function(name.into(), Vec::new());
        call.args = FunctionArguments::None;
        let takes_digits = self.piece(&token).to_ascii_uppercase().contains("TIME");
        if takes_digits && self.take("(") {
            if self.kind() != Kind::Number {
                return Err(self.expected("a number of digits"));
            }
            let digits = self.number();
            self.need(")")?;
            call.args = FunctionArguments::List(FunctionArgumentList {
                duplicate_treatment: None,
                args: vec![unnamed(digits)],
                clauses: Vec::new(),
            });
        }
        Ok(Expr::Function(call))
    }

    /// The arguments of a function whose name was read.
    pub(super) fn call(&mut self, name: Vec<Ident>) -> Result<Expr> {
        let mut call = function(ObjectName::from(name), Vec::new());
        self.need("(")?;
        call.args = FunctionArguments::List(self.arguments()?);
        self.need(")")?;
        self.behind_call(&mut call)?;
        Ok(Expr::Function(call))
    }

    fn arguments(&mut self) -> Result<FunctionArgumentList> {
        let mut list =
            FunctionArgumentList { duplicate_treatment: None, args: Vec::new(), clauses: Vec::new() };
        if self.peek_symbol(")") {
            return Ok(list);
        }
        if self.is_symbol_at(0, "*") && self.is_symbol_at(1, ")") {
            self.at += 1;
            list.args.push(FunctionArg::Unnamed(FunctionArgExpr::Wildcard));
            return Ok(list);
        }
        if self.accept("DISTINCT") {
            list.duplicate_treatment = Some(DuplicateTreatment::Distinct);
        } else if self.is_word_at(0, "ALL") && !self.is_symbol_at(1, ")") && !self.is_symbol_at(1, ",") {
            self.at += 1;
            list.duplicate_treatment = Some(DuplicateTreatment::All);
        }
        if !self.peek("ORDER") {
            list.args = self.list(Self::argument)?;
        }
        if self.accept_all(&["ORDER", "BY"]) {
            list.clauses.push(FunctionArgumentClause::OrderBy(self.list(Self::sort_item)?));
        }
        Ok(list)
    }

    fn argument(&mut self) -> Result<FunctionArg> {
        if self.is_name_at(0) && self.is_symbol_at(1, "=>") {
            let name = self.identifier("an argument's name")?;
            self.need("=>")?;
            return Ok(named(name, self.expression()?));
        }
        Ok(unnamed(self.expression()?))
    }

    /// FILTER, IGNORE NULLS and OVER.
    pub(super) fn behind_call(&mut self, call: &mut Function) -> Result<()> {
        if self.is_word_at(0, "WITHIN") && self.is_word_at(1, "GROUP") {
            let token = self.token(0);
            return self.refuse(
                &token,
                "WITHIN GROUP is only for listagg",
                "use `approx_percentile(x, p)` for percentiles",
            );
        }
        self.filter(call)?;
        let nulls = self.is_word_at(1, "NULLS");
        if nulls && self.accept("IGNORE") {
            call.null_treatment = Some(NullTreatment::IgnoreNulls);
            self.at += 1;
        } else if nulls && self.accept("RESPECT") {
            call.null_treatment = Some(NullTreatment::RespectNulls);
            self.at += 1;
        }
        if self.accept("OVER") {
            call.over = Some(self.over()?);
        }
        Ok(())
    }

    fn filter(&mut self, call: &mut Function) -> Result<()> {
        self.note("FILTER");
        if self.is_word_at(0, "FILTER") && self.is_symbol_at(1, "(") {
            self.at += 1;
            self.need("(")?;
            self.expect("WHERE")?;
            call.filter = Some(Box::new(self.expression()?));
            self.need(")")?;
        }
        Ok(())
    }

    /// A function whose arguments are separated by words.
    pub(super) fn special_call(&mut self, word: &str) -> Result<Expr> {
        let token = self.advance();
        let name = Ident::with_span(token.span(), self.piece(&token));
        match word {
            "SUBSTRING" => self.substring(name),
            "TRIM" => self.trim(name),
            "POSITION" => self.position(name),
            "NORMALIZE" => self.normalize(name),
            "LISTAGG" => self.listagg(name),
            "JSON_EXISTS" | "JSON_VALUE" | "JSON_QUERY" => self.json_access(name, word),
            "JSON_ARRAY" => self.json_array(name),
            "JSON_OBJECT" => self.json_object(name),
            _ => self.call(vec![name]),
        }
    }

    /// `substring(x FROM a [FOR b])` or `substring(x, a, b)`
    fn substring(&mut self, name: Ident) -> Result<Expr> {
        self.need("(")?;
        let mut args = vec![self.expression()?];
        if self.accept("FROM") {
            args.push(self.expression()?);
            if self.accept("FOR") {
                args.push(self.expression()?);
            }
        } else {
            while self.take(",") {
                args.push(self.expression()?);
            }
        }
        self.need(")")?;
        Ok(plain_function(name, args))
    }

    /// `trim([LEADING|TRAILING|BOTH] [chars] FROM x)`, `trim(x)`, `trim(x, chars)`
    fn trim(&mut self, name: Ident) -> Result<Expr> {
        self.need("(")?;
        let mut side = "trim";
        let mut sided = true;
        match () {
            () if self.accept("LEADING") => side = "ltrim",
            () if self.accept("TRAILING") => side = "rtrim",
            () if self.accept("BOTH") => {}
            () => sided = false,
        }
        let name = Ident::with_span(name.span, side);
        if sided && self.accept("FROM") {
            let source = self.expression()?;
            self.need(")")?;
            return Ok(plain_function(name, vec![source]));
        }
        let first = self.expression()?;
        if self.accept("FROM") {
            let source = self.expression()?;
            self.need(")")?;
            return Ok(plain_function(name, vec![source, first]));
        }
        if sided {
            return Err(self.unexpected());
        }
        let mut args = vec![first];
        if self.take(",") {
            args.push(self.expression()?);
        }
        self.need(")")?;
        Ok(plain_function(name, args))
    }

    /// `position(part IN whole)`
    fn position(&mut self, name: Ident) -> Result<Expr> {
        self.need("(")?;
        // Not a whole expression, or `IN` would be taken for its operator.
        let part = self.nested(Self::value_expression)?;
        self.expect("IN")?;
        let whole = self.nested(Self::value_expression)?;
        self.need(")")?;
        Ok(plain_function(Ident::with_span(name.span, "strpos"), vec![whole, part]))
    }

    /// `normalize(x [, NFD|NFC|NFKD|NFKC])`
    fn normalize(&mut self, name: Ident) -> Result<Expr> {
        self.need("(")?;
        let source = self.expression()?;
        let mut form = "NFC";
        let mut token = self.previous();
        if self.take(",") {
            form = self.one_of(&["NFC", "NFD", "NFKC", "NFKD"])?;
            token = self.previous();
        }
        self.need(")")?;
        let form = Expr::Value(Value::SingleQuotedString(form.to_owned()).with_span(token.span()));
        Ok(plain_function(name, vec![source, form]))
    }

    /// `listagg(x [, separator] [ON OVERFLOW …]) WITHIN GROUP (ORDER BY …) [FILTER …]`
    fn listagg(&mut self, name: Ident) -> Result<Expr> {
        let mut call = function(name.into(), Vec::new());
        self.need("(")?;
        let distinct = self.accept("DISTINCT");
        if !distinct {
            self.accept("ALL");
        }
        let mut args = vec![unnamed(self.expression()?)];
        if self.take(",") {
            args.push(unnamed(self.expression()?));
        }
        let mut clauses = Vec::new();
        if self.accept_all(&["ON", "OVERFLOW"]) {
            clauses.push(FunctionArgumentClause::OnOverflow(self.overflow()?));
        }
        self.need(")")?;
        let duplicate_treatment = distinct.then_some(DuplicateTreatment::Distinct);
        call.args = FunctionArguments::List(FunctionArgumentList { duplicate_treatment, args, clauses });
        self.expect_all(&["WITHIN", "GROUP"])?;
        self.need("(")?;
        self.expect_all(&["ORDER", "BY"])?;
        call.within_group = self.list(Self::sort_item)?;
        self.need(")")?;
        self.filter(&mut call)?;
        Ok(Expr::Function(call))
    }

    fn overflow(&mut self) -> Result<ListAggOnOverflow> {
        if self.accept("ERROR") {
            return Ok(ListAggOnOverflow::Error);
        }
        self.expect("TRUNCATE")?;
        let has_filler = matches!(self.kind(), Kind::Text | Kind::UnicodeText);
        let filler = if has_filler { Some(Box::new(Expr::Value(self.string_value()?))) } else { None };
        let with_count = self.one_of(&["WITH", "WITHOUT"])? == "WITH";
        self.expect("COUNT")?;
        Ok(ListAggOnOverflow::Truncate { filler, with_count })
    }
}
