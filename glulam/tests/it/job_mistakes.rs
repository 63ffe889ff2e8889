//! The mistakes that newcomers make most, found by the real check over a real catalog: the same table as in `jobgraph`.

use crate::home::Home;

#[path = "../../../crates/jobgraph/tests/it/mistakes_table.rs"]
mod mistakes_table;
use mistakes_table::{MISTAKES, RIGHT};

/// What the engine says in other words than the analyst of `jobgraph`'s own tests.
const WORDS: &[(&str, &str)] = &[
    ("there is no column `amuont`", "column `amuont` does not exist"),
    ("there is no column `idd`", "column `idd` does not exist"),
    ("there is no table `sale`", "there is no input `sale`"),
    ("there is no table `shop.order`", "table `shop.order` does not exist"),
    ("did you mean `shop.orders`?", "did you mean `orders`?"),
];

/// The tables that the right job reads and writes.
fn with_tables() -> Home {
    let home = Home::new();
    home.bucket("lake");
    home.write(
        "tables.sql",
        "CREATE DATABASE shop;
         CREATE EXTERNAL TABLE shop.orders (id int, customer int, amount double, note string, placed timestamp)
           PARTITIONED BY (year int) STORED AS PARQUET LOCATION 's3://lake/orders/';
         CREATE EXTERNAL TABLE shop.customers (name string, born date)
           PARTITIONED BY (id int) STORED AS PARQUET LOCATION 's3://lake/customers/';
         CREATE EXTERNAL TABLE shop.totals (customer int, total double)
           STORED AS PARQUET LOCATION 's3://lake/shop-totals/';",
    );
    home.succeed(["sql", "--file", "tables.sql"]);
    home
}

#[test]
fn the_real_check_finds_each_mistake_where_it_is() {
    let home = with_tables();
    home.write("right.yaml", RIGHT);
    home.succeed(["check", "right.yaml"]);
    let folder = home.path().join("wrong");
    std::fs::create_dir(&folder).unwrap();
    for (number, (right, wrong, ..)) in MISTAKES.iter().enumerate() {
        let text = RIGHT.replacen(right, wrong, 1);
        std::fs::write(folder.join(format!("job-{number:02}.yaml")), text).unwrap();
    }
    let finished = home.run(["check", "wrong", "--json"]);
    assert_eq!(finished.code, Some(2), "{}", finished.stderr);
    let findings: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
    let mut missed = Vec::new();
    for (number, (_, wrong, line, message, hint)) in MISTAKES.iter().enumerate() {
        let name = format!("job-{number:02}.yaml");
        let of_file = || {
            let all = findings.as_array().unwrap().iter().map(|finding| &finding["diagnosis"]);
            all.filter(|d| d["place"]["file"].as_str().is_some_and(|n| n.ends_with(&name)))
        };
        let found = of_file().any(|d| {
            let says = |value: &serde_json::Value, text: &str| {
                let other = WORDS.iter().find(|(words, _)| *words == text).map(|(_, other)| *other);
                value
                    .as_str()
                    .is_some_and(|v| v.contains(text) || other.is_some_and(|other| v.contains(other)))
            };
            let hints = d["hints"].as_array().cloned().unwrap_or_default();
            says(&d["what"], message)
                && d["place"]["line"] == *line
                && (hint.is_empty() || hints.iter().any(|h| says(h, hint)))
        });
        if !found {
            let said: Vec<_> = of_file().collect();
            missed.push(format!("{name}, {wrong}: line {line}, {message}, {hint}\n{said:#?}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n\n"));
}
