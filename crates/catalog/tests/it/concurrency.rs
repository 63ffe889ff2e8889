//! Many at once: no change is lost, and of equal creations one wins.

use crate::places::{Place, name, on_both, partition, table};
use catalog::{Table, UpdateOptions};
use model::ErrorKind;

const TASKS: usize = 16;

on_both!(no_change_is_lost, one_of_many_creates_a_partition, a_drop_and_creations_do_not_mix);

async fn no_change_is_lost(place: &Place) {
    let orders = table("orders", &[]);
    let catalog = place.with(&orders).await;
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let catalog = catalog.clone();
            tokio::spawn(async move {
                for change in 0..3 {
                    let add = |table: &mut Table| {
                        table.parameters.insert(format!("{task}-{change}"), "1".into());
                        Ok(())
                    };
                    catalog.alter_table(&name("db"), &name("orders"), add).await.unwrap();
                }
                // By hand: read, change, write back at the version read, again on conflict.
                loop {
                    let mut read = catalog.get_table(&name("db"), &name("orders")).await.unwrap();
                    read.table.parameters.insert(format!("{task}-by-hand"), "1".into());
                    let options = UpdateOptions { expected_version: Some(read.version), skip_archive: true };
                    match catalog.update_table(&name("db"), read.table, options).await {
                        Ok(_) => break,
                        Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict),
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let entry = catalog.get_table(&name("db"), &name("orders")).await.unwrap();
    assert_eq!(entry.table.parameters.len(), TASKS * 4);
    assert_eq!(entry.version, i64::try_from(TASKS * 4).unwrap());
}

async fn one_of_many_creates_a_partition(place: &Place) {
    let orders = table("orders", &["n int"]);
    let catalog = place.with(&orders).await;
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (catalog, orders) = (catalog.clone(), orders.clone());
            tokio::spawn(async move {
                let batch = (0..50).map(|n: i32| partition(&orders, &[&n.to_string()])).collect();
                catalog.create_partitions(&name("db"), &orders.name, batch).await.unwrap().created
            })
        })
        .collect();
    let mut created = 0;
    for task in tasks {
        created += task.await.unwrap();
    }
    assert_eq!(created, 50);
    assert_eq!(catalog.count_partitions(&name("db"), &orders.name).await.unwrap(), 50);
}

async fn a_drop_and_creations_do_not_mix(place: &Place) {
    let orders = table("orders", &["n int"]);
    let catalog = place.with(&orders).await;
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (catalog, orders) = (catalog.clone(), orders.clone());
            tokio::spawn(async move {
                if task == TASKS / 2 {
                    return catalog.drop_table(&name("db"), &orders.name).await;
                }
                let batch = vec![partition(&orders, &[&task.to_string()])];
                catalog.create_partitions(&name("db"), &orders.name, batch).await.map(drop)
            })
        })
        .collect();
    for task in tasks {
        // Before the drop a creation goes through; afterwards there is no such table. Nothing else happens.
        if let Err(error) = task.await.unwrap() {
            assert_eq!(error.kind(), ErrorKind::NotFound);
        }
    }
    place.with(&orders).await;
    assert_eq!(catalog.count_partitions(&name("db"), &orders.name).await.unwrap(), 0);
}
