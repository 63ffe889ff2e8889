//! Records into rows: the bytes of a whole read are one text, decoded in one pass by the formats' own decoders.

use super::rows::{apply, arrow, batch, times};
use crate::flow::compile::Compiler;
use crate::flow::node::{Node, Work};
use crate::flow::options::RowFormat;
use crate::flow::resolve::{ColumnFrom, Metadata, TableSpec};
use arrow::array::{
    Array, ArrayRef, BinaryViewBuilder, BooleanArray, RecordBatch, StringViewBuilder,
    TimestampMillisecondArray,
};
use arrow::compute::{concat_batches, filter_record_batch, is_not_null, max};
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use formats::{Column, DecodeOptions, FormatSpec, OnError, decoder};
use model::{Error, Place, Result};
use plan::from_datafusion;
use sql::SqlType;
use std::sync::Arc;
use streams::Record;

/// Makes rows of a table's records.
pub(crate) struct TableDecoder {
    name: String,
    /// How the record's columns are decoded; nothing for raw records.
    spec: Option<FormatSpec>,
    /// The record's columns.
    columns: Vec<Column>,
    raw: Vec<RawColumn>,
    raw_schema: SchemaRef,
    node: Node,
    ignores_errors: bool,
    /// Where the event's time and the watermark stand in what comes out.
    time: Option<(usize, usize)>,
    /// The table's columns that come out, in their order.
    pub(crate) needed: Vec<usize>,
}

/// A column of the raw rows.
#[derive(Debug, Clone, Copy)]
enum RawColumn {
    /// The n-th of the decoded ones.
    Decoded(usize),
    Metadata(Metadata),
}

/// Rows of one read of one shard.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) rows: RecordBatch,
    /// The greatest watermark that they give.
    pub(crate) watermark: Option<i64>,
    /// Records or values that could not be read.
    pub(crate) malformed: u64,
}

/// Rows a batch: a read is one batch nearly always.
const BATCH_ROWS: usize = 1 << 20;

impl TableDecoder {
    /// For those of the table's columns that somebody uses.
    pub(crate) fn new(table: &TableSpec, mut needed: Vec<usize>) -> Result<Self> {
        let lost = || Error::internal("a table without columns");
        let computed = table.computed.as_ref().ok_or_else(lost)?;
        if let Some(time) = table.time {
            needed.push(time);
        }
        needed.sort_unstable();
        needed.dedup();
        let all = computed.schema().columns();
        let mut exprs: Vec<Expr> =
            needed.iter().filter_map(|at| all.get(*at).cloned().map(Expr::Column)).collect();
        let mut time = None;
        if let Some(at) = table.time {
            exprs.extend(all.last().cloned().map(Expr::Column));
            let place = needed.iter().position(|n| *n == at).ok_or_else(lost)?;
            time = Some((place, needed.len()));
        }
        let plan = LogicalPlanBuilder::from(computed.clone())
            .project(exprs)
            .and_then(LogicalPlanBuilder::build)
            .map_err(from_datafusion)?;
        let node = Compiler::new(false).compile(&plan)?;
        let raw_columns: Vec<&crate::flow::resolve::ColumnSpec> =
            table.columns.iter().filter(|c| c.from != ColumnFrom::Expression).collect();
        let columns: Vec<Column> = raw_columns
            .iter()
            .filter(|c| c.from == ColumnFrom::Record)
            .map(|c| Column::new(c.name.clone(), c.sql_type.clone()))
            .collect();
        let mut raw = Vec::new();
        let mut fields = Vec::new();
        for at in source_columns(&node).ok_or_else(lost)? {
            let column = raw_columns.get(*at).ok_or_else(lost)?;
            fields.push(Field::new(&column.name, column.sql_type.to_arrow(), true));
            raw.push(match column.from {
                ColumnFrom::Metadata(metadata) => RawColumn::Metadata(metadata),
                _ => RawColumn::Decoded(columns.iter().position(|c| c.name == column.name).ok_or_else(lost)?),
            });
        }
        let spec = table.options.format.as_ref().and_then(RowFormat::read_spec);
        Ok(Self {
            name: table.name.clone(),
            spec,
            columns,
            raw,
            raw_schema: Arc::new(Schema::new(fields)),
            node,
            ignores_errors: table.options.ignores_errors,
            time,
            needed,
        })
    }

    /// How the record's columns become the table's.
    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    /// The rows of a shard's records.
    pub(crate) fn decode(&self, shard: &str, records: &[Record]) -> Result<Decoded> {
        let projection: Vec<usize> = self
            .raw
            .iter()
            .filter_map(|c| match c {
                RawColumn::Decoded(at) => Some(*at),
                RawColumn::Metadata(_) => None,
            })
            .collect();
        let (decoded, kept, malformed) = match &self.spec {
            Some(spec) => self.text(spec, &projection, shard, records)?,
            None => (self.whole(&projection, records)?, None, 0),
        };
        let mut at = 0;
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.raw.len());
        for column in &self.raw {
            columns.push(match column {
                RawColumn::Decoded(_) => {
                    at += 1;
                    Arc::clone(decoded.column(at - 1))
                }
                RawColumn::Metadata(metadata) => {
                    let all = metadata_of(*metadata, shard, records);
                    match &kept {
                        Some(mask) => arrow::compute::filter(&all, mask).map_err(arrow)?,
                        None => all,
                    }
                }
            });
        }
        let rows = batch(&self.raw_schema, columns, decoded.num_rows())?;
        let rows = match &self.node.work {
            Work::Rows { steps, .. } => apply(steps, rows)?,
            _ => rows,
        };
        self.with_time(shard, rows, malformed)
    }

    /// Events without a time have no place in a stream of events.
    fn with_time(&self, shard: &str, mut rows: RecordBatch, mut malformed: u64) -> Result<Decoded> {
        let Some((time, mark)) = self.time else { return Ok(Decoded { rows, watermark: None, malformed }) };
        let missing = rows.column(time).null_count();
        if missing > 0 {
            if !self.ignores_errors {
                return Err(Error::invalid(format!("{missing} events of `{}` have no time", self.name))
                    .at(Place::object(shard))
                    .why(format!("the column `{}` is NULL or missing in the record", self.raw_name(time)))
                    .hint("mend the producer, or leave them out: 'json.ignore-parse-errors' = 'true'; they are counted"));
            }
            malformed += missing as u64;
            let mask = is_not_null(rows.column(time)).map_err(arrow)?;
            rows = filter_record_batch(&rows, &mask).map_err(arrow)?;
        }
        let watermark = max(&times(rows.column(mark))?);
        Ok(Decoded { rows, watermark, malformed })
    }

    fn raw_name(&self, at: usize) -> String {
        crate::flow::node::shown(self.node.schema.field(at).name())
    }

    /// Decodes records of text; the mask says which of them have become rows.
    fn text(
        &self,
        spec: &FormatSpec,
        projection: &[usize],
        shard: &str,
        records: &[Record],
    ) -> Result<(RecordBatch, Option<BooleanArray>, u64)> {
        let bytes: usize = records.iter().map(|r| r.data().len() + 1).sum();
        let mut text = Vec::with_capacity(bytes);
        let mut blank = 0_u64;
        for record in records {
            let data = record.data().trim_ascii_end();
            if data.is_empty() {
                blank += 1;
                continue;
            }
            let start = text.len();
            text.extend_from_slice(data);
            if memchr::memchr(b'\n', data).is_some() {
                // A document over several lines: line ends mean nothing outside of its texts, and cannot be inside.
                text.iter_mut().skip(start).filter(|b| **b == b'\n').for_each(|b| *b = b' ');
            }
            text.push(b'\n');
        }
        let options = DecodeOptions {
            batch_rows: BATCH_ROWS,
            on_error: OnError::Collect(usize::MAX),
            file: Arc::from(shard),
            ..DecodeOptions::default()
        };
        let mut decoder = decoder(spec, &self.columns, projection, options)?;
        decoder.feed(text.into())?;
        decoder.finish()?;
        let mut batches = Vec::new();
        while let Some(rows) = decoder.take_batch()? {
            batches.push(rows);
        }
        let rows = match batches.as_slice() {
            [one] => one.clone(),
            all => concat_batches(&decoder.schema(), all).map_err(arrow)?,
        };
        let rejects = decoder.rejects();
        // Which record a line is: blank ones are no lines.
        let is_text = |record: &Record| !record.data().trim_ascii_end().is_empty();
        let numbers: Vec<usize> = match blank {
            0 => Vec::new(),
            _ => (0..records.len()).filter(|at| records.get(*at).is_some_and(is_text)).collect(),
        };
        let number = |line: u64| {
            let at = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
            numbers.get(at).copied().unwrap_or(at)
        };
        if let Some(first) = rejects.first.first().filter(|_| !self.ignores_errors) {
            let record = records.get(number(first.line));
            let place =
                record.map_or_else(|| shard.to_owned(), |r| format!("{shard}, record {}", r.sequence_number));
            let what = match &first.column {
                Some(column) => format!("the value {:?} of `{column}` {}", first.value, first.reason),
                None => format!("a record of `{}` cannot be read: {}", self.name, first.reason),
            };
            return Err(Error::invalid(what)
                .at(Place::object(place))
                .hint("mend the producer, or leave such records out: 'json.ignore-parse-errors' = 'true'; they are counted"));
        }
        if blank > 0 && !self.ignores_errors {
            return Err(
                Error::invalid(format!("a record of `{}` is empty", self.name)).at(Place::object(shard))
            );
        }
        let malformed = rejects.count + blank;
        if rows.num_rows() == records.len() {
            return Ok((rows, None, malformed));
        }
        let mut kept = vec![true; records.len()];
        for (at, record) in records.iter().enumerate() {
            if record.data().trim_ascii_end().is_empty() {
                kept[at] = false;
            }
        }
        for reject in rejects.first.iter().filter(|r| r.column.is_none()) {
            if let Some(slot) = kept.get_mut(number(reject.line)) {
                *slot = false;
            }
        }
        if kept.iter().filter(|k| **k).count() != rows.num_rows() {
            return Err(Error::internal(format!(
                "records of `{}` have become other numbers of rows",
                self.name
            )));
        }
        Ok((rows, Some(BooleanArray::from(kept)), malformed))
    }

    /// The whole record as one column.
    fn whole(&self, projection: &[usize], records: &[Record]) -> Result<RecordBatch> {
        let mut columns: Vec<ArrayRef> = Vec::new();
        let mut fields = Vec::new();
        for at in projection {
            let Some(column) = self.columns.get(*at) else { continue };
            fields.push(Field::new(&column.name, column.sql_type.to_arrow(), true));
            columns.push(match column.sql_type {
                SqlType::Varbinary => {
                    let mut builder = BinaryViewBuilder::with_capacity(records.len());
                    records.iter().for_each(|r| builder.append_value(r.data()));
                    Arc::new(builder.finish())
                }
                _ => {
                    let mut builder = StringViewBuilder::with_capacity(records.len());
                    records.iter().for_each(|r| builder.append_value(String::from_utf8_lossy(r.data())));
                    Arc::new(builder.finish())
                }
            });
        }
        batch(&Arc::new(Schema::new(fields)), columns, records.len())
    }
}

/// The columns of the source that a dataflow stands on.
fn source_columns(node: &Node) -> Option<&Vec<usize>> {
    match &node.work {
        Work::Source { columns, .. } => Some(columns),
        Work::Rows { input, .. } => source_columns(input),
        _ => None,
    }
}

fn metadata_of(metadata: Metadata, shard: &str, records: &[Record]) -> ArrayRef {
    let mut texts = StringViewBuilder::with_capacity(records.len());
    match metadata {
        Metadata::Timestamp => {
            let times: Vec<i64> = records.iter().map(|r| r.arrived.timestamp_millis()).collect();
            return Arc::new(TimestampMillisecondArray::from(times));
        }
        Metadata::Shard => {
            let id = shard.rsplit('/').next().unwrap_or(shard);
            records.iter().for_each(|_| texts.append_value(id));
        }
        Metadata::SequenceNumber => {
            records.iter().for_each(|r| texts.append_value(r.sequence_number.to_string()));
        }
        Metadata::PartitionKey => records.iter().for_each(|r| texts.append_value(r.partition_key())),
    }
    Arc::new(texts.finish())
}
