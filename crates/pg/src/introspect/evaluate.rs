//! Expressions of the interpreter.

use super::meter::{MAX_VALUE, too_large};
use super::operators::{among, arithmetic, like, like_pattern, matches, negate};
use super::query::{Run, Scope, folded, unsupported};
use super::shapes;
use super::value::Value;
use super::{aggregate, functions};
use crate::fault::Fault;
use crate::values::Shape;
use sqlparser::ast::{
    AccessExpr, BinaryOperator, DataType, Expr, Query, Subscript, UnaryOperator, Value as Literal,
};
use std::cmp::Ordering;

impl Run<'_> {
    /// The value of an expression.
    pub(super) fn value(&self, expression: &Expr, scope: &Scope<'_>) -> Result<Value, Fault> {
        self.step()?;
        match expression {
            Expr::Identifier(ident) => return self.name(std::slice::from_ref(ident), scope),
            Expr::CompoundIdentifier(parts) => return self.name(parts, scope),
            _ => {}
        }
        // Each operator is a level deeper.
        let value = stacker::maybe_grow(256 << 10, 4 << 20, || self.calculated(expression, scope))?;
        let mut left = MAX_VALUE;
        if !value.fits(&mut left) {
            return Err(too_large());
        }
        self.steps((MAX_VALUE - left) / 256)?;
        Ok(value)
    }

    fn calculated(&self, expression: &Expr, scope: &Scope<'_>) -> Result<Value, Fault> {
        Ok(match expression {
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => self.value(expression, scope)?,
            Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => self.value(inner, scope)?,
            Expr::Value(value) => self.literal(&value.value)?,
            Expr::Prefixed { value, .. } => self.value(value, scope)?,
            Expr::TypedString(typed) => {
                let text = Value::from(typed.value.value.clone().into_string().unwrap_or_default());
                self.cast(text, &typed.data_type)?
            }
            Expr::Cast { expr, data_type, .. } => {
                let value = self.value(expr, scope)?;
                self.cast(value, data_type)?
            }
            Expr::UnaryOp { op, expr } => {
                let value = self.value(expr, scope)?;
                match (op, &value) {
                    (_, Value::Null) => Value::Null,
                    (UnaryOperator::Not, value) => value.as_bool().map(|truth| !truth).into(),
                    (UnaryOperator::Minus, Value::Float(number)) => Value::Float(-number),
                    (UnaryOperator::Minus, value) => value.as_int().and_then(i64::checked_neg).into(),
                    (UnaryOperator::Plus, value) => value.clone(),
                    (op, _) => return Err(unsupported(format!("the operator {op}"))),
                }
            }
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right, scope)?,
            Expr::IsNull(inner) => self.value(inner, scope)?.is_null().into(),
            Expr::IsNotNull(inner) => (!self.value(inner, scope)?.is_null()).into(),
            Expr::IsTrue(inner) => (self.value(inner, scope)?.as_bool() == Some(true)).into(),
            Expr::IsNotTrue(inner) => (self.value(inner, scope)?.as_bool() != Some(true)).into(),
            Expr::IsFalse(inner) => (self.value(inner, scope)?.as_bool() == Some(false)).into(),
            Expr::IsNotFalse(inner) => (self.value(inner, scope)?.as_bool() != Some(false)).into(),
            Expr::IsDistinctFrom(a, b) | Expr::IsNotDistinctFrom(a, b) => {
                let (a, b) = (self.value(a, scope)?, self.value(b, scope)?);
                let same = match (a.is_null(), b.is_null()) {
                    (true, true) => true,
                    (false, false) => a.compare(&b)? == Some(Ordering::Equal),
                    _ => false,
                };
                (same != matches!(expression, Expr::IsDistinctFrom(..))).into()
            }
            Expr::InList { expr, list, negated } => {
                let value = self.value(expr, scope)?;
                let list = list.iter().map(|e| self.value(e, scope)).collect::<Result<Vec<_>, _>>()?;
                negate(among(&value, &list)?, *negated)
            }
            Expr::InSubquery { expr, subquery, negated } => {
                let value = self.value(expr, scope)?;
                negate(among(&value, &self.column(subquery, scope)?)?, *negated)
            }
            Expr::Between { expr, negated, low, high } => {
                let value = self.value(expr, scope)?;
                let low = value.compare(&self.value(low, scope)?)?.map(Ordering::is_ge);
                let high = value.compare(&self.value(high, scope)?)?.map(Ordering::is_le);
                negate(low.zip(high).map(|(a, b)| a && b).into(), *negated)
            }
            Expr::Like { negated, expr, pattern, escape_char, .. } => {
                let escape = escape_char.as_ref().and_then(|e| e.value.clone().into_string());
                self.like(expr, pattern, escape.as_deref(), false, *negated, scope)?
            }
            Expr::ILike { negated, expr, pattern, escape_char, .. } => {
                let escape = escape_char.as_ref().and_then(|e| e.value.clone().into_string());
                self.like(expr, pattern, escape.as_deref(), true, *negated, scope)?
            }
            Expr::AnyOp { left, compare_op, right, .. } | Expr::AllOp { left, compare_op, right } => {
                let all = matches!(expression, Expr::AllOp { .. });
                let value = self.value(left, scope)?;
                let elements = match strip(right) {
                    Expr::Subquery(query) => Some(self.column(query, scope)?),
                    other => self.value(other, scope)?.elements(),
                };
                let Some(elements) = elements else { return Ok(Value::Null) };
                for element in elements {
                    let holds = self.apply(&value, compare_op, &element)?;
                    if holds.as_bool() == Some(!all) {
                        return Ok(Value::Bool(!all));
                    }
                }
                Value::Bool(all)
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                let operand = operand.as_ref().map(|e| self.value(e, scope)).transpose()?;
                for when in conditions {
                    let condition = self.value(&when.condition, scope)?;
                    let holds = match &operand {
                        Some(operand) => operand.compare(&condition)? == Some(Ordering::Equal),
                        None => condition.is_true(),
                    };
                    if holds {
                        return self.value(&when.result, scope);
                    }
                }
                match else_result {
                    Some(e) => self.value(e, scope)?,
                    None => Value::Null,
                }
            }
            Expr::Exists { subquery, negated } => {
                (self.query(subquery, scope)?.rows.is_empty() == *negated).into()
            }
            Expr::Subquery(query) => {
                let output = self.query(query, scope)?;
                if output.rows.len() > 1 {
                    return Err(Fault::new(
                        "21000",
                        "more than one row returned by a subquery used as an expression",
                    ));
                }
                output.rows.into_iter().next().and_then(|row| row.into_iter().next()).unwrap_or(Value::Null)
            }
            Expr::Array(array) => {
                let elements =
                    array.elem.iter().map(|e| self.value(e, scope)).collect::<Result<Vec<_>, _>>()?;
                Value::List(elements.into())
            }
            Expr::Tuple(all) => {
                let all = all.iter().map(|e| self.value(e, scope)).collect::<Result<Vec<_>, _>>()?;
                Value::List(all.into())
            }
            Expr::CompoundFieldAccess { root, access_chain } => {
                let mut value = self.value(root, scope)?;
                for access in access_chain {
                    let AccessExpr::Subscript(Subscript::Index { index }) = access else {
                        return Err(unsupported("the field of a row"));
                    };
                    let index = self.value(index, scope)?.as_int();
                    let at = index.and_then(|i| usize::try_from(i).ok()).and_then(|i| i.checked_sub(1));
                    value = at.and_then(|at| value.elements()?.into_iter().nth(at)).unwrap_or(Value::Null);
                }
                value
            }
            Expr::Position { expr, r#in } => {
                let (part, whole) = (self.value(expr, scope)?, self.value(r#in, scope)?);
                functions::call(self, "position", &[part, whole])?
            }
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                let mut values = vec![self.value(expr, scope)?];
                for part in substring_from.iter().chain(substring_for) {
                    values.push(self.value(part, scope)?);
                }
                functions::call(self, "substring", &values)?
            }
            Expr::Trim { expr, .. } => functions::call(self, "btrim", &[self.value(expr, scope)?])?,
            Expr::Function(function) => {
                let name = functions::name_of(function);
                if aggregate::is_aggregate(&name) && scope.group.is_some() {
                    return aggregate::value(self, function, &name, scope);
                }
                if let sqlparser::ast::FunctionArguments::Subquery(query) = &function.args {
                    let elements = self.column(query, scope)?;
                    return match name.as_str() {
                        "array" => Ok(Value::List(elements.into())),
                        _ => Err(unsupported(format!("{name} of a query"))),
                    };
                }
                let arguments = functions::arguments(function)?;
                let values = arguments.iter().map(|e| self.value(e, scope)).collect::<Result<Vec<_>, _>>()?;
                functions::call(self, &name, &values)?
            }
            other => return Err(unsupported(format!("`{other}`"))),
        })
    }

    /// The first column of what a query finds.
    fn column(&self, query: &Query, scope: &Scope<'_>) -> Result<Vec<Value>, Fault> {
        let rows = self.query(query, scope)?.rows;
        Ok(rows.into_iter().map(|row| row.into_iter().next().unwrap_or(Value::Null)).collect())
    }

    fn name(&self, parts: &[sqlparser::ast::Ident], scope: &Scope<'_>) -> Result<Value, Fault> {
        if let Some(value) = scope.value(parts) {
            return Ok(value);
        }
        if let [only] = parts
            && only.quote_style.is_none()
        {
            let name = folded(only);
            if matches!(
                name.as_str(),
                "current_user"
                    | "session_user"
                    | "user"
                    | "current_role"
                    | "current_schema"
                    | "current_catalog"
                    | "current_date"
                    | "current_timestamp"
            ) {
                return functions::call(self, &name, &[]);
            }
        }
        let name: Vec<String> = parts.iter().map(folded).collect();
        Err(Fault::new("42703", format!("column {} does not exist", name.join("."))))
    }

    fn literal(&self, literal: &Literal) -> Result<Value, Fault> {
        Ok(match literal {
            Literal::Number(text, _) => match text.parse::<i64>() {
                Ok(number) => Value::Int(number),
                Err(_) => text.parse::<f64>().ok().map_or(Value::Null, Value::Float),
            },
            Literal::Boolean(truth) => Value::Bool(*truth),
            Literal::Null => Value::Null,
            Literal::Placeholder(name) => {
                let number = name
                    .strip_prefix('$')
                    .and_then(|n| n.parse::<usize>().ok())
                    .and_then(|n| n.checked_sub(1));
                let value = number.and_then(|at| self.world.values.get(at));
                value.cloned().ok_or_else(|| Fault::new("08P01", format!("there is no value for {name}")))?
            }
            other => match other.clone().into_string() {
                Some(text) => Value::from(text),
                None => return Err(unsupported(format!("the literal {other}"))),
            },
        })
    }

    fn like(
        &self,
        expr: &Expr,
        pattern: &Expr,
        escape: Option<&str>,
        fold: bool,
        negated: bool,
        scope: &Scope<'_>,
    ) -> Result<Value, Fault> {
        let (value, pattern) = (self.value(expr, scope)?, self.value(pattern, scope)?);
        let (Some(mut text), Some(mut pattern)) = (value.text(), pattern.text()) else {
            return Ok(Value::Null);
        };
        if fold {
            (text, pattern) = (text.to_lowercase(), pattern.to_lowercase());
        }
        let escape = escape.map_or(Some('\\'), |escape| escape.chars().next());
        let text: Vec<char> = text.chars().collect();
        Ok(Value::Bool(like(&text, &like_pattern(&pattern, escape)) != negated))
    }

    fn binary(
        &self,
        left: &Expr,
        op: &BinaryOperator,
        right: &Expr,
        scope: &Scope<'_>,
    ) -> Result<Value, Fault> {
        if let BinaryOperator::And | BinaryOperator::Or = op {
            let decided = *op == BinaryOperator::Or;
            let left = self.value(left, scope)?.as_bool();
            if left == Some(decided) {
                return Ok(Value::Bool(decided));
            }
            let right = self.value(right, scope)?.as_bool();
            return Ok(match (left, right) {
                (_, Some(right)) if right == decided => Value::Bool(decided),
                (Some(_), Some(_)) => Value::Bool(!decided),
                _ => Value::Null,
            });
        }
        let (left, right) = (self.value(left, scope)?, self.value(right, scope)?);
        self.apply(&left, op, &right)
    }

    /// An operator on two values.
    fn apply(&self, left: &Value, op: &BinaryOperator, right: &Value) -> Result<Value, Fault> {
        use BinaryOperator as Op;
        if left.is_null() || right.is_null() {
            return Ok(Value::Null);
        }
        let compared = |holds: fn(Ordering) -> bool| Ok(left.compare(right)?.map(holds).into());
        let text = || (left.text().unwrap_or_default(), right.text().unwrap_or_default());
        match op {
            Op::Eq => compared(Ordering::is_eq),
            Op::NotEq => compared(Ordering::is_ne),
            Op::Lt => compared(Ordering::is_lt),
            Op::LtEq => compared(Ordering::is_le),
            Op::Gt => compared(Ordering::is_gt),
            Op::GtEq => compared(Ordering::is_ge),
            Op::StringConcat => match (left, right) {
                (Value::List(a), Value::List(b)) => {
                    Ok(Value::List(a.iter().chain(b.iter()).cloned().collect()))
                }
                (Value::List(a), b) => Ok(Value::List(a.iter().chain([b]).cloned().collect())),
                _ => {
                    let (a, b) = text();
                    Ok(Value::from(a + &b))
                }
            },
            Op::Plus
            | Op::Minus
            | Op::Multiply
            | Op::Divide
            | Op::Modulo
            | Op::BitwiseAnd
            | Op::BitwiseOr
            | Op::PGBitwiseShiftLeft
            | Op::PGBitwiseShiftRight => arithmetic(left, op, right),
            Op::PGRegexMatch | Op::PGRegexIMatch | Op::PGRegexNotMatch | Op::PGRegexNotIMatch => {
                let fold = matches!(op, Op::PGRegexIMatch | Op::PGRegexNotIMatch);
                let negated = matches!(op, Op::PGRegexNotMatch | Op::PGRegexNotIMatch);
                let (text, pattern) = text();
                Ok(Value::Bool(matches(&text, &pattern, fold)? != negated))
            }
            Op::PGCustomBinaryOperator(names) => {
                let name = names.last().map(String::as_str).unwrap_or_default();
                let op = match name {
                    "=" => Op::Eq,
                    "<>" | "!=" => Op::NotEq,
                    "<" => Op::Lt,
                    ">" => Op::Gt,
                    "<=" => Op::LtEq,
                    ">=" => Op::GtEq,
                    "~" => Op::PGRegexMatch,
                    "~*" => Op::PGRegexIMatch,
                    "!~" => Op::PGRegexNotMatch,
                    "!~*" => Op::PGRegexNotIMatch,
                    "||" => Op::StringConcat,
                    "+" => Op::Plus,
                    other => return Err(unsupported(format!("the operator {other}"))),
                };
                self.apply(left, &op, right)
            }
            Op::PGLikeMatch | Op::PGNotLikeMatch | Op::PGILikeMatch | Op::PGNotILikeMatch => {
                let (mut a, mut b) = text();
                if matches!(op, Op::PGILikeMatch | Op::PGNotILikeMatch) {
                    (a, b) = (a.to_lowercase(), b.to_lowercase());
                }
                let a: Vec<char> = a.chars().collect();
                let negated = matches!(op, Op::PGNotLikeMatch | Op::PGNotILikeMatch);
                Ok(Value::Bool(like(&a, &like_pattern(&b, Some('\\'))) != negated))
            }
            Op::PGOverlap => {
                let (a, b) = (left.elements().unwrap_or_default(), right.elements().unwrap_or_default());
                Ok(Value::Bool(a.iter().any(|x| b.iter().any(|y| x.key() == y.key()))))
            }
            other => Err(unsupported(format!("the operator {other}"))),
        }
    }

    /// A value as one of another type.
    fn cast(&self, value: Value, data_type: &DataType) -> Result<Value, Fault> {
        let name = data_type.to_string().to_lowercase();
        let name = name.rsplit('.').next().unwrap_or_default().trim_matches('"').to_owned();
        if value.is_null() {
            return Ok(value);
        }
        if name.ends_with("[]") || name == "oidvector" || name == "int2vector" {
            return Ok(value.elements().map_or(value, |all| Value::List(all.into())));
        }
        let wrong = |kind: &str, value: &Value| {
            let text = value.text().unwrap_or_default();
            Fault::new("22P02", format!("invalid input syntax for type {kind}: \"{text}\""))
        };
        match name.as_str() {
            "regclass" => return functions::regclass(self, &value),
            "regtype" => {
                return Ok(match &value {
                    Value::Int(oid) => Value::from(shapes::shown(*oid, None)),
                    other => other.clone(),
                });
            }
            "regnamespace" => {
                let found =
                    self.world.snapshot.namespaces.iter().find(|n| value.as_int() == Some(i64::from(n.oid)));
                return Ok(found.map_or(value, |namespace| Value::from(namespace.name.as_str())));
            }
            "regproc" | "regprocedure" | "regrole" => return Ok(value),
            _ => {}
        }
        Ok(match shapes::of_type(data_type) {
            Shape::Bool => Value::Bool(value.as_bool().ok_or_else(|| wrong("boolean", &value))?),
            Shape::Int2 | Shape::Int4 | Shape::Int8 => {
                Value::Int(value.as_int().ok_or_else(|| wrong("integer", &value))?)
            }
            Shape::Oid => match value.as_int() {
                Some(number) => Value::Int(number),
                // `'pg_class'::regclass::oid`: what was a name has a number.
                None => Value::Int(functions::number_of(self, &value).ok_or_else(|| wrong("oid", &value))?),
            },
            Shape::Float8 => {
                value.as_float().map(Value::Float).ok_or_else(|| wrong("double precision", &value))?
            }
            Shape::Text(..) if matches!(value, Value::Text(_)) => value,
            Shape::Text(..) => value.text().map_or(Value::Null, Value::from),
            _ => value,
        })
    }
}

fn strip(expression: &Expr) -> &Expr {
    match expression {
        Expr::Nested(inner) => strip(inner),
        other => other,
    }
}
