//! What the log says of a file's values, so that readers can leave the file out: rows, missing values, the smallest and
//! the largest value of each column, out of the file's own footer.

use super::target::Target;
use crate::columns::{ColumnKind, Columns, ScanColumn};
use crate::counters::Meter;
use crate::files::ScanFile;
use crate::parquet::{Naming, StatisticsScope, with_statistics};
use crate::scans::Scans;
use arrow::temporal_conversions::date32_to_datetime;
use chrono::DateTime;
use datafusion::common::stats::Precision;
use datafusion::common::{ScalarValue, Statistics};
use lake::ObjectInfo;
use model::{Error, Result};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Only the first columns have statistics, as other writers do it: nobody filters by the hundredth.
const COLUMNS: usize = 32;
/// Longer texts are told by no bounds.
const MAX_TEXT: usize = 64;

/// The statistics of files that the target has written, as the log wants them.
pub(super) async fn of_files(scans: &Scans, target: &Target, files: Vec<ObjectInfo>) -> Result<Vec<String>> {
    let inner = &scans.inner;
    let data: Vec<_> = target.columns.iter().filter(|column| !column.is_key).collect();
    let all = data.iter().map(|column| ScanColumn {
        name: column.name.clone(),
        sql_type: column.stored.clone(),
        kind: ColumnKind::Data,
        comment: None,
    });
    let columns = Columns::of(&target.at.to_string(), all.collect(), false)?;
    let meter = Meter::new(Arc::default(), None);
    let scope = StatisticsScope {
        lake: &inner.lake,
        footers: &inner.footers,
        meter: &meter,
        naming: &Arc::new(Naming::ByName),
        columns: &columns,
        wanted: None,
        bounds: true,
        read: true,
    };
    let files = files.into_iter().map(|info| ScanFile::new(info).partitioned()).collect();
    let described = with_statistics(files, &scope).await?;
    let names: Vec<&str> = data.iter().map(|column| column.spelled.as_str()).collect();
    described
        .iter()
        .map(|file| {
            let known = file.statistics.as_ref();
            known.map(|known| text(known, &names)).ok_or_else(|| Error::internal("a new file has no footer"))
        })
        .collect()
}

fn text(known: &Statistics, names: &[&str]) -> String {
    let (mut least, mut most, mut nulls) = (Map::new(), Map::new(), Map::new());
    for (name, column) in names.iter().zip(&known.column_statistics).take(COLUMNS) {
        if let Precision::Exact(count) = &column.null_count {
            nulls.insert((*name).to_owned(), json!(count));
        }
        let bounds = (column.min_value.get_value(), column.max_value.get_value());
        if let (Some(min), Some(max)) = bounds
            && let (Some(min), Some(max)) = (value(min), value(max))
        {
            least.insert((*name).to_owned(), min);
            most.insert((*name).to_owned(), max);
        }
    }
    let rows = known.num_rows.get_value().copied().unwrap_or_default();
    json!({ "numRecords": rows, "minValues": least, "maxValues": most, "nullCount": nulls }).to_string()
}

/// A bound in the log's notation; none for types whose bounds it or JSON cannot say exactly. Of floating-point columns
/// the footer leaves NaN out, which other readers count as the largest.
fn value(scalar: &ScalarValue) -> Option<Value> {
    match scalar {
        ScalarValue::Int8(Some(v)) => Some(json!(v)),
        ScalarValue::Int16(Some(v)) => Some(json!(v)),
        ScalarValue::Int32(Some(v)) => Some(json!(v)),
        ScalarValue::Int64(Some(v)) => Some(json!(v)),
        ScalarValue::Utf8(Some(v)) | ScalarValue::LargeUtf8(Some(v)) | ScalarValue::Utf8View(Some(v)) => {
            (v.len() <= MAX_TEXT).then(|| json!(v))
        }
        ScalarValue::Date32(Some(days)) => {
            Some(json!(date32_to_datetime(*days)?.date().format("%Y-%m-%d").to_string()))
        }
        ScalarValue::TimestampMicrosecond(Some(micros), zone) => {
            let mut text =
                DateTime::from_timestamp_micros(*micros)?.format("%Y-%m-%dT%H:%M:%S%.6f").to_string();
            if zone.is_some() {
                text.push('Z');
            }
            Some(json!(text))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_written_as_the_log_wants_them() {
        let moment = ScalarValue::TimestampMicrosecond(Some(1_500_001), Some("UTC".into()));
        assert_eq!(value(&moment), Some(json!("1970-01-01T00:00:01.500001Z")));
        assert_eq!(value(&ScalarValue::Date32(Some(31))), Some(json!("1970-02-01")));
        assert_eq!(value(&ScalarValue::Int64(Some(i64::MIN))), Some(json!(i64::MIN)));
        assert_eq!(value(&ScalarValue::Float64(Some(1.0))), None);
        assert_eq!(value(&ScalarValue::Utf8View(Some("x".repeat(65)))), None);
    }
}
