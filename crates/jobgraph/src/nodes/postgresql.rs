//! Tables of PostgreSQL: known by name, refused until connections exist.

use super::{Kind, Operation};
use crate::fields::Fields;
use model::Error;

pub(super) const SOURCE: Kind = Kind::source("PostgreSQLCatalogSource", read);
pub(super) const TARGET: Kind = Kind::target("PostgreSQLCatalogTarget", read);

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    fields.need_text("Database");
    fields.need_text("Table");
    let error = Error::unsupported(format!("{} cannot run yet", fields.owner()))
        .why("tables of PostgreSQL come with connections, which do not exist yet")
        .hint("until then, go by files: a bucket and an S3 or catalog node");
    fields.wrong(&fields.span, error);
    None
}
