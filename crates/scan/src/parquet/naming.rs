//! Files call their columns as their writers did; tables know lower-case names, or positions alone. A footer's schema is
//! renamed once, when it is read: from there on a column of the file and of the table have the same name.

use datafusion::parquet::basic::{ConvertedType, LogicalType};
use datafusion::parquet::errors::Result;
use datafusion::parquet::file::metadata::{FileMetaData, KeyValue, ParquetMetaData, ParquetMetaDataBuilder};
use datafusion::parquet::schema::types::{SchemaDescriptor, Type, TypePtr};
use std::collections::HashSet;
use std::sync::Arc;

/// The key under which a footer tells the address of its file to whoever has only the schema.
pub(super) const FILE_KEY: &str = "glulam.file";

/// How the columns of files are found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Naming {
    /// By name, without regard to case.
    ByName,
    /// By position: these are the table's names.
    ByPosition(Vec<String>),
}

impl Naming {
    /// The footer as the table sees it. What a writer noted beside the schema is left out, above all Arrow's own schema:
    /// the Parquet types decide.
    pub(super) fn apply(&self, footer: ParquetMetaData, uri: &str) -> Result<ParquetMetaData> {
        let old = footer.file_metadata();
        let schema = SchemaDescriptor::new(Arc::new(self.root(old.schema())?));
        let file = FileMetaData::new(
            old.version(),
            old.num_rows(),
            old.created_by().map(str::to_owned),
            Some(vec![KeyValue::new(FILE_KEY.to_owned(), uri.to_owned())]),
            Arc::new(schema),
            old.column_orders().cloned(),
        );
        let mut builder = footer.into_builder();
        let row_groups = builder.take_row_groups();
        let (columns, offsets) = (builder.take_column_index(), builder.take_offset_index());
        Ok(ParquetMetaDataBuilder::new(file)
            .set_row_groups(row_groups)
            .set_column_index(columns)
            .set_offset_index(offsets)
            .build())
    }

    fn root(&self, root: &Type) -> Result<Type> {
        let mut seen = HashSet::new();
        let fields = root.get_fields().iter().enumerate().map(|(index, field)| {
            let name = match self {
                Self::ByName => field.name().to_lowercase(),
                // More columns than the table has: a name that no table column can have.
                Self::ByPosition(names) => {
                    names.get(index).cloned().unwrap_or_else(|| format!("\u{0}{index}"))
                }
            };
            // Of two names that differ in case alone the first one is meant.
            let name = if seen.insert(name.clone()) { name } else { format!("{name}\u{0}{index}") };
            renamed(field, &name).map(Arc::new)
        });
        Type::group_type_builder(root.name()).with_fields(fields.collect::<Result<_>>()?).build()
    }
}

/// The same type under another name, its fields in lower case.
fn renamed(old: &TypePtr, name: &str) -> Result<Type> {
    let info = old.get_basic_info();
    let id = info.has_id().then(|| info.id());
    match old.as_ref() {
        Type::GroupType { fields, .. } => {
            let mut seen = HashSet::new();
            let fields = fields.iter().enumerate().map(|(index, field)| {
                let name = field.name().to_lowercase();
                let name = if seen.insert(name.clone()) { name } else { format!("{name}\u{0}{index}") };
                renamed(field, &name).map(Arc::new)
            });
            Type::group_type_builder(name)
                .with_repetition(info.repetition())
                .with_converted_type(info.converted_type())
                .with_logical_type(info.logical_type_ref().cloned())
                .with_fields(fields.collect::<Result<_>>()?)
                .with_id(id)
                .build()
        }
        Type::PrimitiveType { physical_type, type_length, scale, precision, .. } => {
            Type::primitive_type_builder(name, *physical_type)
                .with_repetition(info.repetition())
                .with_converted_type(converted(info.converted_type(), info.logical_type_ref()))
                .with_logical_type(info.logical_type_ref().cloned())
                .with_length(*type_length)
                .with_scale(*scale)
                .with_precision(*precision)
                .with_id(id)
                .build()
        }
    }
}

/// The old annotation, unless the new one says it better: the builder refuses the two in disagreement.
fn converted(converted: ConvertedType, logical: Option<&LogicalType>) -> ConvertedType {
    if logical.is_some() { ConvertedType::NONE } else { converted }
}
