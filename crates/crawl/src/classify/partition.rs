//! Partition keys from folder names: `year=2020` names its key, a plain folder becomes `partition_0`, `partition_1`, ….

use super::infer::{Kind, is_date, kind_of};
use model::{Column, Error, HiveType, Place, Result};

/// The folder that Hive writes rows without a key's value into.
pub const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// One folder on the way from the table's folder to an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The key, where the folder names one.
    pub key: Option<String>,
    /// The value, percent-decoded; none for Hive's folder of missing values.
    pub value: Option<String>,
}

impl Segment {
    /// Reads a folder's name.
    pub fn parse(folder: &str) -> Self {
        let (key, value) = match folder.split_once('=') {
            Some((key, value)) if !key.is_empty() => (Some(decode(key)), value),
            _ => (None, folder),
        };
        let value = if value == NULL_PARTITION { None } else { Some(decode(value)) };
        Self { key, value }
    }
}

/// The folders of a path, without empty ones.
pub fn segments(folders: &str) -> Vec<Segment> {
    folders.split('/').filter(|folder| !folder.is_empty()).map(Segment::parse).collect()
}

/// Percent-decodes as Hive escapes: `%3A` is a colon. What is no escape stays as it is.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3).and_then(|two| std::str::from_utf8(two).ok());
        let is_hex = digits.is_some_and(|two| two.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) if bytes[at] == b'%' && is_hex => {
                decoded.push(byte);
                at += 3;
            }
            _ => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

/// Keys and their types, from all values seen: feed it every partition's segments, in any order.
#[derive(Debug, Clone, Default)]
pub struct PartitionKeys {
    keys: Vec<Key>,
    paths: u64,
}

#[derive(Debug, Clone)]
struct Key {
    name: String,
    named: bool,
    values: u64,
    ints: u64,
    bigints: u64,
    dates: u64,
}

impl PartitionKeys {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one partition's folders into account. An error names the folder that does not fit the others; nothing is
    /// counted then.
    pub fn see(&mut self, uri: &str, segments: &[Segment]) -> Result<()> {
        if self.paths == 0 {
            self.keys =
                segments.iter().enumerate().map(|(index, segment)| Key::new(index, segment)).collect();
        }
        self.check(uri, segments)?;
        self.paths += 1;
        for (key, segment) in self.keys.iter_mut().zip(segments) {
            key.see(segment.value.as_deref());
        }
        Ok(())
    }

    fn check(&self, uri: &str, segments: &[Segment]) -> Result<()> {
        if segments.len() != self.keys.len() {
            return Err(Error::invalid(format!(
                "the folder is {} deep, the table's other partitions are {}",
                levels(segments.len()),
                levels(self.keys.len())
            ))
            .at(Place::object(uri))
            .why(format!("its partition keys are {}", self.names()))
            .hint("move it to the others' depth, or exclude it"));
        }
        for (key, segment) in self.keys.iter().zip(segments) {
            let fits = match &segment.key {
                Some(name) => key.named && key.name.eq_ignore_ascii_case(name),
                None => !key.named,
            };
            if !fits {
                let found =
                    segment.key.as_deref().map_or("no key".to_owned(), |name| format!("the key `{name}`"));
                let wanted = if key.named { format!("`{}`", key.name) } else { "a plain name".to_owned() };
                return Err(Error::invalid(format!(
                    "the partition folder has {found} where the others have {wanted}"
                ))
                .at(Place::object(uri))
                .why(format!("the table's partition keys are {}", self.names()))
                .hint("rename the folder, or exclude it"));
            }
        }
        Ok(())
    }

    fn names(&self) -> String {
        if self.keys.is_empty() {
            return "none".to_owned();
        }
        self.keys.iter().map(|key| format!("`{}`", key.name)).collect::<Vec<_>>().join(", ")
    }

    /// The keys as columns. Whole numbers without leading zeros are `int` or `bigint`, ISO days `date`, all else
    /// `string`; a key that only ever misses its value is a string.
    pub fn columns(&self) -> Vec<Column> {
        self.keys.iter().map(|key| Column::new(key.name.clone(), key.hive_type())).collect()
    }
}

fn levels(n: usize) -> String {
    if n == 1 { "1 level".to_owned() } else { format!("{n} levels") }
}

impl Key {
    fn new(index: usize, segment: &Segment) -> Self {
        let name = segment.key.clone().unwrap_or_else(|| format!("partition_{index}"));
        Self { name, named: segment.key.is_some(), values: 0, ints: 0, bigints: 0, dates: 0 }
    }

    fn see(&mut self, value: Option<&str>) {
        let Some(value) = value else { return };
        self.values += 1;
        // Space or a sign would be lost when the number is written back into a folder's name.
        match kind_of(value) {
            Kind::Int if value.trim() == value && value != "-0" => self.ints += 1,
            Kind::BigInt if value.trim() == value => self.bigints += 1,
            _ if is_date(value) => self.dates += 1,
            _ => {}
        }
    }

    fn hive_type(&self) -> HiveType {
        match self.values {
            0 => HiveType::String,
            n if n == self.ints => HiveType::Int,
            n if n == self.ints + self.bigints => HiveType::BigInt,
            n if n == self.dates => HiveType::Date,
            _ => HiveType::String,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(paths: &[&str]) -> Vec<String> {
        let mut keys = PartitionKeys::new();
        paths.iter().for_each(|path| keys.see(path, &segments(path)).unwrap());
        keys.columns().iter().map(|column| format!("{} {}", column.name, column.hive_type)).collect()
    }

    #[test]
    fn names_and_types() {
        assert_eq!(keys(&["year=2020/month=6", "year=2021/month=12"]), ["year int", "month int"]);
        assert_eq!(keys(&["year=2020/month=06", "year=2021/month=12"]), ["year int", "month string"]);
        assert_eq!(keys(&["d=2020-01-31", "d=__HIVE_DEFAULT_PARTITION__"]), ["d date"]);
        assert_eq!(keys(&["id=1", "id=3000000000"]), ["id bigint"]);
        assert_eq!(keys(&["d=2020-01-31", "d=1"]), ["d string"]);
        assert_eq!(
            keys(&["order-service/2020", "user-service/2021"]),
            ["partition_0 string", "partition_1 int"]
        );
        assert_eq!(keys(&["k=__HIVE_DEFAULT_PARTITION__"]), ["k string"]);
        assert_eq!(keys(&["k=-0"]), ["k string"]);
        assert_eq!(keys(&["Year=1", "year=2"]), ["Year int"]);
    }

    #[test]
    fn values_are_decoded_as_hive_escapes_them() {
        let found = segments("t=10%3A30%20Uhr/100%/k=a=b");
        assert_eq!(found[0], Segment { key: Some("t".into()), value: Some("10:30 Uhr".into()) });
        assert_eq!(found[1], Segment { key: None, value: Some("100%".into()) });
        assert_eq!(found[2].value.as_deref(), Some("a=b"));
        assert_eq!(Segment::parse("k=%+1").value.as_deref(), Some("%+1"));
    }

    #[test]
    fn a_folder_that_does_not_fit_is_named() {
        let mut keys = PartitionKeys::new();
        keys.see("s3://b/t/year=2020/", &segments("year=2020")).unwrap();
        for (wrong, expected) in [
            ("yaer=2021", "has the key `yaer` where the others have `year`"),
            ("2021", "has no key where"),
            ("year=2021/month=1", "is 2 levels deep"),
        ] {
            let error = keys.see(&format!("s3://b/t/{wrong}/"), &segments(wrong)).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(error.to_string().contains(wrong), "{error}");
        }
        assert_eq!(keys.columns()[0].hive_type, HiveType::Int);
    }
}
