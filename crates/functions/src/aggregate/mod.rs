//! Aggregate functions: one file per family, each with a table of what it offers.
//!
//! Where DataFusion's own aggregate has Trino's semantics for some types, `native` names it for these and the engine
//! takes that one, because it works on whole groups at a time. The rest is computed by the accumulators here.

use crate::{Lambda, Session};
use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use model::Result;
use sql::SqlType;
use std::fmt::Debug;
use std::sync::Arc;

/// What an accumulator is made from.
#[derive(Debug)]
pub struct AggregateCall<'a> {
    /// The function's name, for errors.
    pub name: &'a str,
    /// The arguments' types, as the signature asked for them; lambdas included.
    pub arg_types: &'a [SqlType],
    /// What it returns.
    pub return_type: &'a SqlType,
    /// The lambda arguments, by position.
    pub lambdas: &'a [Option<Arc<dyn Lambda>>],
    /// The query's surroundings.
    pub session: &'a Session,
}

/// Gathers the rows of one group.
pub trait Accumulator: Send + Sync + Debug {
    /// Takes rows: one array per value argument (lambdas left out), equally long.
    fn update(&mut self, args: &[ArrayRef]) -> Result<()>;
    /// What has been gathered, one array of length 1 per state column.
    fn state(&mut self) -> Result<Vec<ArrayRef>>;
    /// Takes what others have gathered: arrays of their state columns.
    fn merge(&mut self, states: &[ArrayRef]) -> Result<()>;
    /// The answer, an array of length 1.
    fn finish(&mut self) -> Result<ArrayRef>;
    /// The bytes it holds, for the memory limit.
    fn size(&self) -> usize;
}

/// Names DataFusion's function that computes the same for these argument types, if there is one.
pub type Native = fn(&[SqlType]) -> Option<&'static str>;

/// One overload (or several that share an implementation) of an aggregate function.
#[derive(Debug, Clone, Copy)]
pub struct Aggregate {
    /// Its name, in lower case.
    pub name: &'static str,
    /// What it takes and returns, in the notation of `signature`.
    pub signatures: &'static [&'static str],
    /// DataFusion's function that computes the same for these argument types, if there is one.
    pub native: Option<Native>,
    /// The types of the state columns.
    pub state: fn(&[SqlType], &SqlType) -> Vec<DataType>,
    /// Makes an accumulator.
    pub make: fn(&AggregateCall<'_>) -> Result<Box<dyn Accumulator>>,
    /// The return type where it is more than the signature says.
    pub returns: Option<crate::scalar::Returns>,
    /// One sentence for the documentation.
    pub summary: &'static str,
}
