//! Times: intervals, zones, fields of dates, patterns.

use super::interval::{Span, span};
use super::lexer::Kind;
use super::translate::{Part, Rewriter};
use functions::scalar::postgres::zone;
use model::{Error, Result};
use sql::quote_string;

/// Fields of which the engine has none, or only whole numbers.
const OWN_FIELDS: [&str; 9] = [
    "epoch",
    "second",
    "milliseconds",
    "microseconds",
    "decade",
    "century",
    "millennium",
    "isoyear",
    "julian",
];

impl Rewriter<'_> {
    /// `INTERVAL '1 day 2 hours'`; with a unit behind the text it is the engine's own form.
    pub(super) fn interval(&mut self, at: usize, part: &mut Part) -> Result<Option<usize>> {
        const UNITS: [&str; 7] = ["YEAR", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND"];
        let Some(text) = self.tokens.get(at + 1).filter(|token| token.kind == Kind::Text) else {
            return Ok(None);
        };
        if UNITS.iter().any(|unit| self.is(at + 2, unit)) {
            return Ok(None);
        }
        let written = span(&text.value).and_then(Span::engine);
        let written = written.map_err(|e| self.fail(at + 1, e))?;
        part.primary = Some(self.out.len());
        self.push(written, at);
        Ok(Some(at + 2))
    }

    /// `CURRENT_DATE - 7`: a number of days. Of other dates only the engine knows that they are some.
    pub(super) fn current_date(&mut self, at: usize, to: usize, part: &mut Part) -> Option<usize> {
        let is_sum = at + 2 < to && (self.is_symbol(at + 1, "+") || self.is_symbol(at + 1, "-"));
        let days = self.tokens.get(at + 2).filter(|token| is_sum && token.kind == Kind::Number)?;
        let goes_on = ["*", "/", "%", "::"].iter().any(|sign| at + 3 < to && self.is_symbol(at + 3, sign));
        if goes_on || !days.value.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (sign, days) = (self.tokens.get(at + 1)?.value.clone(), days.value.clone());
        part.primary = None;
        self.push("CURRENT_DATE", at);
        self.push(sign, at + 1);
        self.push(format!("INTERVAL '{days}' DAY"), at + 2);
        Some(at + 3)
    }

    /// `x AT TIME ZONE zone`: an instant becomes what clocks there show, and what they show an instant.
    pub(super) fn at_time_zone(
        &mut self,
        at: usize,
        start: usize,
        to: usize,
        part: &mut Part,
    ) -> Result<usize> {
        self.check_not_kept(at, "AT TIME ZONE")?;
        let is_text = self.tokens.get(at.wrapping_sub(1)).is_some_and(|token| token.kind == Kind::Text);
        if is_text && start + 1 == self.out.len() {
            // A text that says nothing else is an instant.
            self.insert(start, "CAST(");
            self.push("AS timestamp(6) with time zone)", at);
        }
        self.insert(start, "\"$pg_timezone\"(");
        self.push(",", at);
        let next = self.zone(at + 3, to, part)?;
        self.push(")", at);
        part.primary = Some(start);
        Ok(next)
    }

    /// The zone behind AT TIME ZONE.
    fn zone(&mut self, at: usize, to: usize, part: &mut Part) -> Result<usize> {
        let unclear = || {
            Error::unsupported("behind AT TIME ZONE a text, a parameter, a column or parentheses are wanted")
                .hint("put the zone in parentheses")
        };
        let Some(token) = self.tokens.get(at).filter(|_| at < to) else {
            return Err(self.fail(at, unclear()));
        };
        match token.kind {
            Kind::Text => {
                zone(&token.value).map_err(|e| self.fail(at, e))?;
                self.push(quote_string(&token.value), at);
                Ok(at + 1)
            }
            Kind::Parameter => self.one(at, at, to, part),
            Kind::Word if token.is("INTERVAL") => {
                let text = self.tokens.get(at + 1).filter(|token| token.kind == Kind::Text);
                let span = text.and_then(|text| span(&text.value).ok());
                let minutes = span.filter(|s| s.months == 0 && s.days == 0).map(|s| s.micros / 60_000_000);
                let Some(minutes) = minutes.filter(|minutes| minutes.abs() <= 14 * 60) else {
                    return Err(
                        self.fail(at, Error::invalid("an interval that is a zone has up to 14 hours"))
                    );
                };
                // Offsets in texts count westwards.
                let sign = if minutes < 0 { '+' } else { '-' };
                let (hours, minutes) = (minutes.abs() / 60, minutes.abs() % 60);
                self.push(format!("'{sign}{hours:02}:{minutes:02}'"), at);
                Ok(at + 2)
            }
            Kind::Word | Kind::Quoted if !self.is_symbol(at + 1, "(") => {
                let mut next = at;
                loop {
                    let name = self.text_of((next, next + 1)).to_owned();
                    self.push(name, next);
                    next += 1;
                    if next + 1 >= to || !self.is_symbol(next, ".") {
                        return Ok(next);
                    }
                    self.push(".", next);
                    next += 1;
                }
            }
            Kind::Symbol if token.is_symbol("(") => {
                let close = self.closing(at, to)?;
                self.push("(", at);
                self.group(at + 1, close)?;
                self.push(")", close);
                Ok(close + 1)
            }
            _ => Err(self.fail(at, unclear())),
        }
    }

    /// `date_trunc('day', x, zone)`
    pub(super) fn date_trunc_in(&mut self, at: usize, arguments: &[(usize, usize); 3]) -> Result<()> {
        self.check_not_kept(at, "date_trunc with a zone")?;
        let [unit, value, zone] = *arguments;
        self.push("\"$pg_timezone\"(date_trunc(", at);
        self.group(unit.0, unit.1)?;
        self.push(",", at);
        self.wrap(at, "\"$pg_timezone\"(", &[value, zone], ")")?;
        self.push("),", at);
        self.group(zone.0, zone.1)?;
        self.push(")", at);
        Ok(())
    }

    /// The field that stands before FROM in `extract`, or in quotes in `date_part`, in the singular.
    pub(super) fn field(&self, at: usize) -> String {
        let field = self.tokens.get(at).map(|token| token.value.to_lowercase()).unwrap_or_default();
        match field.as_str() {
            "seconds" | "minutes" | "hours" | "days" | "weeks" | "months" | "years" | "decades" => {
                field.trim_end_matches('s').to_owned()
            }
            "millisecond" | "microsecond" => format!("{field}s"),
            _ => field,
        }
    }

    /// Whether the field before FROM is not the engine's own, or another one there.
    pub(super) fn is_other_field(&self, at: usize, field: &str) -> bool {
        let is_written = self.tokens.get(at).is_some_and(|token| token.is(field));
        let is_other = OWN_FIELDS.contains(&field) || matches!(field, "dow" | "isodow");
        !is_written || (is_other && !(self.keeps && field == "second"))
    }

    pub(super) fn date_part(&mut self, at: usize, field: &str, value: (usize, usize)) -> Result<()> {
        match field {
            "epoch" if self.keeps => self.wrap(at, "to_unixtime(", &[value], ")"),
            own if OWN_FIELDS.contains(&own) => {
                self.check_not_kept(at, own)?;
                self.wrap(at, &format!("\"$pg_extract\"('{own}',"), &[value], ")")
            }
            // PostgreSQL's weeks begin with Sunday as 0, the engine's with Monday as 1.
            "dow" => self.wrap(at, "(day_of_week(", &[value], ") % 7)"),
            "isodow" => self.wrap(at, "day_of_week(", &[value], ")"),
            "doy" => self.wrap(at, "day_of_year(", &[value], ")"),
            "year" | "quarter" | "month" | "week" | "day" | "hour" | "minute" => {
                self.wrap(at, &format!("extract({field} FROM"), &[value], ")")
            }
            other => {
                let error = Error::unsupported(format!("there is no field `{other}` of times here"))
                    .hint("year, quarter, month, week, day, dow, isodow, doy, hour, minute, epoch")
                    .hint(OWN_FIELDS.join(", "));
                Err(self.fail(at, error))
            }
        }
    }

    /// A pattern of `to_char` as one of `date_format`.
    pub(super) fn date_format(&self, pattern: (usize, usize)) -> Result<String> {
        let token = self.tokens.get(pattern.0).filter(|t| t.kind == Kind::Text && pattern.1 == pattern.0 + 1);
        let Some(token) = token else {
            let error =
                Error::unsupported("the pattern of to_char and to_date must be a text in quotes here");
            return Err(self.fail(pattern.0, error));
        };
        const PARTS: [(&str, &str); 17] = [
            ("YYYY", "%Y"),
            ("HH24", "%H"),
            ("HH12", "%I"),
            ("FMMonth", "%M"),
            ("FMDay", "%W"),
            ("DDD", "%j"),
            ("Mon", "%b"),
            ("YY", "%y"),
            ("MM", "%m"),
            ("DD", "%d"),
            ("HH", "%I"),
            ("MI", "%i"),
            ("SS", "%s"),
            ("US", "%f"),
            ("AM", "%p"),
            ("PM", "%p"),
            ("Dy", "%a"),
        ];
        let (mut format, mut rest) = (String::new(), token.value.as_str());
        'parts: while let Some(first) = rest.chars().next() {
            for (part, written) in PARTS {
                if let Some(behind) = rest.strip_prefix(part) {
                    format.push_str(written);
                    rest = behind;
                    continue 'parts;
                }
            }
            if let Some((inside, behind)) = rest.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
                format.push_str(&inside.replace('%', "%%"));
                rest = behind;
                continue;
            }
            if first.is_ascii_alphanumeric() {
                let error = Error::unsupported(format!("the pattern `{}` is not supported at `{rest}`", token.value))
                    .hint("YYYY, YY, MM, Mon, FMMonth, DD, DDD, Dy, FMDay, HH24, HH12, MI, SS, US, AM and signs are")
                    .hint("date_format(x, '%Y-%m-%d') takes the engine's own patterns");
                return Err(self.fail(pattern.0, error));
            }
            format.push_str(if first == '%' {
                "%%"
            } else {
                rest.get(..first.len_utf8()).unwrap_or_default()
            });
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
        Ok(format)
    }
}
