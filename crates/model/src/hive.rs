//! The Hive type system, in which the catalog describes columns: `array<struct<id:bigint,price:decimal(10,2)>>`.

use crate::{Error, Result, SourcePlace};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How deep types may nest: enough for any document, little enough for any stack.
const MAX_DEPTH: usize = 64;

/// A column's type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum HiveType {
    /// `boolean`
    Boolean,
    /// `tinyint`, 8 bits
    TinyInt,
    /// `smallint`, 16 bits
    SmallInt,
    /// `int`, 32 bits
    Int,
    /// `bigint`, 64 bits
    BigInt,
    /// `float`, 32 bits
    Float,
    /// `double`, 64 bits
    Double,
    /// `decimal(precision,scale)`
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits behind the point, at most the precision.
        scale: u8,
    },
    /// `string`
    String,
    /// `char(n)`
    Char(u16),
    /// `varchar(n)`
    Varchar(u16),
    /// `binary`
    Binary,
    /// `date`
    Date,
    /// `timestamp`, without a zone
    Timestamp,
    /// `array<…>`
    Array(Box<HiveType>),
    /// `map<…,…>`
    Map(Box<HiveType>, Box<HiveType>),
    /// `struct<name:type,…>`
    Struct(Vec<StructField>),
    /// `uniontype<…>`: an Avro union of several types
    Union(Vec<HiveType>),
}

/// A field of a struct.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StructField {
    /// The field's name as the data has it.
    pub name: String,
    /// Its type.
    pub hive_type: HiveType,
}

impl StructField {
    /// A field.
    pub fn new(name: impl Into<String>, hive_type: HiveType) -> Self {
        Self { name: name.into(), hive_type }
    }
}

impl HiveType {
    /// A decimal, checked.
    pub fn decimal(precision: u8, scale: u8) -> Result<Self> {
        if (1..=38).contains(&precision) && scale <= precision {
            return Ok(Self::Decimal { precision, scale });
        }
        Err(Error::invalid(format!(
            "decimal({precision},{scale}) is impossible: precision must be 1 to 38 and scale at most the precision"
        )))
    }

    /// An array of that type.
    pub fn array(element: HiveType) -> Self {
        Self::Array(Box::new(element))
    }

    /// A map of those types.
    pub fn map(key: HiveType, value: HiveType) -> Self {
        Self::Map(Box::new(key), Box::new(value))
    }

    /// Whether it holds whole numbers.
    pub fn is_integer(&self) -> bool {
        self.integer_rank().is_some()
    }

    /// Whether it holds numbers.
    pub fn is_numeric(&self) -> bool {
        self.is_integer() || matches!(self, Self::Float | Self::Double | Self::Decimal { .. })
    }

    /// Whether it is an array, map, struct or union.
    pub fn is_nested(&self) -> bool {
        matches!(self, Self::Array(_) | Self::Map(..) | Self::Struct(_) | Self::Union(_))
    }

    fn integer_rank(&self) -> Option<u8> {
        Some(match self {
            Self::TinyInt => 0,
            Self::SmallInt => 1,
            Self::Int => 2,
            Self::BigInt => 3,
            _ => return None,
        })
    }

    /// How many decimal digits an integer type can need.
    fn integer_digits(&self) -> Option<u8> {
        Some(match self {
            Self::TinyInt => 3,
            Self::SmallInt => 5,
            Self::Int => 10,
            Self::BigInt => 19,
            _ => return None,
        })
    }

    /// The narrowest type that holds every value of both, or none when only `string` could (a struct beside a
    /// number). Structs unite their fields: new ones come behind.
    pub fn common(&self, other: &Self) -> Option<Self> {
        use HiveType as T;
        if self == other {
            return Some(self.clone());
        }
        if let (Some(a), Some(b)) = (self.integer_rank(), other.integer_rank()) {
            return Some(if a >= b { self.clone() } else { other.clone() });
        }
        match (self, other) {
            (T::Double, x) | (x, T::Double) if x.is_numeric() => Some(T::Double),
            (T::Float, T::TinyInt | T::SmallInt) | (T::TinyInt | T::SmallInt, T::Float) => Some(T::Float),
            (T::Float, x) | (x, T::Float) if x.is_numeric() => Some(T::Double),
            (T::Decimal { precision: p1, scale: s1 }, T::Decimal { precision: p2, scale: s2 }) => {
                unite_decimals(p1 - s1, *s1, p2 - s2, *s2)
            }
            (T::Decimal { precision, scale }, x) | (x, T::Decimal { precision, scale }) => {
                let digits = x.integer_digits()?;
                unite_decimals(precision - scale, *scale, digits, 0)
            }
            (T::Date, T::Timestamp) | (T::Timestamp, T::Date) => Some(T::Timestamp),
            (T::Char(a) | T::Varchar(a), T::Char(b) | T::Varchar(b)) => Some(T::Varchar(*a.max(b))),
            (T::String, T::Char(_) | T::Varchar(_)) | (T::Char(_) | T::Varchar(_), T::String) => {
                Some(T::String)
            }
            (T::Array(a), T::Array(b)) => Some(T::array(a.common(b)?)),
            (T::Map(ka, va), T::Map(kb, vb)) => Some(T::map(ka.common(kb)?, va.common(vb)?)),
            (T::Struct(a), T::Struct(b)) => {
                // Both go through the same gate: a struct may hold one name twice, in two spellings.
                let mut fields: Vec<StructField> = Vec::with_capacity(a.len().max(b.len()));
                for field in a.iter().chain(b) {
                    match fields.iter_mut().find(|known| known.name.eq_ignore_ascii_case(&field.name)) {
                        Some(known) => known.hive_type = known.hive_type.common(&field.hive_type)?,
                        None => fields.push(field.clone()),
                    }
                }
                Some(T::Struct(fields))
            }
            _ => None,
        }
    }

    /// Whether data written as `self` can be read as `wider` without loss.
    pub fn widens_to(&self, wider: &Self) -> bool {
        self.common(wider).as_ref() == Some(wider)
    }
}

fn unite_decimals(whole_a: u8, scale_a: u8, whole_b: u8, scale_b: u8) -> Option<HiveType> {
    let scale = scale_a.max(scale_b);
    let precision = whole_a.max(whole_b) + scale;
    if precision <= 38 { Some(HiveType::Decimal { precision, scale }) } else { Some(HiveType::Double) }
}

impl fmt::Display for HiveType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("boolean"),
            Self::TinyInt => f.write_str("tinyint"),
            Self::SmallInt => f.write_str("smallint"),
            Self::Int => f.write_str("int"),
            Self::BigInt => f.write_str("bigint"),
            Self::Float => f.write_str("float"),
            Self::Double => f.write_str("double"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::String => f.write_str("string"),
            Self::Char(n) => write!(f, "char({n})"),
            Self::Varchar(n) => write!(f, "varchar({n})"),
            Self::Binary => f.write_str("binary"),
            Self::Date => f.write_str("date"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Array(element) => write!(f, "array<{element}>"),
            Self::Map(key, value) => write!(f, "map<{key},{value}>"),
            Self::Struct(fields) => {
                f.write_str("struct<")?;
                for (index, field) in fields.iter().enumerate() {
                    let comma = if index > 0 { "," } else { "" };
                    if is_plain(&field.name) {
                        write!(f, "{comma}{}:{}", field.name, field.hive_type)?;
                    } else {
                        write!(f, "{comma}`{}`:{}", field.name.replace('`', "``"), field.hive_type)?;
                    }
                }
                f.write_str(">")
            }
            Self::Union(types) => {
                f.write_str("uniontype<")?;
                for (index, one) in types.iter().enumerate() {
                    write!(f, "{}{one}", if index > 0 { "," } else { "" })?;
                }
                f.write_str(">")
            }
        }
    }
}

/// Whether a field's name can stand in a type without back-ticks.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.chars().any(|c| matches!(c, '<' | '>' | ',' | ':' | '`' | '(' | ')') || c.is_whitespace())
}

impl FromStr for HiveType {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut parser = Parser { text, at: 0 };
        let parsed = parser.parse_type(0)?;
        parser.skip_space();
        if parser.at < text.len() {
            return Err(parser.error("the type should end here", parser.at, text.len()));
        }
        Ok(parsed)
    }
}

impl TryFrom<String> for HiveType {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<HiveType> for String {
    fn from(hive_type: HiveType) -> String {
        hive_type.to_string()
    }
}

const NAMES: [&str; 18] = [
    "boolean",
    "tinyint",
    "smallint",
    "int",
    "bigint",
    "float",
    "double",
    "decimal",
    "string",
    "char",
    "varchar",
    "binary",
    "date",
    "timestamp",
    "array",
    "map",
    "struct",
    "uniontype",
];

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn error(&self, message: impl Into<String>, start: usize, end: usize) -> Error {
        Error::invalid(format!("`{}` is no column type: {}", clip(self.text), message.into()))
            .at(SourcePlace::of_bytes("<type>", self.text, start, end))
    }

    fn skip_space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn take(&mut self, token: char) -> bool {
        self.skip_space();
        let found = self.text[self.at..].starts_with(token);
        if found {
            self.at += token.len_utf8();
        }
        found
    }

    fn expect(&mut self, token: char) -> Result<()> {
        if self.take(token) {
            return Ok(());
        }
        Err(self.error(format!("`{token}` is missing"), self.at, self.at + 1))
    }

    fn number(&mut self) -> Result<u16> {
        self.skip_space();
        let digits = self.text[self.at..].bytes().take_while(u8::is_ascii_digit).count();
        let number = self.text[self.at..self.at + digits].parse();
        match number {
            Ok(number) => {
                self.at += digits;
                Ok(number)
            }
            Err(_) => Err(self.error("a number is missing", self.at, self.at + digits.max(1))),
        }
    }

    fn field_name(&mut self) -> Result<String> {
        self.skip_space();
        let start = self.at;
        if self.take('`') {
            let mut name = String::new();
            let mut chars = self.text[self.at..].char_indices().peekable();
            while let Some((offset, c)) = chars.next() {
                if c != '`' {
                    name.push(c);
                } else if chars.peek().is_some_and(|(_, next)| *next == '`') {
                    chars.next();
                    name.push('`');
                } else {
                    self.at += offset + 1;
                    return Ok(name);
                }
            }
            return Err(self.error("a back-tick is not closed", start, self.text.len()));
        }
        let length = self.text[start..].find([':', ',', '<', '>']).unwrap_or(self.text.len() - start);
        let name = self.text[start..start + length].trim();
        if name.is_empty() {
            return Err(self.error("a field's name is missing", start, start + 1));
        }
        self.at += length;
        Ok(name.to_owned())
    }

    fn parse_type(&mut self, depth: usize) -> Result<HiveType> {
        if depth > MAX_DEPTH {
            return Err(self.error(format!("it nests deeper than {MAX_DEPTH}"), self.at, self.at + 1));
        }
        self.skip_space();
        let start = self.at;
        let length =
            self.text[start..].bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
        let word = self.text[start..start + length].to_ascii_lowercase();
        self.at += length;
        Ok(match word.as_str() {
            "boolean" | "bool" => HiveType::Boolean,
            "tinyint" | "byte" => HiveType::TinyInt,
            "smallint" | "short" => HiveType::SmallInt,
            "int" | "integer" => HiveType::Int,
            "bigint" | "long" => HiveType::BigInt,
            "float" | "real" => HiveType::Float,
            "double" => HiveType::Double,
            "string" => HiveType::String,
            "binary" => HiveType::Binary,
            "date" => HiveType::Date,
            "timestamp" => HiveType::Timestamp,
            "decimal" | "numeric" => self.decimal(start)?,
            "char" | "varchar" => {
                self.expect('(')?;
                let n = self.number()?;
                self.expect(')')?;
                let limit = if word == "char" { 255 } else { 65_535 };
                if n == 0 || n > limit {
                    return Err(self.error(format!("the length must be 1 to {limit}"), start, self.at));
                }
                if word == "char" { HiveType::Char(n) } else { HiveType::Varchar(n) }
            }
            "array" => {
                self.expect('<')?;
                let element = self.parse_type(depth + 1)?;
                self.expect('>')?;
                HiveType::array(element)
            }
            "map" => {
                self.expect('<')?;
                let key = self.parse_type(depth + 1)?;
                self.expect(',')?;
                let value = self.parse_type(depth + 1)?;
                self.expect('>')?;
                HiveType::map(key, value)
            }
            "struct" => {
                self.expect('<')?;
                let mut fields = Vec::new();
                if !self.take('>') {
                    loop {
                        let name = self.field_name()?;
                        self.expect(':')?;
                        fields.push(StructField { name, hive_type: self.parse_type(depth + 1)? });
                        if !self.take(',') {
                            break;
                        }
                    }
                    self.expect('>')?;
                }
                HiveType::Struct(fields)
            }
            "uniontype" => {
                self.expect('<')?;
                let mut types = vec![self.parse_type(depth + 1)?];
                while self.take(',') {
                    types.push(self.parse_type(depth + 1)?);
                }
                self.expect('>')?;
                HiveType::Union(types)
            }
            "" => return Err(self.error("a type is missing", start, start + 1)),
            unknown => {
                let hint = crate::nearest_hint(unknown, NAMES);
                return Err(self.error(format!("there is no type `{unknown}`"), start, self.at).hint(hint));
            }
        })
    }

    fn decimal(&mut self, start: usize) -> Result<HiveType> {
        if !self.take('(') {
            return Ok(HiveType::Decimal { precision: 10, scale: 0 });
        }
        let precision = self.number()?;
        let scale = if self.take(',') { self.number()? } else { 0 };
        self.expect(')')?;
        match (u8::try_from(precision), u8::try_from(scale)) {
            (Ok(precision), Ok(scale)) if (1..=38).contains(&precision) && scale <= precision => {
                Ok(HiveType::Decimal { precision, scale })
            }
            _ => Err(self.error("precision must be 1 to 38 and scale at most the precision", start, self.at)),
        }
    }
}

fn clip(text: &str) -> String {
    if text.chars().count() <= 80 { text.to_owned() } else { text.chars().take(79).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_type() -> impl Strategy<Value = HiveType> {
        let leaf = prop_oneof![
            Just(HiveType::Boolean),
            Just(HiveType::BigInt),
            Just(HiveType::Double),
            Just(HiveType::String),
            Just(HiveType::Timestamp),
            (1u8..=38, 0u8..=38).prop_map(|(p, s)| HiveType::Decimal { precision: p, scale: s.min(p) }),
            (1u16..=255).prop_map(HiveType::Char),
            (1u16..).prop_map(HiveType::Varchar),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                inner.clone().prop_map(HiveType::array),
                (inner.clone(), inner.clone()).prop_map(|(k, v)| HiveType::map(k, v)),
                prop::collection::vec(("[a-zA-Z:`<> ]{1,6}", inner.clone()), 0..4).prop_map(|fields| {
                    HiveType::Struct(
                        fields.into_iter().map(|(name, hive_type)| StructField { name, hive_type }).collect(),
                    )
                }),
                prop::collection::vec(inner, 1..4).prop_map(HiveType::Union),
            ]
        })
    }

    proptest! {
        #[test]
        fn text_and_back(hive_type in any_type()) {
            prop_assert_eq!(hive_type.to_string().parse::<HiveType>().unwrap(), hive_type);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = text.parse::<HiveType>();
        }

        #[test]
        fn the_common_type_is_the_same_both_ways(a in any_type(), b in any_type()) {
            let (ab, ba) = (a.common(&b), b.common(&a));
            prop_assert_eq!(ab.is_some(), ba.is_some());
        }
    }

    #[test]
    fn spellings_and_spaces() {
        let spaced: HiveType = " MAP < string , ARRAY<struct<`a b` : integer>>>".parse().unwrap();
        assert_eq!(spaced.to_string(), "map<string,array<struct<`a b`:int>>>");
        assert_eq!("decimal".parse::<HiveType>().unwrap().to_string(), "decimal(10,0)");
    }

    #[test]
    fn errors_point_at_the_mistake() {
        let error = "array<strnig>".parse::<HiveType>().unwrap_err();
        assert_eq!(
            error.diagnosis().to_string(),
            "`array<strnig>` is no column type: there is no type `strnig`\n  --> <type>:1:7\n1 | array<strnig>\n  |       ^^^^^^\nhelp: did you mean `string`?"
        );
        assert!("array<".repeat(100_000).parse::<HiveType>().is_err());
    }

    #[test]
    fn widening() {
        let t = |text: &str| text.parse::<HiveType>().unwrap();
        for (a, b, common) in [
            ("int", "bigint", Some("bigint")),
            ("bigint", "double", Some("double")),
            ("int", "decimal(10,2)", Some("decimal(12,2)")),
            ("decimal(10,2)", "decimal(8,6)", Some("decimal(14,6)")),
            ("decimal(38,0)", "decimal(38,38)", Some("double")),
            ("date", "timestamp", Some("timestamp")),
            ("struct<a:int>", "struct<a:bigint,b:string>", Some("struct<a:bigint,b:string>")),
            ("array<int>", "int", None),
            ("string", "int", None),
            ("date", "int", None),
            ("struct<>", "struct<a:int,A:string>", None),
            ("struct<a:int,A:string>", "struct<>", None),
        ] {
            assert_eq!(t(a).common(&t(b)), common.map(t), "{a} and {b}");
        }
        assert!(t("int").widens_to(&t("bigint")));
        assert!(!t("bigint").widens_to(&t("int")));
    }
}
