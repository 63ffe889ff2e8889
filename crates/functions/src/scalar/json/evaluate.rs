//! Evaluates the standard's JSON paths. In lax mode arrays are taken apart and put together as needed, and what is not
//! there is left out; in strict mode both are errors.

use super::sqlpath::{Comparison, Expr, Method, Predicate, SqlPath};
use super::tree::Json;
use std::borrow::Cow;
use std::cmp::Ordering;

/// Why a path could not be evaluated.
pub(crate) type Failure = String;
type Eval<T> = Result<T, Failure>;
type Items<'a> = Vec<Cow<'a, Json>>;

/// No path yields more items.
const MAX_ITEMS: usize = 1_000_000;

/// Evaluates a path on a value, with the named variables of an object.
pub(crate) fn evaluate<'a>(path: &SqlPath, input: &'a Json, variables: &'a Json) -> Eval<Items<'a>> {
    let scope = Scope { lax: path.lax, context: input, variables, current: None, last: None };
    scope.items(&path.root)
}

#[derive(Clone, Copy)]
struct Scope<'a, 's> {
    lax: bool,
    context: &'a Json,
    variables: &'a Json,
    current: Option<&'s Json>,
    last: Option<i64>,
}

/// A number, exact while it is one of 64 bits.
#[derive(Debug, Clone, Copy)]
enum Number {
    Integer(i64),
    Double(f64),
}

impl Number {
    fn of(item: &Json) -> Option<Number> {
        let Json::Number(text, float) = item else { return None };
        match text.parse::<i64>() {
            Ok(number) if !float => Some(Number::Integer(number)),
            _ => text.parse().ok().map(Number::Double),
        }
    }

    fn to_double(self) -> f64 {
        match self {
            Number::Integer(number) => number as f64,
            Number::Double(number) => number,
        }
    }

    fn to_json(self) -> Json {
        match self {
            Number::Integer(number) => Json::Number(number.to_string(), false),
            Number::Double(number) => Json::Number(format!("{number:e}"), true),
        }
    }
}

/// Takes arrays apart, one level.
fn unwrapped<'a>(items: Items<'a>) -> Items<'a> {
    let mut flat = Vec::with_capacity(items.len());
    for item in items {
        match item {
            Cow::Borrowed(Json::Array(elements)) => flat.extend(elements.iter().map(Cow::Borrowed)),
            Cow::Owned(Json::Array(elements)) => flat.extend(elements.into_iter().map(Cow::Owned)),
            other => flat.push(other),
        }
    }
    flat
}

fn kind(item: &Json) -> &'static str {
    match item {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(..) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

impl<'a, 's> Scope<'a, 's> {
    fn items(&self, expr: &Expr) -> Eval<Items<'a>> {
        let one = |item: Json| Ok(vec![Cow::Owned(item)]);
        let items = match expr {
            Expr::Context => vec![Cow::Borrowed(self.context)],
            Expr::Current => match self.current {
                Some(item) => vec![Cow::Owned(item.clone())],
                None => return Err("@ stands outside of a filter".into()),
            },
            Expr::Last => {
                return self.last.map_or(Err("last stands outside of a subscript".into()), |l| {
                    one(Number::Integer(l).to_json())
                });
            }
            Expr::Variable(name) => match self.variables {
                Json::Object(members) => match members.iter().find(|(key, _)| key == name) {
                    Some((_, value)) => vec![Cow::Borrowed(value)],
                    None => return Err(format!("no value is passed for ${name}")),
                },
                _ => return Err(format!("no value is passed for ${name}")),
            },
            Expr::Integer(number) => return one(Number::Integer(*number).to_json()),
            Expr::Double(number) => return one(Number::Double(*number).to_json()),
            Expr::Text(text) => return one(Json::String(text.clone())),
            Expr::Bool(truth) => return one(Json::Bool(*truth)),
            Expr::Null => return one(Json::Null),
            Expr::Positive(inner) => self.numbers(inner, Some)?,
            Expr::Negative(inner) => self.numbers(inner, |n| match n {
                Number::Integer(number) => number.checked_neg().map(Number::Integer),
                Number::Double(number) => Some(Number::Double(-number)),
            })?,
            Expr::Arithmetic(left, operator, right) => {
                return one(self.arithmetic(left, *operator, right)?.to_json());
            }
            Expr::Member(inner, name) => self.member(inner, name)?,
            Expr::Members(inner) => self.members(inner)?,
            Expr::Descendants(inner, name) => {
                let mut found = Vec::new();
                for item in self.items(inner)? {
                    descend(&item, name, &mut found);
                }
                found
            }
            Expr::AllElements(inner) => {
                let items = self.items(inner)?;
                if !self.lax
                    && let Some(other) = items.iter().find(|i| !matches!(i.as_ref(), Json::Array(_)))
                {
                    return Err(format!("[*] found a {} instead of an array", kind(other)));
                }
                unwrapped(items)
            }
            Expr::Elements(inner, subscripts) => self.elements(inner, subscripts)?,
            Expr::Filter(inner, predicate) => {
                let mut kept = Vec::new();
                for item in self.input(inner)? {
                    let scope = Scope { current: Some(item.as_ref()), ..*self };
                    if scope.test(predicate) == Some(true) {
                        kept.push(item.clone());
                    }
                }
                kept
            }
            Expr::Method(inner, method) => self.method(inner, *method)?,
        };
        if items.len() > MAX_ITEMS { Err("the path yields too many items".into()) } else { Ok(items) }
    }

    /// What an operation works on: in lax mode arrays are taken apart first.
    fn input(&self, inner: &Expr) -> Eval<Items<'a>> {
        let items = self.items(inner)?;
        Ok(if self.lax { unwrapped(items) } else { items })
    }

    fn member(&self, inner: &Expr, name: &str) -> Eval<Items<'a>> {
        let mut found = Vec::new();
        for item in self.input(inner)? {
            let before = found.len();
            match item {
                Cow::Borrowed(Json::Object(members)) => {
                    found
                        .extend(members.iter().filter(|(key, _)| key == name).map(|(_, v)| Cow::Borrowed(v)));
                }
                Cow::Owned(Json::Object(members)) => {
                    found.extend(
                        members.into_iter().filter(|(key, _)| key == name).map(|(_, v)| Cow::Owned(v)),
                    );
                }
                _ => {}
            }
            if !self.lax && found.len() == before {
                return Err(format!("there is no member {name}"));
            }
        }
        Ok(found)
    }

    fn members(&self, inner: &Expr) -> Eval<Items<'a>> {
        let mut found = Vec::new();
        for item in self.input(inner)? {
            match item {
                Cow::Borrowed(Json::Object(members)) => {
                    found.extend(members.iter().map(|(_, v)| Cow::Borrowed(v)));
                }
                Cow::Owned(Json::Object(members)) => {
                    found.extend(members.into_iter().map(|(_, v)| Cow::Owned(v)));
                }
                other if !self.lax => {
                    return Err(format!(".* found a {} instead of an object", kind(&other)));
                }
                _ => {}
            }
        }
        Ok(found)
    }

    fn elements(&self, inner: &Expr, subscripts: &[(Expr, Option<Expr>)]) -> Eval<Items<'a>> {
        let mut found = Vec::new();
        for item in self.items(inner)? {
            let wrapped;
            let elements: &[Json] = match item.as_ref() {
                Json::Array(elements) => elements,
                other if self.lax => {
                    wrapped = [other.clone()];
                    &wrapped
                }
                other => return Err(format!("a subscript found a {} instead of an array", kind(other))),
            };
            let last = elements.len() as i64 - 1;
            let scope = Scope { last: Some(last), ..*self };
            for (from, to) in subscripts {
                let from = scope.index(from)?;
                let to = to.as_ref().map_or(Ok(from), |to| scope.index(to))?;
                if !self.lax && (from < 0 || to > last || from > to) {
                    return Err(format!(
                        "the subscript {from} to {to} is beyond the {} elements",
                        elements.len()
                    ));
                }
                for at in from.max(0)..=to.min(last) {
                    found.extend(
                        usize::try_from(at).ok().and_then(|at| elements.get(at)).cloned().map(Cow::Owned),
                    );
                }
            }
            if found.len() > MAX_ITEMS {
                return Err("the path yields too many items".into());
            }
        }
        Ok(found)
    }

    fn index(&self, expr: &Expr) -> Eval<i64> {
        match self.number(expr)? {
            Number::Integer(number) => Ok(number),
            Number::Double(number) if number.abs() < 1e15 => Ok(number as i64),
            Number::Double(_) => Err("a subscript is too large".into()),
        }
    }

    fn number(&self, expr: &Expr) -> Eval<Number> {
        let items = self.input(expr)?;
        match items.as_slice() {
            [item] => Number::of(item).ok_or_else(|| format!("a {} is no number", kind(item))),
            more => Err(format!("one number is expected, found {} items", more.len())),
        }
    }

    fn numbers(&self, inner: &Expr, turn: impl Fn(Number) -> Option<Number>) -> Eval<Items<'a>> {
        let turn_one = |item: &Json| {
            let number = Number::of(item).ok_or_else(|| format!("a {} is no number", kind(item)))?;
            turn(number).map(|n| Cow::Owned(n.to_json())).ok_or_else(|| "a number is too large".to_owned())
        };
        self.input(inner)?.iter().map(|item| turn_one(item)).collect()
    }

    fn arithmetic(&self, left: &Expr, operator: char, right: &Expr) -> Eval<Number> {
        let (left, right) = (self.number(left)?, self.number(right)?);
        let zero = || "division by zero".to_owned();
        if let (Number::Integer(a), Number::Integer(b)) = (left, right) {
            if b == 0 && matches!(operator, '/' | '%') {
                return Err(zero());
            }
            let result = match operator {
                '+' => a.checked_add(b),
                '-' => a.checked_sub(b),
                '*' => a.checked_mul(b),
                '/' => a.checked_div(b),
                _ => a.checked_rem(b),
            };
            return result.map(Number::Integer).ok_or_else(|| "a number is too large".to_owned());
        }
        let (a, b) = (left.to_double(), right.to_double());
        if b == 0.0 && matches!(operator, '/' | '%') {
            return Err(zero());
        }
        let result = match operator {
            '+' => a + b,
            '-' => a - b,
            '*' => a * b,
            '/' => a / b,
            _ => a % b,
        };
        if result.is_finite() { Ok(Number::Double(result)) } else { Err("a number is too large".into()) }
    }

    fn method(&self, inner: &Expr, method: Method) -> Eval<Items<'a>> {
        let round = |turn: fn(f64) -> f64| {
            move |n: Number| match n {
                Number::Integer(_) => Some(n),
                Number::Double(number) => Some(Number::Double(turn(number))),
            }
        };
        match method {
            Method::Ceiling => self.numbers(inner, round(f64::ceil)),
            Method::Floor => self.numbers(inner, round(f64::floor)),
            Method::Abs => self.numbers(inner, |n| match n {
                Number::Integer(number) => number.checked_abs().map(Number::Integer),
                Number::Double(number) => Some(Number::Double(number.abs())),
            }),
            Method::Type => {
                Ok(self.items(inner)?.iter().map(|i| Cow::Owned(Json::String(kind(i).to_owned()))).collect())
            }
            Method::Double => {
                let double = |item: &Json| {
                    let number = match item {
                        Json::String(text) => text.trim().parse().ok(),
                        other => Number::of(other).map(Number::to_double),
                    };
                    let number = number.filter(|n: &f64| n.is_finite());
                    number
                        .map(|n| Cow::Owned(Number::Double(n).to_json()))
                        .ok_or_else(|| format!("a {} cannot be turned into a double", kind(item)))
                };
                self.input(inner)?.iter().map(|item| double(item)).collect()
            }
            Method::Size => {
                let size = |item: &Json| match item {
                    Json::Array(elements) => Ok(elements.len() as i64),
                    _ if self.lax => Ok(1),
                    other => Err(format!("size() found a {} instead of an array", kind(other))),
                };
                let items = self.items(inner)?;
                items.iter().map(|i| size(i).map(|n| Cow::Owned(Number::Integer(n).to_json()))).collect()
            }
            Method::KeyValue => self.key_values(inner),
        }
    }

    fn key_values(&self, inner: &Expr) -> Eval<Items<'a>> {
        let mut found = Vec::new();
        for (id, item) in self.input(inner)?.iter().enumerate() {
            let Json::Object(members) = item.as_ref() else {
                return Err(format!("keyvalue() found a {} instead of an object", kind(item)));
            };
            for (key, value) in members {
                found.push(Cow::Owned(Json::Object(vec![
                    ("name".to_owned(), Json::String(key.clone())),
                    ("value".to_owned(), value.clone()),
                    ("id".to_owned(), Json::Number(id.to_string(), false)),
                ])));
            }
        }
        Ok(found)
    }

    /// Three-valued: nothing stands for unknown.
    fn test(&self, predicate: &Predicate) -> Option<bool> {
        match predicate {
            Predicate::And(a, b) => match (self.test(a), self.test(b)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Predicate::Or(a, b) => match (self.test(a), self.test(b)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Predicate::Not(inner) => self.test(inner).map(|t| !t),
            Predicate::IsUnknown(inner) => Some(self.test(inner).is_none()),
            Predicate::Exists(inner) => self.items(inner).ok().map(|items| !items.is_empty()),
            Predicate::StartsWith(left, right) => {
                let prefix = self.input(right).ok()?;
                let [prefix] = prefix.as_slice() else { return None };
                let Json::String(prefix) = prefix.as_ref() else { return None };
                self.any(&self.input(left).ok()?, |item| match item {
                    Json::String(text) => Some(text.starts_with(prefix.as_str())),
                    _ => None,
                })
            }
            Predicate::Compare(left, comparison, right) => {
                let (left, right) = (self.input(left).ok()?, self.input(right).ok()?);
                let mut unknown = false;
                let mut found = false;
                for a in &left {
                    match self.any(&right, |b| compare(a, *comparison, b)) {
                        Some(true) => {
                            found = true;
                            if self.lax {
                                return Some(true);
                            }
                        }
                        Some(false) => {}
                        None if self.lax => return None,
                        None => unknown = true,
                    }
                }
                if unknown { None } else { Some(found) }
            }
        }
    }

    /// Whether the test holds for any item. In strict mode an error anywhere makes it unknown; in lax mode what is found
    /// first counts.
    fn any(&self, items: &Items<'_>, test: impl Fn(&Json) -> Option<bool>) -> Option<bool> {
        let mut found = false;
        let mut unknown = false;
        for item in items {
            match test(item) {
                Some(true) if self.lax => return Some(true),
                Some(truth) => found |= truth,
                None if self.lax => return None,
                None => unknown = true,
            }
        }
        if unknown { None } else { Some(found) }
    }
}

fn compare(a: &Json, comparison: Comparison, b: &Json) -> Option<bool> {
    let ordering = match (a, b) {
        (Json::Null, Json::Null) => return Some(matches!(comparison, Comparison::Equal)),
        (Json::Null, _) | (_, Json::Null) => return Some(false),
        (Json::String(a), Json::String(b)) => a.cmp(b),
        (Json::Bool(a), Json::Bool(b)) => a.cmp(b),
        (Json::Number(..), Json::Number(..)) => match (Number::of(a)?, Number::of(b)?) {
            (Number::Integer(a), Number::Integer(b)) => a.cmp(&b),
            (a, b) => a.to_double().partial_cmp(&b.to_double())?,
        },
        _ => return None,
    };
    Some(match comparison {
        Comparison::Equal => ordering == Ordering::Equal,
        Comparison::NotEqual => ordering != Ordering::Equal,
        Comparison::Less => ordering == Ordering::Less,
        Comparison::LessOrEqual => ordering != Ordering::Greater,
        Comparison::Greater => ordering == Ordering::Greater,
        Comparison::GreaterOrEqual => ordering != Ordering::Less,
    })
}

/// The members of this name at any depth, outer ones first.
fn descend(item: &Json, name: &str, found: &mut Items<'_>) {
    match item {
        Json::Object(members) => {
            found.extend(members.iter().filter(|(key, _)| key == name).map(|(_, v)| Cow::Owned(v.clone())));
            members.iter().for_each(|(_, value)| descend(value, name, found));
        }
        Json::Array(elements) => elements.iter().for_each(|element| descend(element, name, found)),
        _ => {}
    }
}
