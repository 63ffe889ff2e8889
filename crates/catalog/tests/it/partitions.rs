//! Partitions: made in batches, refused one by one, replaced, listed in pages and segments, kept when keys change.

use crate::places::{Place, column, name, on_both, partition, table, values};
use catalog::*;
use model::{EntityName, ErrorKind, HiveType};
use std::collections::BTreeSet;

on_both!(
    refused_ones_do_not_keep_the_others_out,
    upserts_tell_new_from_changed,
    updates_replace_and_move,
    pages_and_segments_cover_everything_once,
    spellings_are_kept_and_nulls_found,
    key_types_can_change_when_the_values_fit,
    indexes_are_kept,
);

fn db() -> EntityName {
    name("db")
}

async fn refused_ones_do_not_keep_the_others_out(place: &Place) {
    let orders = table("orders", &["year int", "month int"]);
    let catalog = place.with(&orders).await;
    let batch = [["2020", "1"], ["2020", "x"], ["2020", "2"], ["2020", "1"], ["99999999999", "1"], ["", "1"]];
    let batch: Vec<Partition> = batch.iter().map(|texts| partition(&orders, texts)).collect();
    let outcome = catalog.create_partitions(&db(), &orders.name, batch.clone()).await.unwrap();
    assert_eq!(outcome.created, 2);
    let errors: Vec<(String, ErrorKind)> =
        outcome.errors.iter().map(|(values, error)| (values.join("/"), error.kind())).collect();
    use ErrorKind::{AlreadyExists, InvalidInput};
    assert_eq!(
        errors,
        [
            ("2020/x".to_owned(), InvalidInput),
            ("2020/1".to_owned(), AlreadyExists),
            ("99999999999/1".to_owned(), InvalidInput),
            ("/1".to_owned(), InvalidInput),
        ]
    );
    assert!(outcome.errors[0].1.to_string().contains("`x` is no int value for the partition key `month`"));
    let again = catalog.create_partitions(&db(), &orders.name, batch).await.unwrap();
    assert_eq!((again.created, again.errors.len()), (0, 6));
    let few =
        catalog.create_partitions(&db(), &orders.name, vec![partition(&orders, &["2020"])]).await.unwrap();
    assert!(few.errors[0].1.to_string().contains("has 1 values, the table has 2 partition keys"));

    let wanted =
        [values(&["2020", "2"]), values(&["2020", "9"]), values(&["2020", "y"]), values(&["2020", "1"])];
    let (found, missing) = catalog.batch_get(&db(), &orders.name, &wanted).await.unwrap();
    assert_eq!(found.iter().map(|p| p.values[1].as_str()).collect::<Vec<_>>(), ["2", "1"]);
    assert_eq!(missing.len(), 2);
    let gone = catalog.delete_partitions(&db(), &orders.name, wanted.to_vec()).await.unwrap();
    assert_eq!((gone.created, gone.errors.len()), (2, 2));
    assert_eq!(catalog.count_partitions(&db(), &orders.name).await.unwrap(), 0);
}

async fn upserts_tell_new_from_changed(place: &Place) {
    let orders = table("orders", &["year int"]);
    let catalog = place.with(&orders).await;
    let first = vec![partition(&orders, &["2020"]), partition(&orders, &["2021"])];
    let made = catalog.upsert_partitions(&db(), &orders.name, first).await.unwrap();
    assert_eq!((made.created, made.updated, made.unchanged), (2, 0, 0));
    place.hand.advance(chrono::Duration::hours(1));
    let mut changed = partition(&orders, &["2021"]);
    changed.storage.columns.push(column("extra", "string"));
    let second = vec![partition(&orders, &["2020"]), changed.clone(), partition(&orders, &["2022"])];
    let outcome = catalog.upsert_partitions(&db(), &orders.name, second).await.unwrap();
    assert_eq!((outcome.created, outcome.updated, outcome.unchanged), (1, 1, 1));
    let read = catalog.get_partition(&db(), &orders.name, &values(&["2021"])).await.unwrap();
    assert_eq!(read.storage, changed.storage);
    assert_eq!(read.created.unwrap().timestamp(), 1_600_000_000, "it is the same partition still");
}

async fn updates_replace_and_move(place: &Place) {
    let orders = table("orders", &["year int"]);
    let catalog = place.with(&orders).await;
    let both = vec![partition(&orders, &["2020"]), partition(&orders, &["2021"])];
    catalog.create_partitions(&db(), &orders.name, both).await.unwrap();
    let moved = partition(&orders, &["2030"]);
    catalog.update_partition(&db(), &orders.name, &values(&["2020"]), moved.clone()).await.unwrap();
    let read = catalog.get_partition(&db(), &orders.name, &values(&["2030"])).await.unwrap();
    assert_eq!(read.storage, moved.storage);
    let missing = catalog.get_partition(&db(), &orders.name, &values(&["2020"])).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let taken = catalog.update_partition(&db(), &orders.name, &values(&["2021"]), moved.clone()).await;
    assert_eq!(taken.unwrap_err().kind(), ErrorKind::AlreadyExists);
    let changes =
        vec![(values(&["1999"]), moved.clone()), (values(&["2021"]), partition(&orders, &["2021"]))];
    let outcome = catalog.update_partitions(&db(), &orders.name, changes).await.unwrap();
    assert_eq!((outcome.created, outcome.errors[0].1.kind()), (1, ErrorKind::NotFound));
}

async fn pages_and_segments_cover_everything_once(place: &Place) {
    let orders = table("orders", &["year int", "component string"]);
    let catalog = place.with(&orders).await;
    let all: Vec<Partition> =
        (0..250).map(|n| partition(&orders, &[&(n % 12 - 6).to_string(), &format!("c{n}")])).collect();
    assert_eq!(catalog.create_partitions(&db(), &orders.name, all).await.unwrap().created, 250);
    for filter in [None, Some("year >= -3 AND component <> 'c7'".to_owned())] {
        let everything = PartitionQuery { filter: filter.clone(), ..PartitionQuery::default() };
        let everything = catalog.list_partitions(&db(), &orders.name, everything).await.unwrap();
        assert_eq!(everything.next, None);
        let order: Vec<(i32, String)> = everything
            .partitions
            .iter()
            .map(|p| (p.values[0].parse().unwrap(), p.values[1].clone()))
            .collect();
        assert!(order.is_sorted(), "in the order of the values");

        let mut seen = BTreeSet::new();
        for segment in 0..3 {
            let mut after = None;
            loop {
                let query = PartitionQuery {
                    filter: filter.clone(),
                    segment: Some((segment, 3)),
                    after,
                    limit: Some(20),
                    without_storage: true,
                };
                let page = catalog.list_partitions(&db(), &orders.name, query).await.unwrap();
                assert!(page.partitions.len() <= 20);
                for partition in page.partitions {
                    assert!(partition.storage.columns.is_empty() && partition.storage.location.is_some());
                    assert!(seen.insert(partition.values), "no partition comes twice");
                }
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        assert_eq!(seen.len(), everything.partitions.len());
    }
    for (segment, after) in [(Some((3, 3)), None), (Some((0, 11)), None), (None, Some("x".to_owned()))] {
        let query = PartitionQuery { segment, after, ..PartitionQuery::default() };
        let error = catalog.list_partitions(&db(), &orders.name, query).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}

async fn filtered(place: &Place, table: &EntityName, filter: &str) -> Vec<Vec<String>> {
    let query = PartitionQuery { filter: Some(filter.into()), ..PartitionQuery::default() };
    let page = place.catalog.list_partitions(&db(), table, query).await.unwrap();
    page.partitions.into_iter().map(|p| p.values).collect()
}

async fn spellings_are_kept_and_nulls_found(place: &Place) {
    let orders = table("orders", &["month int", "at timestamp"]);
    let catalog = place.with(&orders).await;
    const NULL: &str = "__HIVE_DEFAULT_PARTITION__";
    let rows = [
        ["06", "2020-06-01T10:00:00Z"],
        ["6", "2020-06-01 10:00:00"],
        [NULL, "2021-01-01 00:00:00"],
        ["7", NULL],
    ];
    let batch = rows.iter().map(|texts| partition(&orders, texts)).collect();
    assert_eq!(catalog.create_partitions(&db(), &orders.name, batch).await.unwrap().created, 4);
    let of = |rows: &[[&str; 2]]| rows.iter().map(|row| values(row)).collect::<Vec<_>>();
    let found = filtered(place, &orders.name, "month = 6 AND at < timestamp '2020-06-02 00:00:00'").await;
    assert_eq!(found, of(&[rows[1], rows[0]]));
    assert_eq!(filtered(place, &orders.name, "month IS NULL").await, of(&[rows[2]]));
    assert_eq!(filtered(place, &orders.name, &format!("at = '{NULL}'")).await, of(&[rows[3]]));
    assert_eq!(filtered(place, &orders.name, "NOT (month > 6)").await, of(&[rows[1], rows[0]]));
    assert_eq!(
        catalog.get_partition(&db(), &orders.name, &values(&rows[0])).await.unwrap().values,
        values(&rows[0])
    );
    let other = catalog.get_partition(&db(), &orders.name, &values(&["006", "2020-06-01 10:00:00"])).await;
    assert_eq!(other.unwrap_err().kind(), ErrorKind::NotFound);
}

async fn key_types_can_change_when_the_values_fit(place: &Place) {
    let orders = table("orders", &["month string", "code string"]);
    let catalog = place.with(&orders).await;
    let batch =
        [["06", "a"], ["6", "b"], ["10", "c"]].iter().map(|texts| partition(&orders, texts)).collect();
    catalog.create_partitions(&db(), &orders.name, batch).await.unwrap();
    assert_eq!(filtered(place, &orders.name, "month < '6'").await.len(), 2, "texts compare as texts");

    let retype = |index: usize, to: HiveType| {
        move |table: &mut Table| {
            table.partition_keys[index].hive_type = to.clone();
            Ok(())
        }
    };
    catalog.alter_table(&db(), &orders.name, retype(0, HiveType::Int)).await.unwrap();
    assert_eq!(filtered(place, &orders.name, "month > 6").await, vec![values(&["10", "c"])]);
    assert_eq!(
        filtered(place, &orders.name, "month = 6").await,
        vec![values(&["06", "a"]), values(&["6", "b"])]
    );
    let error = catalog.alter_table(&db(), &orders.name, retype(1, HiveType::Int)).await.unwrap_err();
    assert!(
        error.to_string().contains("`a` is no int value") || error.to_string().contains("`b` is no"),
        "{error}"
    );
    assert_eq!(
        catalog.get_table(&db(), &orders.name).await.unwrap().version,
        1,
        "a refused change leaves nothing"
    );
    catalog.alter_table(&db(), &orders.name, retype(0, HiveType::BigInt)).await.unwrap();
    catalog.alter_table(&db(), &orders.name, retype(0, HiveType::String)).await.unwrap();
    assert_eq!(filtered(place, &orders.name, "month = '06'").await, vec![values(&["06", "a"])]);

    let more = |table: &mut Table| {
        table.partition_keys.push(column("day", "int"));
        Ok(())
    };
    let error = catalog.alter_table(&db(), &orders.name, more).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

async fn indexes_are_kept(place: &Place) {
    let orders = table("orders", &["year int", "month int", "day int"]);
    let catalog = place.with(&orders).await;
    let index = |of: &str, keys: &[&str]| PartitionIndex {
        name: name(of),
        keys: keys.iter().map(|key| name(key)).collect(),
    };
    let first = index("by_year", &["Year"]);
    catalog.create_partition_index(&db(), &orders.name, first.clone()).await.unwrap();
    let refused = [
        (index("By_Year", &["month"]), ErrorKind::AlreadyExists),
        (index("twin", &["year"]), ErrorKind::AlreadyExists),
        (index("odd", &["yaer"]), ErrorKind::InvalidInput),
        (index("twice", &["year", "year"]), ErrorKind::InvalidInput),
        (index("none", &[]), ErrorKind::InvalidInput),
    ];
    for (index, kind) in refused {
        assert_eq!(
            catalog.create_partition_index(&db(), &orders.name, index).await.unwrap_err().kind(),
            kind
        );
    }
    catalog.create_partition_index(&db(), &orders.name, index("b", &["month"])).await.unwrap();
    catalog.create_partition_index(&db(), &orders.name, index("c", &["month", "day"])).await.unwrap();
    let fourth = catalog.create_partition_index(&db(), &orders.name, index("d", &["day"])).await.unwrap_err();
    assert_eq!(fourth.kind(), ErrorKind::LimitExceeded);
    catalog.delete_partition_index(&db(), &orders.name, &name("b")).await.unwrap();
    let gone = catalog.delete_partition_index(&db(), &orders.name, &name("b")).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
    let left = catalog.list_partition_indexes(&db(), &orders.name).await.unwrap();
    assert_eq!(left, [first, index("c", &["month", "day"])]);
}
