//! Jobs from the outside: definitions in, mistakes, steps and scripts out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod analyst;
mod examples;
mod hostile;
mod mistakes;
mod mistakes_table;
mod nodes;
mod refusals;
mod scripts;
mod shapes;

use analyst::Hand;
use jobgraph::{Arguments, Checked, Graph, Step};

/// Reads, resolves and checks a text; the definition's own mistakes come first.
fn checked_with(text: &str, name: &str, arguments: &Arguments, hand: &Hand) -> (Graph, Checked) {
    let (definition, mut errors) = jobgraph::parse(text, name);
    let graph = jobgraph::resolve(&definition, arguments);
    let mut checked = futures::executor::block_on(jobgraph::check(&graph, hand));
    errors.append(&mut checked.errors);
    checked.errors = errors;
    (graph, checked)
}

fn checked(text: &str) -> (Graph, Checked) {
    checked_with(text, "job.yaml", &Arguments::new(), &Hand::usual())
}

/// The nodes between `orders`, `customers` and `nested` and a target that reads from `it`.
fn around(node: &str) -> String {
    let source = |id: &str| format!("{id}: {{CatalogSource: {{Name: {id}, Database: shop, Table: {id}}}}}\n");
    let mut text = source("orders");
    for id in ["customers", "nested"] {
        if node.contains(id) {
            text.push_str(&source(id));
        }
    }
    if !node.contains("orders") {
        text = text.replace(&source("orders"), "");
    }
    text.push_str(node.trim_start_matches('\n'));
    text.push_str(
        "\nout: {S3DirectTarget: {Name: out, Inputs: [it], Path: 's3://lake/out/', Format: json}}\n",
    );
    text
}

/// The step of the node `it`, which must be right.
fn step(node: &str) -> (Step, String) {
    let text = around(node);
    let (_, checked) = checked(&text);
    assert!(checked.errors.is_empty(), "{text}\n{:?}", checked.errors);
    let it = checked.node("it").unwrap();
    let columns = it.columns.as_ref().map(ToString::to_string).unwrap_or_default();
    (it.step.clone().unwrap(), columns)
}

/// The query of the node `it` and its columns.
fn query(node: &str) -> (String, String) {
    match step(node) {
        (Step::Query(query), columns) => (query.sql, columns),
        other => panic!("{other:?}"),
    }
}
