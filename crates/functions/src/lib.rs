//! Trino's functions, as kernels over Arrow arrays.
//!
//! In come a name and the types of the arguments; out comes what the function returns for them and a kernel that
//! computes it. Each family of functions is one file with a table of its functions; `registry` finds them, `signature`
//! decides which overload is meant. Casts stand in `cast`, the text form of values in `render`.
//!
//! This room knows neither SQL text nor DataFusion nor the lake, reads no clock (the session brings the time), and
//! never panics on data: a value that cannot be computed is an error that says which.

pub mod aggregate;
mod call;
pub mod cast;
mod registry;
pub mod render;
pub mod scalar;
mod session;
mod signature;
mod window;

pub use aggregate::{Accumulator, Aggregate, AggregateCall, GroupsAccumulator};
pub use call::{Arg, Call, Lambda, Values};
pub use registry::{
    Family, Resolved, families, find_aggregate, find_scalar, names, resolve_aggregate, resolve_scalar,
    unknown_function,
};
pub use scalar::{Kernel, Nulls, Scalar};
pub use session::Session;
pub use signature::{ArgType, Signature};
pub use window::{WINDOWS, Window, find_window};
