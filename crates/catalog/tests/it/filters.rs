//! Filters: the same answer as the naive evaluation, by index columns, beyond them, and on both databases; mistakes are
//! shown where they are.

use crate::naive::{Expr, Row, date_text, expressions, rows};
use crate::places::{self, Place, name, on_both, partition, table};
use catalog::{Partition, PartitionQuery, Table};
use model::{ErrorKind, Place as Where};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

on_both!(
    answers_are_those_of_the_naive_evaluation,
    mistakes_are_shown_where_they_are,
    typed_literals,
    keys_of_very_many_values
);

const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// The three keys in the index; two of them behind it; all three far behind the first.
const LAYOUTS: [&[&str]; 3] = [
    &["s string", "n bigint", "d date"],
    &["a int", "b int", "c int", "e int", "f int", "g int", "h int", "s string", "n bigint", "d date"],
    &["d date", "n decimal(10,2)", "s varchar(20)"],
];

fn values(layout: &[&str], row: &Row) -> Vec<String> {
    let value = |key: &&str| match key.split_once(' ').unwrap().0 {
        "s" => row.text.clone().unwrap_or(NULL.into()),
        "n" => row.number.map_or(NULL.into(), |n| n.to_string()),
        "d" => row.date.map_or(NULL.into(), date_text),
        _ => "1".to_owned(),
    };
    layout.iter().map(value).collect()
}

async fn answers_are_those_of_the_naive_evaluation(place: &Place) {
    let mut runner = TestRunner::deterministic();
    for case in 0..5 {
        let rows = rows().new_tree(&mut runner).unwrap().current();
        let expressions = expressions().new_tree(&mut runner).unwrap().current();
        for (number, layout) in LAYOUTS.iter().enumerate() {
            let table = table(&format!("t{case}_{number}"), layout);
            compare(place, &table, layout, &rows, &expressions).await;
        }
    }
}

async fn compare(place: &Place, table: &Table, layout: &[&str], rows: &[Row], expressions: &[Expr]) {
    let catalog = place.with(table).await;
    let all = rows.iter().map(|row| Partition::new(values(layout, row))).collect();
    let made = catalog.create_partitions(&name("db"), &table.name, all).await.unwrap();
    assert_eq!(made.created, rows.len(), "{:?}", made.errors);
    for expression in expressions {
        let text = expression.text();
        let query = PartitionQuery { filter: Some(text.clone()), ..PartitionQuery::default() };
        let page = catalog.list_partitions(&name("db"), &table.name, query).await;
        let page = page.unwrap_or_else(|e| panic!("{text}: {}", e.diagnosis()));
        let mut found: Vec<Vec<String>> = page.partitions.into_iter().map(|p| p.values).collect();
        let wanted = rows.iter().filter(|row| expression.eval(row) == Some(true));
        let mut wanted: Vec<Vec<String>> = wanted.map(|row| values(layout, row)).collect();
        found.sort();
        wanted.sort();
        assert_eq!(found, wanted, "{text} over {layout:?}");
    }
}

async fn ask(place: &Place, filter: &str) -> model::Result<usize> {
    let query = PartitionQuery { filter: Some(filter.into()), ..PartitionQuery::default() };
    place.catalog.list_partitions(&name("db"), &name("t"), query).await.map(|page| page.partitions.len())
}

async fn mistakes_are_shown_where_they_are(place: &Place) {
    place.with(&table("t", &["year int", "component string", "day date", "ratio double"])).await;
    let mistakes = [
        ("yaer = 2020", 1, 4, "`yaer` is no partition key of this table"),
        (
            "year = 2020 AND year > 'abc'",
            24,
            5,
            "the text 'abc' cannot be compared with `year`, which is of type int",
        ),
        ("year = 2020 AND", 16, 1, "the filter ends where a partition key or a value should be"),
        ("(year = 1", 10, 1, "the filter ends where `)` should be"),
        ("year = 1)", 9, 1, "`)` stands where AND, OR or the end should be"),
        ("day = 'monday'", 7, 8, "the text 'monday' cannot be compared with `day`, which is of type date"),
        ("year LIKE '20%'", 1, 4, "LIKE compares texts, but `year` is of type int"),
        ("component = 'x", 13, 2, "the quote ' is not closed"),
        ("year = 20a", 8, 3, "`20a` is no number"),
        ("year # 1", 6, 1, "`#` has no meaning in a filter"),
        ("1 = 1", 1, 1, "a comparison needs a partition key on one side"),
        ("year = component", 1, 16, "two partition keys cannot be compared with each other"),
        ("ratio > 0.5", 1, 5, "the partition key `ratio` of type double cannot be filtered"),
        ("year IN ()", 10, 1, "`)` stands where a partition key or a value should be"),
        ("component LIKE 'a!b' ESCAPE '!'", 16, 5, "the escape character must stand before %, _ or itself"),
        ("year < '__HIVE_DEFAULT_PARTITION__'", 8, 28, "null is neither smaller nor greater than a value"),
    ];
    for (filter, column, length, message) in mistakes {
        let error = ask(place, filter).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{filter}");
        assert_eq!(error.message(), message, "{filter}");
        let Some(Where::Source(at)) = error.place() else { panic!("`{filter}`: no place") };
        assert_eq!((at.column, at.length), (column, length), "{filter}: {}", error.diagnosis());
    }
    let error = ask(place, "yaer = 2020").await.unwrap_err();
    assert!(error.diagnosis().to_string().contains("did you mean `year`?"));
    for deep in [format!("{}year = 1{}", "(".repeat(900), ")".repeat(900)), "NOT ".repeat(400) + "year = 1"] {
        assert!(ask(place, &deep).await.unwrap_err().message().contains("nests deeper than 64"));
    }
    let long = format!("year IN ({})", vec!["2020"; 500].join(","));
    assert_eq!(ask(place, &long).await.unwrap_err().kind(), ErrorKind::LimitExceeded);
    assert_eq!(ask(place, "ratio IS NULL").await.unwrap(), 0);
    assert_eq!(ask(place, "  ").await.unwrap(), 0);
    // As wide as it may be: 2048 characters of alternatives.
    let wide = vec!["year=1"; 200].join(" OR ");
    assert_eq!(ask(place, &wide).await.unwrap(), 0);
}

async fn typed_literals(place: &Place) {
    let keys =
        table("t", &["day date", "at timestamp", "amount decimal(10,2)", "flag boolean", "year string"]);
    let catalog = place.with(&keys).await;
    let rows = [
        ["2020-06-01", "2020-06-01 00:00:00", "12.50", "true", "2020"],
        ["2020-06-02", "2020-06-01 12:30:00.25", "-3", "FALSE", "0999"],
    ];
    let all = rows.iter().map(|row| partition(&keys, row)).collect();
    assert_eq!(catalog.create_partitions(&name("db"), &keys.name, all).await.unwrap().created, 2);
    for (filter, left) in [
        ("day >= DATE '2020-06-02'", 1),
        ("day > timestamp '2020-06-01 12:00:00'", 1),
        ("day = '2020-06-01 00:00:00'", 1),
        ("at = date '2020-06-01'", 1),
        ("at between '2020-06-01' and '2020-06-01T12:30'", 1),
        ("at > '2020-06-01 12:30:00.2'", 1),
        ("amount > -3.01", 2),
        ("amount = 12.5 AND flag = TRUE", 1),
        ("amount < '0'", 1),
        ("flag <> 'true'", 1),
        ("year = 2020", 1),
        ("year > 2", 1),
        ("year LIKE '_9%' ESCAPE '!'", 1),
        ("NOT year LIKE '0%'", 1),
    ] {
        assert_eq!(
            ask(place, filter).await.unwrap_or_else(|e| panic!("{}", e.diagnosis())),
            left,
            "{filter}"
        );
    }
}

/// More customers than are worth listing: then the index of a later key is the way, or none.
async fn keys_of_very_many_values(place: &Place) {
    let keys = table("t", &["customer int", "day date", "code string"]);
    let catalog = place.with(&keys).await;
    let row = |n: i64| (n, n % 30 + 1, n % 7);
    let rows: Vec<(i64, i64, i64)> = (0..1500).map(row).collect();
    let all = rows.iter().map(|(customer, day, code)| {
        Partition::new(vec![customer.to_string(), format!("2020-06-{day:02}"), format!("c{code}")])
    });
    assert_eq!(
        catalog.create_partitions(&name("db"), &keys.name, all.collect()).await.unwrap().created,
        1500
    );
    type Wanted = fn(i64, i64, i64) -> bool;
    let filters: [(&str, Wanted); 10] = [
        ("day = '2020-06-05'", |_, day, _| day == 5),
        ("day > '2020-06-29' AND code = 'c3'", |_, day, code| day > 29 && code == 3),
        ("code IN ('c1', 'c9')", |_, _, code| code == 1),
        ("customer > 1400 AND code = 'c1'", |customer, _, code| customer > 1400 && code == 1),
        ("customer = 7 AND code = 'c0'", |customer, _, _| customer == 7),
        ("code LIKE 'c2%' AND day < '2020-06-04'", |_, day, code| code == 2 && day < 4),
        ("(code = 'c1' AND day = '2020-06-02') OR code = 'c4'", |_, day, code| {
            code == 1 && day == 2 || code == 4
        }),
        ("code IS NULL", |_, _, _| false),
        ("code = 'c1' AND code = 'c2'", |_, _, _| false),
        ("customer < 10 AND NOT (day = '2020-06-01') AND day IS NOT NULL", |customer, day, _| {
            customer < 10 && day != 1
        }),
    ];
    for (filter, wanted) in filters {
        let left = rows.iter().filter(|(customer, day, code)| wanted(*customer, *day, *code)).count();
        assert_eq!(ask(place, filter).await.unwrap(), left, "{filter}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Words of the language in any order: an answer or a diagnosis with a place, never a panic.
    #[test]
    fn no_text_panics(words in prop::collection::vec(
        prop::sample::select(&["year", "s", "=", "<", "(", ")", "IN", "NOT", "AND", "OR", "'x'", "'", "1", "-", ",", "IS",
            "NULL", "LIKE", "BETWEEN", "ESCAPE", "date", "é", "\"", "`", "true", ".", "\n"][..]), 0..12),
        any in "\\PC{0,20}") {
        let filters = [words.join(" "), words.concat(), any];
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let place = SHARED.get_or_init(|| async {
                let place = places::sqlite().await;
                place.with(&table("t", &["year int", "s string"])).await;
                place
            }).await;
            for filter in filters {
                if let Err(error) = ask(place, &filter).await {
                    assert_eq!(error.kind(), ErrorKind::InvalidInput);
                    assert!(matches!(error.place(), Some(Where::Source(_))), "{filter:?}: {error}");
                }
            }
        });
    }
}

static SHARED: tokio::sync::OnceCell<Place> = tokio::sync::OnceCell::const_new();
