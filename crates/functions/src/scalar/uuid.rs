//! `uuid()`: random identifiers.

use super::Scalar;
use crate::{Call, Family};
use arrow::array::ArrayRef;
use model::Result;
use std::fmt::Write;

/// The UUID functions.
pub const FAMILY: Family = Family { title: "UUID functions", scalars: SCALARS, aggregates: &[] };

const SCALARS: &[Scalar] =
    &[Scalar::new("uuid", &["() -> uuid"], uuid, "A random identifier, another one for every row.")
        .volatile()];

fn uuid(call: &Call<'_>) -> Result<ArrayRef> {
    call.build_strings(|_, out| {
        let _ = write!(out, "{}", ::uuid::Uuid::new_v4());
        Ok(true)
    })
}
