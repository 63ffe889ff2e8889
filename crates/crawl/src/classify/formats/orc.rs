//! ORC: types and row count come from the file's tail; stripes are never looked at.

use super::orc_footer::{Footer, MOST_FOOTER, OrcType, Postscript, broken};
use super::{BinaryFormat, check_width};
use crate::classify::names::make_unique;
use crate::classify::result::{Classification, Columns, Hive};
use crate::classify::source::{Limits, Source, read_exactly};
use async_trait::async_trait;
use model::{Error, HiveType, Result, StructField};

pub(super) struct Orc;

const MAGIC: &[u8] = b"ORC";
const TAIL: u64 = 32 << 10;
const MAX_DEPTH: usize = 48;

const HIVE: Hive = Hive {
    input: "org.apache.hadoop.hive.ql.io.orc.OrcInputFormat",
    output: "org.apache.hadoop.hive.ql.io.orc.OrcOutputFormat",
    serde: "org.apache.hadoop.hive.ql.io.orc.OrcSerde",
};

#[async_trait]
impl BinaryFormat for Orc {
    fn name(&self) -> &'static str {
        "ORC"
    }

    fn matches(&self, start: &[u8]) -> bool {
        // A text may begin with these letters; the data behind the mark is binary.
        start.starts_with(MAGIC) && start.iter().take(64).any(|byte| *byte < 9 || *byte > 0x7e)
    }

    async fn classify(&self, source: &dyn Source, _start: &[u8], limits: &Limits) -> Result<Classification> {
        let footer = read_footer(source).await?;
        let mut tree = Tree { types: &footer.types, visited: 0, notes: Vec::new() };
        let HiveType::Struct(fields) = tree.read(0, 0)? else {
            return Err(
                Error::unsupported("the ORC file's rows are no structs").hint("exclude it from the crawl")
            );
        };
        check_width(fields.len(), limits)?;
        let mut columns = Columns::default();
        let names = make_unique(fields.iter().map(|field| field.name.as_str()));
        let generated = fields
            .iter()
            .all(|field| field.name.strip_prefix("_col").is_some_and(|rest| rest.parse::<u32>().is_ok()));
        for (name, field) in names.into_iter().zip(fields) {
            columns.push(name, Some(field.hive_type));
        }
        let notes = tree.notes;
        let mut found = Classification::new("orc", &HIVE, columns);
        found.set_serde("serialization.format", "1");
        found.rows = footer.rows;
        found.notes = notes;
        if generated && !found.schema.columns.is_empty() {
            found.notes.push("the writer stored no column names, only `_col0` and so on".to_owned());
        }
        Ok(found)
    }
}

async fn read_footer(source: &dyn Source) -> Result<Footer> {
    let size = source.size();
    let tail = read_exactly(source, size.saturating_sub(TAIL)..size).await?;
    let Some((length, rest)) = tail.split_last() else { return Err(broken("its end is missing")) };
    let length = usize::from(*length);
    let Some(start) = rest.len().checked_sub(length) else {
        return Err(broken("its postscript is cut short"));
    };
    let postscript = Postscript::decode(&rest[start..])?;
    let behind = length as u64 + 1;
    let Some(footer_end) = size.checked_sub(behind).filter(|end| *end >= postscript.footer_length) else {
        return Err(broken(format!("it claims {} bytes of an object of {size}", postscript.footer_length)));
    };
    if postscript.footer_length > MOST_FOOTER as u64 {
        return Err(broken("it claims more than 32 MiB"));
    }
    let footer = read_exactly(source, footer_end - postscript.footer_length..footer_end).await?;
    Footer::decode(&postscript.decompress(&footer)?)
}

struct Tree<'a> {
    types: &'a [OrcType],
    visited: usize,
    notes: Vec<String>,
}

impl Tree<'_> {
    fn read(&mut self, at: u64, depth: usize) -> Result<HiveType> {
        let one = usize::try_from(at).ok().and_then(|at| self.types.get(at));
        let one = one.ok_or_else(|| broken("it refers to a type that it does not declare"))?;
        self.visited += 1;
        // A tree visits each type once; more than that is a knot.
        if depth > MAX_DEPTH || self.visited > self.types.len() {
            return Err(broken("its types are nested without end"));
        }
        Ok(match one.kind {
            0 => HiveType::Boolean,
            1 => HiveType::TinyInt,
            2 => HiveType::SmallInt,
            3 => HiveType::Int,
            4 => HiveType::BigInt,
            5 => HiveType::Float,
            6 => HiveType::Double,
            7 => HiveType::String,
            8 => HiveType::Binary,
            9 => HiveType::Timestamp,
            10 => HiveType::array(self.child(one, 0, depth)?),
            11 => HiveType::map(self.child(one, 0, depth)?, self.child(one, 1, depth)?),
            12 => self.fields(one, depth)?,
            13 => {
                let children = one.children.iter().map(|child| self.read(*child, depth + 1));
                HiveType::Union(children.collect::<Result<Vec<_>>>()?)
            }
            14 => decimal(one),
            15 => HiveType::Date,
            16 => HiveType::Varchar(length(one, 65_535)),
            17 => HiveType::Char(length(one, 255)),
            18 => {
                let note = "points in time in UTC are `timestamp` here, which has no zone";
                if !self.notes.iter().any(|known| known == note) {
                    self.notes.push(note.to_owned());
                }
                HiveType::Timestamp
            }
            other => return Err(broken(format!("it uses an unknown kind of type ({other})"))),
        })
    }

    fn child(&mut self, one: &OrcType, index: usize, depth: usize) -> Result<HiveType> {
        let child = one.children.get(index).ok_or_else(|| broken("a list or map has no element type"))?;
        self.read(*child, depth + 1)
    }

    fn fields(&mut self, one: &OrcType, depth: usize) -> Result<HiveType> {
        let mut fields = Vec::new();
        for (index, child) in one.children.iter().enumerate() {
            let name = one.names.get(index).cloned().unwrap_or_else(|| format!("_col{index}"));
            fields.push(StructField::new(name, self.read(*child, depth + 1)?));
        }
        Ok(HiveType::Struct(fields))
    }
}

/// Old writers left precision and scale away; Hive then reads the widest.
fn decimal(one: &OrcType) -> HiveType {
    let parts = u8::try_from(one.precision).ok().zip(u8::try_from(one.scale).ok());
    let known = parts.and_then(|(precision, scale)| HiveType::decimal(precision, scale).ok());
    known.unwrap_or(HiveType::Decimal { precision: 38, scale: 18 })
}

fn length(one: &OrcType, most: u16) -> u16 {
    u16::try_from(one.length).unwrap_or(most).clamp(1, most)
}
