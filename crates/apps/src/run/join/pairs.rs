//! What comes out of a join: pairs of rows that fulfil its condition, and rows that have met nothing, padded with NULL.

use super::kept::{Kept, Met};
use super::{JoinSide, PAIRS, Place};
use crate::flow::node::Joining;
use crate::run::rows::{arrow, batch};
use arrow::array::{ArrayRef, AsArray, RecordBatch, new_null_array};
use arrow::compute::{filter_record_batch, interleave_record_batch};
use arrow::datatypes::{FieldRef, SchemaRef};
use model::{Error, Result};

/// Pairs of rows that may meet, on their way to the condition.
pub(super) struct Pairs<'a> {
    joining: &'a Joining,
    schema: &'a SchemaRef,
    /// The rows of the left side and the right one.
    batches: [Vec<&'a RecordBatch>; 2],
    met: [&'a mut Met; 2],
    places: [Vec<Place>; 2],
    out: Vec<RecordBatch>,
}

impl<'a> Pairs<'a> {
    pub(super) fn new(
        joining: &'a Joining,
        schema: &'a SchemaRef,
        batches: [&'a [RecordBatch]; 2],
        met: [&'a mut Met; 2],
    ) -> Self {
        let batches = batches.map(|all| all.iter().collect());
        Self { joining, schema, batches, met, places: [Vec::new(), Vec::new()], out: Vec::new() }
    }

    pub(super) fn add(&mut self, left: Place, right: Place) -> Result<()> {
        let [lefts, rights] = &mut self.places;
        lefts.push(left);
        rights.push(right);
        if lefts.len() < PAIRS { Ok(()) } else { self.flush() }
    }

    /// The pairs that fulfil the condition. Their rows have met a partner.
    pub(super) fn finish(mut self) -> Result<Vec<RecordBatch>> {
        self.flush()?;
        Ok(self.out)
    }

    /// Asks the condition.
    fn flush(&mut self) -> Result<()> {
        let [lefts, _] = &self.places;
        let count = lefts.len();
        if count == 0 {
            return Ok(());
        }
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.schema.fields().len());
        for (batches, places) in self.batches.iter().zip(&self.places) {
            let rows = interleave_record_batch(batches, places).map_err(arrow)?;
            columns.extend(rows.columns().iter().cloned());
        }
        let rows = batch(self.schema, columns, count)?;
        let condition = &self.joining.condition;
        let asked = condition.evaluate(&rows).and_then(|v| v.into_array(count)).map_err(scan::error)?;
        let mask = asked
            .as_boolean_opt()
            .ok_or_else(|| Error::internal("the condition of a join is neither true nor false"))?;
        let rows = filter_record_batch(&rows, mask).map_err(arrow)?;
        if rows.num_rows() > 0 {
            let sides = self.met.iter_mut().zip(&self.places).zip(self.joining.outer);
            for ((met, places), _) in sides.filter(|(_, is_outer)| *is_outer) {
                for (place, fulfils) in places.iter().zip(mask.iter()) {
                    if fulfils == Some(true) {
                        met.mark(*place);
                    }
                }
            }
            self.out.push(rows);
        }
        self.places.iter_mut().for_each(Vec::clear);
        Ok(())
    }
}

impl Joining {
    /// Rows of one side as they come out without a partner.
    pub(crate) fn padded(
        &self,
        side: JoinSide,
        rows: &RecordBatch,
        schema: &SchemaRef,
    ) -> Result<RecordBatch> {
        let (fields, count) = (schema.fields(), rows.num_rows());
        let missing = fields.len().saturating_sub(rows.num_columns());
        let own = rows.columns().iter().cloned();
        let null = |field: &FieldRef| new_null_array(field.data_type(), count);
        let columns: Vec<ArrayRef> = match side {
            JoinSide::Left => own.chain(fields.iter().skip(rows.num_columns()).map(null)).collect(),
            JoinSide::Right => fields.iter().take(missing).map(null).chain(own).collect(),
        };
        batch(schema, columns, count)
    }

    /// The rows of a side at these places, as they come out without a partner.
    pub(super) fn all_padded(
        &self,
        kept: &Kept,
        places: &[Place],
        schema: &SchemaRef,
    ) -> Result<Vec<RecordBatch>> {
        let padded = places.chunks(PAIRS).map(|p| self.padded(kept.side, &kept.rows_at(p)?, schema));
        padded.collect()
    }
}
