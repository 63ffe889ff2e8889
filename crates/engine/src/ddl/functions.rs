//! SHOW FUNCTIONS: every function that queries may call, with its overloads.

use super::pattern::NamePattern;
use super::{DdlContext, DdlResult};
use functions::{WINDOWS, families};
use model::Result;
use sql::ast::At;

const COLUMNS: [&str; 6] =
    ["Function", "Return Type", "Argument Types", "Function Type", "Deterministic", "Description"];

pub(super) fn show(ctx: &DdlContext<'_>, like: Option<&At<String>>) -> Result<DdlResult> {
    let pattern = NamePattern::like(ctx, like)?;
    let mut rows = Vec::new();
    let mut add = |name: &str, signatures: &[&str], kind: &str, deterministic: bool, summary: &str| {
        // Names with `$` are not for queries.
        if name.starts_with('$') || !pattern.fits(name) {
            return;
        }
        for signature in signatures {
            let (arguments, result) = signature.split_once("->").unwrap_or((signature, ""));
            let arguments = arguments.trim().trim_start_matches('(').trim_end_matches(')');
            let row =
                [name, result.trim(), arguments, kind, if deterministic { "true" } else { "false" }, summary];
            rows.push(row.map(str::to_owned).to_vec());
        }
    };
    for family in families() {
        for one in family.scalars {
            add(one.name, one.signatures, "scalar", !one.volatile, one.summary);
        }
        for one in family.aggregates {
            add(one.name, one.signatures, "aggregate", true, one.summary);
        }
    }
    for one in WINDOWS {
        add(one.name, one.signatures, "window", true, one.summary);
    }
    rows.sort();
    Ok(DdlResult::table(&COLUMNS, rows))
}
