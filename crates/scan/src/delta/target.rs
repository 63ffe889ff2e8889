//! Where the new rows of a Delta table go, and as what: its columns as queries, as files and as the log know them. The
//! files are written by the sink like those of any table; this says how.

use super::log::{LogColumn, Snapshot, three_digits};
use super::shape;
use crate::columns::ColumnKind;
use crate::sink::{self, SinkSpec, Written};
use arrow::datatypes::DataType;
use datafusion::execution::SendableRecordBatchStream;
use formats::{WriteFormat, WriteSpec};
use lake::Commit;
use model::{Error, LakeUri, Place, Result};
use sql::{RowField, SqlType};
use tokio_util::sync::CancellationToken;

/// Spark, Trino and we close a file of a Delta table at about this size.
const FILE_BYTES: u64 = 512 << 20;

/// A column of a Delta table that is written.
#[derive(Debug, Clone, PartialEq)]
pub struct DeltaColumn {
    /// Its name in lower case, as queries know it.
    pub name: String,
    /// The type that queries see.
    pub shown: SqlType,
    /// The type with which its files are read to be changed: nothing of a value is lost.
    pub stored: SqlType,
    /// Whether files are told apart by it.
    pub is_key: bool,
    /// Whether a value may be missing.
    pub nullable: bool,
    /// Its name as the log spells it.
    pub(super) spelled: String,
    /// The type of its files, with fields as the log spells them.
    pub(super) written: SqlType,
}

/// What a statement writes with.
pub struct Writing<'a> {
    /// What takes the files until they are published.
    pub commit: &'a Commit,
    /// The beginning of the files' names; no other commit to the table may use it.
    pub prefix: &'a str,
    /// Hears the rows and bytes that were written so far.
    pub progress: &'a (dyn Fn(u64, u64) + Sync),
    /// Ends the writing early.
    pub cancel: &'a CancellationToken,
    /// About how many bytes of rows may be held.
    pub memory_limit: usize,
    /// The codec of the files; snappy, which every reader of Delta tables can unpack, if nothing is said.
    pub compression: Option<&'a str>,
    /// A file is closed at about this size, if it is said.
    pub max_file_bytes: Option<u64>,
}

/// A table's folder with its columns.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) at: LakeUri,
    pub(super) columns: Vec<DeltaColumn>,
    /// Which columns tell files apart, in the log's order.
    pub(super) keys: Vec<usize>,
}

impl Target {
    /// The columns of a version: those of the partitions stand last, as queries see them.
    pub(super) fn of(snapshot: &Snapshot, at: &LakeUri) -> Result<Self> {
        let mut columns = Vec::with_capacity(snapshot.columns.len());
        for kind in [ColumnKind::Data, ColumnKind::Partition] {
            for column in snapshot.columns.iter().filter(|column| column.kind == kind) {
                columns.push(writable(column).map_err(|e| e.at(Place::object(at)))?);
            }
        }
        let place = |key: &String| columns.iter().position(|column: &DeltaColumn| column.spelled == *key);
        let keys = snapshot.partition_columns.iter().filter_map(place).collect();
        Ok(Self { at: at.as_folder(), columns, keys })
    }

    fn spec(&self, writing: &Writing<'_>) -> SinkSpec {
        let columns = self.columns.iter().map(|c| (c.spelled.clone(), c.written.clone())).collect();
        let mut write = WriteSpec::new(WriteFormat::Parquet);
        write.compression = Some(writing.compression.unwrap_or("snappy").to_owned());
        let mut spec = SinkSpec::new(self.at.clone(), write, columns, writing.prefix.to_owned());
        spec.partition_by.clone_from(&self.keys);
        spec.max_file_bytes = Some(writing.max_file_bytes.unwrap_or(FILE_BYTES));
        spec.memory_limit = spec.memory_limit.min(writing.memory_limit);
        spec
    }

    /// Writes rows whose columns are those of the table, in order, into files of the commit.
    pub(super) async fn write(
        &self,
        streams: Vec<SendableRecordBatchStream>,
        writing: &Writing<'_>,
    ) -> Result<Written> {
        let shaped = streams.into_iter().map(|stream| shape::shaped(stream, &self.columns)).collect();
        let spec = self.spec(writing);
        sink::write(shaped, &spec, writing.commit, writing.progress, writing.cancel).await
    }
}

fn writable(column: &LogColumn) -> Result<DeltaColumn> {
    if requires_inside(&column.data_type) {
        return Err(Error::unsupported(format!(
            "the column `{}` of the Delta table has values inside that must not be missing",
            column.name
        ))
        .why("only whole columns are checked for missing values when rows are written"));
    }
    let written = spelled(&column.data_type)
        .ok_or_else(|| Error::unsupported(format!("the column `{}` has no SQL type", column.name)))?;
    let is_key = column.kind == ColumnKind::Partition;
    Ok(DeltaColumn {
        name: column.name.to_lowercase(),
        shown: column.shown(),
        stored: if is_key { as_key(column.stored.clone()) } else { column.stored.clone() },
        is_key,
        nullable: column.nullable,
        spelled: column.name.clone(),
        written: if is_key { as_key(written) } else { written },
    })
}

/// Moments stand in the log and in the names of folders as UTC without saying so.
fn as_key(sql_type: SqlType) -> SqlType {
    match sql_type {
        SqlType::TimestampTz(digits, _) => SqlType::Timestamp(digits),
        other => other,
    }
}

impl DeltaColumn {
    /// A column of a new table.
    pub(super) fn new(name: &str, sql_type: &SqlType, nullable: bool, is_key: bool) -> Result<Self> {
        let stored = storable(sql_type).ok_or_else(|| {
            Error::unsupported(format!("Delta tables have no columns of type {sql_type}, as `{name}` is"))
                .hint(format!("cast it, for example to text: CAST({name} AS varchar)"))
        })?;
        let kept = if is_key { as_key(stored.clone()) } else { stored.clone() };
        Ok(Self {
            name: name.to_lowercase(),
            shown: three_digits(stored),
            stored: kept.clone(),
            written: kept,
            is_key,
            nullable,
            spelled: name.to_lowercase(),
        })
    }
}

/// Whether something inside of the value (not the value itself) must not be missing. Keys of maps never are.
fn requires_inside(data_type: &DataType) -> bool {
    match data_type {
        DataType::Struct(fields) => {
            fields.iter().any(|field| !field.is_nullable() || requires_inside(field.data_type()))
        }
        DataType::List(field) | DataType::LargeList(field) => {
            !field.is_nullable() || requires_inside(field.data_type())
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) => pair
                .iter()
                .enumerate()
                .any(|(at, field)| (at == 1 && !field.is_nullable()) || requires_inside(field.data_type())),
            _ => false,
        },
        _ => false,
    }
}

/// The SQL type with the names of fields as they are written there.
fn spelled(data_type: &DataType) -> Option<SqlType> {
    Some(match data_type {
        DataType::List(field) | DataType::LargeList(field) => SqlType::array(spelled(field.data_type())?),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) if pair.len() == 2 => {
                SqlType::map(spelled(pair[0].data_type())?, spelled(pair[1].data_type())?)
            }
            _ => return None,
        },
        DataType::Struct(fields) => {
            let field = |f: &arrow::datatypes::FieldRef| {
                Some(RowField::named(f.name().clone(), spelled(f.data_type())?))
            };
            SqlType::Row(fields.iter().map(field).collect::<Option<_>>()?)
        }
        other => SqlType::from_arrow(other)?,
    })
}

/// The type in which a Delta table keeps such values; none if it cannot. Its timestamps are moments of six digits.
fn storable(sql_type: &SqlType) -> Option<SqlType> {
    Some(match sql_type {
        SqlType::Boolean
        | SqlType::TinyInt
        | SqlType::SmallInt
        | SqlType::Integer
        | SqlType::BigInt
        | SqlType::Real
        | SqlType::Double
        | SqlType::Decimal(..)
        | SqlType::Varbinary
        | SqlType::Date => sql_type.clone(),
        SqlType::Varchar(_) | SqlType::Char(_) => SqlType::VARCHAR,
        SqlType::Timestamp(_) | SqlType::TimestampTz(..) => SqlType::timestamp_utc(6),
        SqlType::Array(element) => SqlType::array(storable(element)?),
        SqlType::Map(key, value) => SqlType::map(storable(key)?, storable(value)?),
        SqlType::Row(fields) => SqlType::Row(
            fields
                .iter()
                .map(|field| {
                    Some(RowField { name: field.name.clone(), sql_type: storable(&field.sql_type)? })
                })
                .collect::<Option<_>>()?,
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::{Field, TimeUnit};
    use std::sync::Arc;

    #[test]
    fn names_of_fields_keep_their_case() {
        let micros = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let inner = DataType::Struct(vec![Field::new("userId", micros, true)].into());
        let list = DataType::List(Arc::new(Field::new_list_field(inner, true)));
        let SqlType::Array(element) = spelled(&list).unwrap() else { panic!("no array") };
        let SqlType::Row(fields) = *element else { panic!("no row") };
        assert_eq!(fields[0], RowField::named("userId", SqlType::timestamp_utc(6)));
        assert!(!requires_inside(&list));
        let strict = DataType::List(Arc::new(Field::new_list_field(DataType::Int32, false)));
        assert!(requires_inside(&strict));
    }

    #[test]
    fn what_a_delta_table_can_keep() {
        assert_eq!(storable(&SqlType::Timestamp(3)), Some(SqlType::timestamp_utc(6)));
        assert_eq!(storable(&SqlType::Varchar(Some(5))), Some(SqlType::VARCHAR));
        assert_eq!(storable(&SqlType::array(SqlType::Json)), None);
        assert!(DeltaColumn::new("t", &SqlType::Time(3), true, false).is_err());
    }
}
