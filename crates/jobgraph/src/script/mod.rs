//! A graph as code that runs elsewhere: a Glue PySpark script, or Athena's SQL.

mod athena;
mod helpers;
pub(crate) mod py;
mod pyspark;

pub use athena::athena;
pub(crate) use helpers::Helper;
pub(crate) use pyspark::Script;
pub use pyspark::pyspark;
