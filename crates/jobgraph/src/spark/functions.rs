//! What becomes of Spark's functions. Those that are not here have the same name and meaning, or do not exist.

use super::Writer;
use std::ops::Range;

/// Writes a call in Trino's words; false if it should stay as it is.
type Write = for<'a, 'b> fn(&'b mut Writer<'a>, usize, &[Range<usize>]) -> bool;

/// What becomes of a function.
pub(super) enum Rule {
    /// Only the name is another.
    Name(&'static str),
    /// There is no exact counterpart; what to write instead.
    Instead(&'static str),
    /// The call is written anew.
    Write(Write),
}

pub(super) fn rule(name: &str) -> Option<Rule> {
    use Rule::{Instead, Name};
    Some(match name {
        "nvl" | "ifnull" => Name("coalesce"),
        "ucase" => Name("upper"),
        "lcase" => Name("lower"),
        "char_length" | "character_length" | "len" => Name("length"),
        "mean" => Name("avg"),
        "std" => Name("stddev_samp"),
        "approx_count_distinct" => Name("approx_distinct"),
        "percentile_approx" => Name("approx_percentile"),
        "array_contains" => Name("contains"),
        "instr" => Name("strpos"),
        "isnan" => Name("is_nan"),
        "dayofmonth" => Name("day"),
        "dayofyear" => Name("day_of_year"),
        "weekofyear" => Name("week"),
        "bool_and" | "every" => Name("bool_and"),
        "some" => Name("bool_or"),
        "pmod" => Instead("write `((a % b) + b) % b`"),
        "explode" | "posexplode" | "explode_outer" => Instead("write `CROSS JOIN UNNEST(column) AS t(name)`"),
        "collect_list" => Instead("write `array_agg(x) FILTER (WHERE x IS NOT NULL)`"),
        "collect_set" => Instead("write `array_agg(DISTINCT x) FILTER (WHERE x IS NOT NULL)`"),
        "from_unixtime" => Instead("write `format_datetime(from_unixtime(x), 'yyyy-MM-dd HH:mm:ss')`"),
        "unix_timestamp" => Instead("write `CAST(floor(to_unixtime(CAST(x AS timestamp))) AS bigint)`"),
        "datediff" => Instead("write `date_diff('day', from, to)`: the later date stands last"),
        "date_sub" => Instead("write `date_add('day', -n, d)`"),
        "add_months" => Instead("write `date_add('month', n, d)`"),
        "months_between" => Instead("write `date_diff('month', from, to)`, which counts whole months"),
        "dayofweek" => Instead("write `day_of_week(x) % 7 + 1`: Trino's week begins on Monday with 1"),
        "size" => Instead("write `cardinality(x)`, which is NULL for NULL"),
        "isnull" => Rule::Write(|w, at, args| templated(w, at, args, 1, "({0} IS NULL)")),
        "isnotnull" => Rule::Write(|w, at, args| templated(w, at, args, 1, "({0} IS NOT NULL)")),
        "first" | "first_value" => return first(name),
        "last" => Instead("write `max_by(x, time)`: without an order there is no last row"),
        "substring_index" => Instead("write `split_part(text, mark, n)`, or regexp_extract"),
        "initcap" | "soundex" | "conv" | "sha" => {
            Instead("Trino has no such function; see `docs/sql.md` for what there is")
        }
        "named_struct" | "struct" => Instead("write `CAST(ROW(a, b) AS row(x bigint, y varchar))`"),
        "map" => Instead("write `MAP(ARRAY[keys], ARRAY[values])`"),
        "get_json_object" => Instead("write `json_extract_scalar(text, '$.path')`"),
        "to_timestamp" => Rule::Write(|w, at, args| {
            templated(w, at, args, 1, "CAST({0} AS timestamp)") || parsed(w, at, args)
        }),
        "to_date" => {
            Rule::Write(|w, at, args| templated(w, at, args, 1, "CAST({0} AS date)") || parsed(w, at, args))
        }
        "locate" => Rule::Write(|w, at, args| templated(w, at, args, 2, "strpos({1},{0})")),
        "nvl2" => Rule::Write(|w, at, args| templated(w, at, args, 3, "if({0} IS NOT NULL, {1}, {2})")),
        "log" => Rule::Write(|w, at, args| templated(w, at, args, 1, "ln({0})")),
        "current_date" | "current_timestamp" => Rule::Write(|w, at, args| {
            let name = w.piece(at).to_owned();
            templated(w, at, args, 0, &name)
        }),
        "input_file_name" => Rule::Write(|w, at, args| templated(w, at, args, 0, "\"$path\"")),
        "array" => Rule::Write(array),
        "cast" | "try_cast" => Rule::Write(cast),
        "date_format" => Rule::Write(date_format),
        "date_add" => Rule::Write(date_add),
        "date_trunc" | "trunc" => return None,
        _ => return None,
    })
}

fn first(name: &str) -> Option<Rule> {
    // As a window function `first_value` is Trino's, too.
    (name == "first").then_some(Rule::Instead("write `min_by(x, time)`, or `arbitrary(x)` for any value"))
}

fn templated(w: &mut Writer<'_>, at: usize, args: &[Range<usize>], count: usize, template: &str) -> bool {
    let fits = args.len() == count;
    if fits {
        w.template(at, template, args);
    }
    fits
}

/// `to_timestamp(x, 'pattern')`
fn parsed(w: &mut Writer<'_>, at: usize, args: &[Range<usize>]) -> bool {
    let pattern = w.literal(args.get(1)).filter(|pattern| is_joda(pattern));
    match (args, pattern) {
        ([_, _], Some(_)) => {
            let to = if w.piece(at).eq_ignore_ascii_case("to_date") { "date" } else { "timestamp" };
            w.template(at, &format!("CAST(parse_datetime({{0}},{{1}}) AT TIME ZONE 'UTC' AS {to})"), args);
        }
        _ => w.refuse(at..at + 1, format!("this pattern of `{}` has no counterpart", w.piece(at)), "write `parse_datetime(text, 'yyyy-MM-dd HH:mm:ss')` with Joda's letters, or `date_parse(text, '%Y-%m-%d')`"),
    }
    true
}

fn array(w: &mut Writer<'_>, at: usize, args: &[Range<usize>]) -> bool {
    let places: Vec<String> = (0..args.len()).map(|index| format!("{{{index}}}")).collect();
    w.template(at, &format!("ARRAY[{}]", places.join(",")), args);
    true
}

/// Spark's casts give NULL where they fail. `CAST(x AS STRING)`
fn cast(w: &mut Writer<'_>, at: usize, args: &[Range<usize>]) -> bool {
    let whole = match args {
        [] => return false,
        // `decimal(10, 2)` has its comma in its own parentheses.
        [first, .., last] | [first @ last] => first.start..last.end,
    };
    let as_word = whole.clone().rev().find(|at| w.is_word(*at, "as"));
    let Some(as_at) = as_word else { return false };
    w.put(at, "TRY_CAST");
    w.put(at + 1, "(");
    w.all(whole.start..as_at);
    w.put(as_at, w.piece(as_at));
    for token in as_at + 1..whole.end {
        let word = w.piece(token);
        let word = match word.to_lowercase().as_str() {
            "string" => "varchar",
            "long" => "bigint",
            "float" => "real",
            "short" => "smallint",
            "byte" => "tinyint",
            "binary" => "varbinary",
            _ => word,
        };
        w.put(token, word);
    }
    w.put(whole.end, ")");
    true
}

/// Patterns with `%` are MySQL's and Trino's own; others are Spark's, whose usual letters are Joda's.
fn date_format(w: &mut Writer<'_>, at: usize, args: &[Range<usize>]) -> bool {
    match w.literal(args.get(1)) {
        Some(pattern) if pattern.contains('%') => false,
        Some(pattern) if is_joda(&pattern) => templated(w, at, args, 2, "format_datetime({0},{1})"),
        _ => {
            w.refuse(at..at + 1, "this pattern of `date_format` has no counterpart".to_owned(), "write `format_datetime(t, 'yyyy-MM-dd')` with Joda's letters, or `date_format(t, '%Y-%m-%d')` with MySQL's");
            true
        }
    }
}

/// Whether a pattern of Spark's means the same in Joda's letters.
pub(crate) fn is_joda(pattern: &str) -> bool {
    let mut quoted = false;
    for c in pattern.chars() {
        match c {
            '\'' => quoted = !quoted,
            c if quoted || !c.is_ascii_alphabetic() => {}
            'y' | 'M' | 'd' | 'H' | 'h' | 'm' | 's' | 'S' | 'a' | 'E' | 'D' => {}
            _ => return false,
        }
    }
    !quoted
}

/// `date_add(d, 3)` counts days; `date_add('day', 3, d)` is Trino's.
fn date_add(w: &mut Writer<'_>, at: usize, args: &[Range<usize>]) -> bool {
    if args.len() == 3 {
        return false;
    }
    let piece = |range: Option<&Range<usize>>| {
        range.map(|range| w.bytes(range)).and_then(|bytes| w.text.get(bytes)).unwrap_or("").trim().to_owned()
    };
    let (date, days) = (piece(args.first()), piece(args.get(1)));
    w.refuse(
        at..at + 1,
        "`date_add` with two arguments is Spark's".to_owned(),
        &format!("write `date_add('day', {days}, {date})`"),
    );
    true
}
