//! How far texts are from each other, how they sound, whether their check digit is right.

use crate::Call;
use arrow::array::ArrayRef;
use arrow::datatypes::Int64Type;
use model::{Error, Result};

/// Levenshtein distances take time by the product of the lengths: no more steps than these.
const MAX_STEPS: usize = 1_000_000;

pub(crate) fn hamming(call: &Call<'_>) -> Result<ArrayRef> {
    let (left, right) = (call.strings(0)?, call.strings(1)?);
    call.build::<Int64Type>(|row| {
        let (Some(left), Some(right)) = (left.get(row), right.get(row)) else { return Ok(None) };
        let (mut a, mut b) = (left.chars(), right.chars());
        let mut distance = 0;
        loop {
            match (a.next(), b.next()) {
                (None, None) => return Ok(Some(distance)),
                (Some(x), Some(y)) => distance += i64::from(x != y),
                _ => {
                    return Err(Error::invalid(
                        "the texts given to hamming_distance must have the same length",
                    )
                    .why(format!(
                        "one has {} characters, the other {}",
                        left.chars().count(),
                        right.chars().count()
                    )));
                }
            }
        }
    })
}

pub(crate) fn levenshtein(call: &Call<'_>) -> Result<ArrayRef> {
    let (left, right) = (call.strings(0)?, call.strings(1)?);
    call.build::<Int64Type>(|row| {
        let (Some(left), Some(right)) = (left.get(row), right.get(row)) else { return Ok(None) };
        let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
        let (long, short) = if left.len() < right.len() { (right, left) } else { (left, right) };
        if long.len().saturating_mul(short.len().saturating_sub(1)) > MAX_STEPS {
            return Err(Error::invalid("the texts given to levenshtein_distance are too long").why(format!(
                "they have {} and {} characters; the product may be {MAX_STEPS}",
                long.len(),
                short.len()
            )));
        }
        Ok(Some(edits(&long, &short)))
    })
}

/// The number of insertions, deletions and replacements, with one row of the table at a time.
fn edits(long: &[char], short: &[char]) -> i64 {
    let mut costs: Vec<usize> = (0..=short.len()).collect();
    for (i, a) in long.iter().enumerate() {
        let mut diagonal = i;
        let mut before = i + 1;
        if let Some(first) = costs.first_mut() {
            *first = before;
        }
        for (cost, b) in costs.iter_mut().skip(1).zip(short) {
            let replaced = diagonal + usize::from(a != b);
            diagonal = *cost;
            before = replaced.min(*cost + 1).min(before + 1);
            *cost = before;
        }
    }
    costs.last().map_or(0, |c| *c as i64)
}

/// The digit of each letter from A to Z; 0 for vowels, which separate equal digits.
const SOUNDEX: &[u8; 26] = b"01230120022455012623010202";

pub(crate) fn soundex(call: &Call<'_>) -> Result<ArrayRef> {
    let text = call.strings(0)?;
    call.build_strings(|row, out| {
        let Some(text) = text.get(row) else { return Ok(false) };
        let digit = |c: char| -> Result<u8> {
            u32::from(c)
                .checked_sub(u32::from('A'))
                .and_then(|i| SOUNDEX.get(i as usize))
                .copied()
                .ok_or_else(|| {
                    Error::invalid(format!("soundex does not know the letter {c}"))
                        .why("it is defined for the letters A to Z")
                })
        };
        let mut letters = text.chars().filter(|c| c.is_alphabetic()).map(super::case::upper_char);
        let Some(first) = letters.next() else { return Ok(true) };
        let mut last = digit(first)?;
        out.push(first);
        for letter in letters {
            if out.len() >= 4 {
                break;
            }
            // H and W do not separate letters that sound alike.
            if matches!(letter, 'H' | 'W') {
                continue;
            }
            let code = digit(letter)?;
            if code != b'0' && code != last {
                out.push(char::from(code));
            }
            last = code;
        }
        while out.len() < 4 {
            out.push('0');
        }
        Ok(true)
    })
}

pub(crate) fn luhn_check(call: &Call<'_>) -> Result<ArrayRef> {
    let text = call.strings(0)?;
    call.build_booleans(|row| {
        let Some(text) = text.get(row) else { return Ok(None) };
        if text.is_empty() {
            return Ok(Some(false));
        }
        let mut sum = 0;
        for (i, c) in text.chars().rev().enumerate() {
            let digit = c.to_digit(10).ok_or_else(|| {
                Error::invalid(format!("luhn_check takes digits, found `{c}`"))
                    .hint("remove blanks and hyphens first: replace(x, ' ')")
            })?;
            let doubled = if i % 2 == 1 { digit * 2 } else { digit };
            sum += if doubled > 9 { doubled - 9 } else { doubled };
        }
        Ok(Some(sum % 10 == 0))
    })
}
