//! Lambdas and TRY: a body compiled once, run on many elements at a time.

use crate::error::from_datafusion;
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{ColumnarValue, Expr};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::PhysicalExpr;
use model::{Error, Result};
use sql::SqlType;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

/// A lambda as a call carries it: its body, and the columns around it that the body uses.
#[derive(Debug, Clone)]
pub(crate) struct LambdaArg {
    pub(crate) body: Arc<Body>,
    /// They become further arguments of the call, in this order.
    pub(crate) captures: Vec<Expr>,
}

/// The body of a lambda. Its columns are the parameters and then the captures.
#[derive(Debug)]
pub(crate) struct Body {
    expr: Expr,
    params: Vec<(String, DataType)>,
    captures: Vec<String>,
    compiled: Mutex<Option<(SchemaRef, Arc<dyn PhysicalExpr>)>>,
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        self.expr == other.expr && self.params == other.params && self.captures == other.captures
    }
}

impl Eq for Body {}

impl Hash for Body {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.expr.hash(state);
        self.captures.hash(state);
    }
}

/// Finds what a body uses from outside and replaces it by columns of its own.
pub(crate) fn lambda(body: Expr, columns: &[Column], types: &[SqlType]) -> Result<LambdaArg> {
    let mut captures: Vec<Expr> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    let expr = body
        .transform_up(|e| {
            let outside = match &e {
                Expr::Column(column) => !columns.contains(column),
                Expr::OuterReferenceColumn(..) => true,
                _ => false,
            };
            if !outside {
                return Ok(Transformed::no(e));
            }
            let index = captures.iter().position(|c| *c == e).unwrap_or_else(|| {
                captures.push(e.clone());
                names.push(format!("captured.{}", names.len()));
                captures.len() - 1
            });
            Ok(Transformed::yes(Expr::Column(Column::new_unqualified(names[index].clone()))))
        })
        .map_err(from_datafusion)?
        .data;
    let params = columns.iter().zip(types).map(|(c, t)| (c.name.clone(), t.to_arrow())).collect();
    let body = Body { expr, params, captures: names, compiled: Mutex::new(None) };
    Ok(LambdaArg { body: Arc::new(body), captures })
}

impl Body {
    /// The body ready to run over captures of these types.
    fn compile(&self, captured: &[DataType]) -> Result<(SchemaRef, Arc<dyn PhysicalExpr>)> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((schema, expr)) = compiled.as_ref() {
            return Ok((schema.clone(), expr.clone()));
        }
        let fields: Vec<Field> = self
            .params
            .iter()
            .map(|(name, t)| Field::new(name, t.clone(), true))
            .chain(self.captures.iter().zip(captured).map(|(name, t)| Field::new(name, t.clone(), true)))
            .collect();
        let schema = Arc::new(Schema::new(fields));
        let df_schema = DFSchema::from_unqualified_fields(schema.fields().clone(), HashMap::new())
            .map_err(from_datafusion)?;
        // What DataFusion only runs in a simpler form (COALESCE) is brought into that form.
        let context = SimplifyContext::builder().with_schema(Arc::new(df_schema.clone())).build();
        let simple = ExprSimplifier::new(context).simplify(self.expr.clone()).map_err(from_datafusion)?;
        let expr = datafusion::physical_expr::create_physical_expr(
            &simple,
            &df_schema,
            &ExecutionProps::new(),
            &datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext::default(),
        )
        .map_err(from_datafusion)?;
        *compiled = Some((schema.clone(), expr.clone()));
        Ok((schema, expr))
    }

    pub(crate) fn capture_count(&self) -> usize {
        self.captures.len()
    }

    fn run(&self, columns: Vec<ArrayRef>, captured: &[DataType], rows: usize) -> Result<ArrayRef> {
        let (schema, expr) = self.compile(captured)?;
        let columns = columns
            .into_iter()
            .zip(schema.fields())
            .map(|(array, field)| {
                if array.data_type() == field.data_type() {
                    return Ok(array);
                }
                arrow::compute::cast(&array, field.data_type()).map_err(functions::cast::arrow_error)
            })
            .collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(schema, columns, &options)
            .map_err(functions::cast::arrow_error)?;
        expr.evaluate(&batch).and_then(|v| v.into_array(rows)).map_err(from_datafusion)
    }
}

/// A body with the captures of one batch.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) body: Arc<Body>,
    pub(crate) captures: Vec<ColumnarValue>,
}

impl Bound {
    fn captured(&self, rows: &UInt32Array) -> Result<Vec<ArrayRef>> {
        self.captures
            .iter()
            .map(|capture| match capture {
                ColumnarValue::Array(array) => take(array, rows, None).map_err(functions::cast::arrow_error),
                ColumnarValue::Scalar(value) => value.to_array_of_size(rows.len()).map_err(from_datafusion),
            })
            .collect()
    }

    fn types(&self) -> Vec<DataType> {
        self.captures.iter().map(ColumnarValue::data_type).collect()
    }

    /// TRY: all rows at once, and row by row if one of them fails.
    pub(crate) fn attempt(&self, rows: usize, data_type: &DataType) -> Result<ArrayRef> {
        let count = u32::try_from(rows).map_err(|_| Error::internal("a batch has too many rows"))?;
        let all = UInt32Array::from_iter_values(0..count);
        match self.body.run(self.captured(&all)?, &self.types(), rows) {
            Ok(array) => return Ok(array),
            Err(error) if !forgivable(&error) => return Err(error),
            Err(_) => {}
        }
        let mut parts = Vec::with_capacity(rows);
        for row in 0..count {
            let one = UInt32Array::from(vec![row]);
            parts.push(match self.body.run(self.captured(&one)?, &self.types(), 1) {
                Ok(array) => array,
                Err(error) if forgivable(&error) => arrow::array::new_null_array(data_type, 1),
                Err(error) => return Err(error),
            });
        }
        let parts: Vec<&dyn arrow::array::Array> = parts.iter().map(AsRef::as_ref).collect();
        if parts.is_empty() {
            return Ok(arrow::array::new_empty_array(data_type));
        }
        arrow::compute::concat(&parts).map_err(functions::cast::arrow_error)
    }
}

/// TRY forgives what data causes, not what the engine does wrong or the user cancels.
fn forgivable(error: &Error) -> bool {
    matches!(error.kind(), model::ErrorKind::InvalidInput | model::ErrorKind::NotFound)
}

impl functions::Lambda for Bound {
    fn call(&self, params: &[ArrayRef], rows: &UInt32Array) -> Result<ArrayRef> {
        let mut columns = params.to_vec();
        columns.extend(self.captured(rows)?);
        self.body.run(columns, &self.types(), rows.len())
    }
}
