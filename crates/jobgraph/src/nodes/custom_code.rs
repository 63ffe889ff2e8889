//! Python code in a node: refused by name.

use super::{Kind, Operation};
use crate::fields::Fields;
use model::Error;

pub(super) const KIND: Kind = Kind { inputs: (1, usize::MAX), ..Kind::transform("CustomCode", read) };

fn read(fields: &Fields<'_>) -> Option<Box<dyn Operation>> {
    fields.ignore(&["Code", "ClassName", "OutputSchemas"]);
    let error = Error::unsupported(format!("{} cannot run", fields.owner()))
        .why("visual jobs run on the engine itself, without Python or Spark")
        .hint("write it as a SparkSQL node, or keep the whole job as a Glue script");
    fields.wrong(&fields.span, error);
    None
}
