//! A table of the catalog whose files lie in S3; new columns and partitions can be added to it.

use super::{Kind, Operation, target_options};
use crate::fields::Fields;

pub(super) const KIND: Kind = Kind::target("S3CatalogTarget", read);

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    target_options::at_table(fields, false, true)
}
