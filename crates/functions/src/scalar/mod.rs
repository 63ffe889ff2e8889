//! Scalar functions: one file per family, each with a table `FAMILY` of what it offers.
//!
//! Operators that need more than DataFusion's own (checked integers, exact decimals, structural comparison) stand here
//! too, under names that begin with `$`: nobody can call them, the planner does.

pub(crate) mod arithmetic;
pub(crate) mod array;
pub mod binary;
pub mod bitwise;
pub(crate) mod compare;
pub mod datetime;
pub(crate) mod decimal;
pub(crate) mod elements;
pub mod format;
pub mod ip;
pub mod json;
pub(crate) mod keys;
pub(crate) mod lambda;
pub mod like;
pub(crate) mod map;
pub(crate) mod math;
pub mod postgres;
pub(crate) mod random;
pub mod regexp;
pub(crate) mod round;
pub(crate) mod row;
pub(crate) mod statistics;
pub mod string;
pub mod units;
pub mod url;
pub mod uuid;

use crate::{Call, Session};
use arrow::array::ArrayRef;
use model::Result;
use sql::SqlType;

/// Computes a function for a batch.
pub type Kernel = fn(&Call<'_>) -> Result<ArrayRef>;

/// Says what a function returns where its signature cannot: the decimals of a product, the fields of a row.
pub type Returns = fn(&[SqlType], &Session) -> Result<SqlType>;

/// What a NULL among the arguments does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nulls {
    /// The answer is NULL: the kernel may rely on `Call::valid` and the builders to skip such rows.
    Propagate,
    /// The kernel decides.
    Handle,
}

/// One overload (or several that share a kernel) of a scalar function.
#[derive(Debug, Clone, Copy)]
pub struct Scalar {
    /// Its name, in lower case.
    pub name: &'static str,
    /// What it takes and returns, in the notation of `signature`: `(varchar, bigint) -> varchar`.
    pub signatures: &'static [&'static str],
    /// How it is computed.
    pub kernel: Kernel,
    /// What NULLs do.
    pub nulls: Nulls,
    /// Whether it may answer differently for the same arguments (`random`, `uuid`).
    pub volatile: bool,
    /// The return type where it is more than the signature says.
    pub returns: Option<Returns>,
    /// One sentence for the documentation.
    pub summary: &'static str,
}

impl Scalar {
    /// A function whose answer depends on its arguments alone and is NULL if one of them is.
    pub const fn new(
        name: &'static str,
        signatures: &'static [&'static str],
        kernel: Kernel,
        summary: &'static str,
    ) -> Self {
        Self { name, signatures, kernel, nulls: Nulls::Propagate, volatile: false, returns: None, summary }
    }

    /// The kernel sees NULL arguments and decides.
    pub const fn handles_nulls(mut self) -> Self {
        self.nulls = Nulls::Handle;
        self
    }

    /// It may answer differently each time.
    pub const fn volatile(mut self) -> Self {
        self.volatile = true;
        self
    }

    /// Computes the return type from the arguments' types.
    pub const fn returns(mut self, returns: Returns) -> Self {
        self.returns = Some(returns);
        self
    }
}
