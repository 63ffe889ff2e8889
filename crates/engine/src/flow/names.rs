//! Names as people spell them: the engine's own are in lower case, files and tables of a job keep the spelling.

use super::FlowColumn;
use plan::OutputColumn;
use std::collections::HashMap;

/// The columns of a query with the names that its text spells, or its inputs.
pub(super) fn spelled<'a>(
    sql: &str,
    inputs: impl IntoIterator<Item = &'a FlowColumn>,
    columns: &[OutputColumn],
) -> Vec<FlowColumn> {
    let mut known: HashMap<String, String> = HashMap::new();
    for input in inputs {
        known.entry(input.name.to_lowercase()).or_insert_with(|| input.name.clone());
    }
    for alias in aliases(sql) {
        known.insert(alias.to_lowercase(), alias);
    }
    let column = |column: &OutputColumn| FlowColumn {
        name: known.get(&column.name).unwrap_or(&column.name).clone(),
        sql_type: column.sql_type.clone(),
    };
    columns.iter().map(column).collect()
}

/// The names behind `AS`, in their order: those further on are further out, or as good.
fn aliases(sql: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut after_as = false;
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let (word, quoted, end) = match first {
            '\'' | '"' => {
                let (text, end) = quoted_text(rest, first);
                (text, true, end)
            }
            c if c.is_alphanumeric() || c == '_' => {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                (rest[..end].to_owned(), false, end)
            }
            c => {
                if !c.is_whitespace() {
                    after_as = false;
                }
                rest = &rest[c.len_utf8()..];
                continue;
            }
        };
        let is_as = !quoted && word.eq_ignore_ascii_case("as");
        if after_as && !is_as && first != '\'' {
            found.push(word);
        }
        after_as = is_as;
        rest = &rest[end..];
    }
    found
}

/// The text between quotes (doubled ones stand for themselves), and where it ends.
fn quoted_text(text: &str, quote: char) -> (String, usize) {
    let mut inner = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != quote {
            inner.push(c);
        } else if chars.peek().is_some_and(|(_, next)| *next == quote) {
            inner.push(quote);
            chars.next();
        } else {
            return (inner, at + quote.len_utf8());
        }
    }
    (inner, text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_aliases_and_inputs() {
        let sql = r#"SELECT a AS "minValue", 'x AS y' AS Kind, "t"."fromTimestamp", max(b) As topSpeed, count(*) FROM "t""#;
        assert_eq!(aliases(sql), ["minValue", "Kind", "topSpeed"]);
        let column = |name: &str| OutputColumn { name: name.into(), sql_type: sql::SqlType::BigInt };
        let input = FlowColumn { name: "fromTimestamp".into(), sql_type: sql::SqlType::BigInt };
        let columns = ["minvalue", "kind", "fromtimestamp", "topspeed", "_col4"].map(column);
        let names: Vec<String> = spelled(sql, [&input], &columns).into_iter().map(|c| c.name).collect();
        assert_eq!(names, ["minValue", "Kind", "fromTimestamp", "topSpeed", "_col4"]);
        assert_eq!(aliases(r#"SELECT 1 AS "a""b", 2 AS ünder"#), ["a\"b", "ünder"]);
    }
}
