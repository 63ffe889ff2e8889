//! Window functions and their frames.

use crate::analyzer::Analyzer;
use crate::error::span_of;
use crate::expr::{At, Parts, Rules, Typed};
use crate::query::sort;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{NullTreatment, Sort, WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::{
    Cast, Expr, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowFunctionDefinition, WindowUDF,
};
use functions::find_aggregate;
use model::{Error, Result, nearest_hint};
use sql::{SqlType, common_type};
use sqlparser::ast::{
    Expr as Ast, Function, Ident, NamedWindowExpr, NullTreatment as AstNulls, WindowFrame as AstFrame,
    WindowFrameBound as AstBound, WindowFrameUnits as AstUnits, WindowSpec, WindowType,
};
use std::sync::Arc;

const NAMES: &[&str] = &[
    "row_number",
    "rank",
    "dense_rank",
    "percent_rank",
    "cume_dist",
    "ntile",
    "lag",
    "lead",
    "first_value",
    "last_value",
    "nth_value",
];

pub(crate) fn is_window_function(name: &str) -> bool {
    NAMES.contains(&name)
}

impl Analyzer<'_> {
    pub(crate) fn window_call(
        &self,
        function: &Function,
        parts: &Parts<'_>,
        window: &WindowType,
        at: At<'_>,
    ) -> Result<Typed> {
        // A window function may contain aggregates (`sum(sum(x)) OVER ()`), but no window functions.
        let inner = Rules { windows: false, place: "a window function", ..*at.rules };
        let at_args = At { rules: &inner, ..at };
        let spec = self.window_spec(window, at)?;
        if functions::find_window(&parts.name).is_some_and(|w| w.ordered) && spec.order_by.is_empty() {
            return Err(Error::invalid(format!("{} needs an ORDER BY in its window", parts.name))
                .hint("write OVER (ORDER BY …): without an order there is no row before or behind"));
        }
        let partition_by =
            spec.partition_by.iter().map(|p| Ok(self.typed(p, at_args)?.expr)).collect::<Result<Vec<_>>>()?;
        let keys = spec
            .order_by
            .iter()
            .map(|o| Ok((self.typed(&o.expr, at_args)?, o)))
            .collect::<Result<Vec<_>>>()?;
        let key_type = keys.first().map(|(k, _)| k.sql_type.clone());
        let order_by: Vec<Sort> = keys.into_iter().map(|(k, o)| sort(k.expr, o)).collect();
        let frame = match &spec.window_frame {
            None => WindowFrame::new((!order_by.is_empty()).then_some(false)),
            Some(frame) => self.frame(frame, &order_by, key_type.as_ref(), at_args)?,
        };
        let nulls = match parts.nulls {
            Some(AstNulls::IgnoreNulls) => Some(NullTreatment::IgnoreNulls),
            Some(AstNulls::RespectNulls) => Some(NullTreatment::RespectNulls),
            None => None,
        };
        let (fun, args, filter, distinct, sql_type, native) = if is_window_function(&parts.name) {
            if function.filter.is_some() {
                return Err(Error::invalid(format!("{} takes no FILTER", parts.name)));
            }
            let (udf, args, sql_type) = self.ranking(parts, at_args)?;
            (WindowFunctionDefinition::WindowUDF(udf), args, None, false, sql_type.clone(), sql_type)
        } else if find_aggregate(&parts.name).is_empty() {
            let known: Vec<&str> = NAMES.iter().copied().chain(functions::names()).collect();
            return Err(Error::not_found(format!("window function `{}` does not exist", parts.name))
                .hint(nearest_hint(&parts.name, known)));
        } else {
            let (call, sql_type) = self.aggregate(function, parts, at_args)?;
            let params = call.params;
            let udf = WindowFunctionDefinition::AggregateUDF(call.func);
            (udf, params.args, params.filter, params.distinct, sql_type.clone(), sql_type)
        };
        let call = WindowFunction {
            fun,
            params: WindowFunctionParams {
                args,
                partition_by,
                order_by,
                window_frame: frame,
                filter,
                null_treatment: nulls,
                distinct,
            },
        };
        let expr = Expr::WindowFunction(Box::new(call));
        // DataFusion counts rows without a sign; Trino's ranks are bigint.
        let expr = if matches!(parts.name.as_str(), "row_number" | "rank" | "dense_rank" | "ntile") {
            Expr::Cast(Cast::new(Box::new(expr), native.to_arrow()))
        } else {
            expr
        };
        Ok(Typed::new(expr, sql_type))
    }

    fn window_spec(&self, window: &WindowType, at: At<'_>) -> Result<WindowSpec> {
        match window {
            WindowType::NamedWindow(name) => self.named_window(name, at, 0),
            WindowType::WindowSpec(spec) => self.completed(spec, at, 0),
        }
    }

    fn completed(&self, spec: &WindowSpec, at: At<'_>, depth: usize) -> Result<WindowSpec> {
        let Some(name) = &spec.window_name else { return Ok(spec.clone()) };
        let base = self.named_window(name, at, depth + 1)?;
        let order_by = if spec.order_by.is_empty() { base.order_by } else { spec.order_by.clone() };
        Ok(WindowSpec {
            window_name: None,
            partition_by: base.partition_by,
            order_by,
            window_frame: spec.window_frame.clone().or(base.window_frame),
        })
    }

    fn named_window(&self, name: &Ident, at: At<'_>, depth: usize) -> Result<WindowSpec> {
        let known = at.rules.named_windows;
        let found = known.iter().find(|w| w.0.value.eq_ignore_ascii_case(&name.value));
        match found.map(|w| &w.1) {
            Some(_) if depth > known.len() => {
                Err(self.fail(name.span, Error::invalid(format!("window `{}` refers to itself", name.value))))
            }
            Some(NamedWindowExpr::NamedWindow(other)) => self.named_window(other, at, depth + 1),
            Some(NamedWindowExpr::WindowSpec(spec)) => self.completed(spec, at, depth + 1),
            None => Err(self.fail(
                name.span,
                Error::not_found(format!("window `{}` does not exist", name.value))
                    .hint(nearest_hint(&name.value, known.iter().map(|w| w.0.value.as_str()))),
            )),
        }
    }

    /// The functions that only exist over windows.
    fn ranking(&self, parts: &Parts<'_>, at: At<'_>) -> Result<(Arc<WindowUDF>, Vec<Expr>, SqlType)> {
        use datafusion::functions_window as fw;
        let args = parts.args.iter().map(|a| self.typed(a, at)).collect::<Result<Vec<_>>>()?;
        let name = parts.name.as_str();
        let wrong =
            |wanted: &str| Error::invalid(format!("{name} takes {wanted}, not {} arguments", args.len()));
        let bare = |udf: Arc<WindowUDF>, sql_type: SqlType| {
            if args.is_empty() { Ok((udf, Vec::new(), sql_type)) } else { Err(wrong("no arguments")) }
        };
        match name {
            "row_number" => bare(fw::row_number::row_number_udwf(), SqlType::BigInt),
            "rank" => bare(fw::rank::rank_udwf(), SqlType::BigInt),
            "dense_rank" => bare(fw::rank::dense_rank_udwf(), SqlType::BigInt),
            "percent_rank" => bare(fw::rank::percent_rank_udwf(), SqlType::Double),
            "cume_dist" => bare(fw::cume_dist::cume_dist_udwf(), SqlType::Double),
            "ntile" => {
                let [buckets] = args.as_slice() else { return Err(wrong("one argument")) };
                let buckets = self.cast(buckets.clone(), &SqlType::BigInt, false)?;
                Ok((fw::ntile::ntile_udwf(), vec![buckets.expr], SqlType::BigInt))
            }
            "lag" | "lead" => {
                if args.is_empty() || args.len() > 3 {
                    return Err(wrong("one to three arguments"));
                }
                let udf = if name == "lag" { fw::lead_lag::lag_udwf() } else { fw::lead_lag::lead_udwf() };
                let value = args[0].clone();
                let sql_type = match args.get(2) {
                    Some(default) => common_type(&value.sql_type, &default.sql_type).ok_or_else(|| {
                        Error::invalid(format!(
                            "{name} has a value of {} and a default of {}",
                            value.sql_type, default.sql_type
                        ))
                    })?,
                    None => value.sql_type.clone(),
                };
                let mut exprs = vec![self.cast(value, &sql_type, false)?.expr];
                if let Some(offset) = args.get(1) {
                    exprs.push(self.cast(offset.clone(), &SqlType::BigInt, false)?.expr);
                }
                if let Some(default) = args.get(2) {
                    exprs.push(self.cast(default.clone(), &sql_type, false)?.expr);
                }
                Ok((udf, exprs, sql_type))
            }
            "first_value" | "last_value" => {
                let [value] = args.as_slice() else { return Err(wrong("one argument")) };
                let udf = if name == "first_value" {
                    fw::nth_value::first_value_udwf()
                } else {
                    fw::nth_value::last_value_udwf()
                };
                Ok((udf, vec![value.expr.clone()], value.sql_type.clone()))
            }
            _ => {
                let [value, position] = args.as_slice() else { return Err(wrong("two arguments")) };
                let position = self.cast(position.clone(), &SqlType::BigInt, false)?;
                Ok((
                    fw::nth_value::nth_value_udwf(),
                    vec![value.expr.clone(), position.expr],
                    value.sql_type.clone(),
                ))
            }
        }
    }

    // ---- frames ----------------------------------------------------------------------------------------------

    fn frame(
        &self,
        frame: &AstFrame,
        order_by: &[Sort],
        key: Option<&SqlType>,
        at: At<'_>,
    ) -> Result<WindowFrame> {
        let units = match frame.units {
            AstUnits::Rows => WindowFrameUnits::Rows,
            AstUnits::Range => WindowFrameUnits::Range,
            AstUnits::Groups => WindowFrameUnits::Groups,
        };
        let start = self.bound(&frame.start_bound, units, key, at)?;
        let end = match &frame.end_bound {
            Some(bound) => self.bound(bound, units, key, at)?,
            None => WindowFrameBound::CurrentRow,
        };
        if matches!(start, WindowFrameBound::Following(ref v) if v.is_null())
            || matches!(end, WindowFrameBound::Preceding(ref v) if v.is_null())
        {
            return Err(Error::invalid(
                "a window frame cannot start UNBOUNDED FOLLOWING or end UNBOUNDED PRECEDING",
            ));
        }
        let offsets = [&start, &end]
            .into_iter()
            .any(|b| !matches!(b, WindowFrameBound::CurrentRow) && !b.is_unbounded());
        if offsets && units == WindowFrameUnits::Range && order_by.len() != 1 {
            return Err(Error::invalid("a RANGE frame with an offset needs exactly one ORDER BY key"));
        }
        if units == WindowFrameUnits::Groups && order_by.is_empty() {
            return Err(Error::invalid("a GROUPS frame needs an ORDER BY"));
        }
        Ok(WindowFrame::new_bounds(units, start, end))
    }

    fn bound(
        &self,
        bound: &AstBound,
        units: WindowFrameUnits,
        key: Option<&SqlType>,
        at: At<'_>,
    ) -> Result<WindowFrameBound> {
        Ok(match bound {
            AstBound::CurrentRow => WindowFrameBound::CurrentRow,
            AstBound::Preceding(None) => WindowFrameBound::Preceding(ScalarValue::UInt64(None)),
            AstBound::Following(None) => WindowFrameBound::Following(ScalarValue::UInt64(None)),
            AstBound::Preceding(Some(offset)) => {
                WindowFrameBound::Preceding(self.offset(offset, units, key, at)?)
            }
            AstBound::Following(Some(offset)) => {
                WindowFrameBound::Following(self.offset(offset, units, key, at)?)
            }
        })
    }

    fn offset(
        &self,
        ast: &Ast,
        units: WindowFrameUnits,
        key: Option<&SqlType>,
        at: At<'_>,
    ) -> Result<ScalarValue> {
        let value = self.typed(ast, at)?;
        let wrong = |why: &str| self.fail(span_of(ast), Error::invalid(format!("a frame's offset {why}")));
        if units != WindowFrameUnits::Range {
            let count = self.cast(value, &SqlType::BigInt, false)?;
            return match count.literal() {
                Some(ScalarValue::Int64(Some(n))) if *n >= 0 => {
                    Ok(ScalarValue::UInt64(Some(n.unsigned_abs())))
                }
                Some(_) => Err(wrong("has to be a number of rows from 0")),
                None => Err(wrong("has to be a constant")),
            };
        }
        let key = key.ok_or_else(|| wrong("needs an ORDER BY key"))?;
        let wanted = match key {
            SqlType::Date | SqlType::Timestamp(_) | SqlType::TimestampTz(..) => {
                return match value.literal() {
                    Some(ScalarValue::IntervalYearMonth(Some(months))) => {
                        Ok(ScalarValue::new_interval_mdn(*months, 0, 0))
                    }
                    Some(ScalarValue::DurationMillisecond(Some(ms))) => {
                        let (days, rest) = (ms / 86_400_000, ms % 86_400_000);
                        let days = i32::try_from(days).map_err(|_| wrong("is too long"))?;
                        Ok(ScalarValue::new_interval_mdn(0, days, rest * 1_000_000))
                    }
                    _ => Err(wrong("over dates and times has to be an interval")),
                };
            }
            other if other.is_numeric() => other,
            other => return Err(wrong(&format!("cannot be counted in {other}"))),
        };
        let value = self.cast(value, wanted, false)?;
        match value.literal() {
            Some(value) => Ok(value.clone()),
            None => Err(wrong("has to be a constant")),
        }
    }
}
