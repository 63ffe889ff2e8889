//! The JSON functions of the SQL standard, whose clauses become named arguments: an analyzer reads them like any call.

use super::Parser;
use super::call::{function, named, unnamed};
use crate::text::lexer::Token;
use model::Result;
use sqlparser::ast::{Expr, FunctionArg, Ident, Value};

/// A clause of a JSON function as a named argument that holds a word.
fn word(name: &str, value: impl Into<String>, token: &Token) -> FunctionArg {
    let value = Expr::Value(Value::SingleQuotedString(value.into()).with_span(token.span()));
    named(Ident::with_span(token.span(), name), value)
}

impl Parser<'_> {
    /// `json_exists|json_value|json_query (input [FORMAT JSON], path [PASSING …] …)`
    pub(super) fn json_access(&mut self, name: Ident, which: &str) -> Result<Expr> {
        self.need("(")?;
        let mut args = vec![unnamed(self.expression()?)];
        let mut clauses = Vec::new();
        self.json_format("format", &mut clauses)?;
        self.need(",")?;
        args.push(unnamed(Expr::Value(self.string_value()?)));
        self.passing(&mut clauses)?;
        match which {
            "JSON_EXISTS" => self.exists_on_error(&mut clauses)?,
            "JSON_VALUE" => {
                self.returning(&mut clauses)?;
                self.on_events(&["NULL", "ERROR", "DEFAULT"], &mut clauses)?;
            }
            _ => {
                self.returning(&mut clauses)?;
                self.wrapper(&mut clauses)?;
                self.on_events(&["NULL", "ERROR", "EMPTY"], &mut clauses)?;
            }
        }
        self.need(")")?;
        args.append(&mut clauses);
        Ok(Expr::Function(function(name.into(), args)))
    }

    /// `FORMAT JSON [ENCODING UTF8]`
    fn json_format(&mut self, name: &str, clauses: &mut Vec<FunctionArg>) -> Result<()> {
        let token = self.token(0);
        if self.accept("FORMAT") {
            self.expect("JSON")?;
            let mut format = "json".to_owned();
            if self.accept("ENCODING") {
                let encoding = self.one_of(&["UTF8", "UTF16", "UTF32"])?;
                format = format!("json encoding {}", encoding.to_lowercase());
            }
            clauses.push(word(name, format, &token));
        }
        Ok(())
    }

    fn passing(&mut self, clauses: &mut Vec<FunctionArg>) -> Result<()> {
        if !self.accept("PASSING") {
            return Ok(());
        }
        loop {
            let value = self.expression()?;
            let mut format = Vec::new();
            self.json_format("format", &mut format)?;
            self.expect("AS")?;
            let name = self.identifier("a variable's name")?;
            if !format.is_empty() {
                let token = self.previous();
                clauses.push(word(&format!("passing_format.{}", name.value), "json", &token));
            }
            clauses.push(named(Ident::with_span(name.span, format!("passing.{}", name.value)), value));
            if !self.take(",") {
                return Ok(());
            }
        }
    }

    fn returning(&mut self, clauses: &mut Vec<FunctionArg>) -> Result<()> {
        let token = self.token(0);
        if self.accept("RETURNING") {
            let data_type = self.data_type()?;
            clauses.push(word("returning", data_type.to_string(), &token));
            self.json_format("returning_format", clauses)?;
        }
        Ok(())
    }

    fn exists_on_error(&mut self, clauses: &mut Vec<FunctionArg>) -> Result<()> {
        let token = self.token(0);
        for choice in ["TRUE", "FALSE", "UNKNOWN", "ERROR"] {
            if self.accept(choice) {
                self.expect_all(&["ON", "ERROR"])?;
                clauses.push(word("on_error", choice.to_lowercase(), &token));
                break;
            }
        }
        Ok(())
    }

    /// `WITH|WITHOUT … WRAPPER` and `KEEP|OMIT QUOTES`
    fn wrapper(&mut self, clauses: &mut Vec<FunctionArg>) -> Result<()> {
        let token = self.token(0);
        let wrapper = match () {
            () if self.accept("WITHOUT") => Some("without"),
            () if self.accept("WITH") => match () {
                () if self.accept("CONDITIONAL") => Some("conditional"),
                () => {
                    self.accept("UNCONDITIONAL");
                    Some("unconditional")
                }
            },
            () => None,
        };
        if let Some(wrapper) = wrapper {
            self.accept("ARRAY");
            self.expect("WRAPPER")?;
            clauses.push(word("wrapper", wrapper, &token));
        }
        let token = self.token(0);
        for choice in ["KEEP", "OMIT"] {
            if self.accept(choice) {
                self.expect("QUOTES")?;
                if self.accept("ON") {
                    self.expect_all(&["SCALAR", "STRING"])?;
                }
                clauses.push(word("quotes", choice.to_lowercase(), &token));
                break;
            }
        }
        Ok(())
    }

    /// `NULL ON EMPTY`, `DEFAULT x ON ERROR`, `EMPTY ARRAY ON EMPTY`
    fn on_events(&mut self, choices: &[&'static str], clauses: &mut Vec<FunctionArg>) -> Result<()> {
        for _ in 0..2 {
            let token = self.token(0);
            let Some(choice) = choices.iter().copied().find(|choice| self.accept(choice)) else {
                return Ok(());
            };
            let mut default = None;
            let mut said = choice.to_lowercase();
            if choice == "DEFAULT" {
                default = Some(self.expression()?);
            } else if choice == "EMPTY" {
                said = format!("empty {}", self.one_of(&["ARRAY", "OBJECT"])?.to_lowercase());
            }
            self.expect("ON")?;
            let event = self.one_of(&["EMPTY", "ERROR"])?.to_lowercase();
            clauses.push(match default {
                Some(value) => named(Ident::with_span(token.span(), format!("default_on_{event}")), value),
                None => word(&format!("on_{event}"), said, &token),
            });
            if event == "error" {
                return Ok(());
            }
        }
        Ok(())
    }

    /// `json_array(a, b [NULL|ABSENT ON NULL] [RETURNING type])`
    pub(super) fn json_array(&mut self, name: Ident) -> Result<Expr> {
        self.need("(")?;
        let mut args = Vec::new();
        let mut clauses = Vec::new();
        if !self.ends_json_constructor() {
            loop {
                args.push(unnamed(self.expression()?));
                let mut format = Vec::new();
                self.json_format("format", &mut format)?;
                if !self.take(",") {
                    break;
                }
            }
        }
        self.on_null(&mut clauses)?;
        self.returning(&mut clauses)?;
        self.need(")")?;
        args.append(&mut clauses);
        Ok(Expr::Function(function(name.into(), args)))
    }

    /// `json_object(key : value, KEY key VALUE value, key VALUE value …)`
    pub(super) fn json_object(&mut self, name: Ident) -> Result<Expr> {
        self.need("(")?;
        let mut args = Vec::new();
        let mut clauses = Vec::new();
        if !self.ends_json_constructor() {
            loop {
                self.json_member(&mut args)?;
                if !self.take(",") {
                    break;
                }
            }
        }
        self.on_null(&mut clauses)?;
        self.unique_keys(&mut clauses)?;
        self.returning(&mut clauses)?;
        self.need(")")?;
        args.append(&mut clauses);
        Ok(Expr::Function(function(name.into(), args)))
    }

    fn json_member(&mut self, args: &mut Vec<FunctionArg>) -> Result<()> {
        let with_word =
            self.is_word_at(0, "KEY") && !self.is_symbol_at(1, ":") && !self.is_word_at(1, "VALUE");
        if with_word {
            self.at += 1;
        }
        args.push(unnamed(self.expression()?));
        if with_word || !self.take(":") {
            self.expect("VALUE")?;
        }
        args.push(unnamed(self.expression()?));
        let mut format = Vec::new();
        self.json_format("format", &mut format)
    }

    /// Whether nothing but clauses or the end follows: `json_array()`, `json_object(NULL ON NULL)`.
    fn ends_json_constructor(&self) -> bool {
        let clause = self.is_word_at(0, "NULL") || self.is_word_at(0, "ABSENT");
        self.is_symbol_at(0, ")") || self.is_word_at(0, "RETURNING") || (clause && self.is_word_at(1, "ON"))
    }

    fn on_null(&mut self, clauses: &mut Vec<FunctionArg>) -> Result<()> {
        let token = self.token(0);
        for choice in ["NULL", "ABSENT"] {
            if self.accept(choice) {
                self.expect_all(&["ON", "NULL"])?;
                clauses.push(word("nulls", choice.to_lowercase(), &token));
                break;
            }
        }
        Ok(())
    }

    fn unique_keys(&mut self, clauses: &mut Vec<FunctionArg>) -> Result<()> {
        let token = self.token(0);
        for choice in ["WITH", "WITHOUT"] {
            if self.accept(choice) {
                self.expect("UNIQUE")?;
                self.accept("KEYS");
                clauses.push(word("unique_keys", choice.to_lowercase(), &token));
                break;
            }
        }
        Ok(())
    }
}
