//! Keys out of records, by a jq filter: what a MetadataExtraction processor has.
//!
//! The filter is the part of jq's language that a key needs and a server can run on records that strangers write; see
//! [`allowed`]. Times are read and written by functions of this file, regular expressions are not there.

mod allowed;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike, Utc};
use jaq_core::data::JustLut;
use jaq_core::load::parse::Term;
use jaq_core::load::{Arena, File, Loader};
use jaq_core::native::{Fun, bome, run, unary, v};
use jaq_core::{Compiler, Ctx, Filter, Vars, unwrap_valr};
use jaq_json::{Num, Val};
use model::{Error, Result};
use std::collections::BTreeMap;
use std::fmt::Write;

type Data = JustLut<Val>;
type JqError = jaq_core::Error<Val>;

/// The longest filter, as Firehose has it.
const LONGEST: usize = 5120;
/// A filter of that length may be nested so deep that compiling and running it needs as much of a stack.
const STACK: usize = 64 << 20;

/// Does something that may be as deep as a filter.
pub(crate) fn with_stack<T>(act: impl FnOnce() -> T) -> T {
    stacker::grow(STACK, act)
}

/// A filter that was found to be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Query {
    text: String,
}

/// A compiled filter. It stays on its thread.
pub(crate) struct Evaluator {
    filter: Filter<Data>,
}

impl Query {
    /// Checks a filter.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let query = Self { text: text.to_owned() };
        query.evaluator()?;
        Ok(query)
    }

    /// Compiles it for this thread.
    pub(crate) fn evaluator(&self) -> Result<Evaluator> {
        if self.text.len() > LONGEST {
            return Err(Error::invalid(format!("the MetadataExtractionQuery has more than {LONGEST} bytes")));
        }
        with_stack(|| self.compile())
    }

    fn compile(&self) -> Result<Evaluator> {
        let wrong = |what: String| Error::invalid(format!("{}: {what}", self.place()));
        let definitions = jaq_core::defs()
            .chain(jaq_std::defs())
            .chain(jaq_json::defs())
            .filter(|def| allowed::is_needed(def.name, def.args.len()) && def.name != "tonumber");
        let functions = jaq_core::funs::<Data>()
            .chain(jaq_std::base_funs::<Data>())
            .chain(jaq_json::funs::<Data>())
            .chain(own());
        let arena = Arena::default();
        let loader = Loader::new(definitions);
        let program = File { code: self.text.as_str(), path: () };
        let modules = loader.load(&arena, program).map_err(|errors| {
            let text = errors.iter().map(|(_, error)| unreadable(error)).collect::<Vec<_>>().join(", ");
            wrong(text)
                .hint("write a jq filter that makes an object of keys, such as {customer: .customer_id}")
        })?;
        match self.term() {
            Some(term) => allowed::check(&term).map_err(|error| error.context(self.place()))?,
            None => return Err(wrong("it is more than one filter".to_owned())),
        }
        let filter = Compiler::default().with_funs(functions).compile(modules).map_err(|errors| {
            let names =
                errors.iter().flat_map(|(_, errors)| errors.iter().map(|(name, _)| format!("`{name}`")));
            wrong(format!("there is no {}", names.collect::<Vec<_>>().join(", ")))
                .why("only jq's functions on values, texts, numbers and times are there")
        })?;
        Ok(Evaluator { filter })
    }

    fn place(&self) -> String {
        format!("the MetadataExtractionQuery `{}`", self.text)
    }

    fn term(&self) -> Option<Term<&str>> {
        jaq_core::load::parse(&self.text, |parser| parser.term())
    }

    /// The keys that it gives for any record; nothing where it does not name them.
    pub(crate) fn names(&self) -> Option<Vec<String>> {
        with_stack(|| self.term().and_then(|term| allowed::names(&term)))
    }
}

fn unreadable(error: &jaq_core::load::Error<&str>) -> String {
    let near = |text: &str| match text.trim() {
        "" => "its end".to_owned(),
        text => format!("`{}`", text.chars().take(30).collect::<String>()),
    };
    match error {
        jaq_core::load::Error::Lex(errors) => errors.first().map_or(String::new(), |(expected, at)| {
            format!("{} expected at {}", expected.as_str(), near(at))
        }),
        jaq_core::load::Error::Parse(errors) => errors.first().map_or(String::new(), |(expected, at)| {
            format!("{} expected at {}", expected.as_str(), near(at))
        }),
        jaq_core::load::Error::Io(_) => "it must not include other files".to_owned(),
    }
}

impl Evaluator {
    fn run(&self, input: Val) -> Vec<std::result::Result<Val, JqError>> {
        let ctx = Ctx::<Data>::new(&self.filter.lut, Vars::new([]));
        // One result more than is wanted tells that there are several.
        self.filter.id.run((ctx, input)).map(unwrap_valr).take(2).collect()
    }

    /// The keys of a record; or why it has none.
    pub(crate) fn keys(&self, record: &[u8]) -> std::result::Result<BTreeMap<String, String>, String> {
        // Not the library's reader: it goes as deep as the text.
        let input: serde_json::Value =
            serde_json::from_slice(record).map_err(|_| "Non JSON record provided".to_owned())?;
        let mut results = self.run(value_of(input));
        if results.len() > 1 {
            return Err("the query gave more than one result".to_owned());
        }
        let keys = match results.pop() {
            Some(Ok(Val::Obj(keys))) => keys,
            Some(Ok(other)) => return Err(format!("the query gave {other}, which is no object of keys")),
            Some(Err(error)) => return Err(format!("the query failed: {error}")),
            None => return Err("the query gave nothing".to_owned()),
        };
        let mut all = BTreeMap::new();
        for (name, value) in keys.iter() {
            let name = text_of(name).ok_or_else(|| "the query gave a key that is no text".to_owned())?;
            let value = match value {
                Val::Num(_) | Val::Bool(_) => Some(value.to_string()),
                other => text_of(other),
            };
            match value.filter(|text| !text.is_empty()) {
                Some(value) => drop(all.insert(name, value)),
                None => return Err(format!("partitionKeys values must not be null or empty: `{name}`")),
            }
        }
        Ok(all)
    }
}

fn value_of(json: serde_json::Value) -> Val {
    match json {
        serde_json::Value::Null => Val::Null,
        serde_json::Value::Bool(flag) => Val::Bool(flag),
        serde_json::Value::Number(number) => match number.as_i64().and_then(|n| isize::try_from(n).ok()) {
            Some(whole) => Val::from(whole),
            None => Val::from(number.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(text) => Val::from(text),
        serde_json::Value::Array(all) => all.into_iter().map(value_of).collect(),
        serde_json::Value::Object(all) => {
            Val::obj(all.into_iter().map(|(name, value)| (Val::from(name), value_of(value))).collect())
        }
    }
}

fn text_of(value: &Val) -> Option<String> {
    match value {
        Val::TStr(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    }
}

/// jq's functions on times, all in UTC, and `tonumber`.
#[allow(clippy::redundant_closure, reason = "the function by its name alone is not general enough here")]
fn own() -> impl Iterator<Item = Fun<Data>> {
    let all: [jaq_core::native::Filter<jaq_core::RunPtr<Data>>; 7] = [
        ("tonumber", v(0), |cv| bome(to_number(&cv.1))),
        ("gmtime", v(0), |cv| bome(instant(&cv.1).map(|time| parts(&time.naive_utc())))),
        ("mktime", v(0), |cv| bome(broken(&cv.1).map(|time| seconds(&time)))),
        ("strftime", v(1), |cv| unary(cv, |value, format| strftime(&value, &format))),
        ("strptime", v(1), |cv| unary(cv, |value, format| strptime(&value, &format))),
        ("fromdateiso8601", v(0), |cv| bome(from_iso(&cv.1))),
        ("todateiso8601", v(0), |cv| {
            bome(instant(&cv.1).map(|time| Val::from(time.format("%Y-%m-%dT%H:%M:%SZ").to_string())))
        }),
    ];
    Vec::from(all).into_iter().map(|filter| run::<Data>(filter))
}

fn to_number(value: &Val) -> std::result::Result<Val, JqError> {
    match value {
        Val::Num(_) => Ok(value.clone()),
        other => {
            let text = text_of(other).unwrap_or_default();
            let whole = text.trim().parse::<isize>().map(Val::from);
            whole.or_else(|_| text.trim().parse::<f64>().map(Val::from)).map_err(|_| failed(other, "number"))
        }
    }
}

fn failed(value: &Val, what: &str) -> JqError {
    JqError::str(format_args!("{value} is no {what}"))
}

fn float(value: &Val) -> Option<f64> {
    match value {
        Val::Num(Num::Float(number)) => Some(*number),
        Val::Num(number) => number.to_string_f64(),
        _ => None,
    }
}

/// Numbers as text are read again: the library does not give them away otherwise.
trait NumExt {
    fn to_string_f64(&self) -> Option<f64>;
}

impl NumExt for Num {
    fn to_string_f64(&self) -> Option<f64> {
        Val::Num(self.clone()).to_string().parse().ok()
    }
}

fn instant(value: &Val) -> std::result::Result<DateTime<Utc>, JqError> {
    let time = float(value).filter(|n| n.is_finite()).and_then(|n| {
        #[allow(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
        DateTime::from_timestamp_micros((n * 1e6) as i64)
    });
    time.ok_or_else(|| failed(value, "time in seconds"))
}

/// jq's "broken down time": year, month from 0, day, hour, minute, second, weekday from Sunday, day of the year from 0.
fn parts(time: &NaiveDateTime) -> Val {
    let second = f64::from(time.second()) + f64::from(time.and_utc().timestamp_subsec_micros()) / 1e6;
    let whole = |n: u32| Val::from(n as isize);
    Val::from_iter([
        Val::from(time.year() as isize),
        whole(time.month0()),
        whole(time.day()),
        whole(time.hour()),
        whole(time.minute()),
        if second.fract() == 0.0 { whole(time.second()) } else { Val::from(second) },
        whole(time.weekday().num_days_from_sunday()),
        whole(time.ordinal0()),
    ])
}

fn broken(value: &Val) -> std::result::Result<NaiveDateTime, JqError> {
    let read = || {
        let Val::Arr(all) = value else { return None };
        let at = |place: usize| all.get(place).and_then(float);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast of a float saturates"
        )]
        let small = |place: usize| at(place).map(|n| n as u32);
        #[allow(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
        let day = NaiveDate::from_ymd_opt(at(0)? as i32, small(1)?.checked_add(1)?, small(2)?)?;
        day.and_hms_opt(small(3)?, small(4)?, small(5)?)
    };
    read().ok_or_else(|| failed(value, "broken down time"))
}

fn seconds(time: &NaiveDateTime) -> Val {
    Val::from(isize::try_from(time.and_utc().timestamp()).unwrap_or(isize::MAX))
}

fn strftime(value: &Val, format: &Val) -> std::result::Result<Val, JqError> {
    let time = match value {
        Val::Arr(_) => broken(value)?,
        _ => instant(value)?.naive_utc(),
    };
    let format = text_of(format).ok_or_else(|| failed(format, "format of a time"))?;
    let mut text = String::new();
    match write!(text, "{}", time.and_utc().format(&format)) {
        Ok(()) => Ok(Val::from(text)),
        Err(_) => Err(JqError::str(format_args!("{format:?} is no format of a time"))),
    }
}

fn strptime(value: &Val, format: &Val) -> std::result::Result<Val, JqError> {
    let (Some(text), Some(format)) = (text_of(value), text_of(format)) else {
        return Err(failed(value, "text of a time"));
    };
    let time = NaiveDateTime::parse_from_str(&text, &format)
        .or_else(|_| DateTime::parse_from_str(&text, &format).map(|time| time.naive_utc()))
        .or_else(|error| NaiveDate::parse_from_str(&text, &format).map(|day| day.into()).map_err(|_| error));
    match time {
        Ok(time) => Ok(parts(&time)),
        Err(error) => Err(JqError::str(format_args!("{text:?} does not fit {format:?}: {error}"))),
    }
}

fn from_iso(value: &Val) -> std::result::Result<Val, JqError> {
    let time = text_of(value).and_then(|text| DateTime::parse_from_rfc3339(&text).ok());
    time.map(|time| seconds(&time.naive_utc()))
        .ok_or_else(|| failed(value, "time such as 2024-05-01T12:00:00Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(query: &str, record: &str) -> std::result::Result<String, String> {
        let keys = Query::parse(query).unwrap().evaluator().unwrap().keys(record.as_bytes())?;
        Ok(keys.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn keys_of_records() {
        for (query, record, found) in [
            ("{c: .customer}", r#"{"customer": "c-1"}"#, "c=c-1"),
            ("{c: .customer}", " {\"customer\": \"c-2\"}\n", "c=c-2"),
            (
                "{customer_id:.customer_id,device:.type.device}",
                r#"{"customer_id": 7, "type": {"device": "x"}}"#,
                "customer_id=7 device=x",
            ),
            (
                r#"{year: .t|strftime("%Y"), month: .t|strftime("%m")}"#,
                r#"{"t": 1565382027}"#,
                "month=08 year=2019",
            ),
            (
                r#"{day: (.at | fromdateiso8601 | strftime("%Y-%m-%d"))}"#,
                r#"{"at": "2024-05-01T23:00:00Z"}"#,
                "day=2024-05-01",
            ),
            (
                r#"{day: (.at | strptime("%Y-%m-%d %H:%M:%S") | mktime | todate)}"#,
                r#"{"at": "2024-05-01 01:02:03"}"#,
                "day=2024-05-01T01:02:03Z",
            ),
            (r#"{y: (.ms / 1000 | gmtime | .[0])}"#, r#"{"ms": 1565382027500}"#, "y=2019"),
            (
                r#"{a: (.a // "none"), b: (.b | ascii_downcase | split("-") | .[0])}"#,
                r#"{"b": "EU-1"}"#,
                "a=none b=eu",
            ),
            (r#"{a: (if .n > 3 then "many" else "few" end)}"#, r#"{"n": 4}"#, "a=many"),
            (r#"{m: (.ms | tonumber / 1000 | strftime("%Y"))}"#, r#"{"ms": "1565382027500"}"#, "m=2019"),
            ("{a: .a | tostring}", r#"{"a": true}"#, "a=true"),
            (r#"{a: "\(.a)-\(.b)", c: (.a + "/" + .b[0:2])}"#, r#"{"a": "x", "b": "yyy"}"#, "a=x-yyy c=x/yy"),
            (
                r#"{a: (.a? | if has("b") and (.b | type) == "number" then .b - 1 else 0 end)}"#,
                r#"{"a": {"b": 5}}"#,
                "a=4",
            ),
            (r#"{a: (.t | select(startswith("x")) | ltrimstr("x"))}"#, r#"{"t": "xy"}"#, "a=y"),
            (r#"{a: (.t | todate | fromdate), b: 2 * 3}"#, r#"{"t": 10}"#, "a=10 b=6"),
        ] {
            assert_eq!(keys(query, record).as_deref(), Ok(found), "{query} {record}");
        }
    }

    #[test]
    fn records_without_keys() {
        for (query, record, why) in [
            ("{c: .c}", "{", "Non JSON"),
            ("{c: .c}", &"[".repeat(100_000), "Non JSON"),
            ("{c: .c}", r#"{"c": 1}{"c": 2}"#, "Non JSON"),
            ("{c: .c}", "{}", "null or empty"),
            ("{c: .c}", r#"{"c": ""}"#, "null or empty"),
            ("{c: .c}", r#"{"c": [1]}"#, "null or empty"),
            ("{c: .c.d}", r#"{"c": 5}"#, "failed"),
            (".c", r#"{"c": 5}"#, "no object"),
            ("empty", "{}", "nothing"),
            (r#"{c: .c | strftime("%Q!")}"#, r#"{"c": 5}"#, "format"),
        ] {
            let found = keys(query, record).unwrap_err();
            assert!(found.contains(why), "{query} {record}: {found}");
        }
    }

    #[test]
    fn filters_that_are_refused() {
        for (query, part) in [
            ("{c: .c", "expected"),
            ("{c: env}", "`env`"),
            ("{c: $ENV.PATH}", "`$ENV`"),
            ("{c: (.c | fromjson)}", "`fromjson`"),
            ("{c: now}", "`now`"),
            ("halt", "`halt`"),
            ("def f: f; f", "`def`"),
            ("{a: (def f: f; f)}", "`def`"),
            (r#"{a: "\(def f: f; f)"}"#, "`def`"),
            ("[repeat(1)]", "array"),
            ("{a: repeat(1)}", "`repeat`"),
            (r#"{c: .c | test("a")}"#, "`test`"),
            (r#"include "x"; {c: .c}"#, "MetadataExtractionQuery"),
            ("{a: (.price * .count)}", "`*`"),
            (r#"{a: ("x" * 1e12)}"#, "`*`"),
            ("{a: .[]}", "`[]`"),
            ("{a: (.a, .b)}", "`,`"),
            ("{a: (.a as $x | .b)}", "`as`"),
            ("{a: (.a as $x | $x)}", "`$x`"),
            ("{a: (reduce .a as $x (0; . + $x))}", "`reduce`"),
            ("{a: (..)}", "`..`"),
            ("{a: @base64}", "`@base64`"),
            (r#"{a: @base64 "\(.a)"}"#, "`@base64`"),
            ("{a: .a[.b]}", "place"),
            ("{a: (.a |= 1)}", "`|=`"),
            ("{a: .|.+.|.+.|.+.|.+.|.+.}", "too much text"),
            (r#"{a: (.a | "\(.)\(.)" | "\(.)\(.)")}"#, "too much text"),
            ("{a: ({a:.,b:.}|{a:.,b:.}|{a:.,b:.}|{a:.,b:.}|{a:.,b:.}|tostring)}", "too much text"),
        ] {
            let error = Query::parse(query).unwrap_err();
            assert!(error.to_string().contains(part), "{query}: {error}");
        }
        let deep = format!("{{c: {}.c{}}}", "(".repeat(2500), ")".repeat(2500));
        assert!(Query::parse(&deep).is_ok(), "deep, but short enough");
        assert!(Query::parse(&format!("{{c: .c{}}}", " ".repeat(5120))).is_err(), "too long");
        let names = |text: &str| Query::parse(text).unwrap().names();
        assert_eq!(names("{a: .x, b: .y}").unwrap(), ["a", "b"]);
        assert_eq!(names(r#".record | {"a": .x, b}"#).unwrap(), ["a", "b"]);
        assert_eq!(names("{(.name): .x}"), None);
        assert_eq!(names(".keys"), None);
    }
}
