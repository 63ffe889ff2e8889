//! Whether the first record of a delimited text names the columns.
//!
//! It does when its cells are names (no numbers, dates or truth values) and the rows below differ from them in type.
//! When everything below is text too, the names must look like names, all differ, never recur below them, and either
//! use words that people name columns with or be told apart from values that are no such words.

use crate::classify::infer::{ColumnKind, Kind, kind_of, words_of};
use std::borrow::Cow;
use std::collections::HashSet;

/// Longer cells are prose.
const MAX_NAME: usize = 150;

/// Words that people name columns with.
const NAME_WORDS: [&str; 64] = [
    "id",
    "uuid",
    "key",
    "name",
    "names",
    "title",
    "type",
    "kind",
    "category",
    "class",
    "group",
    "status",
    "state",
    "city",
    "country",
    "region",
    "address",
    "street",
    "email",
    "phone",
    "code",
    "zip",
    "date",
    "time",
    "timestamp",
    "day",
    "month",
    "year",
    "hour",
    "created",
    "updated",
    "description",
    "desc",
    "comment",
    "note",
    "text",
    "value",
    "unit",
    "price",
    "amount",
    "count",
    "total",
    "quantity",
    "number",
    "user",
    "customer",
    "product",
    "order",
    "item",
    "first",
    "last",
    "firstname",
    "lastname",
    "gender",
    "sex",
    "age",
    "color",
    "url",
    "path",
    "lat",
    "lon",
    "source",
    "target",
    "label",
];

/// The first record and the records below it.
pub(super) fn is_header(first: &[Cow<'_, str>], below: &[&[Cow<'_, str>]]) -> bool {
    if !could_be_names(first) {
        return false;
    }
    if below.is_empty() {
        // A table without rows: only names that look like nothing else.
        return first.iter().all(|cell| is_identifier(cell.trim()))
            && all_differ(first)
            && has_name_word(first);
    }
    let kinds = kinds_below(first.len(), below);
    let differs = first.iter().zip(&kinds).any(|(cell, kind)| {
        !cell.trim().is_empty()
            && kind.hive_type().is_some_and(|hive_type| hive_type != model::HiveType::String)
    });
    let times = first.iter().zip(&kinds).any(|(cell, kind)| !cell.trim().is_empty() && kind.is_other_time());
    differs || times || all_text_header(first, below)
}

/// Whether the cells could name columns at all.
fn could_be_names(first: &[Cow<'_, str>]) -> bool {
    let short = first.iter().all(|cell| cell.len() <= MAX_NAME);
    // At most one column, mostly an index, goes without a name.
    let named = first.iter().filter(|cell| !cell.trim().is_empty()).count();
    let enough = named > 0 && (named + 1 >= first.len() || named * 2 > first.len());
    short && enough && (first.iter().all(|cell| is_name_kind(cell)) || has_years(first))
}

fn is_name_kind(cell: &str) -> bool {
    match kind_of(cell) {
        Kind::Text => cell.chars().any(char::is_alphabetic),
        // A column may be called `na` or `none`, or go without a name.
        Kind::Missing => true,
        _ => false,
    }
}

/// A wide table: names first, then years in rising order.
fn has_years(first: &[Cow<'_, str>]) -> bool {
    let years: Vec<Option<u32>> = first
        .iter()
        .map(|cell| cell.trim().parse().ok().filter(|year| (1500..2200).contains(year)))
        .collect();
    let names = years.iter().take_while(|year| year.is_none()).count();
    let rising = years[names..].windows(2).all(|pair| pair[0].is_some() && pair[0] < pair[1]);
    names > 0
        && years.len() - names >= 3
        && rising
        && first[..names].iter().all(|cell| is_name_kind(cell) && !cell.trim().is_empty())
}

fn kinds_below(width: usize, below: &[&[Cow<'_, str>]]) -> Vec<ColumnKind> {
    let mut kinds = vec![ColumnKind::default(); width];
    for record in below {
        for (kind, cell) in kinds.iter_mut().zip(record.iter()) {
            kind.see(cell);
        }
    }
    kinds
}

fn all_text_header(first: &[Cow<'_, str>], below: &[&[Cow<'_, str>]]) -> bool {
    if !first.iter().all(|cell| cell.trim().is_empty() || is_identifier(cell.trim())) || !all_differ(first) {
        return false;
    }
    let recurs = first.iter().enumerate().any(|(index, cell)| {
        !cell.trim().is_empty()
            && below.iter().any(|record| record.get(index).is_some_and(|value| value.trim() == cell.trim()))
    });
    if recurs {
        return false;
    }
    // A whole column of values that could not be names, under something that is one.
    let told_apart = (0..first.len()).any(|index| {
        let values =
            || below.iter().filter_map(|record| record.get(index)).filter(|value| !value.trim().is_empty());
        below.len() >= 2 && values().count() >= 2 && values().all(|value| !is_identifier(value.trim()))
    });
    has_name_word(first) || told_apart
}

fn all_differ(cells: &[Cow<'_, str>]) -> bool {
    let mut seen = HashSet::new();
    cells.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty()).all(|cell| seen.insert(cell))
}

fn has_name_word(cells: &[Cow<'_, str>]) -> bool {
    cells.iter().any(|cell| words_of(cell).iter().any(|word| NAME_WORDS.contains(&word.as_str())))
}

/// Whether it looks like a name: it begins with a letter and holds letters, digits and a few signs, in few words.
fn is_identifier(cell: &str) -> bool {
    let mut chars = cell.chars();
    let begins = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_');
    begins
        && cell.len() <= 64
        && chars.all(|c| {
            c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '(' | ')' | '%' | '#' | '/' | ':')
        })
        && cell.split_whitespace().count() <= 5
        && !cell.ends_with('.')
        && !cell.contains("://")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> bool {
        let rows: Vec<Vec<Cow<'_, str>>> =
            text.lines().map(|line| line.split(',').map(Cow::Borrowed).collect()).collect();
        let below: Vec<&[Cow<'_, str>]> = rows[1..].iter().map(Vec::as_slice).collect();
        is_header(&rows[0], &below)
    }

    #[test]
    fn a_header_differs_from_what_is_below() {
        for (text, expected) in [
            ("id,name\n1,anna\n2,ben", true),
            ("1,anna\n2,ben", false),
            ("name,city\nanna,rome\nben,oslo", true),
            ("anna,rome\nben,oslo", false),
            ("name,city", true),
            ("a,a\n1,2", true),
            ("a,a\nb,c", false),
            (",x\n0,1.5", true),
            ("country,1990,1991,1992\nchad,1.5,2,3", true),
            ("when,what\n2020-01-01T00:00:00Z,x\n2020-01-02T00:00:00Z,y", true),
            ("faa,wiki\nLHR,https://a.example/x\nJFK,https://b.example/y", true),
            ("rome,oslo\nrome,paris", false),
        ] {
            assert_eq!(header(text), expected, "{text}");
        }
    }
}
