//! Aggregate functions: one file per family, each with a table of what it offers.
//!
//! Where DataFusion's own aggregate has Trino's semantics for some types, `native` names it for these and the engine
//! takes that one: it knows a table's statistics and window frames. The rest is computed here, over one group, over
//! many at once, or over a sliding window frame.

pub(crate) mod checksum;
pub(crate) mod collect;
pub(crate) mod count;
mod digest;
mod distinct;
pub(crate) mod extremes;
mod fold;
pub(crate) mod hll;
pub(crate) mod logic;
pub(crate) mod moments;
pub(crate) mod percentile;
pub(crate) mod reduce;
mod rows;
pub(crate) mod sets;
mod sketch;
pub(crate) mod sum;
mod tools;

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
    /// Takes rows: one array per value argument (lambdas left out), equally long. A function without arguments is
    /// given one array of any type, for its length.
    fn update(&mut self, args: &[ArrayRef]) -> Result<()>;
    /// What has been gathered, one array of length 1 per state column.
    fn state(&mut self) -> Result<Vec<ArrayRef>>;
    /// Takes what others have gathered: arrays of their state columns.
    fn merge(&mut self, states: &[ArrayRef]) -> Result<()>;
    /// The answer, an array of length 1. It may be asked for again after more rows.
    fn finish(&mut self) -> Result<ArrayRef>;
    /// The bytes it holds, for the memory limit.
    fn size(&self) -> usize;
    /// Takes back the rows it was given first.
    fn retract(&mut self, args: &[ArrayRef]) -> Result<()>;
    /// Whether `retract` works: always for one that `Aggregate::sliding` made.
    fn retracts(&self) -> bool;
}

/// Gathers the rows of many groups at once; groups are numbered from 0.
pub trait GroupsAccumulator: Send + Sync + Debug {
    /// Takes rows: one array per value argument; `groups[i]` is the group of row `i`, `total` how many there are by now.
    fn update(&mut self, args: &[ArrayRef], groups: &[usize], total: usize) -> Result<()>;
    /// The states of the first so many groups (of all), which are then forgotten; the others move down.
    fn state(&mut self, first: Option<usize>) -> Result<Vec<ArrayRef>>;
    /// Takes states that others have gathered.
    fn merge(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()>;
    /// The answers of the first so many groups (of all), which are then forgotten.
    fn finish(&mut self, first: Option<usize>) -> Result<ArrayRef>;
    /// The bytes it holds, for the memory limit.
    fn size(&self) -> usize;
}

/// Names DataFusion's function for these argument types.
pub type Native = fn(&[SqlType]) -> Option<&'static str>;

/// One overload (or several that share an implementation) of an aggregate function.
#[derive(Debug, Clone, Copy)]
pub struct Aggregate {
    /// Its name, in lower case.
    pub name: &'static str,
    /// What it takes and returns, in the notation of `signature`.
    pub signatures: &'static [&'static str],
    /// DataFusion's function that computes the same, to the same Arrow type, for these argument types, if there is one.
    pub native: Option<Native>,
    /// The types of the state columns.
    pub state: fn(&[SqlType], &SqlType) -> Vec<DataType>,
    /// Makes an accumulator for one group.
    pub make: fn(&AggregateCall<'_>) -> Result<Box<dyn Accumulator>>,
    /// Makes one for many groups.
    pub groups: fn(&AggregateCall<'_>) -> Result<Box<dyn GroupsAccumulator>>,
    /// The return type where it is more than the signature says.
    pub returns: Option<crate::scalar::Returns>,
    /// One sentence for the documentation.
    pub summary: &'static str,
}

impl Aggregate {
    /// Makes an accumulator for window frames, which lose rows at their beginning.
    pub fn sliding(&self, call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>> {
        fold::sliding(self.maker(call))
    }

    /// Makes an accumulator that takes equal rows once, for `f(DISTINCT …)`; its state columns are `distinct_state`.
    pub fn distinct(&self, call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>> {
        distinct::distinct(self.maker(call), call)
    }

    /// The types of the state columns of an accumulator made by `distinct`.
    pub fn distinct_state() -> Vec<DataType> {
        distinct::state()
    }

    /// Makes fresh accumulators of one call, as often as they are needed.
    fn maker(&self, call: &AggregateCall<'_>) -> fold::Maker {
        let make = self.make;
        let (name, arg_types) = (call.name.to_owned(), call.arg_types.to_vec());
        let (return_type, lambdas) = (call.return_type.clone(), call.lambdas.to_vec());
        let session = call.session.clone();
        Box::new(move || {
            make(&AggregateCall {
                name: &name,
                arg_types: &arg_types,
                return_type: &return_type,
                lambdas: &lambdas,
                session: &session,
            })
        })
    }
}

/// The table entry of an aggregate whose fold this function makes: `aggregate!("sum", &["(bigint) -> bigint"], "…",
/// state, make)`, with `native:` and `returns:` where it has them.
macro_rules! aggregate {
    ($name:expr, $signatures:expr, $summary:expr, $state:expr, $make:expr $(, native: $native:expr)? $(, returns: $returns:expr)?) => {{
        #[allow(unused_mut, unused_assignments, reason = "only some entries have the optional parts")]
        const ENTRY: $crate::Aggregate = {
            let mut native: Option<$crate::aggregate::Native> = None;
            $(native = Some($native);)?
            let mut returns: Option<$crate::scalar::Returns> = None;
            $(returns = Some($returns);)?
            $crate::Aggregate {
                name: $name,
                signatures: $signatures,
                native,
                state: $state,
                make: |call| {
                    let fold: model::Result<_> = $make(call);
                    Ok($crate::aggregate::fold::single(fold?))
                },
                groups: |call| {
                    let fold: model::Result<_> = $make(call);
                    Ok($crate::aggregate::fold::grouped(fold?))
                },
                returns,
                summary: $summary,
            }
        };
        ENTRY
    }};
}
use aggregate;
