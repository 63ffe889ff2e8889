//! Prefixes of objects' keys, with expressions `!{namespace:value}` that are evaluated for each object.

mod pattern;

pub(crate) use pattern::Pattern;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use model::{Error, Result};
use std::collections::BTreeMap;

/// The longest prefix as it is written.
const LONGEST: usize = 1024;
/// What a prefix without any expression gets behind it.
const BY_HOUR: &str = "yyyy/MM/dd/HH/";

/// A prefix.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Prefix {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Literal(String),
    Time(Pattern),
    Random,
    ErrorType,
    Key(String),
}

/// What an object's prefix is evaluated with.
pub(crate) struct Facts<'a> {
    /// When its oldest record arrived.
    pub(crate) time: DateTime<Utc>,
    /// The zone of its timestamps.
    pub(crate) zone: Tz,
    /// What failed, for objects with failed records.
    pub(crate) error_type: &'a str,
    /// The keys of dynamic partitioning.
    pub(crate) keys: &'a BTreeMap<String, String>,
    /// Gives random strings: the same numbers, the same strings.
    pub(crate) random: &'a dyn Fn(usize) -> String,
}

impl Prefix {
    /// The prefix of delivered objects. Without an expression it is followed by the hour.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut prefix = Self::read("Prefix", text)?;
        if prefix.pieces.contains(&Piece::ErrorType) {
            return Err(Error::invalid("Prefix must not have !{firehose:error-output-type}")
                .hint("it belongs into ErrorOutputPrefix"));
        }
        if !prefix.has_expressions() {
            prefix.pieces.push(Piece::Time(Pattern::parse(BY_HOUR)?));
        }
        Ok(prefix)
    }

    /// The prefix of objects with failed records. Without an expression it is followed by what failed, and the hour.
    /// Where none is given, the prefix of delivered objects is taken for it, which must then have no expressions.
    pub(crate) fn parse_error(text: Option<&str>, prefix: &str) -> Result<Self> {
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            if Self::read("Prefix", prefix)?.has_expressions() {
                return Err(Error::invalid("ErrorOutputPrefix must be given when Prefix has expressions")
                    .hint("such as errors/!{firehose:error-output-type}/"));
            }
            return Ok(Self::failed_under(prefix));
        };
        let parsed = Self::read("ErrorOutputPrefix", text)?;
        if parsed.keys().next().is_some() {
            return Err(Error::invalid("ErrorOutputPrefix must not have keys of dynamic partitioning")
                .why("a record may fail because it has none"));
        }
        if !parsed.has_expressions() {
            return Ok(Self::failed_under(text));
        }
        if !parsed.pieces.contains(&Piece::ErrorType) {
            return Err(Error::invalid(
                "ErrorOutputPrefix has expressions, but not !{firehose:error-output-type}",
            )
            .hint("such as errors/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd}/"));
        }
        Ok(parsed)
    }

    fn failed_under(text: &str) -> Self {
        let slash = Piece::Literal("/".to_owned());
        let hour = Pattern::parse(BY_HOUR).map(Piece::Time);
        let mut pieces = vec![Piece::Literal(text.to_owned()), Piece::ErrorType, slash];
        pieces.extend(hour);
        Self { pieces }
    }

    fn read(what: &str, text: &str) -> Result<Self> {
        if text.chars().count() > LONGEST {
            return Err(Error::invalid(format!("{what} has more than {LONGEST} characters")));
        }
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some(at) = rest.find("!{") {
            let (literal, behind) = rest.split_at(at);
            if !literal.is_empty() {
                pieces.push(Piece::Literal(literal.to_owned()));
            }
            let Some((inside, after)) = behind.get(2..).and_then(|inside| inside.split_once('}')) else {
                return Err(Error::invalid(format!("{what} has an expression without its end: {behind}"))
                    .hint("write !{namespace:value}"));
            };
            pieces.push(expression(what, inside)?);
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        Ok(Self { pieces })
    }

    fn has_expressions(&self) -> bool {
        self.pieces.iter().any(|piece| !matches!(piece, Piece::Literal(_)))
    }

    /// The keys of dynamic partitioning that it has.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Key(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The text before its first expression.
    pub(crate) fn literal(&self) -> &str {
        match self.pieces.first() {
            Some(Piece::Literal(text)) => text,
            _ => "",
        }
    }

    /// The prefix of one object.
    pub(crate) fn evaluate(&self, facts: &Facts<'_>) -> String {
        let time = facts.time.with_timezone(&facts.zone);
        let (mut text, mut random) = (String::new(), 0);
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Time(pattern) => pattern.write(&time, &mut text),
                Piece::Random => {
                    text.push_str(&(facts.random)(random));
                    random += 1;
                }
                Piece::ErrorType => text.push_str(facts.error_type),
                Piece::Key(name) => text.push_str(facts.keys.get(name).map_or("", String::as_str)),
            }
        }
        text
    }
}

fn expression(what: &str, inside: &str) -> Result<Piece> {
    let (namespace, value) = inside.split_once(':').unwrap_or((inside, ""));
    match (namespace, value) {
        ("timestamp", "") => Err(Error::invalid(format!("{what} has a timestamp without a pattern"))
            .hint("such as !{timestamp:yyyy/MM/dd/HH}")),
        ("timestamp", pattern) => Pattern::parse(pattern)
            .map(Piece::Time)
            .map_err(|error| error.context(format!("{what}: !{{{inside}}}"))),
        ("firehose", "random-string") => Ok(Piece::Random),
        ("firehose", "error-output-type") => Ok(Piece::ErrorType),
        ("firehose", _) => {
            Err(Error::invalid(format!("{what} has !{{{inside}}}, which firehose does not have"))
                .hint("there are !{firehose:random-string} and !{firehose:error-output-type}"))
        }
        ("partitionKeyFromQuery", name) if is_name(name) => Ok(Piece::Key(name.to_owned())),
        ("partitionKeyFromQuery", _) => {
            Err(Error::invalid(format!("{what} has !{{{inside}}}, which names no key of the query")))
        }
        ("partitionKeyFromLambda", _) => Err(Error::unsupported(format!(
            "{what} has !{{{inside}}}, but there are no Lambda functions here"
        ))
        .hint(
            "take the key from the record with a MetadataExtraction processor: !{partitionKeyFromQuery:…}",
        )),
        _ => Err(Error::invalid(format!("{what} has !{{{inside}}}, an expression of no known namespace"))
            .hint("namespaces are timestamp, firehose and partitionKeyFromQuery")),
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(prefix: &Prefix, zone: Tz) -> String {
        let keys = BTreeMap::from([("customer".to_owned(), "c-1".to_owned())]);
        let random = |n: usize| format!("R{n}");
        let time = DateTime::from_timestamp(1_620_830_521, 0).unwrap();
        prefix.evaluate(&Facts { time, zone, error_type: "processing-failed", keys: &keys, random: &random })
    }

    #[test]
    fn prefixes() {
        for (text, shown_as) in [
            ("", "2021/05/12/14/"),
            ("raw/", "raw/2021/05/12/14/"),
            ("raw", "raw2021/05/12/14/"),
            ("a/!{timestamp:yyyy}/b/", "a/2021/b/"),
            (
                "t/year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/",
                "t/year=2021/month=05/day=12/hour=14/",
            ),
            ("dt=!{timestamp:yyyy'-'MM'-'dd}/", "dt=2021-05-12/"),
            ("!{firehose:random-string}/!{firehose:random-string}-", "R0/R1-"),
            ("c=!{partitionKeyFromQuery:customer}/", "c=c-1/"),
            ("a!b{c}/!{timestamp:mm}", "a!b{c}/42"),
        ] {
            assert_eq!(shown(&Prefix::parse(text).unwrap(), Tz::UTC), shown_as, "{text}");
        }
        let tokyo = Prefix::parse("").unwrap();
        assert_eq!(shown(&tokyo, Tz::Asia__Tokyo), "2021/05/12/23/");
    }

    #[test]
    fn error_prefixes() {
        for (error, prefix, shown_as) in [
            (None, "raw/", "raw/processing-failed/2021/05/12/14/"),
            (None, "", "processing-failed/2021/05/12/14/"),
            (Some(""), "raw/", "raw/processing-failed/2021/05/12/14/"),
            (Some("bad/"), "raw/!{timestamp:yyyy}/", "bad/processing-failed/2021/05/12/14/"),
            (Some("bad/!{firehose:error-output-type}/!{timestamp:dd}/"), "", "bad/processing-failed/12/"),
        ] {
            assert_eq!(shown(&Prefix::parse_error(error, prefix).unwrap(), Tz::UTC), shown_as, "{error:?}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (text, part) in [
            ("a/!{timestamp:yyyy", "without its end"),
            ("!{timestamp:}/", "without a pattern"),
            ("!{timestamp:yyyy#}/", "`#`"),
            ("!{timestamp:bb}/", "`b`"),
            ("!{firehose:name}/", "random-string"),
            ("!{partitionKeyFromLambda:x}/", "Lambda"),
            ("!{partitionKeyFromQuery:}/", "names no key"),
            ("!{time:yyyy}/", "no known namespace"),
            ("!{firehose:error-output-type}/", "ErrorOutputPrefix"),
        ] {
            let error = Prefix::parse(text).unwrap_err();
            assert!(format!("{error} {:?}", error.diagnosis()).contains(part), "{text}: {error}");
        }
        for (error, prefix, part) in [
            (None, "!{timestamp:yyyy}/", "must be given"),
            (Some("e/!{timestamp:yyyy}/"), "", "error-output-type"),
            (Some("e/!{partitionKeyFromQuery:k}/!{firehose:error-output-type}/"), "", "must not have keys"),
        ] {
            let found = Prefix::parse_error(error, prefix).unwrap_err();
            assert!(found.to_string().contains(part), "{error:?}: {found}");
        }
    }
}
