//! Maps: making them, reading them, joining them.

use super::compare::equality;
use super::elements::{ListWriter, Lists, fit, take_or_null};
use super::keys::Keys;
use crate::registry::Family;
use crate::{Call, Scalar};
use arrow::array::{Array, ArrayRef, AsArray, ListArray, StructArray};
use arrow::datatypes::DataType;
use model::{Error, Result};
use sql::SqlType;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// From how many entries on a constant map is looked up by hash.
const HASHED: usize = 16;

/// What this file offers.
pub(crate) const FAMILY: Family = Family {
    title: "Map functions",
    scalars: &[
        Scalar::new("$subscript", &["(map(K:comparable,V), K) -> V"], subscript, "The value of a key."),
        Scalar::new(
            "element_at",
            &["(map(K:comparable,V), K) -> V"],
            element_at,
            "Returns the value of a key; NULL if there is none.",
        ),
        Scalar::new("map", &["() -> map(unknown, unknown)"], empty, "Returns an empty map."),
        Scalar::new(
            "map",
            &["(array(K:comparable), array(V)) -> map(K,V)"],
            map,
            "Makes a map of an array of keys and an array of values.",
        ),
        Scalar::new(
            "map_from_entries",
            &["(array(row(K:comparable,V))) -> map(K,V)"],
            map_from_entries,
            "Makes a map of rows of a key and a value.",
        ),
        Scalar::new(
            "multimap_from_entries",
            &["(array(row(K:comparable,V))) -> map(K,array(V))"],
            multimap_from_entries,
            "Makes a map of rows of a key and a value, gathering the values of each key.",
        ),
        Scalar::new(
            "map_entries",
            &["(map(K,V)) -> array(row(K,V))"],
            map_entries,
            "Returns the entries as rows.",
        ),
        Scalar::new("map_keys", &["(map(K,V)) -> array(K)"], |c| column_of(c, 0), "Returns the keys."),
        Scalar::new("map_values", &["(map(K,V)) -> array(V)"], |c| column_of(c, 1), "Returns the values."),
        Scalar::new(
            "map_concat",
            &["(map(K:comparable,V), map(K,V)...) -> map(K,V)"],
            map_concat,
            "Joins maps; the last map that has a key gives its value.",
        ),
    ],
    aggregates: &[],
};

fn key_type<'a>(call: &'a Call<'_>) -> &'a SqlType {
    match call.arg_types.first() {
        Some(SqlType::Map(key, _)) => key,
        _ => &SqlType::Unknown,
    }
}

/// Looks up a key per row; `missing` says what happens if the map does not have it.
fn look_up(call: &Call<'_>, missing: impl Fn(&ArrayRef, usize) -> Result<()>) -> Result<ArrayRef> {
    let (maps, (needle, one)) = (Lists::of(call, 0)?, call.arg(1)?);
    let (keys, values) = (maps.keys()?, maps.map_values()?);
    let valid = call.valid();
    let hashed = if maps.constant && maps.len(0).is_some_and(|n| n > HASHED) {
        Some((Keys::new(&keys, key_type(call))?, Keys::new(needle, key_type(call))?))
    } else {
        None
    };
    let index: Option<HashMap<&[u8], usize>> = hashed
        .as_ref()
        .map(|(of_map, _)| maps.range(0).unwrap_or_default().map(|at| (of_map.get(at), at)).collect());
    let keys = fit(&keys, needle.data_type())?;
    let equal = equality(&keys, needle, key_type(call))?;
    let mut picks = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        if valid.as_ref().is_some_and(|v| v.is_null(row)) {
            picks.push(None);
            continue;
        }
        let at = if one { 0 } else { row };
        let found = match (&index, &hashed) {
            (Some(index), Some((_, of_needle))) => index.get(of_needle.get(at)).copied(),
            _ => maps.range(row).unwrap_or_default().find(|place| equal(*place, at) == Some(true)),
        };
        if found.is_none() {
            missing(needle, at)?;
        }
        picks.push(found);
    }
    take_or_null(&values, picks.into_iter(), &call.return_type.to_arrow())
}

fn subscript(call: &Call<'_>) -> Result<ArrayRef> {
    look_up(call, |needle, at| {
        let key = shown(needle, at);
        Err(Error::invalid(format!("key not present in map: {key}"))
            .hint("element_at(map, key) returns NULL for a key that is not there"))
    })
}

fn element_at(call: &Call<'_>) -> Result<ArrayRef> {
    look_up(call, |_, _| Ok(()))
}

/// A key as an error shows it, shortened.
pub(crate) fn shown(keys: &ArrayRef, at: usize) -> String {
    let text = arrow::util::display::array_value_to_string(keys, at).unwrap_or_default();
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// The error for a map in which a key would stand twice.
pub(crate) fn duplicate(keys: &ArrayRef, at: usize) -> Error {
    Error::invalid(format!("duplicate map keys ({}) are not allowed", shown(keys, at)))
}

/// The error for a map in which a key would be NULL.
pub(crate) fn null_key() -> Error {
    Error::invalid("a map key cannot be NULL")
}

fn empty(call: &Call<'_>) -> Result<ArrayRef> {
    let mut writer = ListWriter::new(call.rows);
    for _ in 0..call.rows {
        writer.close()?;
    }
    writer.finish_map(&[], &[], &call.return_type.to_arrow())
}

fn map(call: &Call<'_>) -> Result<ArrayRef> {
    let (keys, values) = (Lists::of(call, 0)?, Lists::of(call, 1)?);
    let sql_type = super::array::element_type(call, 0);
    let bytes = Keys::new(&keys.values, sql_type)?;
    let nulls = keys.values.logical_nulls();
    let (mut key_writer, mut value_writer) = (ListWriter::new(call.rows), ListWriter::new(0));
    let mut seen = HashSet::new();
    for row in 0..call.rows {
        let (Some(of_keys), Some(of_values)) = (keys.range(row), values.range(row)) else {
            key_writer.close_null()?;
            continue;
        };
        if of_keys.len() != of_values.len() {
            return Err(Error::invalid(format!(
                "key and value arrays of a map must be the same length, found {} and {}",
                of_keys.len(),
                of_values.len()
            )));
        }
        seen.clear();
        for at in of_keys.clone() {
            if nulls.as_ref().is_some_and(|n| n.is_null(at)) {
                return Err(null_key());
            }
            if !seen.insert(bytes.get(at)) {
                return Err(duplicate(&keys.values, at));
            }
        }
        key_writer.extend(0, of_keys);
        value_writer.extend(0, of_values);
        key_writer.close()?;
    }
    let data_type = call.return_type.to_arrow();
    let (_, value_type) = super::elements::entry_types(&data_type)?;
    let values = value_writer.gather(&[values.values], value_type)?;
    key_writer.finish_map_with(std::slice::from_ref(&keys.values), values, &data_type)
}

/// The entries given as an array of rows, with their keys as bytes.
struct Entries {
    lists: Lists,
    keys: ArrayRef,
    values: ArrayRef,
    bytes: Keys,
}

impl Entries {
    fn of(call: &Call<'_>) -> Result<Entries> {
        let lists = Lists::of(call, 0)?;
        let unknown = || arrow::array::new_null_array(&DataType::Null, lists.values.len());
        let (keys, values) = match lists.values.as_struct_opt().map(StructArray::columns) {
            Some([keys, values]) => (keys.clone(), values.clone()),
            _ => (unknown(), unknown()),
        };
        let key_type = match call.return_type {
            SqlType::Map(key, _) => key.as_ref(),
            _ => &SqlType::Unknown,
        };
        let bytes = Keys::new(&keys, key_type)?;
        Ok(Entries { lists, keys, values, bytes })
    }

    /// The key's bytes, if neither it nor its entry is NULL.
    fn key(&self, at: usize) -> Result<&[u8]> {
        if self.lists.values.is_null(at) {
            return Err(Error::invalid("a map entry cannot be NULL"));
        }
        if self.keys.is_null(at) || self.keys.data_type() == &DataType::Null {
            return Err(null_key());
        }
        Ok(self.bytes.get(at))
    }
}

fn map_from_entries(call: &Call<'_>) -> Result<ArrayRef> {
    let entries = Entries::of(call)?;
    let mut writer = ListWriter::new(call.rows);
    let mut seen = HashSet::new();
    for row in 0..call.rows {
        let Some(range) = entries.lists.range(row) else {
            writer.close_null()?;
            continue;
        };
        seen.clear();
        for at in range {
            if !seen.insert(entries.key(at)?) {
                return Err(duplicate(&entries.keys, at));
            }
            writer.push(0, at);
        }
        writer.close()?;
    }
    writer.finish_map(
        std::slice::from_ref(&entries.keys),
        std::slice::from_ref(&entries.values),
        &call.return_type.to_arrow(),
    )
}

fn multimap_from_entries(call: &Call<'_>) -> Result<ArrayRef> {
    let entries = Entries::of(call)?;
    let (mut keys, mut values) = (ListWriter::new(call.rows), ListWriter::new(call.rows));
    for row in 0..call.rows {
        let Some(range) = entries.lists.range(row) else {
            keys.close_null()?;
            continue;
        };
        let mut places: HashMap<&[u8], usize> = HashMap::new();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for at in range {
            let group = *places.entry(entries.key(at)?).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(group) {
                group.push(at);
            }
        }
        for group in groups {
            keys.extend(0, group.first().map_or(0..0, |at| *at..at + 1));
            group.into_iter().for_each(|at| values.push(0, at));
            values.close()?;
        }
        keys.close()?;
    }
    let data_type = call.return_type.to_arrow();
    let (_, value_type) = super::elements::entry_types(&data_type)?;
    let values = values.finish(std::slice::from_ref(&entries.values), value_type)?;
    keys.finish_map_with(std::slice::from_ref(&entries.keys), values, &data_type)
}

fn map_entries(call: &Call<'_>) -> Result<ArrayRef> {
    fit_list(call, |entries| entries)
}

fn column_of(call: &Call<'_>, column: usize) -> Result<ArrayRef> {
    fit_list(call, |entries| {
        entries.as_struct_opt().and_then(|s| s.columns().get(column)).cloned().unwrap_or(entries)
    })
}

/// The maps as lists of what is made of their entries: nothing is copied.
fn fit_list(call: &Call<'_>, part: impl Fn(ArrayRef) -> ArrayRef) -> Result<ArrayRef> {
    let array = call.column(0)?;
    let data_type = call.return_type.to_arrow();
    let (Some(map), DataType::List(field)) = (array.as_map_opt(), &data_type) else {
        return Ok(call.nulls());
    };
    let values = fit(&part(Arc::new(map.entries().clone())), field.data_type())?;
    let list = ListArray::try_new(field.clone(), map.offsets().clone(), values, map.nulls().cloned());
    Ok(Arc::new(list.map_err(crate::cast::arrow_error)?))
}

fn map_concat(call: &Call<'_>) -> Result<ArrayRef> {
    if call.args.len() < 2 {
        return Err(Error::invalid("map_concat needs at least two maps"));
    }
    let maps = (0..call.args.len()).map(|i| Lists::of(call, i)).collect::<Result<Vec<_>>>()?;
    let keys = maps.iter().map(Lists::keys).collect::<Result<Vec<_>>>()?;
    let values = maps.iter().map(Lists::map_values).collect::<Result<Vec<_>>>()?;
    let bytes = keys.iter().map(|k| Keys::new(k, key_type(call))).collect::<Result<Vec<_>>>()?;
    let mut writer = ListWriter::new(call.rows);
    let mut seen = HashSet::new();
    for row in 0..call.rows {
        let Some(ranges) = maps.iter().map(|m| m.range(row)).collect::<Option<Vec<_>>>() else {
            writer.close_null()?;
            continue;
        };
        seen.clear();
        // From the last map to the first: as in Trino, the last one's entries come first.
        for (source, range) in ranges.into_iter().enumerate().rev() {
            for at in range {
                if bytes.get(source).is_some_and(|b| seen.insert(b.get(at))) {
                    writer.push(source, at);
                }
            }
        }
        writer.close()?;
    }
    writer.finish_map(&keys, &values, &call.return_type.to_arrow())
}
