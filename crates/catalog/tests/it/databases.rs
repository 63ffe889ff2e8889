//! Databases: made, changed, found without regard to case, deleted with or without what is in them.

use crate::places::{Place, name, on_both, partition, table};
use catalog::{Database, Function};
use model::ErrorKind;

on_both!(a_database_lives_and_dies, a_full_database_is_deleted_on_request_only, names_are_suggested);

async fn a_database_lives_and_dies(place: &Place) {
    let catalog = &place.catalog;
    let mut sales = Database::new(name("Sales"));
    sales.description = Some("what was sold".into());
    sales.parameters.insert("owner".into(), "anna".into());
    let made = catalog.create_database(sales.clone()).await.unwrap();
    assert_eq!(made.database.name.as_str(), "sales");
    assert_eq!(catalog.get_database(&name("SALES")).await.unwrap(), made);
    let twice = catalog.create_database(Database::new(name("sALES"))).await.unwrap_err();
    assert_eq!(twice.kind(), ErrorKind::AlreadyExists);

    place.hand.advance(chrono::Duration::hours(1));
    sales.location = Some("s3://lake/sales/".into());
    let changed = catalog.update_database(sales.clone()).await.unwrap();
    assert_eq!(changed.database, sales);
    assert_eq!(changed.updated - changed.created, chrono::Duration::hours(1));

    catalog.create_database(Database::new(name("archive"))).await.unwrap();
    let names: Vec<String> =
        catalog.list_databases().await.unwrap().iter().map(|entry| entry.database.name.to_string()).collect();
    assert_eq!(names, ["archive", "sales"]);
    catalog.delete_database(&name("sales"), false).await.unwrap();
    assert_eq!(catalog.delete_database(&name("sales"), false).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(catalog.update_database(sales).await.unwrap_err().kind(), ErrorKind::NotFound);

    let mut long = Database::new(name("long"));
    long.description = Some("x".repeat(2049));
    assert!(catalog.create_database(long).await.unwrap_err().to_string().contains("the limit is 2048"));
}

async fn a_full_database_is_deleted_on_request_only(place: &Place) {
    let orders = table("orders", &["year int"]);
    let catalog = place.with(&orders).await;
    let db = name("db");
    catalog.create_partitions(&db, &orders.name, vec![partition(&orders, &["2020"])]).await.unwrap();
    catalog.create_function(&db, Function::new(name("f"))).await.unwrap();
    let refused = catalog.delete_database(&db, false).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    assert!(refused.to_string().contains("1 tables and 1 functions"), "{refused}");
    catalog.delete_database(&db, true).await.unwrap();
    assert!(catalog.list_databases().await.unwrap().is_empty());

    // What comes after has nothing of what was before.
    let catalog = place.with(&orders).await;
    assert_eq!(catalog.count_partitions(&db, &orders.name).await.unwrap(), 0);
    assert!(catalog.list_functions(Some(&db)).await.unwrap().is_empty());
}

async fn names_are_suggested(place: &Place) {
    let catalog = place.with(&table("orders", &[])).await;
    let error = catalog.get_table(&name("db"), &name("ordres")).await.unwrap_err();
    assert_eq!(
        error.diagnosis().to_string(),
        "there is no table `ordres` in the database `db`\nhelp: did you mean `orders`?"
    );
    let error = catalog.get_table(&name("dbb"), &name("orders")).await.unwrap_err();
    assert_eq!(error.diagnosis().to_string(), "there is no database `dbb`\nhelp: did you mean `db`?");
}
