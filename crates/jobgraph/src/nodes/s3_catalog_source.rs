//! A table of the catalog whose files lie in S3: the same as CatalogSource.

use super::{Kind, catalog_source};

pub(super) const KIND: Kind = Kind::source("S3CatalogSource", catalog_source::read);
