//! Functions of arrays: one file per group.

pub(crate) mod access;
pub(crate) mod build;
pub(crate) mod join;
pub(crate) mod order;
pub(crate) mod search;
pub(crate) mod sequence;
pub(crate) mod sets;
pub(crate) mod vector;

use crate::Call;
use sql::SqlType;

/// The type of the elements of an array argument.
pub(crate) fn element_type<'a>(call: &'a Call<'_>, index: usize) -> &'a SqlType {
    match call.arg_types.get(index) {
        Some(SqlType::Array(element)) => element,
        _ => &SqlType::Unknown,
    }
}
