//! Parquet: the schema and the row count come from the beginning of the footer; row groups are never looked at.
//!
//! The footer is decoded here rather than by a Parquet library: a library decodes every row group and reserves memory
//! for what the footer claims, which a broken file may overstate without bound.

use super::thrift::{Reader, Wire, broken};
use super::{BinaryFormat, check_width};
use crate::classify::names::make_unique;
use crate::classify::result::{Classification, Columns, Hive};
use crate::classify::source::{Limits, Source, read_exactly};
use async_trait::async_trait;
use model::{Error, HiveType, Result, StructField};

pub(super) struct Parquet;

const MAGIC: &[u8] = b"PAR1";
/// Magic, footer length, magic: less is no Parquet file.
const SMALLEST: u64 = 12;
/// Read with the file's end in one go: most footers fit.
const TAIL: u64 = 64 << 10;
/// Schema and row count stand before the row groups; this much of a footer holds them.
const MOST_FOOTER: u64 = 16 << 20;
const MAX_DEPTH: usize = 48;

const HIVE: Hive = Hive {
    input: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    output: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    serde: "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
};

#[async_trait]
impl BinaryFormat for Parquet {
    fn name(&self) -> &'static str {
        "Parquet"
    }

    fn matches(&self, start: &[u8]) -> bool {
        start.starts_with(MAGIC)
    }

    async fn classify(&self, source: &dyn Source, _start: &[u8], limits: &Limits) -> Result<Classification> {
        let footer = read_footer(source).await?;
        let (elements, rows) = decode(&footer, limits)?;
        let mut at = 1;
        let mut columns = Columns::default();
        let mut notes = Vec::new();
        let root = elements.first().ok_or_else(|| broken("it has no schema"))?;
        check_width(root.children, limits)?;
        let mut fields = Vec::new();
        for _ in 0..root.children {
            fields.push(field(&elements, &mut at, 0, &mut notes)?);
        }
        if fields.is_empty() {
            return Err(Error::invalid("the Parquet file has no columns").hint("exclude it from the crawl"));
        }
        let names = make_unique(fields.iter().map(|(name, _)| name.as_str()));
        for (name, (_, hive_type)) in names.into_iter().zip(fields) {
            columns.push(name, Some(hive_type));
        }
        let mut found = Classification::new("parquet", &HIVE, columns);
        found.set_serde("serialization.format", "1");
        found.rows = u64::try_from(rows).ok();
        found.notes = notes;
        Ok(found)
    }
}

async fn read_footer(source: &dyn Source) -> Result<Vec<u8>> {
    let size = source.size();
    if size < SMALLEST {
        return Err(cut_off(format!("a Parquet file has at least {SMALLEST} bytes, this one {size}")));
    }
    let tail = read_exactly(source, size.saturating_sub(TAIL)..size).await?;
    let Some((rest, [l0, l1, l2, l3, magic @ ..])) = tail.split_last_chunk::<8>() else {
        return Err(cut_off("its end is missing".to_owned()));
    };
    if magic == b"PARE" {
        return Err(Error::unsupported("the Parquet footer is encrypted")
            .hint("write the file with a plaintext footer, or exclude it"));
    }
    if magic != MAGIC {
        return Err(cut_off(format!(
            "its last 4 bytes are not `PAR1`, though its first are; it has {size} bytes"
        )));
    }
    let length = u64::from(u32::from_le_bytes([*l0, *l1, *l2, *l3]));
    if length > size - SMALLEST {
        return Err(broken(&format!("it claims {length} bytes of an object of {size}"))
            .hint("write the file again, or exclude it"));
    }
    let wanted = length.min(MOST_FOOTER);
    if length <= rest.len() as u64 {
        return Ok(rest[rest.len() - usize::try_from(length).unwrap_or(0)..].to_vec());
    }
    let start = size - 8 - length;
    Ok(read_exactly(source, start..start + wanted).await?.to_vec())
}

fn cut_off(why: String) -> Error {
    Error::corrupt("the Parquet file has no footer")
        .why(format!("{why}: it was probably cut short while it was written or copied"))
        .hint("write it again from its source, or exclude it")
}

/// One element of the flat schema.
#[derive(Debug, Clone, Default)]
struct Element {
    physical: Option<i64>,
    repetition: i64,
    name: String,
    children: usize,
    converted: Option<i64>,
    scale: i64,
    precision: i64,
    logical: Option<Logical>,
}

/// What a logical type says beyond a converted type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Logical {
    Text,
    Map,
    List,
    Decimal { scale: i64, precision: i64 },
    Date,
    Time,
    Timestamp { utc: bool },
    Integer { bits: i64, signed: bool },
    Uuid,
    Float16,
    Other,
}

const REQUIRED: i64 = 0;
const REPEATED: i64 = 2;

fn decode(footer: &[u8], limits: &Limits) -> Result<(Vec<Element>, i64)> {
    let mut reader = Reader::new(footer);
    let (mut elements, mut rows) = (Vec::new(), -1);
    let mut last = 0;
    while let Some((id, wire)) = reader.field(&mut last)? {
        match (id, wire) {
            (2, Wire::List) => {
                let (length, element) = reader.list()?;
                if element != Wire::Struct {
                    return Err(broken("its schema is no list of elements"));
                }
                check_width(length / 8, limits)?;
                for _ in 0..length {
                    elements.push(decode_element(&mut reader)?);
                }
            }
            (3, Wire::Int) => rows = reader.int()?,
            // Row groups and what follows them is of no interest.
            (4.., _) => break,
            (_, wire) => reader.skip(wire)?,
        }
    }
    Ok((elements, rows))
}

fn decode_element(reader: &mut Reader<'_>) -> Result<Element> {
    let mut element = Element::default();
    let mut last = 0;
    while let Some((id, wire)) = reader.field(&mut last)? {
        match (id, wire) {
            (1, Wire::Int) => element.physical = Some(reader.int()?),
            (3, Wire::Int) => element.repetition = reader.int()?,
            (4, Wire::Binary) => element.name = reader.text()?,
            (5, Wire::Int) => {
                element.children =
                    usize::try_from(reader.int()?).map_err(|_| broken("a group has an impossible size"))?;
            }
            (6, Wire::Int) => element.converted = Some(reader.int()?),
            (7, Wire::Int) => element.scale = reader.int()?,
            (8, Wire::Int) => element.precision = reader.int()?,
            (10, Wire::Struct) => element.logical = decode_logical(reader)?,
            (_, wire) => reader.skip(wire)?,
        }
    }
    Ok(element)
}

fn decode_logical(reader: &mut Reader<'_>) -> Result<Option<Logical>> {
    let mut found = None;
    let mut last = 0;
    while let Some((id, wire)) = reader.field(&mut last)? {
        if wire != Wire::Struct {
            reader.skip(wire)?;
            continue;
        }
        found = Some(match id {
            5 => {
                let (scale, precision) = decode_pair(reader)?;
                Logical::Decimal { scale, precision }
            }
            8 => Logical::Timestamp { utc: decode_pair(reader)?.0 == 1 },
            10 => {
                let (bits, signed) = decode_pair(reader)?;
                Logical::Integer { bits, signed: signed == 1 }
            }
            _ => {
                reader.skip(Wire::Struct)?;
                match id {
                    1 | 4 | 12 => Logical::Text,
                    2 => Logical::Map,
                    3 => Logical::List,
                    6 => Logical::Date,
                    7 => Logical::Time,
                    14 => Logical::Uuid,
                    15 => Logical::Float16,
                    _ => Logical::Other,
                }
            }
        });
    }
    Ok(found)
}

/// The first two fields of a struct as numbers; a boolean is 0 or 1, a small byte itself.
fn decode_pair(reader: &mut Reader<'_>) -> Result<(i64, i64)> {
    let mut pair = (0, 0);
    let mut last = 0;
    while let Some((id, wire)) = reader.field(&mut last)? {
        let value = match wire {
            Wire::Bool(value) => i64::from(value),
            Wire::Int => reader.int()?,
            Wire::Byte => reader.small()?,
            other => {
                reader.skip(other)?;
                0
            }
        };
        match id {
            1 => pair.0 = value,
            2 => pair.1 = value,
            _ => {}
        }
    }
    Ok(pair)
}

/// The next field of the flat schema with its type; `at` moves behind it.
fn field(
    elements: &[Element],
    at: &mut usize,
    depth: usize,
    notes: &mut Vec<String>,
) -> Result<(String, HiveType)> {
    let element = elements.get(*at).ok_or_else(|| broken("its schema has fewer fields than it claims"))?;
    *at += 1;
    if depth > MAX_DEPTH {
        return Err(broken("its schema nests too deeply"));
    }
    let hive_type = if element.children == 0 {
        primitive(element, notes)
    } else {
        group(elements, element, at, depth, notes)?
    };
    // A bare repeated field is a list of required elements, in files of old writers.
    let hive_type = if element.repetition == REPEATED { HiveType::array(hive_type) } else { hive_type };
    Ok((element.name.clone(), hive_type))
}

fn group(
    elements: &[Element],
    element: &Element,
    at: &mut usize,
    depth: usize,
    notes: &mut Vec<String>,
) -> Result<HiveType> {
    let is_list = element.logical == Some(Logical::List) || element.converted == Some(3);
    let is_map = element.logical == Some(Logical::Map) || matches!(element.converted, Some(1 | 2));
    let child = elements.get(*at);
    let mut fields = Vec::new();
    for _ in 0..element.children {
        let (name, hive_type) = field(elements, at, depth + 1, notes)?;
        fields.push(StructField::new(name, hive_type));
    }
    let single = element.children == 1 && child.is_some_and(|child| child.repetition == REPEATED);
    if !single || !(is_list || is_map) {
        return Ok(HiveType::Struct(fields));
    }
    let Some((StructField { hive_type: HiveType::Array(repeated), .. }, child)) = fields.pop().zip(child)
    else {
        return Err(broken("a list has no elements"));
    };
    Ok(match *repeated {
        HiveType::Struct(mut entries) if is_map && entries.len() == 2 => {
            let (Some(value), Some(key)) = (entries.pop(), entries.pop()) else {
                return Err(broken("a map has no key"));
            };
            HiveType::map(key.hive_type, value.hive_type)
        }
        // The repeated group is only a wrapper, unless an old writer meant it as the element.
        HiveType::Struct(mut inner) if is_list && inner.len() == 1 && !is_element(child, element) => {
            match inner.pop() {
                Some(element) => HiveType::array(element.hive_type),
                None => return Err(broken("a list has no elements")),
            }
        }
        other => HiveType::array(other),
    })
}

/// The names by which old writers mark that the repeated group itself is the element.
fn is_element(repeated: &Element, list: &Element) -> bool {
    repeated.name == "array" || repeated.name == format!("{}_tuple", list.name)
}

fn primitive(element: &Element, notes: &mut Vec<String>) -> HiveType {
    let decimal = |precision: i64, scale: i64| {
        let parts = u8::try_from(precision).ok().zip(u8::try_from(scale).ok());
        parts.and_then(|(precision, scale)| HiveType::decimal(precision, scale).ok())
    };
    let known = match element.logical {
        Some(Logical::Decimal { scale, precision }) => decimal(precision, scale),
        Some(Logical::Text) => Some(HiveType::String),
        Some(Logical::Date) => Some(HiveType::Date),
        Some(Logical::Timestamp { utc }) => {
            if utc {
                note(notes, element, "is a point in time in UTC; as `timestamp` it has no zone");
            }
            Some(HiveType::Timestamp)
        }
        Some(Logical::Integer { bits, signed }) => Some(integer(bits, signed)),
        Some(Logical::Time) => {
            note(notes, element, "is a time of day, which Hive has no type for: the number since midnight");
            None
        }
        Some(Logical::Uuid | Logical::Float16) => Some(HiveType::Binary),
        _ => None,
    };
    known.or_else(|| converted(element, &decimal)).unwrap_or_else(|| physical(element))
}

fn note(notes: &mut Vec<String>, element: &Element, text: &str) {
    // One such note for the first column is enough: wide tables would flood the account.
    if !notes.iter().any(|known| known.ends_with(text)) {
        notes.push(format!("column `{}` {text}", element.name));
    }
}

fn converted(element: &Element, decimal: &dyn Fn(i64, i64) -> Option<HiveType>) -> Option<HiveType> {
    Some(match element.converted? {
        0 | 4 | 19 => HiveType::String,
        5 => return decimal(element.precision, element.scale),
        6 => HiveType::Date,
        9 | 10 => HiveType::Timestamp,
        11 => integer(8, false),
        12 => integer(16, false),
        13 => integer(32, false),
        14 => integer(64, false),
        15 => HiveType::TinyInt,
        16 => HiveType::SmallInt,
        17 => HiveType::Int,
        18 => HiveType::BigInt,
        _ => return None,
    })
}

/// Unsigned integers take the next wider type, so that their upper half is not read as negative.
fn integer(bits: i64, signed: bool) -> HiveType {
    match (bits, signed) {
        (8, true) => HiveType::TinyInt,
        (8, false) | (16, true) => HiveType::SmallInt,
        (16, false) | (32, true) => HiveType::Int,
        (32, false) | (64, true) => HiveType::BigInt,
        _ => HiveType::Decimal { precision: 20, scale: 0 },
    }
}

fn physical(element: &Element) -> HiveType {
    match element.physical {
        Some(0) => HiveType::Boolean,
        Some(1) => HiveType::Int,
        Some(2) => HiveType::BigInt,
        Some(3) => HiveType::Timestamp,
        Some(4) => HiveType::Float,
        Some(5) => HiveType::Double,
        // A group without children is an empty struct; a reader has nothing to read there.
        None if element.repetition >= REQUIRED => HiveType::String,
        _ => HiveType::Binary,
    }
}
