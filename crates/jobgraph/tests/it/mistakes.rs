//! The mistakes that newcomers make most: each is found, at its line, with what to do. One right job is changed in one
//! place for each.

use crate::checked;
use crate::mistakes_table::{MISTAKES, RIGHT};
use model::{Error, Place};

fn line(error: &Error) -> u32 {
    match error.place() {
        Some(Place::Source(at)) => at.line,
        other => panic!("{error:?} is at {other:?}"),
    }
}

#[test]
fn the_right_job_is_right() {
    let (_, checked) = checked(RIGHT);
    assert!(checked.errors.is_empty(), "{:?}", checked.errors);
    let columns = |id: &str| checked.node(id).unwrap().columns.as_ref().unwrap().to_string();
    assert_eq!(columns("both"), "customer integer, amount double, note varchar, name varchar, born date");
    assert_eq!(columns("written"), "customer integer, total double");
}

#[test]
fn each_mistake_is_found_where_it_is() {
    let mut missed = Vec::new();
    for (right, wrong, at, message, hint) in MISTAKES {
        assert!(RIGHT.contains(right), "{right}");
        let text = RIGHT.replacen(right, wrong, 1);
        let (_, checked) = checked(&text);
        let found = checked.errors.iter().find(|error| error.message().contains(message));
        let good = found.is_some_and(|error| {
            line(error) == *at && error.diagnosis().hints.iter().any(|h| h.contains(hint))
                || hint.is_empty() && line(error) == *at
        });
        if !good {
            missed.push(format!("{wrong}: line {at}, {message}, {hint}\n{:#?}", checked.errors));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n\n"));
}

#[test]
fn mistakes_are_found_in_one_pass() {
    let mut text = RIGHT.to_owned();
    for (right, wrong) in [
        ("Value: [amount]", "Value: [amuont]"),
        ("JoinType: equijoin", "JoinType: inner"),
        ("Table: order", "Tabel: order"),
        ("Format: parquet", "Format: Parquet"),
    ] {
        text = text.replacen(right, wrong, 1);
    }
    let (_, checked) = checked(&text);
    let lines: Vec<u32> = checked.errors.iter().map(line).collect();
    assert_eq!(lines, [5, 29, 44], "{:?}", checked.errors);
    // What a wrong node makes is not known, so nothing is said about what reads from it.
    assert!(checked.node("totals").unwrap().columns.is_none());
}

#[test]
fn one_mistake_is_said_once() {
    for (right, wrong, ..) in
        MISTAKES.iter().filter(|m| ["amuont", "duoble", "`And`"].iter().any(|w| m.3.contains(w)))
    {
        let (_, checked) = checked(&RIGHT.replacen(right, wrong, 1));
        assert_eq!(checked.errors.len(), 1, "{wrong}: {:?}", checked.errors);
    }
}

#[test]
fn places_point_into_texts_of_many_lines() {
    let text = RIGHT.replacen("sum(amount)", "sum(amuont)", 1);
    let (_, checked) = checked(&text);
    let Some(Place::Source(at)) = checked.errors[0].place() else { panic!() };
    assert_eq!((at.line, at.column, at.length), (38, 20, 6));
    assert_eq!(at.excerpt, "               sum(amuont) AS total");
    let json = r#"{"a": {"CatalogSource": {"Name": "a", "Database": "shop", "Table": "orders"}},
        "q": {"SparkSQL": {"Name": "q", "Inputs": ["a"], "SqlAliases": [], "SqlQuery": "SELECT id,\n  nmae FROM a"}},
        "t": {"S3DirectTarget": {"Name": "t", "Inputs": ["q"], "Path": "s3://lake/t/", "Format": "csv"}}}"#;
    let (_, checked) = crate::checked(json);
    let Some(Place::Source(at)) = checked.errors[0].place() else { panic!("{:?}", checked.errors) };
    assert_eq!((at.line, at.length), (2, 4));
    assert_eq!(at.column as usize, json.lines().nth(1).unwrap().find("nmae").unwrap() + 1);
}

#[test]
fn without_a_catalog_columns_are_not_guessed() {
    let (definition, _) = jobgraph::parse(&RIGHT.replacen("Value: [amount]", "Value: [amuont]", 1), "j.yaml");
    let graph = jobgraph::resolve(&definition, &jobgraph::Arguments::new());
    let checked = futures::executor::block_on(jobgraph::check(&graph, &jobgraph::KnowsNothing));
    assert!(checked.errors.is_empty(), "{:?}", checked.errors);
    // What is known whatever comes in stays known.
    assert_eq!(checked.node("typed").unwrap().columns.as_ref().unwrap().len(), 3);
    let (definition, _) = jobgraph::parse(&RIGHT.replacen("FROM sales", "FORM sales", 1), "j.yaml");
    let graph = jobgraph::resolve(&definition, &jobgraph::Arguments::new());
    let checked = futures::executor::block_on(jobgraph::check(&graph, &jobgraph::KnowsNothing));
    assert_eq!(checked.errors.len(), 1, "{:?}", checked.errors);
}
