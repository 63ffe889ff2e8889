//! Column statistics of tables and partitions: what a query planner wants to know.

use chrono::{DateTime, NaiveDate, Utc};
use model::{Error, HiveType, Result};
use serde::{Deserialize, Serialize};

/// What is known of one column's values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnStatistics {
    /// The column's name.
    pub column: String,
    /// The column's type when it was analyzed.
    pub column_type: HiveType,
    /// When it was analyzed.
    pub analyzed: DateTime<Utc>,
    /// The numbers.
    pub data: StatisticsData,
}

/// Statistics by sort of type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[allow(missing_docs, reason = "the fields say what they count")]
pub enum StatisticsData {
    /// Of a boolean.
    Boolean { trues: i64, falses: i64, nulls: i64 },
    /// Of a date.
    Date { minimum: Option<NaiveDate>, maximum: Option<NaiveDate>, nulls: i64, distinct: i64 },
    /// Of a decimal.
    Decimal { minimum: Option<DecimalNumber>, maximum: Option<DecimalNumber>, nulls: i64, distinct: i64 },
    /// Of a float or double.
    Double { minimum: Option<f64>, maximum: Option<f64>, nulls: i64, distinct: i64 },
    /// Of a whole number or a timestamp in seconds.
    Long { minimum: Option<i64>, maximum: Option<i64>, nulls: i64, distinct: i64 },
    /// Of a text.
    String { maximum_length: i64, average_length: f64, nulls: i64, distinct: i64 },
    /// Of bytes.
    Binary { maximum_length: i64, average_length: f64, nulls: i64 },
}

/// A decimal as Glue hands it over: big-endian two's complement, and how many digits stand behind the point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecimalNumber {
    /// The digits as one whole number.
    pub unscaled: Vec<u8>,
    /// How many of them stand behind the point.
    pub scale: i32,
}

/// Statistics that were asked for by column name.
#[derive(Debug, Clone, Default)]
pub struct FoundStatistics {
    /// Those that exist, in the order asked for.
    pub found: Vec<ColumnStatistics>,
    /// The columns for which there are none, and why.
    pub errors: Vec<(String, Error)>,
}

impl ColumnStatistics {
    pub(crate) fn check(&self) -> Result<()> {
        let counts: &[i64] = match &self.data {
            StatisticsData::Boolean { trues, falses, nulls } => &[*trues, *falses, *nulls],
            StatisticsData::Date { nulls, distinct, .. }
            | StatisticsData::Decimal { nulls, distinct, .. }
            | StatisticsData::Double { nulls, distinct, .. }
            | StatisticsData::Long { nulls, distinct, .. } => &[*nulls, *distinct],
            StatisticsData::String { maximum_length, nulls, distinct, .. } => {
                &[*maximum_length, *nulls, *distinct]
            }
            StatisticsData::Binary { maximum_length, nulls, .. } => &[*maximum_length, *nulls],
        };
        let average = match &self.data {
            StatisticsData::String { average_length, .. } | StatisticsData::Binary { average_length, .. } => {
                *average_length
            }
            _ => 0.0,
        };
        // Infinite and undefined numbers have no place in JSON, so they could not be read back.
        let limits = match &self.data {
            StatisticsData::Double { minimum, maximum, .. } => [*minimum, *maximum],
            _ => [None, None],
        };
        if counts.iter().any(|count| *count < 0) || !average.is_finite() || average < 0.0 {
            return Err(Error::invalid(format!(
                "the statistics of column `{}` hold a negative or undefined number",
                self.column
            )));
        }
        if limits.iter().flatten().any(|limit| !limit.is_finite()) {
            return Err(Error::invalid(format!(
                "the statistics of column `{}` have an infinite or undefined limit",
                self.column
            ))
            .hint("leave the minimum or maximum out"));
        }
        Ok(())
    }
}
