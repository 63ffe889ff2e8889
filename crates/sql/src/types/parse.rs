//! The written form of a type: `row(a bigint, b array(varchar(10)))`, `timestamp(3) with time zone`.

use super::{RowField, SqlType};
use model::{Error, Result, nearest_hint};
use std::str::FromStr;

/// How deep types may nest.
const MAX_DEPTH: usize = 64;

const NAMES: &[&str] = &[
    "boolean",
    "tinyint",
    "smallint",
    "integer",
    "int",
    "bigint",
    "real",
    "double",
    "decimal",
    "varchar",
    "char",
    "varbinary",
    "json",
    "uuid",
    "ipaddress",
    "date",
    "time",
    "timestamp",
    "interval",
    "array",
    "map",
    "row",
];

impl FromStr for SqlType {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut reader = Reader { text, at: 0 };
        let parsed = reader.read_type(0)?;
        reader.spaces();
        if reader.at < text.len() {
            return Err(reader.wrong("there is more behind the type"));
        }
        Ok(parsed)
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn take(&mut self, symbol: char) -> bool {
        self.spaces();
        let found = self.rest().starts_with(symbol);
        if found {
            self.at += symbol.len_utf8();
        }
        found
    }

    fn expect(&mut self, symbol: char) -> Result<()> {
        if self.take(symbol) { Ok(()) } else { Err(self.wrong(&format!("`{symbol}` is missing"))) }
    }

    /// The next word in lower case, or a quoted name as it is; empty if there is none.
    fn word(&mut self) -> String {
        self.spaces();
        let rest = self.rest();
        if let Some(quoted) = rest.strip_prefix('"') {
            let end = quoted.find('"').unwrap_or(quoted.len());
            let word = quoted[..end].to_lowercase();
            self.at = (self.at + end + 2).min(self.text.len());
            return word;
        }
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
        let word = rest[..end].to_lowercase();
        self.at += end;
        word
    }

    /// Takes these words if they all come next.
    fn words(&mut self, wanted: &[&str]) -> bool {
        let start = self.at;
        if wanted.iter().all(|w| self.word() == *w) {
            return true;
        }
        self.at = start;
        false
    }

    fn wrong(&self, why: &str) -> Error {
        Error::invalid(format!("`{}` is not a type", self.text.trim())).why(why.to_owned())
    }

    fn number(&mut self) -> Result<u32> {
        let word = self.word();
        word.parse().map_err(|_| self.wrong(&format!("`{word}` is not a number")))
    }

    fn parameter(&mut self) -> Result<Option<u32>> {
        if !self.take('(') {
            return Ok(None);
        }
        let number = self.number()?;
        self.expect(')')?;
        Ok(Some(number))
    }

    fn precision(&mut self) -> Result<u8> {
        match self.parameter()? {
            None => Ok(3),
            Some(p @ 0..=9) => Ok(u8::try_from(p).unwrap_or(9)),
            Some(p @ 10..=12) => {
                Err(self.wrong(&format!("{p} digits of a second are more than the nine supported")))
            }
            Some(p) => Err(self.wrong(&format!("{p} digits of a second do not exist"))),
        }
    }

    fn read_type(&mut self, depth: usize) -> Result<SqlType> {
        if depth > MAX_DEPTH {
            return Err(self.wrong("it nests too deep"));
        }
        let word = self.word();
        Ok(match word.as_str() {
            "unknown" => SqlType::Unknown,
            "boolean" => SqlType::Boolean,
            "tinyint" => SqlType::TinyInt,
            "smallint" => SqlType::SmallInt,
            "integer" | "int" => SqlType::Integer,
            "bigint" => SqlType::BigInt,
            "real" | "float" => SqlType::Real,
            "double" => {
                self.words(&["precision"]);
                SqlType::Double
            }
            "decimal" | "numeric" | "dec" => self.decimal()?,
            "varchar" => SqlType::Varchar(self.parameter()?),
            "string" => SqlType::VARCHAR,
            "char" => SqlType::Char(self.parameter()?.unwrap_or(1)),
            "varbinary" => SqlType::Varbinary,
            "json" => SqlType::Json,
            "uuid" => SqlType::Uuid,
            "ipaddress" => SqlType::IpAddress,
            "hyperloglog" => SqlType::HyperLogLog,
            "date" => SqlType::Date,
            "time" => self.time()?,
            "timestamp" => self.timestamp()?,
            "interval" => self.interval()?,
            "array" => self.array(depth)?,
            "map" => self.map(depth)?,
            "row" => self.row(depth)?,
            "function" => self.function(depth)?,
            "" => return Err(self.wrong("a type's name is missing")),
            other => {
                let error = Error::invalid(format!("unknown type `{other}`"));
                return Err(error.hint(nearest_hint(other, NAMES.iter().copied())));
            }
        })
    }

    fn decimal(&mut self) -> Result<SqlType> {
        if !self.take('(') {
            return Ok(SqlType::Decimal(38, 0));
        }
        let precision = self.number()?;
        let scale = if self.take(',') { self.number()? } else { 0 };
        self.expect(')')?;
        if !(1..=38).contains(&precision) || scale > precision {
            return Err(self.wrong("a decimal has 1 to 38 digits, and no more behind the point"));
        }
        Ok(SqlType::Decimal(u8::try_from(precision).unwrap_or(38), u8::try_from(scale).unwrap_or(0)))
    }

    fn time(&mut self) -> Result<SqlType> {
        let precision = self.precision()?;
        if self.words(&["with", "time", "zone"]) {
            return Err(self.wrong("times of day with a zone are not supported"));
        }
        self.words(&["without", "time", "zone"]);
        Ok(SqlType::Time(precision))
    }

    fn timestamp(&mut self) -> Result<SqlType> {
        let precision = self.precision()?;
        if self.words(&["with", "time", "zone"]) {
            return Ok(SqlType::timestamp_utc(precision));
        }
        self.words(&["without", "time", "zone"]);
        Ok(SqlType::Timestamp(precision))
    }

    fn interval(&mut self) -> Result<SqlType> {
        if self.words(&["year", "to", "month"]) {
            return Ok(SqlType::IntervalYearMonth);
        }
        if self.words(&["day", "to", "second"]) {
            return Ok(SqlType::IntervalDaySecond);
        }
        Err(self.wrong("an interval is `year to month` or `day to second`"))
    }

    /// What stands in parentheses or, as old queries write it, in angle brackets.
    fn open(&mut self) -> Result<char> {
        if self.take('(') {
            return Ok(')');
        }
        self.expect('<')?;
        Ok('>')
    }

    fn array(&mut self, depth: usize) -> Result<SqlType> {
        let close = self.open()?;
        let element = self.read_type(depth + 1)?;
        self.expect(close)?;
        Ok(SqlType::array(element))
    }

    fn map(&mut self, depth: usize) -> Result<SqlType> {
        let close = self.open()?;
        let key = self.read_type(depth + 1)?;
        self.expect(',')?;
        let value = self.read_type(depth + 1)?;
        self.expect(close)?;
        Ok(SqlType::map(key, value))
    }

    fn row(&mut self, depth: usize) -> Result<SqlType> {
        let close = self.open()?;
        let mut fields = Vec::new();
        loop {
            fields.push(self.row_field(depth)?);
            if !self.take(',') {
                break;
            }
        }
        self.expect(close)?;
        Ok(SqlType::Row(fields))
    }

    /// `name type` or only `type`: the first word is a name if another word follows that is not part of a type's name.
    fn row_field(&mut self, depth: usize) -> Result<RowField> {
        let start = self.at;
        let name = self.word();
        let behind = self.at;
        let next = self.word();
        let named = match (name.as_str(), next.as_str()) {
            (_, "") => false,
            ("double", "precision") | ("interval", "year" | "day") => false,
            ("time" | "timestamp", "with" | "without") => false,
            _ => !name.is_empty(),
        };
        if named {
            self.at = behind;
            return Ok(RowField { name: Some(name), sql_type: self.read_type(depth + 1)? });
        }
        self.at = start;
        Ok(RowField::unnamed(self.read_type(depth + 1)?))
    }

    fn function(&mut self, depth: usize) -> Result<SqlType> {
        self.expect('(')?;
        let mut types = vec![self.read_type(depth + 1)?];
        while self.take(',') {
            types.push(self.read_type(depth + 1)?);
        }
        self.expect(')')?;
        let result = types.pop().unwrap_or(SqlType::Unknown);
        Ok(SqlType::Function(types, Box::new(result)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        text.parse::<SqlType>().unwrap_or_else(|e| panic!("{text}: {e}")).to_string()
    }

    #[test]
    fn types_are_read_as_they_are_written() {
        for text in [
            "bigint",
            "decimal(10,2)",
            "varchar(3)",
            "timestamp(3) with time zone",
            "array(row(a bigint, b varchar))",
            "map(varchar, array(double))",
            "row(bigint, varchar)",
            "interval day to second",
        ] {
            assert_eq!(shown(text), text);
        }
        assert_eq!(shown("INT"), "integer");
        assert_eq!(shown("array<row<x double>>"), "array(row(x double))");
        assert_eq!(
            shown("row(\"date\" date, timestamp timestamp)"),
            "row(date date, timestamp timestamp(3))"
        );
        assert_eq!(shown("double precision"), "double");
    }

    #[test]
    fn a_wrong_type_is_refused_by_name() {
        for text in
            ["", "bigit", "array(", "decimal(40)", "row(a bigit)", "time with time zone", "map(bigint)"]
        {
            assert!(text.parse::<SqlType>().is_err(), "{text}");
        }
        let deep = "array(".repeat(10_000);
        assert!(deep.parse::<SqlType>().is_err());
    }
}
