//! Scalar calls: a kernel of the function library as a DataFusion function.

use super::lambda::{Body, Bound, LambdaArg};
use super::preimage;
use crate::error::to_datafusion;
use arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray, MapArray, StructArray};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Int64Type};
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use functions::cast::OnError;
use functions::{Arg, Call, Resolved, Scalar, Session};
use model::{Error, Result};
use sql::SqlType;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

type DfResult<T> = datafusion::common::Result<T>;

/// Any number of arguments of any types: the analyzer has settled them.
pub(super) fn any_signature(count: usize, volatility: Volatility) -> Signature {
    if count == 0 { Signature::nullary(volatility) } else { Signature::any(count, volatility) }
}

/// One overload of a function with its types.
#[derive(Debug)]
pub(crate) struct ScalarCall {
    function: &'static Scalar,
    arg_types: Vec<SqlType>,
    return_type: SqlType,
    /// By argument; the value arguments come first in the call, the captures of the lambdas behind them.
    lambdas: Vec<Option<Arc<Body>>>,
    session: Arc<Session>,
    signature: Signature,
}

impl PartialEq for ScalarCall {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.function, other.function)
            && self.arg_types == other.arg_types
            && self.return_type == other.return_type
            && self.lambdas == other.lambdas
    }
}

impl Eq for ScalarCall {}

impl Hash for ScalarCall {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
        self.arg_types.hash(state);
        self.lambdas.hash(state);
    }
}

/// The call of a resolved function. `lambdas` are by argument; `args` are the values only.
pub(crate) fn scalar_call(
    resolved: Resolved<Scalar>,
    mut args: Vec<Expr>,
    lambdas: Vec<Option<LambdaArg>>,
    session: &Arc<Session>,
) -> Expr {
    let mut bodies = Vec::with_capacity(lambdas.len());
    for lambda in lambdas {
        bodies.push(lambda.map(|l| {
            args.extend(l.captures);
            l.body
        }));
    }
    let volatility = if resolved.function.volatile { Volatility::Volatile } else { Volatility::Immutable };
    let call = ScalarCall {
        signature: any_signature(args.len(), volatility),
        function: resolved.function,
        arg_types: resolved.arg_types,
        return_type: resolved.return_type,
        lambdas: bodies,
        session: session.clone(),
    };
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(ScalarUDF::new_from_impl(call)), args))
}

/// Functions that have a value for every time, whatever it is.
const OF_ANY_TIME: &[&str] =
    &["date", "year", "quarter", "month", "week", "day", "hour", "minute", "second", "to_unixtime"];

impl ScalarCall {
    /// Whether there are arguments for which the function has no value but an error.
    pub(super) fn can_fail(&self, args: &[Expr]) -> bool {
        let of_time =
            |at: usize| matches!(self.arg_types.get(at), Some(SqlType::Timestamp(_) | SqlType::Date));
        match (self.function.name, args) {
            ("date_trunc", [Expr::Literal(..), _]) => {
                !matches!(self.arg_types.get(1), Some(SqlType::Timestamp(_)))
            }
            (name, [_]) => !(OF_ANY_TIME.contains(&name) && of_time(0)),
            _ => true,
        }
    }

    fn evaluate(&self, values: Vec<ColumnarValue>, rows: usize) -> Result<ColumnarValue> {
        let constant =
            !self.function.volatile && values.iter().all(|v| matches!(v, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { rows };
        let mut values = values.into_iter();
        let lambda_count = self.lambdas.iter().flatten().count();
        let plain: Vec<ColumnarValue> = values.by_ref().take(self.arg_types.len() - lambda_count).collect();
        let mut plain = plain.into_iter();
        let mut args = Vec::with_capacity(self.arg_types.len());
        for i in 0..self.arg_types.len() {
            args.push(match self.lambdas.get(i).and_then(Option::as_ref) {
                Some(body) => {
                    let captures = values.by_ref().take(body.capture_count()).collect();
                    Arg::Lambda(Arc::new(Bound { body: body.clone(), captures }))
                }
                None => match plain.next() {
                    Some(ColumnarValue::Array(array)) => Arg::Column(array),
                    Some(ColumnarValue::Scalar(value)) => {
                        Arg::Constant(value.to_array().map_err(crate::error::from_datafusion)?)
                    }
                    None => return Err(Error::internal(format!("{} lost an argument", self.function.name))),
                },
            });
        }
        let call = Call {
            name: self.function.name,
            args: &args,
            arg_types: &self.arg_types,
            return_type: &self.return_type,
            rows,
            session: &self.session,
        };
        let array = (self.function.kernel)(&call)?;
        if array.len() != rows {
            return Err(Error::internal(format!(
                "{} gave {} values for {rows} rows",
                self.function.name,
                array.len()
            )));
        }
        if constant {
            let value = ScalarValue::try_from_array(&array, 0).map_err(crate::error::from_datafusion)?;
            return Ok(ColumnarValue::Scalar(value));
        }
        Ok(ColumnarValue::Array(array))
    }
}

impl ScalarUDFImpl for ScalarCall {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DfResult<DataType> {
        Ok(self.return_type.to_arrow())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        self.evaluate(args.args, args.number_rows).map_err(to_datafusion)
    }

    fn preimage(&self, args: &[Expr], wanted: &Expr, _: &SimplifyContext) -> DfResult<PreimageResult> {
        Ok(preimage::of_call(self.function.name, &self.arg_types, args, wanted))
    }
}

/// A cast by Trino's rules.
#[derive(Debug)]
pub(crate) struct CastCall {
    from: SqlType,
    to: SqlType,
    lenient: bool,
    session: Arc<Session>,
    signature: Signature,
}

impl PartialEq for CastCall {
    fn eq(&self, other: &Self) -> bool {
        self.from == other.from && self.to == other.to && self.lenient == other.lenient
    }
}

impl Eq for CastCall {}

impl CastCall {
    /// Whether there are values that cannot be cast.
    pub(super) fn can_fail(&self) -> bool {
        match (&self.from, &self.to) {
            (SqlType::Timestamp(_), SqlType::Date) => false,
            (SqlType::Timestamp(p), SqlType::TimestampTz(q, _)) => p != q,
            _ => !self.lenient,
        }
    }
}

impl Hash for CastCall {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.from, &self.to, self.lenient).hash(state);
    }
}

pub(crate) fn cast_call(
    expr: Expr,
    from: &SqlType,
    to: &SqlType,
    lenient: bool,
    session: &Arc<Session>,
) -> Expr {
    let call = CastCall {
        from: from.clone(),
        to: to.clone(),
        lenient,
        session: session.clone(),
        signature: Signature::any(1, Volatility::Immutable),
    };
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(ScalarUDF::new_from_impl(call)), vec![expr]))
}

impl ScalarUDFImpl for CastCall {
    fn name(&self) -> &str {
        if self.lenient { "try_cast" } else { "cast" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DfResult<DataType> {
        Ok(self.to.to_arrow())
    }

    fn schema_name(&self, args: &[Expr]) -> DfResult<String> {
        let arg = args.first().map(|a| a.schema_name().to_string()).unwrap_or_default();
        Ok(format!("{}({arg} AS {})", self.name(), self.to))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let on_error = if self.lenient { OnError::Null } else { OnError::Fail };
        let cast = |array: &ArrayRef| {
            functions::cast::cast(array, &self.from, &self.to, &self.session, on_error).map_err(to_datafusion)
        };
        match args.args.first() {
            Some(ColumnarValue::Array(array)) => Ok(ColumnarValue::Array(cast(array)?)),
            Some(ColumnarValue::Scalar(value)) => {
                let array = cast(&value.to_array()?)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?))
            }
            None => Err(DataFusionError::Internal("a cast lost its argument".into())),
        }
    }

    fn preimage(&self, args: &[Expr], wanted: &Expr, _: &SimplifyContext) -> DfResult<PreimageResult> {
        Ok(preimage::of_cast(&self.from, &self.to, args, wanted, &self.session))
    }
}

/// TRY: NULL where the body fails.
#[derive(Debug, PartialEq, Eq, Hash)]
struct TryCall {
    body: Arc<Body>,
    return_type: SqlType,
    signature: Signature,
}

pub(crate) fn try_call(lambda: LambdaArg, return_type: &SqlType) -> Expr {
    let call = TryCall {
        signature: any_signature(lambda.captures.len(), Volatility::Immutable),
        body: lambda.body,
        return_type: return_type.clone(),
    };
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(ScalarUDF::new_from_impl(call)), lambda.captures))
}

impl ScalarUDFImpl for TryCall {
    fn name(&self) -> &'static str {
        "try"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DfResult<DataType> {
        Ok(self.return_type.to_arrow())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let bound = Bound { body: self.body.clone(), captures: args.args };
        let array = bound.attempt(args.number_rows, &self.return_type.to_arrow()).map_err(to_datafusion)?;
        Ok(ColumnarValue::Array(array))
    }
}

/// What UNNEST needs of its lists: a map as a list of rows, and the positions beside the longest of several lists.
#[derive(Debug, PartialEq, Eq, Hash)]
struct UnnestHelp {
    name: &'static str,
    return_type: DataType,
    signature: Signature,
}

fn unnest_help(name: &'static str, args: Vec<Expr>, return_type: DataType) -> Expr {
    let signature = Signature::any(args.len(), Volatility::Immutable);
    let help = UnnestHelp { name, return_type, signature };
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(ScalarUDF::new_from_impl(help)), args))
}

/// A map as a list of rows of key and value.
pub(crate) fn map_entries(expr: Expr, _map: &SqlType, element: &SqlType) -> Expr {
    unnest_help("unnest_map", vec![expr], SqlType::array(element.clone()).to_arrow())
}

/// `[1, 2, …]` as long as the longest of the lists.
pub(crate) fn positions(lists: Vec<Expr>) -> Expr {
    unnest_help("unnest_positions", lists, SqlType::array(SqlType::BigInt).to_arrow())
}

impl ScalarUDFImpl for UnnestHelp {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DfResult<DataType> {
        Ok(self.return_type.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let arrays = args
            .args
            .into_iter()
            .map(|a| a.into_array(args.number_rows))
            .collect::<DfResult<Vec<ArrayRef>>>()?;
        let array = if self.name == "unnest_map" {
            entries(&arrays, &self.return_type)?
        } else {
            numbers(&arrays, args.number_rows)?
        };
        Ok(ColumnarValue::Array(array))
    }
}

fn entries(arrays: &[ArrayRef], wanted: &DataType) -> DfResult<ArrayRef> {
    let map: &MapArray = arrays
        .first()
        .and_then(|a| a.as_any().downcast_ref())
        .ok_or_else(|| DataFusionError::Internal("UNNEST of a map met something else".into()))?;
    let DataType::List(field) = wanted else {
        return Err(DataFusionError::Internal("UNNEST of a map makes a list".into()));
    };
    let DataType::Struct(fields) = field.data_type() else {
        return Err(DataFusionError::Internal("UNNEST of a map makes rows".into()));
    };
    let columns = vec![map.keys().clone(), map.values().clone()];
    let rows = StructArray::try_new(fields.clone(), columns, None)?;
    Ok(Arc::new(ListArray::try_new(
        field.clone(),
        map.offsets().clone(),
        Arc::new(rows),
        map.nulls().cloned(),
    )?))
}

fn numbers(lists: &[ArrayRef], rows: usize) -> DfResult<ArrayRef> {
    let mut offsets: Vec<i32> = vec![0];
    let mut values: Vec<i64> = Vec::new();
    for row in 0..rows {
        let longest = lists
            .iter()
            .filter_map(|l| l.as_list_opt::<i32>())
            .map(|l| if l.is_valid(row) { l.value_length(row) } else { 0 })
            .max()
            .unwrap_or(0);
        values.extend((1..=longest).map(i64::from));
        let end =
            i32::try_from(values.len()).map_err(|_| DataFusionError::Internal("too many elements".into()))?;
        offsets.push(end);
    }
    let values: arrow::array::PrimitiveArray<Int64Type> = Int64Array::from(values);
    let field = Arc::new(Field::new_list_field(DataType::Int64, true));
    Ok(Arc::new(ListArray::try_new(
        field,
        OffsetBuffer::new(ScalarBuffer::from(offsets)),
        Arc::new(values),
        None,
    )?))
}
