//! What is known and not done is refused by name, with what to do.

use crate::{around, checked};

fn refused(node: &str, message: &str, hint: &str) {
    let (_, checked) = checked(&around(node));
    let found = checked.errors.iter().find(|error| error.message().contains(message));
    let Some(found) = found else { panic!("{node}: {:?}", checked.errors) };
    let said = found.diagnosis();
    assert!(said.hints.iter().any(|h| h.contains(hint)), "{node}: {said:?}");
    assert!(found.place().is_some());
}

#[test]
fn kinds_that_are_elsewhere() {
    refused(
        "it: {CustomCode: {Name: it, Inputs: [orders], Code: 'x', ClassName: y}}",
        "CustomCode `it` cannot run",
        "SparkSQL",
    );
    refused(
        "it: {PostgreSQLCatalogSource: {Name: it, Database: a, Table: orders}}",
        "cannot run yet",
        "files",
    );
    refused(
        "it: {MySQLCatalogSource: {Name: it, Database: a, Table: orders}}",
        "MySQLCatalogSource are not supported",
        "bucket",
    );
    refused(
        "it: {DynamicTransform: {Name: it, Inputs: [orders], FunctionName: gs_drived}}",
        "there is no transform `gs_drived`",
        "did you mean `gs_derived`?",
    );
}

#[test]
fn settings_that_cannot_be() {
    for (node, message, hint) in [
        (
            "it: {SelectFields: {Name: it, Inputs: [orders], Paths: [[a, b]]}}",
            "a field inside of a column",
            "ApplyMapping",
        ),
        (
            "it: {Filter: {Name: it, Inputs: [orders], LogicalOperator: AND, Filters: [{Operation: EQ, Values: [{Type: CONSTANT, Value: [a]}, {Type: CONSTANT, Value: [b]}]}]}}",
            "compares no column",
            "COLUMNEXTRACTED",
        ),
        (
            "it: {Filter: {Name: it, Inputs: [orders], LogicalOperator: AND, Filters: [{Operation: REGEX, Values: [{Type: COLUMNEXTRACTED, Value: [id]}, {Type: CONSTANT, Value: [b]}]}]}}",
            "REGEX needs a text",
            "cast",
        ),
        (
            "it: {Union: {Name: it, Inputs: [orders, customers], UnionType: ALL}}",
            "has 6 columns and `customers` has 3",
            "SelectFields",
        ),
        (
            "it: {Aggregate: {Name: it, Inputs: [orders], Groups: [], Aggs: [{Column: [note], AggFunc: avg}]}}",
            "avg needs a number",
            "double",
        ),
        (
            "it: {SelectFromCollection: {Name: it, Inputs: [orders], Index: 0}}",
            "has only one output",
            "Route",
        ),
        (
            "s: {SplitFields: {Name: s, Inputs: [orders], Paths: [id]}}\nit: {SelectFromCollection: {Name: it, Inputs: [s], Index: 2}}",
            "there is no 2",
            "0 to 1",
        ),
        (
            "it: {SplitFields: {Name: it, Inputs: [orders], Paths: [id]}}",
            "is a collection of several outputs",
            "SelectFromCollection",
        ),
        (
            "it: {Spigot: {Name: it, Inputs: [orders], Path: 's3://lake/s/', Prob: 2}}",
            "between 0 and 1",
            "0.1",
        ),
        (
            "it: {DynamicTransform: {Name: it, Inputs: [orders], FunctionName: glulam_window, Parameters: {timestamp: id, aggregates: ['count(*)']}}}",
            "which is no time",
            "gs_to_timestamp",
        ),
        (
            "it: {DynamicTransform: {Name: it, Inputs: [orders], FunctionName: glulam_window, Parameters: {timestamp: placed, size: 5 mins, aggregates: ['count(*)']}}}",
            "is no duration",
            "5 minutes",
        ),
        (
            "it: {DynamicTransform: {Name: it, Inputs: [orders], FunctionName: gs_explode, Parameters: {colName: id, newCol: x}}}",
            "has no elements",
            "arrays",
        ),
        (
            "it: {DynamicTransform: {Name: it, Inputs: [orders], FunctionName: gs_regex_extract, Parameters: {colName: note, regex: '(a)(b)', newCols: x}}}",
            "2 groups, but 1",
            "commas",
        ),
        (
            "it: {DropFields: {Name: it, Inputs: [customers], Paths: [id, name, born]}}",
            "drops every column",
            "",
        ),
        (
            "it: {ApplyMapping: {Name: it, Inputs: [orders], Mapping: [{FromPath: [id], ToKey: a, ToType: int}, {FromPath: [year], ToKey: A, ToType: int}]}}",
            "two mappings make the column `A`",
            "its own",
        ),
        (
            "it: {SparkSQL: {Name: it, Inputs: [orders], SqlAliases: [{From: ordres, Alias: o}], SqlQuery: 'select 1 as one from o'}}",
            "is no input of `it`",
            "did you mean `orders`?",
        ),
        (
            "it: {SparkSQL: {Name: it, Inputs: [orders], SqlAliases: [], SqlQuery: 'select id, year as id from orders'}}",
            "two columns of `it` are named `id`",
            "another name",
        ),
    ] {
        if hint.is_empty() {
            let (_, checked) = checked(&around(node));
            assert!(
                checked.errors.iter().any(|error| error.message().contains(message)),
                "{node}: {:?}",
                checked.errors
            );
        } else {
            refused(node, message, hint);
        }
    }
}

#[test]
fn targets_that_cannot_be() {
    for (target, message) in [
        (
            "S3DirectTarget: {Name: t, Inputs: [s], Path: 's3://lake/t/', Format: xml}",
            "xml files are not written",
        ),
        (
            "S3DirectTarget: {Name: t, Inputs: [s], Path: 's3://lake/t/', Format: parquet, Compression: lzma}",
            "`lzma` is no Compression",
        ),
        (
            "S3DirectTarget: {Name: t, Inputs: [s], Path: 's3://lake/t/', Format: json, AdditionalOptions: {writeMode: merge, mergeKeys: [customer]}}",
            "only Delta tables",
        ),
        (
            "S3DeltaDirectTarget: {Name: t, Inputs: [s], Path: 's3://lake/t/', Format: delta, AdditionalOptions: {writeMode: merge}}",
            "a merge needs `mergeKeys`",
        ),
        (
            "S3DirectTarget: {Name: t, Inputs: [s], Path: 's3://lake/t/', Format: json, AdditionalOptions: {writeMode: overwrite_partitions}}",
            "without partition keys",
        ),
        (
            "S3DirectTarget: {Name: t, Inputs: [s], Path: 's3://lake/t/', Format: json, PartitionKeys: [customer, total]}",
            "every column of `t` is a partition key",
        ),
        (
            "S3GlueParquetTarget: {Name: t, Inputs: [s], Path: 's3://lake/t/', SchemaChangePolicy: {EnableUpdateCatalog: true}}",
            "no table is named",
        ),
        (
            "S3GlueParquetTarget: {Name: t, Inputs: [s], Path: 's3://lake/t/', AdditionalOptions: {maxFileSize: big}}",
            "is no size of a file",
        ),
    ] {
        let text =
            format!("s: {{CatalogSource: {{Name: s, Database: shop, Table: totals}}}}\nt: {{{target}}}");
        let (_, checked) = checked(&text);
        assert!(
            checked.errors.iter().any(|error| error.message().contains(message)),
            "{target}: {:?}",
            checked.errors
        );
    }
}
