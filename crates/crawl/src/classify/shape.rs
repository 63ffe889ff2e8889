//! Shapes of nested values (JSON documents, XML elements): united value by value, then turned into a Hive type.

use super::infer::ColumnKind;
use super::source::Limits;
use model::{HiveType, StructField};
use serde_json::Value;
use std::collections::HashMap;

/// Types nest no deeper than this; what lies below is kept as a string.
const MAX_DEPTH: usize = 24;

/// What the values at one place have in common.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shape {
    /// Values that were not there, or null.
    nulls: u64,
    booleans: u64,
    ints: u64,
    bigints: u64,
    huge: u64,
    doubles: u64,
    strings: u64,
    /// Text whose type is inferred from what it looks like (XML).
    texts: Option<Box<ColumnKind>>,
    array: Option<Box<Shape>>,
    arrays: u64,
    object: Option<Object>,
    objects: u64,
}

/// Fields in the order of their first appearance.
#[derive(Debug, Clone, Default)]
struct Object {
    fields: Vec<(String, Shape, u64)>,
    by_name: HashMap<String, usize>,
}

impl Object {
    fn field(&mut self, name: &str) -> &mut (String, Shape, u64) {
        let at = match self.by_name.get(name) {
            Some(at) => *at,
            None => {
                self.by_name.insert(name.to_owned(), self.fields.len());
                self.fields.push((name.to_owned(), Shape::default(), 0));
                self.fields.len() - 1
            }
        };
        &mut self.fields[at]
    }
}

impl Shape {
    /// Takes one value into account.
    pub(crate) fn see(&mut self, value: &Value) {
        self.see_at(value, 0);
    }

    fn see_at(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Null => self.nulls += 1,
            Value::Bool(_) => self.booleans += 1,
            Value::String(_) => self.strings += 1,
            Value::Number(number) => self.see_number(number),
            Value::Array(_) | Value::Object(_) if depth >= MAX_DEPTH => self.strings += 1,
            Value::Array(items) => {
                self.arrays += 1;
                let inner = self.array.get_or_insert_default();
                items.iter().for_each(|item| inner.see_at(item, depth + 1));
            }
            Value::Object(map) => {
                self.objects += 1;
                let object = self.object.get_or_insert_default();
                for (name, value) in map {
                    let (_, shape, count) = object.field(name);
                    *count += 1;
                    shape.see_at(value, depth + 1);
                }
            }
        }
    }

    fn see_number(&mut self, number: &serde_json::Number) {
        if let Some(n) = number.as_i64() {
            if i32::try_from(n).is_ok() { self.ints += 1 } else { self.bigints += 1 }
        } else if number.is_u64() {
            self.huge += 1;
        } else {
            self.doubles += 1;
        }
    }

    /// Takes a text into account whose type shows only in how it is written.
    pub(crate) fn see_text(&mut self, text: &str) {
        self.texts.get_or_insert_default().see(text);
    }

    /// Takes an object built elsewhere into account: its fields in order, each with its values (several are an array).
    pub(crate) fn see_fields(&mut self, fields: Vec<(String, Vec<Shape>)>) {
        self.objects += 1;
        let object = self.object.get_or_insert_default();
        for (name, mut values) in fields {
            let (_, shape, count) = object.field(&name);
            *count += 1;
            match values.len() {
                0 => {}
                1 => shape.unite(values.remove(0)),
                _ => {
                    shape.arrays += 1;
                    let inner = shape.array.get_or_insert_default();
                    values.into_iter().for_each(|value| inner.unite(value));
                }
            }
        }
    }

    fn unite(&mut self, other: Shape) {
        self.nulls += other.nulls;
        self.booleans += other.booleans;
        self.ints += other.ints;
        self.bigints += other.bigints;
        self.huge += other.huge;
        self.doubles += other.doubles;
        self.strings += other.strings;
        if let Some(texts) = other.texts {
            self.texts.get_or_insert_default().unite(&texts);
        }
        self.arrays += other.arrays;
        if let Some(array) = other.array {
            self.array.get_or_insert_default().unite(*array);
        }
        self.objects += other.objects;
        if let Some(object) = other.object {
            let mine = self.object.get_or_insert_default();
            for (name, shape, count) in object.fields {
                let (_, known, known_count) = mine.field(&name);
                *known_count += count;
                known.unite(shape);
            }
        }
    }

    /// The fields of the objects seen here, in the order of their first appearance; none without an object.
    pub(crate) fn fields(&self) -> Vec<(&str, &Shape)> {
        self.object
            .iter()
            .flat_map(|object| object.fields.iter().map(|(name, shape, _)| (name.as_str(), shape)))
            .collect()
    }

    /// The type, or none when nothing but nulls was seen. What has no common type is a string.
    pub(crate) fn hive_type(&self, limits: &Limits) -> Option<HiveType> {
        let numbers = self.ints + self.bigints + self.huge + self.doubles;
        let text_type = self.texts.as_ref().and_then(|texts| texts.hive_type());
        let sorts = [
            self.booleans > 0,
            numbers > 0,
            self.strings > 0,
            text_type.is_some(),
            self.arrays > 0,
            self.objects > 0,
        ];
        match sorts.iter().filter(|seen| **seen).count() {
            0 => return None,
            1 => {}
            // XML repeats an element in one row and not in another: the one is an array of one.
            2 if self.arrays > 0 && self.strings == 0 && (text_type.is_some() || self.objects > 0) => {
                return self.mixed_with_array(text_type, limits);
            }
            _ => return Some(HiveType::String),
        }
        Some(if self.booleans > 0 {
            HiveType::Boolean
        } else if let Some(text_type) = text_type {
            text_type
        } else if self.strings > 0 {
            HiveType::String
        } else if numbers > 0 {
            self.number_type()
        } else if self.arrays > 0 {
            self.array_type(limits)
        } else {
            self.object_type(limits)
        })
    }

    fn mixed_with_array(&self, text_type: Option<HiveType>, limits: &Limits) -> Option<HiveType> {
        let single = match text_type {
            Some(text_type) => text_type,
            // A JSON document with now an object, now an array of them has no type but string.
            None if self.is_from_json() => return Some(HiveType::String),
            None => self.object_type(limits),
        };
        let element = self.array.as_ref().and_then(|inner| inner.hive_type(limits));
        let common = element.map_or(Some(single.clone()), |element| element.common(&single));
        Some(HiveType::array(common.unwrap_or(HiveType::String)))
    }

    /// XML knows only texts; anything else came from JSON.
    fn is_from_json(&self) -> bool {
        let leaf =
            self.booleans + self.ints + self.bigints + self.huge + self.doubles + self.strings + self.nulls
                > 0;
        leaf || self.array.as_ref().is_some_and(|inner| inner.is_from_json())
            || self.fields().iter().any(|(_, field)| field.is_from_json())
    }

    fn number_type(&self) -> HiveType {
        if self.doubles > 0 {
            HiveType::Double
        } else if self.huge > 0 {
            HiveType::Decimal { precision: 20, scale: 0 }
        } else if self.bigints > 0 {
            HiveType::BigInt
        } else {
            HiveType::Int
        }
    }

    fn array_type(&self, limits: &Limits) -> HiveType {
        let element = self.array.as_ref().and_then(|inner| inner.hive_type(limits));
        HiveType::array(element.unwrap_or(HiveType::String))
    }

    fn object_type(&self, limits: &Limits) -> HiveType {
        let Some(object) = &self.object else { return HiveType::String };
        if object.fields.is_empty() {
            // `{}` alone has no struct that a reader would accept.
            return HiveType::map(HiveType::String, HiveType::String);
        }
        let keys = object.fields.len();
        let present: u64 = object.fields.iter().map(|(_, _, count)| *count).sum();
        let rare = present * 2 < self.objects * keys as u64;
        if keys > limits.max_struct_fields && (rare || keys > limits.max_struct_fields * 16) {
            return self.map_type(object, limits);
        }
        let mut fields: Vec<StructField> = Vec::new();
        for (name, shape, _) in &object.fields {
            let hive_type = shape.hive_type(limits).unwrap_or(HiveType::String);
            // Struct fields compare without regard to case: `Id` beside `id` is one field.
            match fields.iter_mut().find(|known| known.name.eq_ignore_ascii_case(name)) {
                Some(known) => {
                    known.hive_type = known.hive_type.common(&hive_type).unwrap_or(HiveType::String);
                }
                None => fields.push(StructField::new(name, hive_type)),
            }
        }
        HiveType::Struct(fields)
    }

    fn map_type(&self, object: &Object, limits: &Limits) -> HiveType {
        let mut value: Option<HiveType> = None;
        for (_, shape, _) in &object.fields {
            let Some(one) = shape.hive_type(limits) else { continue };
            value = Some(match value {
                None => one,
                Some(known) => known.common(&one).unwrap_or(HiveType::String),
            });
        }
        HiveType::map(HiveType::String, value.unwrap_or(HiveType::String))
    }
}
