//! Records as rows of a table: JSON in, batches for Parquet or ORC out, and the records that do not fit.

use crate::settings::Target;
use crate::split::objects;
use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use catalog::TableEntry;
use formats::{
    Column, DecodeOptions, Encoder, Format, FormatSpec, OnError, RejectSink, RejectedLine, WriteSpec,
    decoder, encoder, projected_schema,
};
use model::{Error, Place, Result};
use serde_json::{Value, json};
use sql::SqlType;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// What a record is that does not fit.
pub(crate) const MALFORMED: &str = "DataFormatConversion.MalformedData";

/// Converts records to rows of one table.
pub(crate) struct Converter {
    columns: Vec<Column>,
    types: Vec<SqlType>,
    schema: SchemaRef,
    read: FormatSpec,
    write: WriteSpec,
    /// The table, as lines of failed records name it.
    pub(crate) described: Value,
}

/// Rows, and the records that gave none, by their places in what was asked: with the reason.
pub(crate) struct Converted {
    pub(crate) rows: Vec<RecordBatch>,
    pub(crate) failed: BTreeMap<usize, String>,
}

impl Converter {
    /// For a table's columns; those of its partitions are no part of the files.
    pub(crate) fn new(target: &Target, entry: &TableEntry) -> Result<Self> {
        let columns: Vec<Column> = entry
            .table
            .storage
            .columns
            .iter()
            .map(|column| Column::new(column.name.as_str(), SqlType::from_hive(&column.hive_type)))
            .collect();
        if columns.is_empty() {
            return Err(Error::invalid("the table has no columns, so no record can be converted to it")
                .at(Place::object(format!("{}.{}", entry.database, entry.table.name))));
        }
        let all: Vec<usize> = (0..columns.len()).collect();
        let described = json!({
            "catalogId": null,
            "databaseName": entry.database,
            "tableName": entry.table.name,
            "region": null,
            "versionId": target.version.map_or_else(|| "LATEST".to_owned(), |version| version.to_string()),
            "catalogArn": null,
        });
        Ok(Self {
            schema: projected_schema(&columns, &all),
            types: columns.iter().map(|column| column.sql_type.clone()).collect(),
            columns,
            read: FormatSpec::new(Format::Json(target.json.clone())),
            write: target.write.clone(),
            described,
        })
    }

    /// A file of such rows.
    pub(crate) fn encoder(&self) -> Result<Box<dyn Encoder>> {
        encoder(&self.write, Arc::clone(&self.schema), &self.types)
    }

    /// Converts records. One of several JSON objects gives as many rows, or, if one of them does not fit, none.
    pub(crate) fn convert(&self, records: &[&[u8]]) -> Result<Converted> {
        let mut failed = BTreeMap::new();
        let (mut text, mut owners) = (Vec::new(), Vec::new());
        for (at, record) in records.iter().enumerate() {
            match objects(record) {
                Ok(ranges) => {
                    for range in ranges {
                        let object = record.get(range).unwrap_or_default();
                        // Line ends stand between an object's parts only, where blanks mean the same.
                        text.extend(
                            object
                                .iter()
                                .map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }),
                        );
                        text.push(b'\n');
                        owners.push(at);
                    }
                }
                Err(why) => drop(failed.insert(at, why)),
            }
        }
        if owners.is_empty() {
            return Ok(Converted { rows: Vec::new(), failed });
        }
        let left_out = Arc::new(LeftOut::default());
        let mut rows = self.decode(text, Arc::clone(&left_out) as Arc<dyn RejectSink>)?;
        let lines = left_out.take();
        for (line, why) in &lines {
            if let Some(owner) = owners.get(*line) {
                failed.entry(*owner).or_insert_with(|| why.clone());
            }
        }
        // Rows of records that failed at another of their objects.
        let is_left_out = |line: &usize| lines.contains_key(line);
        let some_failed: BTreeSet<usize> =
            lines.keys().filter_map(|line| owners.get(*line).copied()).collect();
        let halves =
            owners.iter().enumerate().any(|(line, at)| some_failed.contains(at) && !is_left_out(&line));
        if halves {
            let kept = owners.iter().enumerate().filter(|(line, _)| !is_left_out(line));
            let mut kept = kept.map(|(_, at)| !some_failed.contains(at));
            rows = rows
                .iter()
                .map(|batch| {
                    let mask: BooleanArray = (0..batch.num_rows()).map(|_| kept.next()).collect();
                    filter_record_batch(batch, &mask)
                        .map_err(|e| Error::internal("rows cannot be left out").source_is(e))
                })
                .collect::<Result<_>>()?;
        }
        rows.retain(|batch| batch.num_rows() > 0);
        Ok(Converted { rows, failed })
    }

    fn decode(&self, text: Vec<u8>, sink: Arc<dyn RejectSink>) -> Result<Vec<RecordBatch>> {
        let all: Vec<usize> = (0..self.columns.len()).collect();
        let options =
            DecodeOptions { on_error: OnError::Reject, reject_sink: Some(sink), ..DecodeOptions::default() };
        let mut decoder = decoder(&self.read, &self.columns, &all, options)?;
        let mut rows = Vec::new();
        decoder.feed(text.into())?;
        while let Some(batch) = decoder.take_batch()? {
            rows.push(batch);
        }
        decoder.finish()?;
        while let Some(batch) = decoder.take_batch()? {
            rows.push(batch);
        }
        Ok(rows)
    }
}

/// The lines that the decoder left out, counted from 0, and why.
#[derive(Debug, Default)]
struct LeftOut(Mutex<Vec<(usize, String)>>);

impl LeftOut {
    fn take(&self) -> BTreeMap<usize, String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect()
    }
}

impl RejectSink for LeftOut {
    fn take(&self, rejected: RejectedLine<'_>) {
        let why = match rejected.column {
            Some(column) => format!("the value of the column `{column}` {}", rejected.reason),
            None => format!("the record is no JSON object that can be read: {}", rejected.reason),
        };
        let line = usize::try_from(rejected.line).unwrap_or(1).saturating_sub(1);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((line, why));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use formats::{JsonSpec, WriteFormat};
    use model::{EntityName, HiveType};

    fn converter(json: JsonSpec, columns: &[(&str, &str)]) -> Converter {
        let table = catalog::Table {
            name: EntityName::new("t").unwrap(),
            storage: catalog::StorageDescriptor {
                columns: columns
                    .iter()
                    .map(|(name, hive)| model::Column::new(*name, hive.parse::<HiveType>().unwrap()))
                    .collect(),
                ..Default::default()
            },
            ..serde_json::from_value(json!({ "name": "t" })).unwrap()
        };
        let at = chrono::DateTime::default();
        let entry = TableEntry {
            database: EntityName::new("d").unwrap(),
            table,
            version: 1,
            created: at,
            updated: at,
        };
        let target = Target {
            database: entry.database.clone(),
            table: entry.table.name.clone(),
            version: None,
            json,
            write: WriteSpec::new(WriteFormat::Parquet),
        };
        Converter::new(&target, &entry).unwrap()
    }

    fn openx() -> JsonSpec {
        JsonSpec { openx: true, ..JsonSpec::default() }
    }

    /// Rows as JSON lines.
    fn shown(converter: &Converter, rows: &[RecordBatch]) -> String {
        let spec = WriteSpec::new(WriteFormat::Json(JsonSpec { write_nulls: true, ..JsonSpec::default() }));
        let mut encoder = encoder(&spec, Arc::clone(&converter.schema), &converter.types).unwrap();
        rows.iter().for_each(|batch| encoder.write(batch).unwrap());
        let mut text = encoder.take().to_vec();
        text.extend_from_slice(&encoder.finish().unwrap().bytes);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn deserializers() {
        let columns = &[("user_id", "bigint"), ("name", "string"), ("at", "timestamp")];
        let hive = JsonSpec {
            timestamp_formats: vec!["millis".into(), "dd.MM.yyyy HH:mm".into()],
            ..JsonSpec::default()
        };
        let dots = JsonSpec { dots_in_keys: true, ..openx() };
        let mapped = JsonSpec { mappings: vec![("user_id".into(), "uid".into())], ..openx() };
        let exact = JsonSpec { case_sensitive: true, ..openx() };
        for (spec, record, row) in [
            (
                openx(),
                r#"{"USER_ID": 7, "Name": "a", "at": "2024-05-01T10:00:00Z"}"#,
                r#"{"user_id":7,"name":"a","at":"2024-05-01 10:00:00"}"#,
            ),
            (exact, r#"{"USER_ID": 7, "name": "a"}"#, r#"{"user_id":null,"name":"a","at":null}"#),
            (dots, r#"{"user.id": 7}"#, r#"{"user_id":7,"name":null,"at":null}"#),
            (mapped, r#"{"uid": 7, "more": [1]}"#, r#"{"user_id":7,"name":null,"at":null}"#),
            (
                hive.clone(),
                r#"{"at": 1714557600000}"#,
                r#"{"user_id":null,"name":null,"at":"2024-05-01 10:00:00"}"#,
            ),
            (
                hive,
                r#"{"at": "01.05.2024 10:00"}"#,
                r#"{"user_id":null,"name":null,"at":"2024-05-01 10:00:00"}"#,
            ),
        ] {
            let converter = converter(spec, columns);
            let converted = converter.convert(&[record.as_bytes()]).unwrap();
            assert!(converted.failed.is_empty(), "{record}: {:?}", converted.failed);
            let text = shown(&converter, &converted.rows);
            let text = text.trim().replace(".000\"", "\"").replace("00:00.0\"", "00:00\"");
            assert_eq!(text, row, "{record}");
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out_with_its_reason() {
        let converter = converter(openx(), &[("n", "int"), ("s", "string")]);
        let records = [
            "{\"n\": 1}",
            "{\"n\": \"x\"}",
            "{",
            "[1]",
            "",
            "{\"n\":\n 2}\n{\"n\": 3}",
            "{\"n\": 4}{\"n\": true}",
            "{\"n\": 5}",
        ];
        let bytes: Vec<&[u8]> = records.iter().map(|record| record.as_bytes()).collect();
        let converted = converter.convert(&bytes).unwrap();
        let text = shown(&converter, &converted.rows);
        let numbers: Vec<String> =
            text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["n"].to_string()).collect();
        assert_eq!(numbers, ["1", "2", "3", "5"], "{text}");
        let failed: Vec<usize> = converted.failed.keys().copied().collect();
        assert_eq!(failed, [1, 2, 3, 4, 6], "{:?}", converted.failed);
        assert!(converted.failed[&1].contains("`n`"), "{:?}", converted.failed);
        assert!(converted.failed[&4].contains("empty"));
    }
}
