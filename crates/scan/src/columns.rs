//! The columns that a query sees: those of the files, those of the partitions, and the hidden ones that Athena adds.

use crate::files::ScanFile;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::ScalarValue;
use model::{Column, Error, Result};
use parquet::arrow::RowNumber;
use sql::SqlType;
use std::collections::HashSet;
use std::sync::Arc;

/// A column of an open table.
#[derive(Debug, Clone, PartialEq)]
pub struct ScanColumn {
    /// Its name, in lower case.
    pub name: String,
    /// Its type.
    pub sql_type: SqlType,
    /// Where its values come from.
    pub kind: ColumnKind,
    /// The catalog's note.
    pub comment: Option<String>,
}

/// Where a column's values come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// From the files.
    Data,
    /// From the partition that a file belongs to.
    Partition,
    /// From the file itself; `*` leaves it out.
    Hidden,
}

/// The hidden column that says which file a row is in.
pub(crate) const PATH: &str = "$path";
/// The hidden column of tables that are opened to be changed: which row of its file it is, from 0.
pub(crate) const ROW: &str = "$row";

/// A hidden column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hidden {
    Path,
    Partition,
    FileSize,
    FileModified,
    Bucket,
}

impl Hidden {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Path => PATH,
            Self::Partition => "$partition",
            Self::FileSize => "$file_size",
            Self::FileModified => "$file_modified_time",
            Self::Bucket => "$bucket",
        }
    }

    fn sql_type(self) -> SqlType {
        match self {
            Self::Path | Self::Partition => SqlType::VARCHAR,
            Self::FileSize => SqlType::BigInt,
            Self::FileModified => SqlType::timestamp_utc(3),
            Self::Bucket => SqlType::Integer,
        }
    }

    /// The value for rows of that file.
    pub(crate) fn value(self, file: &ScanFile, partition: &str) -> ScalarValue {
        match self {
            Self::Path => ScalarValue::Utf8View(Some(file.name().to_owned())),
            Self::Partition => ScalarValue::Utf8View(Some(partition.to_owned())),
            Self::FileSize => ScalarValue::Int64(i64::try_from(file.size()).ok()),
            Self::FileModified => ScalarValue::TimestampMillisecond(
                Some(file.modified().timestamp_millis()),
                Some(SqlType::utc()),
            ),
            Self::Bucket => ScalarValue::Int32(bucket_of(file.file_name())),
        }
    }
}

/// Hive names a bucket's file by its number: `000003_0`, or with anything behind it.
fn bucket_of(name: &str) -> Option<i32> {
    let digits: String = name.chars().take_while(char::is_ascii_digit).collect();
    let (number, rest) = (digits.parse().ok()?, &name[digits.len()..]);
    (digits.len() >= 5 && rest.starts_with('_')).then_some(number)
}

/// All columns of a table, and the schemas made of them.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    pub(crate) all: Arc<[ScanColumn]>,
    pub(crate) hidden: Vec<Hidden>,
    /// All columns.
    pub(crate) schema: SchemaRef,
    /// Those of the files.
    pub(crate) file_schema: SchemaRef,
    /// Partition columns and hidden ones: what is the same in all rows of a file.
    pub(crate) constant_fields: Vec<Arc<Field>>,
    /// How many of them are partition columns.
    pub(crate) partition_count: usize,
    /// The last column, if there is one that says where in its file a row stands.
    pub(crate) position: Option<Arc<Field>>,
}

impl Columns {
    pub(crate) fn new(table: &str, data: &[Column], partitions: &[Column], bucketed: bool) -> Result<Self> {
        let typed = |column: &Column, kind| ScanColumn {
            name: column.name.to_lowercase(),
            sql_type: SqlType::from_hive(&column.hive_type),
            kind,
            comment: column.comment.clone(),
        };
        let data = data.iter().map(|column| typed(column, ColumnKind::Data));
        let partitions = partitions.iter().map(|column| typed(column, ColumnKind::Partition));
        Self::of(table, data.chain(partitions).collect(), bucketed)
    }

    /// From the table's own columns; the hidden ones are added.
    pub(crate) fn of(table: &str, mut all: Vec<ScanColumn>, bucketed: bool) -> Result<Self> {
        let mut seen = HashSet::new();
        if let Some(twice) = all.iter().find(|column| !seen.insert(column.name.clone())) {
            return Err(Error::invalid(format!("the table `{table}` has the column `{}` twice", twice.name))
                .why("names compare without regard to case")
                .hint("rename or drop one of them in the catalog"));
        }
        let mut hidden = vec![Hidden::Path, Hidden::FileSize, Hidden::FileModified, Hidden::Partition];
        if bucketed {
            hidden.push(Hidden::Bucket);
        }
        all.extend(hidden.iter().map(|hidden| ScanColumn {
            name: hidden.name().to_owned(),
            sql_type: hidden.sql_type(),
            kind: ColumnKind::Hidden,
            comment: None,
        }));
        let fields: Vec<Arc<Field>> = all.iter().map(|column| Arc::new(column.field())).collect();
        let count = |kind| all.iter().filter(|column| column.kind == kind).count();
        let (data, partition_count) = (count(ColumnKind::Data), count(ColumnKind::Partition));
        Ok(Self {
            file_schema: Arc::new(Schema::new(fields[..data].to_vec())),
            constant_fields: fields[data..].to_vec(),
            schema: Arc::new(Schema::new(fields)),
            all: all.into(),
            hidden,
            partition_count,
            position: None,
        })
    }

    /// With the column [`ROW`] behind all others; only Parquet files can tell it.
    pub(crate) fn with_positions(mut self) -> Self {
        let field = Arc::new(Field::new(ROW, DataType::Int64, false).with_extension_type(RowNumber));
        let fields = self.schema.fields().iter().cloned().chain([Arc::clone(&field)]);
        self.schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let column = ScanColumn {
            name: ROW.to_owned(),
            sql_type: SqlType::BigInt,
            kind: ColumnKind::Hidden,
            comment: None,
        };
        self.all = self.all.iter().cloned().chain([column]).collect();
        self.position = Some(field);
        self
    }

    /// The columns of the files.
    pub(crate) fn data(&self) -> &[ScanColumn] {
        &self.all[..self.file_schema.fields().len()]
    }

    /// The partition columns.
    pub(crate) fn partitions(&self) -> &[ScanColumn] {
        let first = self.file_schema.fields().len();
        &self.all[first..first + self.partition_count]
    }

    /// Whether that column is the same in all rows of a file.
    pub(crate) fn is_constant(&self, name: &str) -> bool {
        self.constant_fields.iter().any(|field| field.name() == name)
    }

    /// Whether that column is the same in all rows of a partition.
    pub(crate) fn is_partition(&self, name: &str) -> bool {
        self.partitions().iter().any(|column| column.name == name)
    }
}

impl ScanColumn {
    pub(crate) fn arrow_type(&self) -> DataType {
        self.sql_type.to_arrow()
    }

    fn field(&self) -> Field {
        Field::new(&self.name, self.arrow_type(), true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::HiveType;

    #[test]
    fn hidden_columns_come_last() {
        let data = [Column::new("Id", HiveType::Int)];
        let keys = [Column::new("dt", HiveType::Date)];
        let columns = Columns::new("t", &data, &keys, true).unwrap();
        let names: Vec<&str> = columns.all.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(
            names,
            ["id", "dt", "$path", "$file_size", "$file_modified_time", "$partition", "$bucket"]
        );
        assert!(columns.is_constant("$path") && !columns.is_partition("$path") && columns.is_partition("dt"));
        let twice = [Column::new("a", HiveType::Int), Column::new("A", HiveType::Int)];
        assert!(Columns::new("t", &twice, &[], false).is_err());
    }

    #[test]
    fn buckets_are_told_by_the_file_name() {
        assert_eq!(bucket_of("000003_0.parquet"), Some(3));
        assert_eq!(bucket_of("part-00001.parquet"), None);
        assert_eq!(bucket_of("20200101.csv"), None);
    }
}
