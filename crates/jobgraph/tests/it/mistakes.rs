//! The mistakes that newcomers make most: each is found, at its line, with what to do. One right job is changed in one
//! place for each.

use crate::checked;
use model::{Error, Place};

const RIGHT: &str = r#"Name: totals
DefaultArguments: {--least: "10"}
CodeGenConfigurationNodes:
  orders:
    CatalogSource: {Name: Orders, Database: shop, Table: orders}
  people:
    CatalogSource: {Name: People, Database: shop, Table: customers, PartitionPredicate: id > 0}
  named:
    RenameField: {Name: Named, Inputs: [people], SourcePath: [id], TargetPath: [customer]}
  big:
    Filter:
      Name: Big orders
      Inputs: [orders]
      LogicalOperator: AND
      Filters:
        - {Operation: GTE, Values: [{Type: COLUMNEXTRACTED, Value: [amount]}, {Type: CONSTANT, Value: ["${least}"]}]}
  typed:
    ApplyMapping:
      Name: Typed
      Inputs: [big]
      Mapping:
        - {FromPath: [customer], FromType: int, ToKey: customer, ToType: int}
        - {FromPath: [amount], FromType: double, ToKey: amount, ToType: double}
        - {FromPath: [note], FromType: string, ToKey: note, ToType: string}
  both:
    Join:
      Name: Both
      Inputs: [typed, named]
      JoinType: equijoin
      Columns: [{From: typed, Keys: [customer]}, {From: named, Keys: [customer]}]
  totals:
    SparkSQL:
      Name: Totals
      Inputs: [both]
      SqlAliases: [{From: both, Alias: sales}]
      SqlQuery: |
        SELECT customer,
               sum(amount) AS total
        FROM sales
        GROUP BY customer
  written:
    S3CatalogTarget: {Name: Written, Inputs: [totals], Database: shop, Table: totals}
  copy:
    S3DirectTarget: {Name: Copy, Inputs: [totals], Path: "s3://lake/totals/", Format: parquet, PartitionKeys: [customer]}
"#;

/// What is changed, into what, the line of the mistake, and what the message and its hints say.
type Mistake = (&'static str, &'static str, u32, &'static str, &'static str);

const MISTAKES: &[Mistake] = &[
    ("    Filter:", "    Fitler:", 11, "there is no node type `Fitler`", "did you mean `Filter`?"),
    (
        "LogicalOperator: AND",
        "LogicalOperater: AND",
        14,
        "unknown setting `LogicalOperater`",
        "did you mean `LogicalOperator`?",
    ),
    ("      LogicalOperator: AND\n", "", 11, "`LogicalOperator` is missing", ""),
    (
        "LogicalOperator: AND",
        "LogicalOperator: And",
        14,
        "`And` is no LogicalOperator",
        "did you mean `AND`?",
    ),
    ("Inputs: [big]", "Inputs: [bigg]", 20, "there is no such node", "did you mean `big`?"),
    (
        "Inputs: [big]",
        "Inputs: [Big orders]",
        20,
        "there is no such node",
        "inputs are ids, not names: write `big`",
    ),
    ("Inputs: [both]", "Inputs: []", 32, "takes at least 1 inputs, but has 0", "by their ids"),
    ("Inputs: [typed, named]", "Inputs: [typed, typed]", 28, "names its input `typed` twice", "SelectFields"),
    ("Inputs: [big]", "Inputs: [big, orders]", 20, "takes one input, but has 2", "join or unite them"),
    (
        "Inputs: [orders]",
        "Inputs: [typed]",
        13,
        "form a cycle: typed -> big -> typed",
        "take one of these inputs out",
    ),
    ("Name: Typed", "Name: Both", 27, "two nodes are named `Both`", "a name of its own"),
    (
        "Inputs: [typed, named]",
        "Inputs: [typed, people]",
        8,
        "nothing reads from `named`",
        "make it an input",
    ),
    (
        "Value: [amount]",
        "Value: [amuont]",
        16,
        "there is no column `amuont` at `big`",
        "did you mean `amount`?",
    ),
    (
        "FromPath: [note], FromType: string",
        "FromPath: [amount], FromType: string",
        24,
        "`amount` is double here, but the mapping takes it for string",
        "FromType",
    ),
    ("ToType: double", "ToType: duoble", 23, "`duoble` is no type", "did you mean `double`?"),
    ("\"${least}\"", "ten", 16, "`amount` is double, but it is compared with `ten`", "of type double"),
    ("${least}", "${leest}", 16, "the argument `--leest` is not given", "did you mean `least`?"),
    ("JoinType: equijoin", "JoinType: inner", 29, "`inner` is no JoinType", "equijoin"),
    (
        "{From: named, Keys: [customer]}",
        "{From: named, Keys: [name]}",
        30,
        "they are never equal",
        "cast one of them",
    ),
    ("TargetPath: [customer]", "TargetPath: [name]", 9, "there is a column `name` already", "drop it before"),
    ("sum(amount)", "sum(amuont)", 38, "there is no column `amuont`", "did you mean `amount`?"),
    ("        FROM sales", "        FORM sales", 39, "unexpected `FORM`", ""),
    ("FROM sales", "FROM sale", 39, "there is no table `sale`", "did you mean `sales`?"),
    ("sum(amount)", "collect_list(amount)", 38, "`collect_list` is Spark's function", "array_agg"),
    ("AS total", "AS totale", 42, "`shop.totals` has no column `totale`", "is it `total`?"),
    ("Table: orders", "Table: order", 5, "there is no table `shop.order`", "did you mean `shop.orders`?"),
    ("\"s3://lake/totals/\"", "/lake/totals/", 44, "is no lake address", "s3://bucket/key"),
    ("Format: parquet", "Format: Parquet", 44, "`Parquet` is no Format", "did you mean `parquet`?"),
    (
        "PartitionKeys: [customer]",
        "PartitionKeys: [custmer]",
        44,
        "there is no column `custmer`",
        "did you mean `customer`?",
    ),
    ("id > 0", "idd > 0", 7, "there is no column `idd`", "did you mean `id`?"),
    ("  big:\n    Filter:", "  big:\n    Filter:\n      Inputs: [orders]", 14, "stands twice", "remove one"),
    (
        "    Filter:\n      Name: Big orders",
        "    Name: Big orders\n    Filter:",
        10,
        "settings, but no type around them",
        "write `id:",
    ),
    (
        "        - {FromPath: [customer]",
        "       - {FromPath: [customer]",
        23,
        "no valid YAML",
        "spaces, never tabs",
    ),
];

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
