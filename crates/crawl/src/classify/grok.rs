//! A custom grok classifier's look at a sample; the patterns themselves are the formats' business.

use super::custom::GrokClassifier;
use super::result::{Classification, Columns, Hive};
use super::sample::Sample;
use super::source::Limits;
use ::formats::Grok;
use model::{Place, Result};

/// Fewer fitting lines than this share, and the text is something else.
const MIN_FITTING: f64 = 0.5;

const HIVE: Hive = Hive::text("com.amazonaws.glue.serde.GrokSerDe");

/// A custom classifier's look: none when most lines do not fit.
pub(crate) fn classify(
    sample: &Sample<'_>,
    grok: &Grok,
    classifier: &GrokClassifier,
    limits: &Limits,
) -> Result<Option<Classification>> {
    let mut rows = 0u64;
    let mut wrong = Vec::new();
    for (number, line) in sample.lines().take(limits.sample_rows) {
        rows += 1;
        if !grok.is_match(line) {
            wrong.push(number);
        }
    }
    let share = 1.0 - wrong.len() as f64 / rows.max(1) as f64;
    if rows == 0 || share < MIN_FITTING {
        return Ok(None);
    }
    super::formats::check_width(grok.columns().len(), limits)?;
    let mut columns = Columns::default();
    for column in grok.columns() {
        columns.push(column.name.clone(), Some(column.hive_type.clone()));
    }
    let mut found = Classification::of_text(&classifier.classification, &HIVE, columns, sample);
    found.set_serde("input.format", classifier.grok_pattern.clone());
    found.set("grokPattern", classifier.grok_pattern.clone());
    if let Some(custom) = classifier.custom_patterns.as_ref().filter(|custom| !custom.trim().is_empty()) {
        found.set_serde("input.grokCustomPatterns", custom.clone());
    }
    found.sampled_rows = rows;
    found.confidence = share;
    if let Some(first) = wrong.first() {
        found.notes.push(format!(
            "{} of {rows} sampled lines do not fit the grok pattern (the first is {})",
            wrong.len(),
            Place::row(sample.name, *first).short()
        ));
    }
    Ok(Some(found))
}
