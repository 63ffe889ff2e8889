//! Aggregates: DataFusion's own where they are Trino's, else accumulators of the function library.

use super::buffered::Buffered;
use super::call::any_signature;
use super::groups::Groups;
use super::lambda::{Bound, LambdaArg};
use crate::error::{from_datafusion, to_datafusion};
use arrow::array::{Array, ArrayRef};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{AggregateFunction, NullTreatment, Sort};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Cast, Expr, GroupsAccumulator, Signature, Volatility,
};
use functions::{Aggregate, AggregateCall, Lambda, Resolved, Session};
use model::{Error, Result};
use sql::SqlType;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

type DfResult<T> = datafusion::common::Result<T>;

/// The parts of an aggregate call.
pub(crate) struct AggregateParts {
    pub(crate) args: Vec<Expr>,
    pub(crate) lambdas: Vec<Option<LambdaArg>>,
    pub(crate) distinct: bool,
    pub(crate) order_by: Vec<Sort>,
    pub(crate) filter: Option<Box<Expr>>,
    pub(crate) nulls: Option<NullTreatment>,
}

/// DataFusion's aggregate of this name.
fn native(name: &str) -> Option<Arc<AggregateUDF>> {
    static ALL: OnceLock<Vec<Arc<AggregateUDF>>> = OnceLock::new();
    let all = ALL.get_or_init(datafusion::functions_aggregate::all_default_aggregate_functions);
    all.iter().find(|f| f.name() == name || f.aliases().iter().any(|a| a == name)).cloned()
}

/// The aggregate as an expression of DataFusion's.
pub(crate) fn aggregate_call(
    resolved: Resolved<Aggregate>,
    parts: AggregateParts,
    session: &Arc<Session>,
) -> Result<AggregateFunction> {
    let name = resolved.function.name;
    let order_free = matches!(name, "count" | "sum" | "min" | "max" | "avg" | "bool_and" | "bool_or");
    let plain = (!parts.distinct || matches!(name, "count" | "sum" | "min" | "max"))
        && (parts.order_by.is_empty() || order_free);
    if plain
        && let Some(native_name) = resolved.function.native.and_then(|f| f(&resolved.arg_types))
        && let Some(udf) = native(native_name)
    {
        return Ok(AggregateFunction::new_udf(
            udf,
            parts.args,
            parts.distinct,
            parts.filter,
            Vec::new(),
            parts.nulls,
        ));
    }
    let mut args = parts.args;
    let keys: Vec<SortOptions> = if order_free {
        Vec::new()
    } else {
        parts
            .order_by
            .into_iter()
            .map(|sort| {
                args.push(sort.expr);
                SortOptions { descending: !sort.asc, nulls_first: sort.nulls_first }
            })
            .collect()
    };
    let lambdas = parts
        .lambdas
        .into_iter()
        .map(|l| l.map(|l| Arc::new(Bound { body: l.body, captures: Vec::new() })))
        .collect();
    let call = LibraryAggregate {
        function: resolved.function,
        signature: any_signature(args.len(), Volatility::Immutable),
        arg_types: resolved.arg_types,
        return_type: resolved.return_type,
        lambdas,
        distinct: parts.distinct,
        keys,
        session: session.clone(),
    };
    let udf = Arc::new(AggregateUDF::new_from_impl(call));
    Ok(AggregateFunction::new_udf(udf, args, false, parts.filter, Vec::new(), parts.nulls))
}

/// An aggregate of the function library with its types. DISTINCT and ORDER BY are its own business: the order's keys
/// are further arguments.
#[derive(Debug)]
struct LibraryAggregate {
    function: &'static Aggregate,
    arg_types: Vec<SqlType>,
    return_type: SqlType,
    lambdas: Vec<Option<Arc<Bound>>>,
    distinct: bool,
    keys: Vec<SortOptions>,
    session: Arc<Session>,
    signature: Signature,
}

impl PartialEq for LibraryAggregate {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.function, other.function)
            && self.arg_types == other.arg_types
            && self.distinct == other.distinct
            && self.keys == other.keys
            && self.lambdas.len() == other.lambdas.len()
            && self.lambdas.iter().zip(&other.lambdas).all(|(a, b)| match (a, b) {
                (Some(a), Some(b)) => a.body == b.body,
                (None, None) => true,
                _ => false,
            })
    }
}

impl Eq for LibraryAggregate {}

impl Hash for LibraryAggregate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.function.name, &self.arg_types, self.distinct, self.keys.len()).hash(state);
    }
}

impl LibraryAggregate {
    fn buffers(&self) -> bool {
        self.distinct || !self.keys.is_empty()
    }

    fn value_types(&self) -> Vec<DataType> {
        self.arg_types.iter().filter(|t| !matches!(t, SqlType::Function(..))).map(SqlType::to_arrow).collect()
    }

    fn with_call<T>(&self, work: impl FnOnce(&AggregateCall<'_>) -> Result<T>) -> Result<T> {
        let lambdas: Vec<Option<Arc<dyn Lambda>>> =
            self.lambdas.iter().map(|l| l.clone().map(|l| l as Arc<dyn Lambda>)).collect();
        work(&AggregateCall {
            name: self.function.name,
            arg_types: &self.arg_types,
            return_type: &self.return_type,
            lambdas: &lambdas,
            session: &self.session,
        })
    }

    fn make(&self) -> Result<Box<dyn functions::Accumulator>> {
        self.with_call(self.function.make)
    }

    fn buffered(&self, args: &AccumulatorArgs<'_>) -> DfResult<Box<dyn Accumulator>> {
        let types: Vec<DataType> = args.expr_fields.iter().map(|f| f.data_type().clone()).collect();
        let inner = self.make().map_err(to_datafusion)?;
        drop(inner);
        let copy = self.copy();
        Ok(Box::new(Buffered::new(
            types,
            self.value_types().len(),
            self.distinct,
            self.keys.clone(),
            Box::new(move || copy.make()),
        )))
    }

    fn copy(&self) -> LibraryAggregate {
        LibraryAggregate {
            function: self.function,
            arg_types: self.arg_types.clone(),
            return_type: self.return_type.clone(),
            lambdas: self.lambdas.clone(),
            distinct: self.distinct,
            keys: self.keys.clone(),
            session: self.session.clone(),
            signature: self.signature.clone(),
        }
    }
}

impl AggregateUDFImpl for LibraryAggregate {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DfResult<DataType> {
        Ok(self.return_type.to_arrow())
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> DfResult<Box<dyn Accumulator>> {
        if self.buffers() {
            return self.buffered(&args);
        }
        Ok(Box::new(Adapter { inner: self.make().map_err(to_datafusion)? }))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        !self.buffers()
    }

    fn create_groups_accumulator(&self, _: AccumulatorArgs<'_>) -> DfResult<Box<dyn GroupsAccumulator>> {
        let copy = self.copy();
        let make = Box::new(move || copy.with_call(copy.function.groups));
        Ok(Box::new(Groups::new(make).map_err(to_datafusion)?))
    }

    /// Frames that slide drop rows: sums and counts take them back, for the others the rows are kept.
    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> DfResult<Box<dyn Accumulator>> {
        if self.buffers() {
            return self.buffered(&args);
        }
        let inner = self.with_call(|call| self.function.sliding(call)).map_err(to_datafusion)?;
        Ok(Box::new(Adapter { inner }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> DfResult<Vec<FieldRef>> {
        let types = if self.buffers() {
            let types: Vec<DataType> = args.input_fields.iter().map(|f| f.data_type().clone()).collect();
            vec![Buffered::state_type(&types)]
        } else {
            (self.function.state)(&self.arg_types, &self.return_type)
        };
        Ok(types
            .into_iter()
            .enumerate()
            .map(|(i, t)| Arc::new(Field::new(format!("{}[{i}]", args.name), t, true)))
            .collect())
    }
}

/// A library accumulator behind DataFusion's interface.
#[derive(Debug)]
struct Adapter {
    inner: Box<dyn functions::Accumulator>,
}

impl Accumulator for Adapter {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        self.inner.update(values).map_err(to_datafusion)
    }

    fn evaluate(&mut self) -> DfResult<ScalarValue> {
        let array = self.inner.finish().map_err(to_datafusion)?;
        ScalarValue::try_from_array(&array, 0)
    }

    fn size(&self) -> usize {
        self.inner.size()
    }

    fn state(&mut self) -> DfResult<Vec<ScalarValue>> {
        let arrays = self.inner.state().map_err(to_datafusion)?;
        arrays.iter().map(|a| ScalarValue::try_from_array(a, 0)).collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DfResult<()> {
        self.inner.merge(states).map_err(to_datafusion)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        self.inner.retract(values).map_err(to_datafusion)
    }

    fn supports_retract_batch(&self) -> bool {
        self.inner.retracts()
    }
}

// ---- grouping() ----------------------------------------------------------------------------------------------

/// `grouping(a, b)` as DataFusion knows it; Trino's is a bigint.
pub(crate) fn grouping(args: Vec<Expr>) -> Expr {
    let udf = datafusion::functions_aggregate::grouping::grouping_udaf();
    let call = AggregateFunction::new_udf(udf, args, false, None, Vec::new(), None);
    Expr::Cast(Cast::new(Box::new(Expr::AggregateFunction(call)), DataType::Int64))
}

/// An aggregate over grouped rows: the arguments of `grouping` are the keys themselves.
pub(crate) fn over_keys(aggregate: Expr, keys: &[Expr], columns: &[Expr]) -> Result<Expr> {
    match aggregate {
        Expr::AggregateFunction(mut call) if call.func.name() == "grouping" => {
            for arg in &mut call.params.args {
                match keys.iter().position(|k| k == arg) {
                    Some(at) => *arg = columns[at].clone(),
                    None => {
                        return Err(Error::invalid("grouping() takes columns that the query groups by"));
                    }
                }
            }
            Ok(Expr::AggregateFunction(call))
        }
        other => Ok(other),
    }
}

// ---- scalar subqueries ---------------------------------------------------------------------------------------

/// The one value of a scalar subquery; a second row is an error.
pub(crate) fn single_value(expr: Expr, sql_type: &SqlType) -> Expr {
    let call =
        SingleValue { data_type: sql_type.to_arrow(), signature: Signature::any(1, Volatility::Immutable) };
    let udf = Arc::new(AggregateUDF::new_from_impl(call));
    Expr::AggregateFunction(AggregateFunction::new_udf(udf, vec![expr], false, None, Vec::new(), None))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct SingleValue {
    data_type: DataType,
    signature: Signature,
}

impl AggregateUDFImpl for SingleValue {
    fn name(&self) -> &'static str {
        "single_value"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DfResult<DataType> {
        Ok(self.data_type.clone())
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> DfResult<Box<dyn Accumulator>> {
        let none = ScalarValue::try_from(&self.data_type)?;
        Ok(Box::new(SingleAccumulator { rows: 0, value: none }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> DfResult<Vec<FieldRef>> {
        Ok(vec![
            Arc::new(Field::new(format!("{}[rows]", args.name), DataType::Int64, true)),
            Arc::new(Field::new(format!("{}[value]", args.name), self.data_type.clone(), true)),
        ])
    }
}

#[derive(Debug)]
struct SingleAccumulator {
    rows: i64,
    value: ScalarValue,
}

impl SingleAccumulator {
    fn take(&mut self, rows: i64, value: impl FnOnce() -> DfResult<ScalarValue>) -> DfResult<()> {
        if rows == 0 {
            return Ok(());
        }
        self.rows += rows;
        if self.rows > 1 {
            let error = Error::invalid("a subquery used as a value returned more than one row")
                .hint("take one with LIMIT 1 or max(…), or use IN");
            return Err(to_datafusion(error));
        }
        self.value = value()?;
        Ok(())
    }
}

impl Accumulator for SingleAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        let Some(array) = values.first() else { return Ok(()) };
        let rows = i64::try_from(array.len()).unwrap_or(i64::MAX);
        self.take(rows, || ScalarValue::try_from_array(array, 0))
    }

    fn evaluate(&mut self) -> DfResult<ScalarValue> {
        Ok(self.value.clone())
    }

    fn size(&self) -> usize {
        std::mem::size_of_val(self) + self.value.size()
    }

    fn state(&mut self) -> DfResult<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Int64(Some(self.rows)), self.value.clone()])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DfResult<()> {
        let [rows, values] = states else { return Ok(()) };
        for i in 0..rows.len() {
            if let ScalarValue::Int64(Some(count)) =
                ScalarValue::try_from_array(rows, i).map_err(|e| to_datafusion(from_datafusion(e)))?
            {
                self.take(count, || ScalarValue::try_from_array(values, i))?;
            }
        }
        Ok(())
    }
}
