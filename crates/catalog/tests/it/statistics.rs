//! Column statistics: of tables and partitions, refused one by one, gone with their owner.

use crate::places::{Place, name, on_both, partition, table, values};
use catalog::{ColumnStatistics, DecimalNumber, StatisticsData};
use chrono::DateTime;
use model::ErrorKind;

on_both!(statistics_come_back, statistics_go_with_their_owner);

fn of(column: &str, data: StatisticsData) -> ColumnStatistics {
    let analyzed = DateTime::from_timestamp(1_600_000_000, 0).unwrap();
    ColumnStatistics { column: column.into(), column_type: "bigint".parse().unwrap(), analyzed, data }
}

fn long(maximum: i64) -> StatisticsData {
    StatisticsData::Long { minimum: Some(i64::MIN), maximum: Some(maximum), nulls: 0, distinct: 4 }
}

async fn statistics_come_back(place: &Place) {
    let (db, orders) = (name("db"), table("orders", &["year int"]));
    let catalog = place.with(&orders).await;
    let price = StatisticsData::Decimal {
        minimum: Some(DecimalNumber { unscaled: vec![1, 255], scale: 2 }),
        maximum: None,
        nulls: 3,
        distinct: 9,
    };
    let given = vec![
        of("ID", long(1)),
        of("price", price.clone()),
        of("prize", long(1)),
        of("id", StatisticsData::Boolean { trues: -1, falses: 0, nulls: 0 }),
        of("id", StatisticsData::Double { minimum: Some(f64::NAN), maximum: None, nulls: 0, distinct: 0 }),
    ];
    let errors = catalog.update_table_statistics(&db, &orders.name, given).await.unwrap();
    let kinds: Vec<ErrorKind> = errors.iter().map(|(_, error)| error.kind()).collect();
    assert_eq!(kinds, [ErrorKind::NotFound, ErrorKind::InvalidInput, ErrorKind::InvalidInput]);
    catalog.update_table_statistics(&db, &orders.name, vec![of("id", long(i64::MAX))]).await.unwrap();

    let asked = values(&["price", "Id", "year"]);
    let answer = catalog.get_table_statistics(&db, &orders.name, &asked).await.unwrap();
    assert_eq!(answer.found, [of("price", price), of("id", long(i64::MAX))]);
    assert_eq!((answer.errors[0].0.as_str(), answer.errors[0].1.kind()), ("year", ErrorKind::NotFound));
    catalog.delete_table_statistics(&db, &orders.name, "PRICE").await.unwrap();
    assert!(catalog.delete_table_statistics(&db, &orders.name, "price").await.is_err());
    assert_eq!(catalog.get_table_statistics(&db, &orders.name, &[]).await.unwrap().found.len(), 1);
}

async fn statistics_go_with_their_owner(place: &Place) {
    let (db, orders) = (name("db"), table("orders", &["year int"]));
    let catalog = place.with(&orders).await;
    let year = values(&["2020"]);
    let create = || catalog.create_partitions(&db, &orders.name, vec![partition(&orders, &["2020"])]);
    let absent = catalog.update_partition_statistics(&db, &orders.name, &year, vec![of("id", long(1))]).await;
    assert_eq!(absent.unwrap_err().kind(), ErrorKind::NotFound);
    create().await.unwrap();
    catalog.update_partition_statistics(&db, &orders.name, &year, vec![of("id", long(1))]).await.unwrap();
    let read = catalog.get_partition_statistics(&db, &orders.name, &year, &values(&["id"])).await.unwrap();
    assert_eq!(read.found, [of("id", long(1))]);
    catalog.delete_partitions(&db, &orders.name, vec![year.clone()]).await.unwrap();
    create().await.unwrap();
    let read = catalog.get_partition_statistics(&db, &orders.name, &year, &[]).await.unwrap();
    assert!(read.found.is_empty());
    catalog.update_partition_statistics(&db, &orders.name, &year, vec![of("id", long(1))]).await.unwrap();
    catalog.delete_partition_statistics(&db, &orders.name, &year, "id").await.unwrap();
    assert!(catalog.delete_partition_statistics(&db, &orders.name, &year, "id").await.is_err());

    catalog.update_table_statistics(&db, &orders.name, vec![of("id", long(1))]).await.unwrap();
    catalog.drop_table(&db, &orders.name).await.unwrap();
    place.with(&orders).await;
    assert!(catalog.get_table_statistics(&db, &orders.name, &[]).await.unwrap().found.is_empty());
}
