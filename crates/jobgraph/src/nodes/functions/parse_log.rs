//! glulam_parse_log: lines of a log taken apart. Parameters: `pattern` (a grok pattern) with `patterns` (further named
//! ones, `NAME regex` a line), or neither for the two built-in shapes of access logs; `column` (default `line`);
//! `keepLine`. Lines that do not fit are rejected.

use crate::fields::Fields;
use crate::nodes::{Context, Operation};
use crate::script::{Script, py};
use crate::step::{LogPattern, LogStep, Step};
use crate::text::Placed;
use model::Error;

#[derive(Debug)]
struct ParseLog {
    column: Placed<String>,
    pattern: LogPattern,
    keep_line: bool,
}

pub(super) fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    let column = fields.text("column").unwrap_or_else(|| Placed::new("line".to_owned(), fields.span.clone()));
    let pattern = fields.text("pattern").filter(|pattern| !pattern.value.is_empty());
    let custom = fields.texts("patterns");
    let keep_line = fields.flag("keepLine").unwrap_or(false);
    let pattern = match pattern {
        Some(pattern) if pattern.value != "access-log" => {
            let custom: Vec<String> = custom.into_iter().map(|line| line.value).collect();
            LogPattern::Grok { pattern: pattern.value, custom: custom.join("\n") }
        }
        _ => LogPattern::AccessLog,
    };
    fields.is_good().then(|| Box::new(ParseLog { column, pattern, keep_line }) as Box<dyn Operation>)
}

impl Operation for ParseLog {
    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        let known = cx.column(&self.column.value, &self.column.span).map(|column| column.sql_type.clone());
        if let Some(known) = known.filter(|known| !known.is_text()) {
            let error =
                Error::invalid(format!("`{}` is {known}, which is no line of text", self.column.value));
            cx.wrong(&self.column.span, error);
            return None;
        }
        let path = cx.columns().is_none_or(|columns| columns.find("$path").is_some());
        Some(Step::ParseLog(LogStep {
            input: cx.relation(),
            column: self.column.value.clone(),
            pattern: self.pattern.clone(),
            path_column: path.then(|| "$path".to_owned()),
            keep_line: self.keep_line,
        }))
    }

    fn span(&self) -> Option<crate::text::Span> {
        Some(self.column.span.clone())
    }

    fn script(&self, out: &mut Script<'_>) {
        let LogPattern::AccessLog = self.pattern else {
            out.comment("Spark has no grok patterns; write the pattern as a regular expression here.");
            let message = format!("{}: write the grok pattern as a regular expression", out.var());
            out.line(&format!("raise NotImplementedError({})", py::text(&message)));
            return out.assign(out.input(0));
        };
        let column = format!("SqlFuncs.col({})", py::text(&self.column.value));
        out.line(&format!("{}DF = {}.toDF()", out.var(), out.input(0)));
        let frame = format!("{}DF", out.var());
        for (name, regex) in ACCESS_LOG {
            let found = format!("SqlFuncs.regexp_extract({column}, {}, 1)", py::text(regex));
            let cast = if *name == "status" { ".cast(\"int\")" } else { "" };
            out.line(&format!("{frame} = {frame}.withColumn(\"{name}\", {found}{cast})"));
        }
        if !self.keep_line {
            out.line(&format!("{frame} = {frame}.drop({})", py::text(&self.column.value)));
        }
        out.assign_frame(&frame);
    }
}

/// What is found in both shapes of access logs, each by one expression.
const ACCESS_LOG: &[(&str, &str)] = &[
    ("remote_addr", r"^(\S+)"),
    ("remote_user", r"^\S+ +- (\S+)"),
    ("time", r"\[([^\]]+)\]"),
    ("method", r#""([A-Z]+) "#),
    ("path", r#""[A-Z]+ ([^" ]+)"#),
    ("protocol", r#""[A-Z]+ [^" ]+ ([^"]+)""#),
    ("status", r#"" (\d{3})( |$)"#),
    ("user_agent", r#""([^"]*)"$"#),
];
