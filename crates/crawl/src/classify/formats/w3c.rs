//! Logs that name their own columns in a `#Fields:` line (CloudFront, IIS): a delimited table below a comment.

use super::check_width;
use crate::classify::infer::ColumnKind;
use crate::classify::names::make_unique;
use crate::classify::result::{Classification, Columns, Hive};
use crate::classify::sample::Sample;
use crate::classify::source::Limits;
use model::Result;

const LAZY: Hive = Hive::text("org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe");
const MARK: &str = "#Fields:";
const MAX_COMMENT_LINES: usize = 20;

/// Looks for a `#Fields:` line among the comments at the top.
pub(super) fn classify(sample: &Sample<'_>, limits: &Limits) -> Result<Option<Classification>> {
    let comments: Vec<&str> =
        sample.text.lines().take(MAX_COMMENT_LINES).take_while(|line| line.starts_with('#')).collect();
    let Some(fields) = comments.iter().find_map(|line| line.strip_prefix(MARK)) else { return Ok(None) };
    let names: Vec<String> = fields.split_whitespace().map(column_name).collect();
    if names.is_empty() {
        return Ok(None);
    }
    check_width(names.len(), limits)?;
    let rows: Vec<&str> = sample
        .lines()
        .map(|(_, line)| line)
        .filter(|line| !line.starts_with('#'))
        .take(limits.sample_rows)
        .collect();
    let delimiter = if rows.iter().any(|row| row.contains('\t')) { '\t' } else { ' ' };
    let mut kinds = vec![ColumnKind::default(); names.len()];
    let mut fitting = 0usize;
    for row in &rows {
        let cells: Vec<&str> = row.split(delimiter).collect();
        fitting += usize::from(cells.len() == names.len());
        for (kind, cell) in kinds.iter_mut().zip(cells) {
            // These logs write a dash where there is no value.
            kind.see(if cell == "-" { "" } else { cell });
        }
    }
    let mut columns = Columns::default();
    for (name, kind) in make_unique(names.iter().map(String::as_str)).into_iter().zip(kinds) {
        columns.push(name, kind.hive_type());
    }
    let mut found = Classification::of_text("csv", &LAZY, columns, sample);
    found.set_serde("field.delim", delimiter.to_string());
    found.set_serde("serialization.format", delimiter.to_string());
    found.set("delimiter", delimiter.to_string());
    found.set("skip.header.line.count", comments.len().to_string());
    found.sampled_rows = rows.len() as u64;
    found.confidence = fitting as f64 / rows.len().max(1) as f64;
    if fitting < rows.len() {
        found.notes.push(format!(
            "{} of {} sampled rows do not have the {} fields that the `#Fields` line names",
            rows.len() - fitting,
            rows.len(),
            names.len()
        ));
    }
    Ok(Some(found))
}

/// `cs(User-Agent)` as a column: `cs_user_agent`.
fn column_name(field: &str) -> String {
    let words: Vec<&str> =
        field.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join("_").to_lowercase()
}
