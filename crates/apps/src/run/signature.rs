//! What kept state depends on, in words: two dataflows with the same words may take up each other's state.
//!
//! Everything up to an insert's last aggregation counts: streams, columns and their types, event times, filters,
//! expressions, windows, keys, aggregates and the types of their states. What is done to rows behind it does not.

use super::decode::TableDecoder;
use crate::flow::node::{Node, Step, Work, shown};
use arrow::datatypes::SchemaRef;
use model::Result;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The sources that dataflows read, by table: what each is, and how its records become rows.
pub(crate) type Sources<'a> = BTreeMap<usize, (&'a str, &'a TableDecoder)>;

/// The words of one insert's dataflow.
pub(crate) fn of_insert(root: &Node, sources: &Sources<'_>) -> Result<String> {
    let mut node = root;
    while let Work::Rows { input, .. } = &node.work {
        node = input;
    }
    let mut text = String::new();
    write(node, sources, &mut text)?;
    Ok(text)
}

fn types(schema: &SchemaRef) -> String {
    let field =
        |f: &std::sync::Arc<arrow::datatypes::Field>| format!("{} {}", shown(f.name()), f.data_type());
    schema.fields().iter().map(field).collect::<Vec<_>>().join(", ")
}

fn write(node: &Node, sources: &Sources<'_>, out: &mut String) -> Result<()> {
    // Writing into a text cannot fail.
    match &node.work {
        Work::Source { table, .. } => {
            let (name, decoder) = match sources.get(table) {
                Some((name, decoder)) => (*name, Some(*decoder)),
                None => ("?", None),
            };
            let _ = write!(out, "source {name} ({})", types(&node.schema));
            if let Some(decoder) = decoder {
                let _ = write!(out, " of ");
                write(decoder.node(), &Sources::new(), out)?;
            }
        }
        Work::Rows { input, steps } => {
            write(input, sources, out)?;
            for step in steps {
                match step {
                    Step::Filter(expr) => {
                        let _ = write!(out, " | filter {}", shown(&expr.to_string()));
                    }
                    Step::Project(exprs, schema) => {
                        let exprs: Vec<String> = exprs.iter().map(|e| shown(&e.to_string())).collect();
                        let _ = write!(out, " | select {} as ({})", exprs.join(", "), types(schema));
                    }
                }
            }
        }
        Work::Windows { input, time, kind, columns, .. } => {
            write(input, sources, out)?;
            let _ = write!(out, " | windows {kind:?} of column {time}, columns {columns:?}");
        }
        Work::Aggregate(aggregation) => {
            write(&aggregation.input, sources, out)?;
            let keys = types(&aggregation.key_schema);
            let _ = write!(out, " | aggregate {:?} by {:?} ({keys})", aggregation.kind, aggregation.groups);
            for call in &aggregation.calls {
                let function = &call.function;
                let args: Vec<String> =
                    function.expressions().iter().map(|e| shown(&e.to_string())).collect();
                let distinct = if function.is_distinct() { "distinct " } else { "" };
                let _ = write!(out, ", {}({distinct}{})", function.fun().name(), args.join(", "));
                if let Some(filter) = &call.filter {
                    let _ = write!(out, " where {}", shown(&filter.to_string()));
                }
                let states = function.state_fields().map_err(scan::error)?;
                let states: Vec<String> = states.iter().map(|f| f.data_type().to_string()).collect();
                let _ = write!(out, " keeping ({})", states.join(", "));
            }
        }
        Work::Join(joining) => {
            let _ = write!(out, "{} [", joining.kind());
            for input in &joining.inputs {
                write(input, sources, out)?;
                let _ = write!(out, "; ");
            }
            let (lower, upper, times) = (joining.lower, joining.upper, joining.times);
            let condition = shown(&joining.condition.to_string());
            let _ = write!(out, "] of columns {times:?} from {lower} to {upper} where {condition}");
        }
        Work::Union { inputs } => {
            let _ = write!(out, "union [");
            for input in inputs {
                write(input, sources, out)?;
                let _ = write!(out, "; ");
            }
            let _ = write!(out, "]");
        }
    }
    Ok(())
}
