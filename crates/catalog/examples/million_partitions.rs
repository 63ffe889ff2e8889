//! How the catalog bears a table with very many partitions: adds them 100 at a time to an SQLite file, printing the
//! rate of each tenth, then times filters. Arguments: how many (1,000,000), a folder (a temporary one).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "an example prints, and may panic"
)]

use catalog::{Catalog, Database, Partition, PartitionQuery, StorageDescriptor, Table};
use model::{Column, EntityName, HiveType};
use std::time::Instant;

const BATCH: usize = 100;
const REPEATS: usize = 21;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let count: usize =
        arguments.next().map_or(1_000_000, |text| text.parse().expect("the count is a number"));
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = arguments.next().map_or(temporary.path().to_owned(), std::path::PathBuf::from);
    let file = folder.join("state.db");
    let state = state::Database::sqlite(&file).await.unwrap();
    let catalog = Catalog::open(state, state::Clock::system()).await.unwrap();
    let (database, table) = (EntityName::new("bench").unwrap(), EntityName::new("metrics").unwrap());
    catalog.create_database(Database::new(database.clone())).await.unwrap();
    catalog.create_table(&database, definition(&table)).await.unwrap();

    add(&catalog, &database, &table, count).await;
    let bytes = std::fs::metadata(&file).map_or(0, |m| m.len());
    println!("{:.0} MB in the file, {} bytes a partition", bytes as f64 / 1e6, bytes / count as u64);
    filters(&catalog, &database, &table, count).await;
    let start = Instant::now();
    let counted = catalog.count_partitions(&database, &table).await.unwrap();
    println!("counting {counted}: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    let start = Instant::now();
    catalog.drop_table(&database, &table).await.unwrap();
    println!("dropping the table: {:.1} s", start.elapsed().as_secs_f64());
}

fn definition(name: &EntityName) -> Table {
    let columns = (0..20).map(|n| Column::new(format!("column_{n}"), HiveType::Double)).collect();
    let keys = [
        ("component", HiveType::String),
        ("year", HiveType::Int),
        ("month", HiveType::Int),
        ("day", HiveType::Int),
        ("hour", HiveType::Int),
    ];
    Table {
        storage: StorageDescriptor {
            columns,
            location: Some("s3://lake/metrics/".into()),
            ..StorageDescriptor::default()
        },
        partition_keys: keys.into_iter().map(|(name, kind)| Column::new(name, kind)).collect(),
        ..Table::new(name.clone())
    }
}

/// Ten components, each with its hours from 2010 on: at a million these are more than eleven years.
fn partition(table: &StorageDescriptor, number: usize) -> Partition {
    let (component, hours) = (number % 10, number / 10);
    let (hour, days) = (hours % 24, hours / 24);
    let (day, months) = (days % 28 + 1, days / 28);
    let (month, year) = (months % 12 + 1, 2010 + months / 12);
    let values = [
        format!("service-{component}"),
        year.to_string(),
        month.to_string(),
        day.to_string(),
        hour.to_string(),
    ];
    let location = format!(
        "s3://lake/metrics/component=service-{component}/year={year}/month={month}/day={day}/hour={hour}/"
    );
    Partition {
        storage: StorageDescriptor { location: Some(location), ..table.clone() },
        ..Partition::new(values.to_vec())
    }
}

async fn add(catalog: &Catalog, database: &EntityName, table: &EntityName, count: usize) {
    let storage = catalog.get_table(database, table).await.unwrap().table.storage;
    let tenth = (count / 10).max(BATCH);
    let (whole, mut start, mut slowest) = (Instant::now(), Instant::now(), 0f64);
    for first in (0..count).step_by(BATCH) {
        let batch = (first..(first + BATCH).min(count)).map(|number| partition(&storage, number)).collect();
        let before = Instant::now();
        let outcome = catalog.create_partitions(database, table, batch).await.unwrap();
        assert!(outcome.errors.is_empty());
        slowest = slowest.max(before.elapsed().as_secs_f64());
        if (first + BATCH).is_multiple_of(tenth) {
            let rate = tenth as f64 / start.elapsed().as_secs_f64();
            println!(
                "{:>9} partitions: {rate:>7.0} a second, slowest batch {:.1} ms",
                first + BATCH,
                slowest * 1e3
            );
            (start, slowest) = (Instant::now(), 0.0);
        }
    }
    println!("{count} in {:.1} s", whole.elapsed().as_secs_f64());
}

async fn filters(catalog: &Catalog, database: &EntityName, table: &EntityName, count: usize) {
    let last = partition(&StorageDescriptor::default(), count - 1).values;
    let [_, year, month, day, hour] = last.as_slice() else { return };
    let filters = [
        format!("year = {year} AND month = {month} AND day = {day} AND hour = {hour}"),
        format!(
            "component IN ('service-1', 'service-2') AND year = {year} AND month = {month} AND day = {day} AND hour <= 4"
        ),
        "component = 'service-3' AND year = 2010 AND month = 6 AND day = 3 AND hour BETWEEN 5 AND 14".into(),
        format!(
            "component LIKE 'service-4%' AND year > {} AND month = {month} AND day = {day} AND hour < 10",
            year.parse::<i32>().unwrap_or(0) - 1
        ),
        "component = 'service-5' AND year = 2010 AND month = 1 AND (day = 1 OR day = 2) AND hour > 18".into(),
        "year = 2010 AND month = 1 AND day = 1 AND hour = 0".into(),
    ];
    for filter in filters {
        let mut times = Vec::new();
        let mut found = 0;
        for _ in 0..REPEATS {
            let query = PartitionQuery { filter: Some(filter.clone()), ..PartitionQuery::default() };
            let start = Instant::now();
            found = catalog.list_partitions(database, table, query).await.unwrap().partitions.len();
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        println!(
            "{found:>4} left in {:>7.2} ms (median), {:>7.2} ms (worst): {filter}",
            times[REPEATS / 2],
            times[REPEATS - 1]
        );
    }
    let start = Instant::now();
    let page = PartitionQuery { limit: Some(1000), ..PartitionQuery::default() };
    let page = catalog.list_partitions(database, table, page).await.unwrap();
    println!("a page of {}: {:.1} ms", page.partitions.len(), start.elapsed().as_secs_f64() * 1e3);
}
