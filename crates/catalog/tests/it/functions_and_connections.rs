//! User-defined functions and connections.

use crate::places::{Place, name, on_both, table};
use catalog::{Connection, Function, FunctionKind, Resource, ResourceKind};
use model::ErrorKind;

on_both!(functions, connections);

async fn functions(place: &Place) {
    let catalog = place.with(&table("orders", &[])).await;
    let db = name("db");
    let mut function = Function::new(name("Distance"));
    function.class_name = Some("com.example.Distance".into());
    function.kind = Some(FunctionKind::Regular);
    function.resources = vec![Resource { kind: ResourceKind::Jar, uri: "s3://code/distance.jar".into() }];
    let made = catalog.create_function(&db, function.clone()).await.unwrap();
    assert_eq!(catalog.get_function(&db, &name("DISTANCE")).await.unwrap(), made);
    let twice = catalog.create_function(&db, function.clone()).await.unwrap_err();
    assert_eq!(twice.kind(), ErrorKind::AlreadyExists);
    function.name = name("far");
    catalog.update_function(&db, &name("distance"), function.clone()).await.unwrap();
    let error = catalog.get_function(&db, &name("fra")).await.unwrap_err();
    assert!(error.diagnosis().to_string().contains("did you mean `far`?"));
    assert_eq!(catalog.list_functions(None).await.unwrap().len(), 1);
    catalog.delete_function(&db, &name("far")).await.unwrap();
    assert_eq!(catalog.delete_function(&db, &name("far")).await.unwrap_err().kind(), ErrorKind::NotFound);
    let nowhere = catalog.create_function(&name("nowhere"), function).await.unwrap_err();
    assert_eq!(nowhere.kind(), ErrorKind::NotFound);
}

async fn connections(place: &Place) {
    let catalog = &place.catalog;
    let mut warehouse = Connection::new("Warehouse", "JDBC");
    warehouse.properties.insert("JDBC_CONNECTION_URL".into(), "jdbc:postgresql://h/db".into());
    warehouse.properties.insert("PASSWORD".into(), "hunter2".into());
    let made = catalog.create_connection(warehouse.clone()).await.unwrap();
    assert_eq!(made.connection.name, "Warehouse");
    assert_eq!(catalog.get_connection("warehouse").await.unwrap(), made);
    assert!(!format!("{made:?}").contains("hunter2"));
    let shown = made.connection.without_secrets();
    assert_eq!(shown.properties.keys().collect::<Vec<_>>(), ["JDBC_CONNECTION_URL"]);
    let twice = catalog.create_connection(Connection::new("WAREHOUSE", "JDBC")).await.unwrap_err();
    assert_eq!(twice.kind(), ErrorKind::AlreadyExists);
    warehouse.description = Some("new".into());
    catalog.update_connection("WAREHOUSE", warehouse).await.unwrap();
    assert_eq!(catalog.list_connections().await.unwrap()[0].connection.description.as_deref(), Some("new"));
    let odd = catalog.create_connection(Connection::new("x", "no type")).await.unwrap_err();
    assert_eq!(odd.kind(), ErrorKind::InvalidInput);
    catalog.delete_connection("Warehouse").await.unwrap();
    assert_eq!(catalog.get_connection("Warehouse").await.unwrap_err().kind(), ErrorKind::NotFound);
}
