//! Column statistics of Glue's tables and partitions.

use super::Glue;
use super::databases::Done;
use super::partitions::{At, Detail};
use super::tables::touched;
use crate::json::{Input, epoch};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use catalog::{ColumnStatistics, DecimalNumber, StatisticsData};
use chrono::{DateTime, NaiveDate, Utc};
use model::{Error, HiveType, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Which table, and partition if values are given.
fn at(database: &str, table: &str) -> Result<At> {
    At::new(database, table)
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Written {
    column_name: String,
    column_type: String,
    #[serde(deserialize_with = "time", serialize_with = "epoch")]
    analyzed_time: DateTime<Utc>,
    statistics_data: Map<String, Value>,
}

fn time<'de, D: serde::Deserializer<'de>>(from: D) -> std::result::Result<DateTime<Utc>, D::Error> {
    super::shapes::seconds(from)?.ok_or_else(|| serde::de::Error::custom("a time is missing"))
}

/// The sorts of statistics: `Type`, and the member that holds them.
const SORTS: [(&str, &str); 7] = [
    ("BOOLEAN", "BooleanColumnStatisticsData"),
    ("DATE", "DateColumnStatisticsData"),
    ("DECIMAL", "DecimalColumnStatisticsData"),
    ("DOUBLE", "DoubleColumnStatisticsData"),
    ("LONG", "LongColumnStatisticsData"),
    ("STRING", "StringColumnStatisticsData"),
    ("BINARY", "BinaryColumnStatisticsData"),
];

/// The numbers of one column.
struct Numbers<'a>(&'a Map<String, Value>);

impl Numbers<'_> {
    fn count(&self, name: &str) -> Result<i64> {
        let value = self.0.get(name).and_then(Value::as_i64);
        value.ok_or_else(|| Error::invalid(format!("{name} of the statistics is no whole number")))
    }

    fn number(&self, name: &str) -> Result<f64> {
        let value = self.0.get(name).and_then(Value::as_f64);
        value.ok_or_else(|| Error::invalid(format!("{name} of the statistics is no number")))
    }

    fn limit<T>(&self, name: &str, read: impl Fn(&Value) -> Option<T>) -> Result<Option<T>> {
        match self.0.get(name).filter(|value| !value.is_null()) {
            None => Ok(None),
            Some(value) => match read(value) {
                Some(value) => Ok(Some(value)),
                None => Err(Error::invalid(format!("{name} of the statistics cannot be read"))),
            },
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "a time out of range is no date, and refused")]
fn date(value: &Value) -> Option<NaiveDate> {
    DateTime::from_timestamp(value.as_f64()? as i64, 0).map(|time| time.date_naive())
}

fn decimal(value: &Value) -> Option<DecimalNumber> {
    let unscaled = STANDARD.decode(value.get("UnscaledValue")?.as_str()?).ok()?;
    Some(DecimalNumber { unscaled, scale: i32::try_from(value.get("Scale")?.as_i64()?).ok()? })
}

impl Written {
    fn take(self) -> Result<ColumnStatistics> {
        let of = format!("column `{}`", self.column_name);
        let sort = self.statistics_data.get("Type").and_then(Value::as_str).unwrap_or_default();
        let member = SORTS.iter().find(|(known, _)| *known == sort).map(|(_, member)| *member);
        let member = member.ok_or_else(|| Error::invalid(format!("{of} has no Type of statistics")))?;
        let numbers = self.statistics_data.get(member).and_then(Value::as_object);
        let numbers = Numbers(numbers.ok_or_else(|| Error::invalid(format!("{of} has no {member}")))?);
        let nulls = numbers.count("NumberOfNulls")?;
        let distinct = || numbers.count("NumberOfDistinctValues");
        let (least, most) = ("MinimumValue", "MaximumValue");
        let data = match sort {
            "BOOLEAN" => StatisticsData::Boolean {
                trues: numbers.count("NumberOfTrues")?,
                falses: numbers.count("NumberOfFalses")?,
                nulls,
            },
            "DATE" => StatisticsData::Date {
                minimum: numbers.limit(least, date)?,
                maximum: numbers.limit(most, date)?,
                nulls,
                distinct: distinct()?,
            },
            "DECIMAL" => StatisticsData::Decimal {
                minimum: numbers.limit(least, decimal)?,
                maximum: numbers.limit(most, decimal)?,
                nulls,
                distinct: distinct()?,
            },
            "DOUBLE" => StatisticsData::Double {
                minimum: numbers.limit(least, Value::as_f64)?,
                maximum: numbers.limit(most, Value::as_f64)?,
                nulls,
                distinct: distinct()?,
            },
            "LONG" => StatisticsData::Long {
                minimum: numbers.limit(least, Value::as_i64)?,
                maximum: numbers.limit(most, Value::as_i64)?,
                nulls,
                distinct: distinct()?,
            },
            "STRING" => StatisticsData::String {
                maximum_length: numbers.count("MaximumLength")?,
                average_length: numbers.number("AverageLength")?,
                nulls,
                distinct: distinct()?,
            },
            _ => StatisticsData::Binary {
                maximum_length: numbers.count("MaximumLength")?,
                average_length: numbers.number("AverageLength")?,
                nulls,
            },
        };
        let column_type = self.column_type.parse::<HiveType>().map_err(|error| error.context(&of))?;
        Ok(ColumnStatistics { column: self.column_name, column_type, analyzed: self.analyzed_time, data })
    }

    fn show(statistics: ColumnStatistics) -> Self {
        let day = |date: NaiveDate| json!(date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp());
        let number = |number: DecimalNumber| json!({ "UnscaledValue": STANDARD.encode(number.unscaled), "Scale": number.scale });
        let limits = |least: Option<Value>, most: Option<Value>, nulls: i64, distinct: i64| {
            json!({ "MinimumValue": least, "MaximumValue": most, "NumberOfNulls": nulls,
                    "NumberOfDistinctValues": distinct })
        };
        let (sort, numbers) = match statistics.data {
            StatisticsData::Boolean { trues, falses, nulls } => {
                (0, json!({ "NumberOfTrues": trues, "NumberOfFalses": falses, "NumberOfNulls": nulls }))
            }
            StatisticsData::Date { minimum, maximum, nulls, distinct } => {
                (1, limits(minimum.map(day), maximum.map(day), nulls, distinct))
            }
            StatisticsData::Decimal { minimum, maximum, nulls, distinct } => {
                (2, limits(minimum.map(number), maximum.map(number), nulls, distinct))
            }
            StatisticsData::Double { minimum, maximum, nulls, distinct } => {
                (3, limits(minimum.map(Value::from), maximum.map(Value::from), nulls, distinct))
            }
            StatisticsData::Long { minimum, maximum, nulls, distinct } => {
                (4, limits(minimum.map(Value::from), maximum.map(Value::from), nulls, distinct))
            }
            StatisticsData::String { maximum_length, average_length, nulls, distinct } => (
                5,
                json!({ "MaximumLength": maximum_length, "AverageLength": average_length,
                        "NumberOfNulls": nulls, "NumberOfDistinctValues": distinct }),
            ),
            StatisticsData::Binary { maximum_length, average_length, nulls } => (
                6,
                json!({ "MaximumLength": maximum_length, "AverageLength": average_length,
                        "NumberOfNulls": nulls }),
            ),
        };
        let (name, member) = SORTS[sort];
        let mut numbers = numbers;
        if let Some(members) = numbers.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        let mut statistics_data = Map::new();
        statistics_data.insert("Type".to_owned(), Value::from(name));
        statistics_data.insert(member.to_owned(), numbers);
        Self {
            column_name: statistics.column,
            column_type: statistics.column_type.to_string(),
            analyzed_time: statistics.analyzed,
            statistics_data,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Update {
    database_name: String,
    table_name: String,
    #[serde(default)]
    partition_values: Vec<String>,
    column_statistics_list: Vec<Written>,
}

impl Input for Update {
    fn resources(&self) -> Vec<String> {
        touched(&self.database_name, &self.table_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Refused {
    column_statistics: Value,
    error: Detail,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Updated {
    errors: Vec<Refused>,
}

fn updated(refused: Vec<(String, Error)>) -> Updated {
    let errors = refused
        .into_iter()
        .map(|(column, error)| Refused {
            column_statistics: json!({ "ColumnName": column }),
            error: Detail::of(&error),
        })
        .collect();
    Updated { errors }
}

fn taken(list: Vec<Written>) -> Result<Vec<ColumnStatistics>> {
    list.into_iter().map(Written::take).collect()
}

pub(super) async fn update_table(glue: Glue, input: Update) -> Result<Updated> {
    let at = at(&input.database_name, &input.table_name)?;
    let statistics = taken(input.column_statistics_list)?;
    let refused = glue.rooms.catalog.update_table_statistics(&at.database, &at.table, statistics).await?;
    Ok(updated(refused))
}

pub(super) async fn update_partition(glue: Glue, input: Update) -> Result<Updated> {
    let at = at(&input.database_name, &input.table_name)?;
    let (values, statistics) = (&input.partition_values, taken(input.column_statistics_list)?);
    let catalog = &glue.rooms.catalog;
    let refused = catalog.update_partition_statistics(&at.database, &at.table, values, statistics).await?;
    Ok(updated(refused))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Get {
    database_name: String,
    table_name: String,
    #[serde(default)]
    partition_values: Vec<String>,
    column_names: Vec<String>,
}

impl Input for Get {
    fn resources(&self) -> Vec<String> {
        touched(&self.database_name, &self.table_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Missing {
    column_name: String,
    error: Detail,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Got {
    column_statistics_list: Vec<Written>,
    errors: Vec<Missing>,
}

fn got(found: catalog::FoundStatistics) -> Got {
    Got {
        column_statistics_list: found.found.into_iter().map(Written::show).collect(),
        errors: found
            .errors
            .into_iter()
            .map(|(column_name, error)| Missing { column_name, error: Detail::of(&error) })
            .collect(),
    }
}

pub(super) async fn get_table(glue: Glue, input: Get) -> Result<Got> {
    let at = at(&input.database_name, &input.table_name)?;
    let catalog = &glue.rooms.catalog;
    Ok(got(catalog.get_table_statistics(&at.database, &at.table, &input.column_names).await?))
}

pub(super) async fn get_partition(glue: Glue, input: Get) -> Result<Got> {
    let at = at(&input.database_name, &input.table_name)?;
    let (values, columns) = (&input.partition_values, &input.column_names);
    let catalog = &glue.rooms.catalog;
    Ok(got(catalog.get_partition_statistics(&at.database, &at.table, values, columns).await?))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Delete {
    database_name: String,
    table_name: String,
    #[serde(default)]
    partition_values: Vec<String>,
    column_name: String,
}

impl Input for Delete {
    fn resources(&self) -> Vec<String> {
        touched(&self.database_name, &self.table_name)
    }
}

pub(super) async fn delete_table(glue: Glue, input: Delete) -> Result<Done> {
    let at = at(&input.database_name, &input.table_name)?;
    let catalog = &glue.rooms.catalog;
    catalog.delete_table_statistics(&at.database, &at.table, &input.column_name).await?;
    Ok(Done {})
}

pub(super) async fn delete_partition(glue: Glue, input: Delete) -> Result<Done> {
    let at = at(&input.database_name, &input.table_name)?;
    let (values, column) = (&input.partition_values, &input.column_name);
    glue.rooms.catalog.delete_partition_statistics(&at.database, &at.table, values, column).await?;
    Ok(Done {})
}
