//! Growing the columns of a batch, value by value.
