//! A table of the catalog, as it is.

use super::{Kind, Operation, target_options};
use crate::fields::Fields;

pub(super) const KIND: Kind = Kind::target("CatalogTarget", read);

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    target_options::at_table(fields, false, false)
}
