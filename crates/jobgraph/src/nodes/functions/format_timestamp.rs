//! gs_format_timestamp: a timestamp as text, by Spark's letters (`yyyy-MM-dd`) or Python's codes (`%Y-%m-%d`).

use super::event_time;
use crate::fields::Fields;
use crate::nodes::{Context, Operation};
use crate::script::{Script, py};
use crate::step::Step;
use crate::text::Placed;
use crate::{query, spark};
use model::Error;
use sql::quote_string;

#[derive(Debug)]
struct FormatTimestamp {
    column: Placed<String>,
    written: String,
    pattern: String,
    new: Option<String>,
}

pub(super) fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    let column = fields.need_text("colName");
    let written = fields.need_text("dateFormat")?;
    let new = fields.text("newColName").map(|name| name.value).filter(|name| !name.is_empty());
    let pattern = if written.value.contains('%') {
        of_python(&written.value)
    } else {
        spark::is_joda(&written.value).then(|| written.value.clone())
    };
    let Some(pattern) = pattern else {
        let error = Error::unsupported(format!("`{}` has a letter that is not supported", written.value));
        fields.wrong(
            &written.span,
            error.hint("use y M d H h m s S a E D, or Python's %Y %m %d %H %M %S %f %b %a %p %j %y"),
        );
        return None;
    };
    Some(Box::new(FormatTimestamp { column: column?, written: written.value, pattern, new }))
}

/// Python's codes as Joda's letters.
fn of_python(codes: &str) -> Option<String> {
    let mut pattern = String::new();
    let mut literal = String::new();
    let mut chars = codes.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            literal.push(c);
            continue;
        }
        let letters = match chars.next()? {
            'Y' => "yyyy",
            'y' => "yy",
            'm' => "MM",
            'd' => "dd",
            'H' => "HH",
            'I' => "hh",
            'M' => "mm",
            'S' => "ss",
            'f' => "SSSSSS",
            'b' => "MMM",
            'B' => "MMMM",
            'a' => "EEE",
            'A' => "EEEE",
            'p' => "a",
            'j' => "DDD",
            '%' => {
                literal.push('%');
                continue;
            }
            _ => return None,
        };
        pattern.push_str(&quoted(&std::mem::take(&mut literal)));
        pattern.push_str(letters);
    }
    pattern.push_str(&quoted(&literal));
    Some(pattern)
}

/// Letters that mean themselves stand in quotes.
fn quoted(literal: &str) -> String {
    if literal.contains(|c: char| c.is_ascii_alphabetic() || c == '\'') {
        return format!("'{}'", literal.replace('\'', "''"));
    }
    literal.to_owned()
}

impl Operation for FormatTimestamp {
    fn needs_columns(&self) -> bool {
        true
    }

    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        let (time, _) = event_time(&self.column, cx)?;
        let expr = format!("format_datetime({time}, {})", quote_string(&self.pattern));
        let name = self.new.as_deref().unwrap_or(&self.column.value);
        cx.query(query::select(&query::with_column(cx.columns()?, name, &expr), &cx.relation().name), vec![])
    }

    fn script(&self, out: &mut Script<'_>) {
        let mut arguments = vec![
            format!("colName={}", py::text(&self.column.value)),
            format!("dateFormat={}", py::text(&self.written)),
        ];
        arguments.extend(self.new.as_ref().map(|new| format!("newColName={}", py::text(new))));
        out.assign_method("gs_format_timestamp", &arguments);
    }
}

#[cfg(test)]
mod tests {
    use super::of_python;

    #[test]
    fn pythons_codes_become_letters() {
        assert_eq!(of_python("%Y-%m-%dT%H:%M:%S.%f").as_deref(), Some("yyyy-MM-dd'T'HH:mm:ss.SSSSSS"));
        assert_eq!(of_python("%d.%m.%y 100%%").as_deref(), Some("dd.MM.yy 100%"));
        assert_eq!(of_python("%q"), None);
        assert_eq!(of_python("%"), None);
    }
}
