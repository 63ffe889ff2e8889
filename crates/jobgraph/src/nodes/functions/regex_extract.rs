//! gs_regex_extract: what a regular expression finds in a text, as new columns: one for each group, or for the whole
//! match. As in Glue the new column is empty where nothing matches, and NULL only where the text is.

use crate::columns::same_name;
use crate::fields::Fields;
use crate::nodes::{Context, Operation};
use crate::query;
use crate::script::{Script, py};
use crate::step::Step;
use crate::text::Placed;
use model::Error;
use sql::{quote_ident, quote_string};

#[derive(Debug)]
struct RegexExtract {
    column: Placed<String>,
    regex: Placed<String>,
    /// A name for each group; groups with an empty name are passed over.
    names: Vec<String>,
    new: Placed<String>,
}

pub(super) fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    let column = fields.need_text("colName");
    let regex = fields.need_text("regex");
    let new = fields.need_text("newCols");
    let (regex, new) = (regex?, new?);
    let names: Vec<String> = new.value.split(',').map(|name| name.trim().to_owned()).collect();
    let groups = groups(&regex.value);
    if names.len() != groups.max(1) {
        let message = format!("the expression has {groups} groups, but {} columns are named", names.len());
        fields.wrong(
            &new.span,
            Error::invalid(message)
                .hint("name one column for each group, with commas; an empty name passes a group over"),
        );
        return None;
    }
    Some(Box::new(RegexExtract { column: column?, regex, names, new }))
}

/// How many capturing groups an expression has.
fn groups(regex: &str) -> usize {
    let mut count = 0;
    let mut in_class = false;
    let mut chars = regex.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => {
                // `(?<name>` captures, `(?:` and the others do not.
                let rest: String = chars.clone().take(3).collect();
                let named = rest.starts_with("?<") && !rest.starts_with("?<=") && !rest.starts_with("?<!");
                count += usize::from(!rest.starts_with('?') || named);
            }
            _ => {}
        }
    }
    count
}

impl Operation for RegexExtract {
    fn needs_columns(&self) -> bool {
        true
    }

    fn step(&self, cx: &mut Context<'_>) -> Option<Step> {
        let found = cx.column(&self.column.value, &self.column.span)?;
        if !found.sql_type.is_text() {
            let error = Error::invalid(format!("`{}` is {}, which is no text", found.name, found.sql_type));
            cx.wrong(&self.column.span, error.hint("cast it to string in an ApplyMapping node before"));
            return None;
        }
        let column = quote_ident(&found.name);
        let grouped = groups(&self.regex.value) > 0;
        let columns = cx.columns()?;
        let mut items: Vec<String> = columns
            .names()
            .filter(|known| !self.names.iter().any(|new| same_name(new, known)))
            .map(quote_ident)
            .collect();
        for (index, name) in self.names.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
            let group = if grouped { index + 1 } else { 0 };
            let found = format!("regexp_extract({column}, {}, {group})", quote_string(&self.regex.value));
            items.push(format!("if({column} IS NULL, NULL, coalesce({found}, '')) AS {}", quote_ident(name)));
        }
        cx.query(query::select(&items, &cx.relation().name), vec![])
    }

    fn script(&self, out: &mut Script<'_>) {
        let arguments = [
            format!("colName={}", py::text(&self.column.value)),
            format!("regex={}", py::text(&self.regex.value)),
            format!("newCols={}", py::text(&self.new.value)),
        ];
        out.assign_method("gs_regex_extract", &arguments);
    }
}
