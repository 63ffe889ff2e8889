//! Tables and views: every field comes back, versions count and are kept, wrong definitions are refused.

use crate::places::{Place, column, name, on_both, partition, table, values};
use catalog::*;
use chrono::DateTime;
use model::ErrorKind;

on_both!(
    every_field_comes_back,
    versions_are_kept_and_checked,
    tables_are_listed_in_pages_and_by_pattern,
    a_renamed_table_keeps_what_it_has,
    a_dropped_table_leaves_nothing,
    wrong_tables_are_refused,
);

fn everything() -> Table {
    let text = |text: &str| Some(text.to_owned());
    let map = |key: &str| Parameters::from([(key.to_owned(), "1".to_owned())]);
    let mut all = table("all", &["day date"]);
    all.description = text("a table");
    all.owner = text("anna");
    all.retention = 7;
    all.parameters = map("classification");
    all.view_original_text = text("/* Presto View: … */");
    all.view_expanded_text = text("/* Presto View */");
    all.last_access = DateTime::from_timestamp(1_500_000_000, 0);
    all.last_analyzed = DateTime::from_timestamp(1_500_000_001, 0);
    all.target_table = Some(TargetTable { name: text("other"), ..TargetTable::default() });
    all.federated = Some(FederatedTable { identifier: text("x"), ..FederatedTable::default() });
    all.view_definition = Some(ViewDefinition {
        is_protected: true,
        representations: vec![ViewRepresentation {
            dialect: "ATHENA".into(),
            ..ViewRepresentation::default()
        }],
        ..ViewDefinition::default()
    });
    all.storage = StorageDescriptor {
        columns: vec![column("Id", "bigint"), column("tags", "map<string,array<struct<a:int>>>")],
        additional_locations: values(&["s3://lake/more/"]),
        input_format: text("in"),
        output_format: text("out"),
        compressed: true,
        number_of_buckets: Some(-1),
        serde: SerDe { name: text("s"), library: text("l"), parameters: map("separatorChar") },
        bucket_columns: values(&["id"]),
        sort_columns: vec![SortColumn { column: "ID".into(), ascending: false }],
        parameters: map("recordCount"),
        skew: Some(Skew { columns: values(&["id"]), ..Skew::default() }),
        stored_as_sub_directories: true,
        schema_reference: Some(SchemaReference { version_number: Some(3), ..SchemaReference::default() }),
        ..all.storage
    };
    all
}

async fn every_field_comes_back(place: &Place) {
    let all = everything();
    let catalog = place.with(&all).await;
    let entry = catalog.get_table(&name("DB"), &name("ALL")).await.unwrap();
    assert_eq!(entry.table, all);
    assert_eq!((entry.version, entry.database.as_str()), (0, "db"));
    assert_eq!(entry.created.timestamp(), 1_600_000_000);
    let json = serde_json::to_value(&entry).unwrap();
    assert_eq!(json["table"]["storage"]["number_of_buckets"], -1);
    assert_eq!(serde_json::from_value::<TableEntry>(json).unwrap(), entry);

    // A partition has its own descriptor, which stays as it is when the table's changes.
    let stored = Partition {
        parameters: Parameters::from([("objectCount".to_owned(), "4".to_owned())]),
        last_access: DateTime::from_timestamp(1_500_000_002, 0),
        ..Partition { storage: all.storage.clone(), ..Partition::new(values(&["2020-02-29"])) }
    };
    catalog.create_partitions(&name("db"), &all.name, vec![stored.clone()]).await.unwrap();
    let change = |table: &mut Table| {
        table.storage.columns.push(column("new", "string"));
        table.storage.location = Some("s3://elsewhere/".into());
        Ok(())
    };
    catalog.alter_table(&name("db"), &all.name, change).await.unwrap();
    let read = catalog.get_partition(&name("db"), &all.name, &values(&["2020-02-29"])).await.unwrap();
    assert_eq!(Partition { created: None, ..read }, stored);
}

async fn versions_are_kept_and_checked(place: &Place) {
    let (db, orders) = (name("db"), table("orders", &[]));
    let catalog = place.with(&orders).await;
    for n in 1..=3 {
        let changed = Table { description: Some(format!("change {n}")), ..orders.clone() };
        let options = UpdateOptions { expected_version: Some(n - 1), skip_archive: n == 2 };
        assert_eq!(catalog.update_table(&db, changed, options).await.unwrap().version, n);
    }
    let late = UpdateOptions { expected_version: Some(1), skip_archive: false };
    let error = catalog.update_table(&db, orders.clone(), late).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("is at version 3, not 1"), "{error}");

    let all = catalog.table_versions(&db, &orders.name, None, None).await.unwrap();
    let numbers: Vec<i64> = all.versions.iter().map(|entry| entry.version).collect();
    assert_eq!((numbers, all.next), (vec![3, 2, 0], None), "version 1 was not archived");
    let first = catalog.table_versions(&db, &orders.name, None, Some(2)).await.unwrap();
    assert_eq!((first.versions.len(), first.next), (2, Some(2)));
    let rest = catalog.table_versions(&db, &orders.name, first.next, Some(2)).await.unwrap();
    assert_eq!((rest.versions.len(), rest.next), (1, None));
    assert_eq!(catalog.get_table_version(&db, &orders.name, 0).await.unwrap().table, orders);
    let second = catalog.get_table_version(&db, &orders.name, 2).await.unwrap().table;
    assert_eq!(second.description.as_deref(), Some("change 2"));
    assert_eq!(
        catalog.get_table_version(&db, &orders.name, 1).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );

    catalog.delete_table_version(&db, &orders.name, 0).await.unwrap();
    assert_eq!(
        catalog.delete_table_version(&db, &orders.name, 0).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
    let present = catalog.delete_table_version(&db, &orders.name, 3).await.unwrap_err();
    assert_eq!(present.kind(), ErrorKind::InvalidInput);

    // A change that changes nothing, or fails, writes nothing.
    assert_eq!(catalog.alter_table(&db, &orders.name, |_| Ok(())).await.unwrap().version, 3);
    let failing = |table: &mut Table| {
        table.description = None;
        Err(model::Error::invalid("not today"))
    };
    assert!(catalog.alter_table(&db, &orders.name, failing).await.is_err());
    assert_eq!(
        catalog.get_table(&db, &orders.name).await.unwrap().table.description.as_deref(),
        Some("change 3")
    );
}

async fn tables_are_listed_in_pages_and_by_pattern(place: &Place) {
    let db = name("db");
    for n in 0..7 {
        place.with(&table(&format!("t{n}"), &[])).await;
    }
    let catalog = place.with(&table("other", &[])).await;
    let (mut names, mut after) = (Vec::new(), None);
    loop {
        let query = TableQuery { name_pattern: Some("T.*".into()), after, limit: Some(3) };
        let page = catalog.list_tables(&db, query).await.unwrap();
        assert!(page.tables.len() <= 3);
        names.extend(page.tables.iter().map(|entry| entry.table.name.to_string()));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(names, ["t0", "t1", "t2", "t3", "t4", "t5", "t6"]);
    assert_eq!(catalog.list_tables(&db, TableQuery::default()).await.unwrap().tables.len(), 8);
    let wrong = TableQuery { name_pattern: Some("t(".into()), ..TableQuery::default() };
    assert_eq!(catalog.list_tables(&db, wrong).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    let nowhere = catalog.list_tables(&name("nowhere"), TableQuery::default()).await.unwrap_err();
    assert_eq!(nowhere.kind(), ErrorKind::NotFound);
}

async fn a_renamed_table_keeps_what_it_has(place: &Place) {
    let (db, orders) = (name("db"), table("orders", &["year int"]));
    let catalog = place.with(&orders).await;
    place.with(&table("taken", &[])).await;
    catalog.create_partitions(&db, &orders.name, vec![partition(&orders, &["2020"])]).await.unwrap();
    let taken = catalog.rename_table(&db, &orders.name, &name("Taken")).await.unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
    catalog.rename_table(&db, &orders.name, &name("sales")).await.unwrap();
    assert_eq!(catalog.count_partitions(&db, &name("sales")).await.unwrap(), 1);
    assert_eq!(catalog.table_versions(&db, &name("sales"), None, None).await.unwrap().versions.len(), 2);
    assert_eq!(catalog.get_table(&db, &orders.name).await.unwrap_err().kind(), ErrorKind::NotFound);
}

async fn a_dropped_table_leaves_nothing(place: &Place) {
    let (db, orders) = (name("db"), table("orders", &["year int"]));
    let catalog = place.with(&orders).await;
    catalog.create_partitions(&db, &orders.name, vec![partition(&orders, &["2020"])]).await.unwrap();
    catalog
        .alter_table(&db, &orders.name, |table| {
            table.retention = 1;
            Ok(())
        })
        .await
        .unwrap();
    catalog.drop_table(&db, &orders.name).await.unwrap();
    assert_eq!(catalog.drop_table(&db, &orders.name).await.unwrap_err().kind(), ErrorKind::NotFound);
    let gone = catalog.list_partitions(&db, &orders.name, PartitionQuery::default()).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
    place.with(&orders).await;
    assert_eq!(catalog.count_partitions(&db, &orders.name).await.unwrap(), 0);
    assert_eq!(catalog.table_versions(&db, &orders.name, None, None).await.unwrap().versions.len(), 1);
}

async fn wrong_tables_are_refused(place: &Place) {
    let catalog = place.with(&table("orders", &[])).await;
    let wrong = [
        (
            "there twice",
            Table { partition_keys: vec![column("a", "int"), column("A", "int")], ..table("x", &[]) },
        ),
        ("as a column and as a partition key", table("x", &["ID int"])),
        ("of type array<int>", table("x", &["tags array<int>"])),
        ("negative retention", Table { retention: -1, ..table("x", &[]) }),
        ("bucketed by `prize`", {
            let mut wrong = table("x", &[]);
            wrong.storage.bucket_columns = values(&["prize"]);
            wrong
        }),
        ("the character zero", Table { description: Some("a\0b".into()), ..table("x", &[]) }),
    ];
    for (message, table) in wrong {
        let error = catalog.create_table(&name("db"), table).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(message), "{error}");
    }
    let twice = catalog.create_table(&name("db"), table("ORDERS", &[])).await.unwrap_err();
    assert_eq!(twice.kind(), ErrorKind::AlreadyExists);
    assert_eq!(
        catalog.create_table(&name("nowhere"), table("x", &[])).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
}
