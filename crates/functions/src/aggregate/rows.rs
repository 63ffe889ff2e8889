//! Values of any type as bytes that compare and hash like them: what is kept of a value that is not a plain number.

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, Float32Array, Float64Array};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use arrow::row::{RowConverter, RowParser, Rows, SortField};
use model::{Error, Result};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// The bytes of one value.
pub(crate) type Bytes = Box<[u8]>;

/// Turns the values of one type into bytes and back.
pub(crate) struct Keys {
    converter: RowConverter,
    parser: RowParser,
    data_type: DataType,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.data_type)
    }
}

/// Where not-a-number stands among numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nan {
    /// Below all, so that it is never the greatest.
    First,
    /// Above all.
    Last,
}

impl Keys {
    /// For values of this type.
    pub(crate) fn new(data_type: DataType) -> Result<Self> {
        let converter =
            RowConverter::new(vec![SortField::new(data_type.clone())]).map_err(crate::cast::arrow_error)?;
        Ok(Self { parser: converter.parser(), converter, data_type })
    }

    /// The bytes of each value; they compare as the values do.
    pub(crate) fn rows(&self, values: &ArrayRef, nan: Nan) -> Result<Rows> {
        if !values.data_type().equals_datatype(&self.data_type) {
            let (found, wanted) = (values.data_type(), &self.data_type);
            return Err(Error::internal(format!("an aggregate was given {found}, not {wanted}")));
        }
        let values = one_zero(values, nan);
        self.converter.convert_columns(&[values]).map_err(crate::cast::arrow_error)
    }

    /// The values of these bytes.
    pub(crate) fn values<'a>(&self, rows: impl IntoIterator<Item = &'a [u8]>) -> Result<ArrayRef> {
        let rows = rows.into_iter().map(|bytes| self.parser.parse(bytes));
        let mut columns = self.converter.convert_rows(rows).map_err(crate::cast::arrow_error)?;
        columns.pop().ok_or_else(|| Error::internal("no column came out of the rows"))
    }

    /// The values of these bytes, with NULL where there are none.
    pub(crate) fn options<'a>(&self, rows: impl Iterator<Item = Option<&'a [u8]>>) -> Result<ArrayRef> {
        let null = self.rows(&arrow::array::new_null_array(&self.data_type, 1), Nan::Last)?;
        let null = null.row(0).data().to_vec();
        let rows: Vec<&[u8]> = rows.map(|r| r.unwrap_or(&null)).collect();
        self.values(rows)
    }
}

/// The numbers with one zero and one not-a-number, so that equal values have equal bytes.
fn one_zero(values: &ArrayRef, nan: Nan) -> ArrayRef {
    match values.data_type() {
        DataType::Float64 => {
            let odd = if nan == Nan::First { -f64::NAN.abs() } else { f64::NAN.abs() };
            let fix = |v: f64| if v.is_nan() { odd } else { v + 0.0 };
            Arc::new(values.as_primitive::<Float64Type>().unary::<_, Float64Type>(fix)) as ArrayRef
        }
        DataType::Float32 => {
            let odd = if nan == Nan::First { -f32::NAN.abs() } else { f32::NAN.abs() };
            let fix = |v: f32| if v.is_nan() { odd } else { v + 0.0 };
            Arc::new(values.as_primitive::<Float32Type>().unary::<_, Float32Type>(fix)) as ArrayRef
        }
        _ => values.clone(),
    }
}

/// Not-a-number as the one that is not negative, however it was kept while values were compared.
pub(crate) fn plain_nan(values: ArrayRef) -> ArrayRef {
    match values.data_type() {
        DataType::Float64 => {
            let fix = |v: f64| if v.is_nan() { f64::NAN } else { v };
            let fixed: Float64Array = values.as_primitive::<Float64Type>().unary(fix);
            Arc::new(fixed)
        }
        DataType::Float32 => {
            let fix = |v: f32| if v.is_nan() { f32::NAN } else { v };
            let fixed: Float32Array = values.as_primitive::<Float32Type>().unary(fix);
            Arc::new(fixed)
        }
        _ => values,
    }
}

/// A column of bytes, some of them missing: how kept values travel as state.
pub(crate) fn binary<'a>(rows: impl Iterator<Item = Option<&'a [u8]>>) -> ArrayRef {
    let mut builder = BinaryBuilder::new();
    for row in rows {
        builder.append_option(row);
    }
    Arc::new(builder.finish())
}

/// The bytes at a place of a state column.
pub(crate) fn bytes_at(column: &BinaryArray, row: usize) -> Option<&[u8]> {
    column.is_valid(row).then(|| column.value(row))
}

/// Different values in the order in which they came, each with something beside it.
#[derive(Debug)]
pub(crate) struct Distinct<V> {
    places: HashMap<Arc<[u8]>, usize>,
    entries: Vec<(Arc<[u8]>, V)>,
    bytes: usize,
}

impl<V> Default for Distinct<V> {
    fn default() -> Self {
        Self { places: HashMap::new(), entries: Vec::new(), bytes: 0 }
    }
}

impl<V> Distinct<V> {
    /// What stands beside this value, put there first if the value is new; and how many bytes that took.
    pub(crate) fn entry(&mut self, key: &[u8], new: impl FnOnce() -> V) -> (&mut V, usize) {
        if let Some(&place) = self.places.get(key) {
            return (&mut self.entries[place].1, 0);
        }
        let shared: Arc<[u8]> = Arc::from(key);
        self.places.insert(shared.clone(), self.entries.len());
        self.entries.push((shared, new()));
        let grown = key.len() + 16 + 2 * size_of::<(Arc<[u8]>, usize)>() + size_of::<V>();
        self.bytes += grown;
        let last = self.entries.len() - 1;
        (&mut self.entries[last].1, grown)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The bytes they take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The values, in order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.entries.iter().map(|(k, _)| k.as_ref())
    }

    /// The values and what stands beside them, in order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&[u8], &V)> {
        self.entries.iter().map(|(k, v)| (k.as_ref(), v))
    }
}
