//! A Delta Lake table of the catalog.

use super::{Kind, Operation, target_options};
use crate::fields::Fields;

pub(super) const KIND: Kind = Kind::target("S3DeltaCatalogTarget", read);

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    target_options::at_table(fields, true, true)
}
