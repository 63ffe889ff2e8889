//! Findings of several objects, compared and united.

use super::{classify, classify_fixture, columns};
use crawl::classify::{merge, similarity};

#[test]
fn types_widen_and_new_columns_come_last() {
    let a = classify("a.json", "{\"id\":1,\"v\":2,\"n\":null}\n").unwrap();
    let b = classify("b.json", "{\"x\":true,\"v\":2.5,\"id\":3000000000,\"n\":[1]}\n").unwrap();
    let both = merge(&a, &b).unwrap();
    assert_eq!(columns(&both), ["id bigint", "v double", "n array<int>", "x boolean"]);
    assert_eq!(both.serde_parameters["paths"], "id,n,v,x");
    assert_eq!(both.sampled_rows, 2);
    assert!(both.untyped.is_empty());
    assert_eq!(similarity(&a, &b), 0.75);
}

#[test]
fn text_falls_back_to_string() {
    let a = classify("a.csv", "id,v\n1,2020-01-01\n2,2020-01-02\n").unwrap();
    let b = classify("b.csv", "id,v\n1,7\n2,8\n").unwrap();
    assert_eq!(columns(&merge(&a, &b).unwrap()), ["id int", "v string"]);
    assert_eq!(similarity(&a, &b), 0.75);
}

#[test]
fn columns_by_position_unite_only_in_the_same_order() {
    let a = classify("a.csv", "id,v\n1,2\n2,3\n").unwrap();
    let longer = classify("b.csv", "id,v,w\n1,2.5,x\n2,3.5,y\n").unwrap();
    let swapped = classify("c.csv", "v,id\n1,2\n2,3\n").unwrap();
    let headless = classify("d.csv", "1,2\n2,3\n").unwrap();
    let semicolon = classify("e.csv", "id;v\n1;2\n2;3\n").unwrap();
    assert_eq!(columns(&merge(&a, &longer).unwrap()), ["id int", "v double", "w string"]);
    for other in [&swapped, &headless, &semicolon] {
        assert!(merge(&a, other).is_none());
    }
}

#[test]
fn an_object_without_rows_takes_the_others_types() {
    let header = classify("a.csv", "order_id,total_price\n").unwrap();
    let rows = classify("b.csv", "order_id,total_price\n1,2.5\n2,3\n").unwrap();
    for (a, b) in [(&header, &rows), (&rows, &header)] {
        assert_eq!(columns(&merge(a, b).unwrap()), ["order_id int", "total_price double"]);
        assert_eq!(similarity(a, b), 1.0);
    }
}

#[test]
fn plain_and_compressed_objects_are_one_table() {
    let both =
        merge(&classify_fixture("orders.csv").unwrap(), &classify_fixture("orders.csv.gz").unwrap()).unwrap();
    assert_eq!(both.compression, None);
    assert_eq!(both.sampled_rows, 118);
}

#[test]
fn different_formats_and_incompatible_columnar_types_do_not_unite() {
    let csv = classify_fixture("orders.csv").unwrap();
    let parquet = classify_fixture("rows.parquet").unwrap();
    assert!(merge(&csv, &parquet).is_none());
    assert_eq!(similarity(&csv, &parquet), 0.0);
    let mut other = parquet.clone();
    other.schema.columns[0].hive_type = model::HiveType::String;
    assert!(merge(&parquet, &other).is_none());
    assert_eq!(merge(&parquet, &parquet).unwrap().rows, Some(6));
}
