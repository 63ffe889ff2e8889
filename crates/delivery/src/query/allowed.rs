//! What a filter may be made of: terms that give one value of each record, in a time and a room that its length bounds.
//!
//! A record's sender writes its values, so a filter must be harmless for all of them: nothing repeats a text as often as a
//! number says, nothing doubles itself again and again, nothing gives many values for one.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Term};
use jaq_core::ops::Math;
use jaq_core::path::Part;
use model::{Error, Result};

/// How many times as much text as its record a filter may make on its way.
const MOST_GROWTH: u64 = 16;

/// The functions, and how many arguments they have.
const FUNCTIONS: [(&str, usize); 39] = [
    ("null", 0),
    ("true", 0),
    ("false", 0),
    ("not", 0),
    ("empty", 0),
    ("select", 1),
    ("type", 0),
    ("isboolean", 0),
    ("isnumber", 0),
    ("isstring", 0),
    ("isarray", 0),
    ("isobject", 0),
    ("length", 0),
    ("has", 1),
    ("first", 0),
    ("last", 0),
    ("tostring", 0),
    ("tonumber", 0),
    ("floor", 0),
    ("ceil", 0),
    ("round", 0),
    ("ascii_downcase", 0),
    ("ascii_upcase", 0),
    ("trim", 0),
    ("ltrim", 0),
    ("rtrim", 0),
    ("ltrimstr", 1),
    ("rtrimstr", 1),
    ("startswith", 1),
    ("endswith", 1),
    ("split", 1),
    ("strftime", 1),
    ("strptime", 1),
    ("gmtime", 0),
    ("mktime", 0),
    ("todate", 0),
    ("fromdate", 0),
    ("fromdateiso8601", 0),
    ("todateiso8601", 0),
];

/// Whether a definition of jq's own is of use: `split` has an error to tell.
pub(super) fn is_needed(name: &str, arguments: usize) -> bool {
    FUNCTIONS.contains(&(name, arguments)) || (name, arguments) == ("error", 1)
}

/// Refuses a filter that has anything else.
pub(super) fn check(term: &Term<&str>) -> Result<()> {
    keys_of(term, 1).map(drop)
}

/// The names of the keys that it gives for any record; nothing where that is not written in it.
pub(super) fn names(term: &Term<&str>) -> Option<Vec<String>> {
    match term {
        Term::BinOp(_, BinaryOp::Pipe(None), last) => names(last),
        Term::Obj(entries) => entries.iter().map(|(key, _)| literal(key)).collect(),
        _ => None,
    }
}

fn literal(term: &Term<&str>) -> Option<String> {
    let Term::Str(None, parts) = term else { return None };
    let mut text = String::new();
    for part in parts {
        match part {
            StrPart::Str(piece) => text.push_str(piece),
            StrPart::Char(one) => text.push(*one),
            StrPart::Term(_) => return None,
        }
    }
    Some(text)
}

fn refused(what: &str) -> Error {
    let functions: Vec<&str> = FUNCTIONS.iter().map(|(name, _)| *name).collect();
    Error::invalid(format!("{what} is not supported"))
        .why(format!(
            "a query has paths such as .a.b[0], objects, texts, numbers, pipes, if, //, and, or, comparisons, +, -, /, % and \
             {}",
            functions.join(", ")
        ))
        .hint("write the keys directly: {customer: .customer_id}")
}

/// The keys of the object at a filter's end may be as many as they like: each is text by itself.
fn keys_of(term: &Term<&str>, input: u64) -> Result<u64> {
    match term {
        Term::BinOp(first, BinaryOp::Pipe(None), last) => {
            let between = growth(first, input)?;
            keys_of(last, between)
        }
        Term::Obj(entries) => {
            for (key, value) in entries {
                growth(key, input)?;
                value.as_ref().map_or(Ok(input), |value| growth(value, input))?;
            }
            Ok(input)
        }
        other => growth(other, input),
    }
}

/// How much text a term makes of its input at most, both counted in records; written text counts as one.
fn growth(term: &Term<&str>, input: u64) -> Result<u64> {
    let grown = match term {
        Term::Id => input,
        Term::Num(_) => 1,
        Term::Neg(inner) => growth(inner, input)?,
        Term::Str(None, parts) => {
            let mut sum = 1_u64;
            for part in parts {
                if let StrPart::Term(inner) = part {
                    // Texts within values are escaped.
                    sum = sum.saturating_add(growth(inner, input)?.saturating_mul(2));
                }
            }
            sum
        }
        Term::Str(Some(format), _) => return Err(refused(&format!("`{format}`"))),
        Term::Obj(entries) => {
            let mut sum = 1_u64;
            for (key, value) in entries {
                let value = value.as_ref().map_or(Ok(input), |value| growth(value, input))?;
                sum = sum.saturating_add(growth(key, input)?).saturating_add(value) - 1;
            }
            sum
        }
        Term::Path(inner, path) => {
            for (part, _) in &path.0 {
                match part {
                    Part::Index(at) => check_place(at)?,
                    Part::Range(None, None) => return Err(refused("`[]`")),
                    Part::Range(from, to) => {
                        from.iter().chain(to).try_for_each(check_place)?;
                    }
                }
            }
            growth(inner, input)?
        }
        Term::IfThenElse(branches, last) => {
            let mut most = match last {
                Some(last) => growth(last, input)?,
                None => input,
            };
            for (condition, then) in branches {
                growth(condition, input)?;
                most = most.max(growth(then, input)?);
            }
            most
        }
        Term::TryCatch(inner, None) => growth(inner, input)?,
        Term::TryCatch(..) => return Err(refused("`catch`")),
        Term::BinOp(left, operator, right) => binary(left, operator, right, input)?,
        Term::Call(name, arguments) => call(name, arguments, input)?,
        Term::Recurse => return Err(refused("`..`")),
        Term::Arr(_) => return Err(refused("an array `[...]`")),
        Term::Label(..) => return Err(refused("`label`")),
        Term::Break(_) => return Err(refused("`break`")),
        Term::Fold(name, ..) => return Err(refused(&format!("`{name}`"))),
        Term::Def(..) => return Err(refused("`def`")),
        Term::Var(name) => return Err(refused(&format!("`{name}`"))),
    };
    match grown {
        0..=MOST_GROWTH => Ok(grown),
        _ => Err(Error::invalid("it makes too much text of a record")
            .why(format!("`+`, \\(...), tostring and objects in each other may grow it {MOST_GROWTH} times"))
            .hint("write the keys directly: {customer: .customer_id}")),
    }
}

fn binary(left: &Term<&str>, operator: &BinaryOp<&str>, right: &Term<&str>, input: u64) -> Result<u64> {
    if let BinaryOp::Pipe(None) = operator {
        let between = growth(left, input)?;
        return growth(right, between);
    }
    let numbers = is_number(left) && is_number(right);
    let (left, right) = (growth(left, input)?, growth(right, input)?);
    match operator {
        BinaryOp::Math(Math::Add) => Ok(left.saturating_add(right)),
        BinaryOp::Math(Math::Mul) if !numbers => {
            Err(refused("`*`").why("with a text it repeats it as often as the number says"))
        }
        BinaryOp::Math(_) | BinaryOp::Cmp(_) | BinaryOp::Alt | BinaryOp::And | BinaryOp::Or => {
            Ok(left.max(right))
        }
        BinaryOp::Pipe(_) => Err(refused("`as`")),
        BinaryOp::Comma => Err(refused("`,` between values")),
        BinaryOp::Assign => Err(refused("`=`")),
        BinaryOp::Update => Err(refused("`|=`")),
        BinaryOp::UpdateMath(_) => Err(refused("an update such as `+=`")),
        BinaryOp::UpdateAlt => Err(refused("`//=`")),
    }
}

fn call(name: &str, arguments: &[Term<&str>], input: u64) -> Result<u64> {
    if !FUNCTIONS.contains(&(name, arguments.len())) {
        return Err(refused(&format!("`{name}`")));
    }
    let mut most = input;
    for argument in arguments {
        most = most.max(growth(argument, input)?);
    }
    Ok(match (name, arguments) {
        ("has", [place]) => {
            check_place(place)?;
            1
        }
        ("tostring", _) => input.saturating_mul(2),
        // Two letters of a format that a record brings may become a whole time.
        ("strftime", [format]) if literal(format).is_none() => most.saturating_mul(MOST_GROWTH),
        _ => most,
    })
}

fn is_number(term: &Term<&str>) -> bool {
    match term {
        Term::Num(_) => true,
        Term::Neg(inner) => is_number(inner),
        _ => false,
    }
}

/// A place within a value is written, not computed: to look for values by values takes long.
fn check_place(place: &Term<&str>) -> Result<()> {
    match is_number(place) || literal(place).is_some() {
        true => Ok(()),
        false => Err(refused("a computed place in `[...]`")),
    }
}
