//! From the types of a Parquet file to those of the table: columns that the file lacks are NULL, wider and narrower
//! numbers, times of any unit and nested values are turned, and what cannot be turned is refused by name.

use super::naming::FILE_KEY;
use crate::columns::ScanColumn;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr_adapter::{
    DefaultPhysicalExprAdapterFactory, PhysicalExprAdapter, PhysicalExprAdapterFactory,
};
use model::{Error, Place};
use sql::SqlType;
use std::collections::HashMap;
use std::sync::Arc;

/// Makes an adapter for each file.
#[derive(Debug)]
pub(super) struct Adapters {
    types: Arc<HashMap<String, SqlType>>,
}

impl Adapters {
    pub(super) fn new(columns: &[ScanColumn]) -> Self {
        let types = columns.iter().map(|column| (column.name.clone(), column.sql_type.clone()));
        Self { types: Arc::new(types.collect()) }
    }
}

impl PhysicalExprAdapterFactory for Adapters {
    fn create(&self, logical: SchemaRef, physical: SchemaRef) -> Result<Arc<dyn PhysicalExprAdapter>> {
        // A column that needs no cast takes the file's field as it is: a cast from `x not null` to `x` would hide the
        // column from pruning.
        let fields = logical.fields().iter().map(|field| match physical.field_with_name(field.name()) {
            Ok(found) if found.data_type() == field.data_type() => Arc::new(found.clone()),
            _ => Arc::clone(field),
        });
        let relaxed = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let inner = DefaultPhysicalExprAdapterFactory.create(relaxed, Arc::clone(&physical))?;
        Ok(Arc::new(Adapter { inner, physical, types: Arc::clone(&self.types) }))
    }
}

#[derive(Debug)]
struct Adapter {
    inner: Arc<dyn PhysicalExprAdapter>,
    physical: SchemaRef,
    types: Arc<HashMap<String, SqlType>>,
}

impl PhysicalExprAdapter for Adapter {
    fn rewrite(&self, expr: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        expr.apply(|node| {
            if let Some(column) = node.downcast_ref::<Column>() {
                self.check(column.name()).map_err(crate::external)?;
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        self.inner.rewrite(expr)
    }
}

impl Adapter {
    fn check(&self, name: &str) -> model::Result<()> {
        let (Some(wanted), Ok(found)) = (self.types.get(name), self.physical.field_with_name(name)) else {
            return Ok(());
        };
        if readable(found.data_type(), wanted) {
            return Ok(());
        }
        let is = SqlType::from_arrow(found.data_type())
            .map_or_else(|| found.data_type().to_string(), |sql_type| sql_type.to_string());
        let error =
            Error::invalid(format!("the column `{name}` is of type {is} in the file, {wanted} in the table"))
                .why("values of the one type cannot be read as the other")
                .hint("give the column the file's type in the catalog, or write the file again");
        Err(match self.physical.metadata().get(FILE_KEY) {
            Some(file) => error.at(Place::object(file)),
            None => error,
        })
    }
}

/// Whether values of a file can be read as that type; single values may still be out of its range.
pub(super) fn readable(from: &DataType, to: &SqlType) -> bool {
    use DataType as D;
    match (from, to) {
        (D::Null, _) => true,
        (D::Dictionary(_, value), to) => readable(value, to),
        (D::Boolean, SqlType::Boolean) => true,
        (from, SqlType::Real | SqlType::Double) => from.is_numeric(),
        (from, to) if to.is_integer() => from.is_integer(),
        (from, SqlType::Decimal(..)) => from.is_integer() || is_decimal(from),
        (from, to @ (SqlType::Varchar(_) | SqlType::Char(_))) => {
            is_text(from)
                || is_bytes(from)
                || from.is_integer()
                || (from.is_floating() && matches!(to, SqlType::Varchar(_)))
        }
        (from, SqlType::Varbinary) => is_text(from) || is_bytes(from),
        (from, SqlType::Json | SqlType::Uuid) => is_text(from),
        (D::Date32 | D::Date64, SqlType::Date) => true,
        (D::Timestamp(..) | D::Date32, SqlType::Timestamp(_) | SqlType::TimestampTz(..)) => true,
        (D::Time32(_) | D::Time64(_), SqlType::Time(_)) => true,
        (D::List(field) | D::LargeList(field) | D::ListView(field), SqlType::Array(element)) => {
            readable(field.data_type(), element)
        }
        (D::FixedSizeList(field, _), SqlType::Array(element)) => readable(field.data_type(), element),
        (D::Map(entries, _), SqlType::Map(key, value)) => match entries.data_type() {
            D::Struct(fields) if fields.len() == 2 => {
                readable(fields[0].data_type(), key) && readable(fields[1].data_type(), value)
            }
            _ => false,
        },
        // Fields that the file lacks are NULL.
        (D::Struct(fields), SqlType::Row(wanted)) => wanted.iter().enumerate().all(|(index, field)| {
            let name = field.arrow_name(index);
            fields
                .iter()
                .find(|found| found.name().eq_ignore_ascii_case(&name))
                .is_none_or(|found| readable(found.data_type(), &field.sql_type))
        }),
        _ => false,
    }
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn is_bytes(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_)
    )
}

fn is_decimal(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Decimal32(..)
            | DataType::Decimal64(..)
            | DataType::Decimal128(..)
            | DataType::Decimal256(..)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::{Field, TimeUnit};

    #[test]
    fn what_can_be_read_as_what() {
        let micros = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        assert!(readable(&micros, &SqlType::Timestamp(3)));
        assert!(
            readable(&DataType::Int32, &SqlType::BigInt) && readable(&DataType::Float32, &SqlType::Double)
        );
        assert!(
            !readable(&DataType::Utf8, &SqlType::BigInt)
                && !readable(&DataType::Int64, &SqlType::Timestamp(3))
        );
        let file = DataType::Struct(vec![Field::new("userId", DataType::Int32, true)].into());
        let wanted = |sql_type| {
            SqlType::Row(vec![
                sql::RowField::named("userid", sql_type),
                sql::RowField::named("more", SqlType::Date),
            ])
        };
        assert!(readable(&file, &wanted(SqlType::BigInt)) && !readable(&file, &wanted(SqlType::Date)));
    }
}
