//! Avro: the schema is JSON in the file's header; blocks are never decoded.

use super::{BinaryFormat, check_width};
use crate::classify::names::make_unique;
use crate::classify::result::{Classification, Columns, Hive};
use crate::classify::source::{Limits, Source, read_head};
use async_trait::async_trait;
use model::{Error, HiveType, Result, StructField};
use serde_json::{Map, Value};
use std::collections::HashMap;

pub(super) struct Avro;

const MAGIC: &[u8] = b"Obj\x01";
/// A header larger than this is no header.
const MOST_HEADER: u64 = 16 << 20;
const MAX_DEPTH: usize = 48;
/// References may multiply a schema; it stops here.
const MAX_NODES: usize = 100_000;

const HIVE: Hive = Hive {
    input: "org.apache.hadoop.hive.ql.io.avro.AvroContainerInputFormat",
    output: "org.apache.hadoop.hive.ql.io.avro.AvroContainerOutputFormat",
    serde: "org.apache.hadoop.hive.serde2.avro.AvroSerDe",
};

#[async_trait]
impl BinaryFormat for Avro {
    fn name(&self) -> &'static str {
        "Avro"
    }

    fn matches(&self, start: &[u8]) -> bool {
        start.starts_with(MAGIC)
    }

    async fn classify(&self, source: &dyn Source, start: &[u8], limits: &Limits) -> Result<Classification> {
        let text = read_schema(source, start).await?;
        let schema: Value = serde_json::from_str(&text)
            .map_err(|e| Error::corrupt("the Avro header's schema is no JSON").source_is(e).hint(REWRITE))?;
        let mut types = Types::default();
        let row = types.read(&schema, "", 0)?;
        let HiveType::Struct(fields) = row else {
            return Err(Error::unsupported(format!("the Avro file holds {row} values, not records"))
                .hint("wrap them in a record to make them a table"));
        };
        check_width(fields.len(), limits)?;
        let mut columns = Columns::default();
        let names = make_unique(fields.iter().map(|field| field.name.as_str()));
        for (name, field) in names.into_iter().zip(fields) {
            columns.push(name, Some(field.hive_type));
        }
        let mut found = Classification::new("avro", &HIVE, columns);
        found.set_serde("serialization.format", "1");
        found.set_serde("avro.schema.literal", text.clone());
        found.set("avro.schema.literal", text);
        found.notes = types.notes;
        Ok(found)
    }
}

const REWRITE: &str = "write the file again, or exclude it";

async fn read_schema(source: &dyn Source, start: &[u8]) -> Result<String> {
    if let Some(schema) = header_schema(start)? {
        return Ok(schema);
    }
    let mut length = start.len() as u64;
    while length < source.size().min(MOST_HEADER) {
        length = (length * 8).min(MOST_HEADER);
        if let Some(schema) = header_schema(&read_head(source, length).await?)? {
            return Ok(schema);
        }
    }
    Err(Error::corrupt("the Avro header is cut short")
        .why(format!("the object's {} bytes end before the header does", source.size()))
        .hint(REWRITE))
}

/// The schema in the header, or none when the header goes on behind these bytes.
fn header_schema(bytes: &[u8]) -> Result<Option<String>> {
    let mut cursor = Cursor { bytes: &bytes[MAGIC.len()..] };
    let mut schema = None;
    while let Some(mut count) = cursor.long() {
        if count == 0 {
            return match schema {
                Some(schema) => Ok(Some(schema)),
                None => Err(Error::corrupt("the Avro header has no schema").hint(REWRITE)),
            };
        }
        if count < 0 {
            // A negative count is followed by the block's size in bytes.
            count = count.saturating_neg();
            if cursor.long().is_none() {
                return Ok(None);
            }
        }
        for _ in 0..count {
            let Some(key) = cursor.bytes()? else { return Ok(None) };
            let Some(value) = cursor.bytes()? else { return Ok(None) };
            if key == b"avro.schema" {
                schema = Some(String::from_utf8_lossy(value).into_owned());
            }
        }
    }
    Ok(None)
}

struct Cursor<'a> {
    bytes: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn long(&mut self) -> Option<i64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn bytes(&mut self) -> Result<Option<&'a [u8]>> {
        let Some(length) = self.long() else { return Ok(None) };
        let length = usize::try_from(length).map_err(|_| {
            Error::corrupt("the Avro header is broken").why("a length is negative").hint(REWRITE)
        })?;
        let Some((taken, rest)) = self.bytes.split_at_checked(length) else { return Ok(None) };
        self.bytes = rest;
        Ok(Some(taken))
    }
}

/// Named types seen so far, with what should be known about them.
#[derive(Default)]
struct Types {
    named: HashMap<String, Named>,
    nodes: usize,
    notes: Vec<String>,
}

/// A declared type with how large and deep it is: references repeat it.
struct Named {
    /// None while its fields are being read, which tells a recursive use.
    hive_type: Option<HiveType>,
    nodes: usize,
    depth: usize,
}

impl Named {
    fn new(hive_type: HiveType) -> Self {
        let (nodes, depth) = measure(&hive_type);
        Self { hive_type: Some(hive_type), nodes, depth }
    }
}

fn measure(hive_type: &HiveType) -> (usize, usize) {
    let inner: Vec<&HiveType> = match hive_type {
        HiveType::Array(element) => vec![element],
        HiveType::Map(key, value) => vec![key, value],
        HiveType::Struct(fields) => fields.iter().map(|field| &field.hive_type).collect(),
        HiveType::Union(types) => types.iter().collect(),
        _ => Vec::new(),
    };
    inner.into_iter().map(measure).fold((1, 1), |(nodes, depth), (n, d)| (nodes + n, depth.max(d + 1)))
}

impl Types {
    fn read(&mut self, schema: &Value, namespace: &str, depth: usize) -> Result<HiveType> {
        self.nodes += 1;
        if depth > MAX_DEPTH || self.nodes > MAX_NODES {
            return Err(broken("it is too deep or too large"));
        }
        match schema {
            Value::String(name) => self.name(name, namespace, depth),
            Value::Array(branches) => self.union(branches, namespace, depth),
            Value::Object(object) => self.object(object, namespace, depth),
            _ => Err(broken("a type is neither a name, a list nor an object")),
        }
    }

    fn name(&mut self, name: &str, namespace: &str, depth: usize) -> Result<HiveType> {
        Ok(match name {
            "null" | "string" => HiveType::String,
            "boolean" => HiveType::Boolean,
            "int" => HiveType::Int,
            "long" => HiveType::BigInt,
            "float" => HiveType::Float,
            "double" => HiveType::Double,
            "bytes" => HiveType::Binary,
            _ => return self.reference(name, namespace, depth),
        })
    }

    fn reference(&mut self, name: &str, namespace: &str, depth: usize) -> Result<HiveType> {
        let known = self.named.get(&full_name(name, namespace)).or_else(|| self.named.get(name));
        let Some(known) = known else {
            return Err(broken(&format!("the type `{name}` is not declared")));
        };
        let Some(hive_type) = &known.hive_type else {
            return Err(Error::unsupported(format!("the Avro type `{name}` contains itself"))
                .why("Hive's types cannot be recursive")
                .hint("exclude it, or write the nested part as a string"));
        };
        self.nodes += known.nodes;
        if self.nodes > MAX_NODES || depth + known.depth > MAX_DEPTH {
            return Err(broken("it is too deep or too large"));
        }
        Ok(hive_type.clone())
    }

    fn union(&mut self, branches: &[Value], namespace: &str, depth: usize) -> Result<HiveType> {
        let mut types = Vec::new();
        for branch in branches.iter().filter(|branch| !is_null(branch)) {
            let hive_type = self.read(branch, namespace, depth + 1)?;
            if !types.contains(&hive_type) {
                types.push(hive_type);
            }
        }
        Ok(match types.len() {
            0 => HiveType::String,
            1 => types.remove(0),
            _ => HiveType::Union(types),
        })
    }

    fn object(&mut self, object: &Map<String, Value>, namespace: &str, depth: usize) -> Result<HiveType> {
        let kind = match object.get("type") {
            Some(Value::String(kind)) => kind.as_str(),
            Some(inner) => return self.read(inner, namespace, depth + 1),
            None => return Err(broken("a type has no `type`")),
        };
        let part =
            |key: &str| object.get(key).ok_or_else(|| broken(&format!("a type `{kind}` has no `{key}`")));
        match kind {
            "array" => Ok(HiveType::array(self.read(part("items")?, namespace, depth + 1)?)),
            "map" => Ok(HiveType::map(HiveType::String, self.read(part("values")?, namespace, depth + 1)?)),
            "record" | "error" => self.record(object, namespace, depth),
            "enum" => Ok(self.declare(object, namespace, HiveType::String)),
            "fixed" => {
                let hive_type = logical(object, HiveType::Binary);
                Ok(self.declare(object, namespace, hive_type))
            }
            _ => {
                if object
                    .get("logicalType")
                    .and_then(Value::as_str)
                    .is_some_and(|name| name.starts_with("time-"))
                {
                    let note = "a time of day is kept as the number since midnight: Hive has no type for it";
                    if !self.notes.iter().any(|known| known == note) {
                        self.notes.push(note.to_owned());
                    }
                }
                let base = self.name(kind, namespace, depth)?;
                Ok(logical(object, base))
            }
        }
    }

    fn record(&mut self, object: &Map<String, Value>, namespace: &str, depth: usize) -> Result<HiveType> {
        let name = object.get("name").and_then(Value::as_str).unwrap_or_default();
        let own = object.get("namespace").and_then(Value::as_str);
        let inner = match (own, name.rsplit_once('.')) {
            (_, Some((prefix, _))) => prefix,
            (Some(own), None) => own,
            (None, None) => namespace,
        };
        let full = full_name(name, inner);
        self.named.insert(full.clone(), Named { hive_type: None, nodes: 0, depth: 0 });
        let fields =
            object.get("fields").and_then(Value::as_array).ok_or_else(|| broken("a record has no fields"))?;
        let mut columns = Vec::new();
        for field in fields {
            let name =
                field.get("name").and_then(Value::as_str).ok_or_else(|| broken("a field has no name"))?;
            let hive_type = field.get("type").ok_or_else(|| broken("a field has no type"))?;
            columns.push(StructField::new(name, self.read(hive_type, inner, depth + 1)?));
        }
        let record = HiveType::Struct(columns);
        self.named.insert(full, Named::new(record.clone()));
        Ok(record)
    }

    fn declare(&mut self, object: &Map<String, Value>, namespace: &str, hive_type: HiveType) -> HiveType {
        if let Some(name) = object.get("name").and_then(Value::as_str) {
            let namespace = object.get("namespace").and_then(Value::as_str).unwrap_or(namespace);
            self.named.insert(full_name(name, namespace), Named::new(hive_type.clone()));
        }
        hive_type
    }
}

fn is_null(branch: &Value) -> bool {
    branch == "null" || branch.get("type").is_some_and(|inner| inner == "null")
}

fn logical(object: &Map<String, Value>, base: HiveType) -> HiveType {
    let number = |key: &str| object.get(key).and_then(Value::as_u64).and_then(|n| u8::try_from(n).ok());
    let name = object.get("logicalType").and_then(Value::as_str).unwrap_or_default();
    match (name, &base) {
        ("decimal", HiveType::Binary) => {
            let scale = if object.contains_key("scale") { number("scale") } else { Some(0) };
            number("precision").zip(scale).and_then(|(p, s)| HiveType::decimal(p, s).ok()).unwrap_or(base)
        }
        ("date", HiveType::Int) => HiveType::Date,
        ("timestamp-millis" | "timestamp-micros" | "timestamp-nanos", HiveType::BigInt)
        | ("local-timestamp-millis" | "local-timestamp-micros" | "local-timestamp-nanos", HiveType::BigInt) => {
            HiveType::Timestamp
        }
        _ => base,
    }
}

fn full_name(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") }
}

fn broken(why: &str) -> Error {
    Error::corrupt("the Avro header's schema is broken").why(why).hint(REWRITE)
}
