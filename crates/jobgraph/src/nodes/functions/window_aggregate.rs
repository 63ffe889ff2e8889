//! What is computed of each window: `avg(value) as mean`, `percentile(value, 95)`, `first(unit) as unit`.

use crate::nodes::Context;
use crate::text::Placed;
use model::{Error, nearest_hint};
use sql::quote_ident;

/// The functions.
pub(super) const FUNCTIONS: &[&str] = &["min", "max", "avg", "sum", "count", "first", "last", "percentile"];

/// One aggregate of a window.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Aggregate {
    pub(super) function: &'static str,
    /// Nothing for `count(*)`.
    pub(super) column: Option<Placed<String>>,
    pub(super) percent: f64,
    pub(super) name: String,
}

/// Reads `function(column[, percent]) [as name]`.
pub(super) fn read(text: &Placed<String>) -> Result<Aggregate, Error> {
    let wrong = |what: String| {
        Error::invalid(what)
            .hint("an aggregate is written `min(value) as minValue` or `percentile(value, 95) as p95`")
    };
    let bad = || wrong(format!("`{}` is no aggregate", text.value));
    let (function, rest) = text.value.split_once('(').ok_or_else(bad)?;
    let (inside, behind) = rest.rsplit_once(')').ok_or_else(bad)?;
    let word = function.trim();
    let known = FUNCTIONS.iter().find(|known| known.eq_ignore_ascii_case(word));
    let Some(function) = known else {
        let error = Error::invalid(format!("`{word}` is no function of a window"));
        return Err(error.hint(nearest_hint(word, FUNCTIONS.iter().copied())));
    };
    let (column, percent) = match inside.split_once(',') {
        Some((column, percent)) if *function == "percentile" => {
            let percent: f64 = percent.trim().parse().map_err(|_| bad())?;
            if !(0.0..=100.0).contains(&percent) {
                return Err(wrong(format!("{percent} is no percentage between 0 and 100")));
            }
            (column, percent)
        }
        None if *function != "percentile" => (inside, 0.0),
        _ => return Err(bad()),
    };
    let column = column.trim().trim_matches(['"', '`']);
    let name = match behind.trim() {
        "" => format!("{function}_{}", if column == "*" { "rows" } else { column }),
        behind => match behind.split_once(char::is_whitespace) {
            Some((word, name)) if word.eq_ignore_ascii_case("as") && !name.trim().is_empty() => {
                name.trim().trim_matches(['"', '`']).to_owned()
            }
            _ => return Err(bad()),
        },
    };
    let column = match (column, *function) {
        ("*", "count") => None,
        ("" | "*", _) => return Err(bad()),
        (column, _) => Some(Placed::new(column.to_owned(), text.span.clone())),
    };
    Ok(Aggregate { function, column, percent, name })
}

impl Aggregate {
    /// The aggregate as SQL; `time` orders first and last.
    pub(super) fn sql(&self, time: &str, cx: &Context<'_>) -> String {
        let column = self.column.as_ref().map(|column| {
            let known = cx.column(&column.value, &column.span).map(|column| column.sql_type.clone());
            let needs_number = ["avg", "sum", "percentile"].contains(&self.function);
            if let Some(known) = known.filter(|known| needs_number && !known.is_numeric()) {
                let message = format!("{} needs a number, but `{}` is {known}", self.function, column.value);
                let hint = "cast it to double in an ApplyMapping node before";
                cx.wrong(&column.span, Error::invalid(message).hint(hint));
            }
            quote_ident(&column.value)
        });
        let column = column.unwrap_or_else(|| "*".to_owned());
        match self.function {
            "first" => format!("min_by({column}, {time})"),
            "last" => format!("max_by({column}, {time})"),
            "percentile" => format!("approx_percentile({column}, {}e0)", self.percent / 100.0),
            other => format!("{other}({column})"),
        }
    }

    /// The aggregate as Spark's Python.
    pub(super) fn python(&self, time: &str) -> String {
        let column = self.column.as_ref().map_or("*", |column| column.value.as_str());
        let text = crate::script::py::text(column);
        match self.function {
            "first" => format!("SqlFuncs.min_by({text}, {time})"),
            "last" => format!("SqlFuncs.max_by({text}, {time})"),
            "percentile" => format!("SqlFuncs.percentile_approx({text}, {})", self.percent / 100.0),
            other => format!("SqlFuncs.{other}({text})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aggregates_are_read() {
        let read = |text: &str| read(&Placed::new(text.to_owned(), 0..0));
        let one = read("percentile( value , 95 ) as p95").unwrap();
        assert_eq!((one.function, one.percent, one.name.as_str()), ("percentile", 95.0, "p95"));
        assert_eq!(one.column.unwrap().value, "value");
        assert_eq!(read("COUNT(*)").unwrap().name, "count_rows");
        assert_eq!(read("min(value)").unwrap().name, "min_value");
        for bad in [
            "",
            "min",
            "min(",
            "min()",
            "min(a) b",
            "percentile(a)",
            "percentile(a, 101)",
            "min(a, 2)",
            "sum(*)",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        let error = read("agv(x)").unwrap_err();
        assert!(error.diagnosis().hints[0].contains("avg"));
    }
}
