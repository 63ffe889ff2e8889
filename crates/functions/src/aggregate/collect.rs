//! Values gathered as they come: `array_agg`, `arbitrary`, `listagg`.

use super::fold::{Fold, Groups};
use super::rows::{Bytes, Keys, Nan, binary, bytes_at};
use super::tools::{list_of, lists, primitive, typed};
use super::{AggregateCall, aggregate};
use crate::Family;
use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, ListArray, StringViewArray, StringViewBuilder, UInt64Array,
};
use arrow::compute::{interleave, take};
use arrow::datatypes::{DataType, UInt64Type};
use model::{Error, Result};
use sql::SqlType;
use std::sync::Arc;

/// The table.
pub(crate) const FAMILY: Family = Family {
    title: "Gathering",
    scalars: &[],
    aggregates: &[
        aggregate!(
            "array_agg",
            &["(T) -> array(T)"],
            "An array of all values, NULLs too.",
            |types, _| vec![list_of(types.first().map_or(DataType::Null, SqlType::to_arrow))],
            |call: &AggregateCall<'_>| Ok(Collect {
                element: call.arg_types.first().map_or(DataType::Null, SqlType::to_arrow),
                batches: Vec::new(),
                bytes: 0,
            })
        ),
        aggregate!("arbitrary", &["(T) -> T"], ANY, |_, _| vec![DataType::Binary], any),
        aggregate!("any_value", &["(T) -> T"], ANY, |_, _| vec![DataType::Binary], any),
        aggregate!(
            "listagg",
            &[
                "(varchar) -> varchar",
                "(varchar, varchar) -> varchar",
                "(varchar, varchar, boolean, varchar, boolean) -> varchar",
            ],
            "The texts joined by a separator. The further arguments stand for ON OVERFLOW: whether it is an error, the \
             filler and whether the number of those left out is shown.",
            |_, _| vec![
                list_of(DataType::Utf8View),
                DataType::Utf8View,
                DataType::Boolean,
                DataType::Utf8View,
                DataType::Boolean,
                DataType::UInt64,
            ],
            |_: &AggregateCall<'_>| Ok(ListAgg)
        ),
    ],
};

const ANY: &str = "Some value that is not NULL.";

/// Keeps the batches and which of their rows belong to each group.
#[derive(Debug)]
struct Collect {
    element: DataType,
    batches: Vec<ArrayRef>,
    bytes: usize,
}

impl Collect {
    /// Keeps a batch; its number.
    fn hold(&mut self, batch: ArrayRef) -> usize {
        self.bytes += batch.get_array_memory_size();
        self.batches.push(batch);
        self.batches.len() - 1
    }
}

impl Fold for Collect {
    type Group = Vec<(u32, u32)>;

    fn update(&mut self, args: &[ArrayRef], groups: &mut Groups<'_, Self::Group>) -> Result<()> {
        let Some(values) = args.first() else { return Ok(()) };
        let batch = number(self.hold(values.clone()))?;
        for row in groups.rows().iter() {
            groups.of(row).push((batch, number(row)?));
            groups.grew(size_of::<(u32, u32)>());
        }
        Ok(())
    }

    fn state(&mut self, groups: &[Self::Group]) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.finish(groups)?])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &mut Groups<'_, Self::Group>) -> Result<()> {
        let states: &ListArray = typed(states, 0)?;
        let batch = number(self.hold(states.values().clone()))?;
        let offsets = states.value_offsets();
        for row in groups.rows().iter().filter(|r| states.is_valid(*r)) {
            for value in offsets[row]..offsets[row + 1] {
                let value = u32::try_from(value).map_err(|e| Error::internal(e.to_string()))?;
                groups.of(row).push((batch, value));
                groups.grew(size_of::<(u32, u32)>());
            }
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[Self::Group]) -> Result<ArrayRef> {
        let lengths = groups.iter().map(|g| (!g.is_empty()).then_some(g.len()));
        let places: Vec<(usize, usize)> =
            groups.iter().flatten().map(|(batch, row)| (*batch as usize, *row as usize)).collect();
        let values = if places.is_empty() {
            arrow::array::new_empty_array(&self.element)
        } else {
            let batches: Vec<&dyn Array> = self.batches.iter().map(AsRef::as_ref).collect();
            interleave(&batches, &places).map_err(crate::cast::arrow_error)?
        };
        if i32::try_from(values.len()).is_err() {
            return Err(Error::invalid("array_agg has gathered more than 2147483647 values"));
        }
        lists(lengths, values)
    }

    fn heap(&self, group: &Self::Group) -> usize {
        group.len() * size_of::<(u32, u32)>()
    }

    fn shared(&self) -> usize {
        self.bytes
    }
}

fn number(place: usize) -> Result<u32> {
    u32::try_from(place).map_err(|_| Error::invalid("array_agg has too many rows in one place"))
}

/// Keeps the first value that is not NULL.
#[derive(Debug)]
struct Any {
    keys: Keys,
}

fn any(call: &AggregateCall<'_>) -> Result<Any> {
    Ok(Any { keys: Keys::new(call.return_type.to_arrow())? })
}

impl Fold for Any {
    type Group = Option<Bytes>;

    fn update(&mut self, args: &[ArrayRef], groups: &mut Groups<'_, Option<Bytes>>) -> Result<()> {
        let Some(values) = args.first() else { return Ok(()) };
        let nulls = values.logical_nulls();
        let wanted: Vec<usize> = groups
            .rows()
            .iter()
            .filter(|row| nulls.as_ref().is_none_or(|n| n.is_valid(*row)) && groups.of(*row).is_none())
            .collect();
        // Most batches bring nothing for groups that have their value; one group needs only its first row.
        let places: UInt64Array = wanted.iter().map(|row| *row as u64).collect();
        let few = take(values, &places, None).map_err(crate::cast::arrow_error)?;
        let rows = self.keys.rows(&few, Nan::Last)?;
        for (row, kept) in wanted.into_iter().zip(&rows) {
            let group = groups.of(row);
            if group.is_none() {
                *group = Some(kept.data().into());
                groups.grew(kept.data().len());
            }
        }
        Ok(())
    }

    fn state(&mut self, groups: &[Option<Bytes>]) -> Result<Vec<ArrayRef>> {
        Ok(vec![binary(groups.iter().map(|g| g.as_deref()))])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &mut Groups<'_, Option<Bytes>>) -> Result<()> {
        let values: &BinaryArray = typed(states, 0)?;
        for row in groups.rows().iter() {
            if let (Some(bytes), None) = (bytes_at(values, row), groups.of(row).as_ref()) {
                *groups.of(row) = Some(bytes.into());
                groups.grew(bytes.len());
            }
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[Option<Bytes>]) -> Result<ArrayRef> {
        self.keys.options(groups.iter().map(|g| g.as_deref()))
    }

    fn heap(&self, group: &Option<Bytes>) -> usize {
        group.as_ref().map_or(0, |b| b.len())
    }
}

/// The longest text that `listagg` makes, in bytes, as in Trino.
const LONGEST: usize = 1_048_576;

/// The texts of a group and what to do with them.
#[derive(Debug, Default)]
struct Texts {
    texts: Vec<Box<str>>,
    bytes: usize,
    /// Texts not kept because those before them fill the answer already.
    left_out: u64,
    settings: Option<Settings>,
}

#[derive(Debug, Clone, PartialEq)]
struct Settings {
    separator: String,
    error: bool,
    filler: String,
    with_count: bool,
}

#[derive(Debug)]
struct ListAgg;

impl Settings {
    fn read(columns: &[ArrayRef], from: usize, row: usize) -> Result<Self> {
        let text = |index: usize, default: &str| -> Result<String> {
            if columns.len() <= index {
                return Ok(default.to_owned());
            }
            let texts: &StringViewArray = typed(columns, index)?;
            Ok(if texts.is_valid(row) { texts.value(row).to_owned() } else { default.to_owned() })
        };
        let truth = |index: usize, default: bool| -> Result<bool> {
            if columns.len() <= index {
                return Ok(default);
            }
            let truths: &BooleanArray = typed(columns, index)?;
            Ok(if truths.is_valid(row) { truths.value(row) } else { default })
        };
        Ok(Settings {
            separator: text(from, "")?,
            error: truth(from + 1, true)?,
            filler: text(from + 2, "...")?,
            with_count: truth(from + 3, true)?,
        })
    }
}

impl Texts {
    fn push(&mut self, text: &str) -> Result<usize> {
        let Some(settings) = &self.settings else { return Ok(0) };
        let separator = if self.texts.is_empty() { 0 } else { settings.separator.len() };
        if self.left_out > 0 || self.bytes + separator + text.len() > LONGEST {
            if settings.error {
                return Err(Error::invalid(format!("the text of listagg is longer than {LONGEST} bytes"))
                    .hint("write LISTAGG(… ON OVERFLOW TRUNCATE) to shorten it"));
            }
            self.left_out += 1;
            return Ok(0);
        }
        self.bytes += separator + text.len();
        self.texts.push(text.into());
        Ok(text.len() + size_of::<Box<str>>())
    }

    fn joined(&self) -> Option<String> {
        let settings = self.settings.as_ref()?;
        if self.texts.is_empty() && self.left_out == 0 {
            return None;
        }
        let mut text = self.texts.join(&settings.separator);
        if self.left_out > 0 {
            if !self.texts.is_empty() {
                text.push_str(&settings.separator);
            }
            text.push_str(&settings.filler);
            if settings.with_count {
                text.push_str(&format!("({})", self.left_out));
            }
        }
        Some(text)
    }
}

impl Fold for ListAgg {
    type Group = Texts;

    fn update(&mut self, args: &[ArrayRef], groups: &mut Groups<'_, Texts>) -> Result<()> {
        let texts: &StringViewArray = typed(args, 0)?;
        for row in groups.rows().iter().filter(|r| texts.is_valid(*r)) {
            let group = groups.of(row);
            if group.settings.is_none() {
                group.settings = Some(Settings::read(args, 1, row)?);
            }
            let grown = group.push(texts.value(row))?;
            groups.grew(grown);
        }
        Ok(())
    }

    fn state(&mut self, groups: &[Texts]) -> Result<Vec<ArrayRef>> {
        let settings = || groups.iter().map(|g| g.settings.as_ref());
        let mut texts = StringViewBuilder::new();
        groups.iter().flat_map(|g| &g.texts).for_each(|t| texts.append_value(t));
        let strings = |values: Vec<Option<&str>>| Arc::new(StringViewArray::from(values)) as ArrayRef;
        let truths = |values: Vec<Option<bool>>| Arc::new(BooleanArray::from(values)) as ArrayRef;
        Ok(vec![
            lists(groups.iter().map(|g| Some(g.texts.len())), Arc::new(texts.finish()))?,
            strings(settings().map(|s| s.map(|s| s.separator.as_str())).collect()),
            truths(settings().map(|s| s.map(|s| s.error)).collect()),
            strings(settings().map(|s| s.map(|s| s.filler.as_str())).collect()),
            truths(settings().map(|s| s.map(|s| s.with_count)).collect()),
            primitive::<UInt64Type>(groups.iter().map(|g| Some(g.left_out)), &DataType::UInt64),
        ])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &mut Groups<'_, Texts>) -> Result<()> {
        let (texts, left_out) = (typed::<ListArray>(states, 0)?, typed::<UInt64Array>(states, 5)?);
        let separators: &StringViewArray = typed(states, 1)?;
        for row in groups.rows().iter().filter(|r| separators.is_valid(*r)) {
            let group = groups.of(row);
            if group.settings.is_none() {
                group.settings = Some(Settings::read(states, 1, row)?);
            }
            let columns = [texts.value(row)];
            let mut grown = 0;
            for text in typed::<StringViewArray>(&columns, 0)?.iter().flatten() {
                grown += group.push(text)?;
            }
            group.left_out += left_out.value(row);
            groups.grew(grown);
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[Texts]) -> Result<ArrayRef> {
        Ok(Arc::new(groups.iter().map(Texts::joined).collect::<StringViewArray>()))
    }

    fn heap(&self, group: &Texts) -> usize {
        group.texts.iter().map(|t| t.len() + size_of::<Box<str>>()).sum()
    }
}
