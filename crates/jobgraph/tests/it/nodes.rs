//! Every kind of node: what it becomes, and its columns. All SQL is read by our own parser on the way.

use crate::{around, checked, query, step};
use jobgraph::{FileFormat, LogPattern, SourceSpec, Step};

#[test]
fn apply_mapping() {
    let (step, columns) = step(
        "it: {ApplyMapping: {Name: it, Inputs: [orders], Mapping: [
          {FromPath: [id], FromType: int, ToKey: Key, ToType: long},
          {FromPath: [note], FromType: string, ToKey: number, ToType: int},
          {FromPath: [amount], FromType: double, ToKey: cents, ToType: int},
          {FromPath: [placed], FromType: timestamp, ToKey: placed, ToType: date},
          {FromPath: [year], FromType: int, ToKey: year, ToType: int, Dropped: true}]}}",
    );
    let Step::Query(query) = step else { panic!() };
    assert_eq!(
        query.sql,
        "SELECT CAST(id AS bigint) AS \"Key\", coalesce(TRY_CAST(note AS integer), TRY_CAST(trim(note) AS integer)) AS number, \
         TRY_CAST(truncate(amount) AS integer) AS cents, TRY_CAST(placed AS date) AS placed FROM orders"
    );
    assert_eq!(columns, "Key bigint, number integer, cents integer, placed date");
    assert_eq!(
        query.rejects[0].condition,
        "coalesce(TRY_CAST(note AS integer), TRY_CAST(trim(note) AS integer)) IS NULL AND trim(note) <> ''"
    );
    assert_eq!(
        (query.rejects[0].column.as_str(), query.rejects[0].reason.as_str()),
        ("note", "the value is no int")
    );
    assert!(query.rejected().unwrap().starts_with("SELECT *, CASE WHEN coalesce(TRY_CAST(note"));
    assert!(query.accepted().contains("WHERE NOT coalesce("));
}

#[test]
fn nested_fields_are_mapped_by_their_path() {
    let (sql, _) = query(
        "it: {ApplyMapping: {Name: it, Inputs: [nested], Mapping: [{FromPath: [place, zip], FromType: int, ToKey: zip, ToType: int}]}}",
    );
    assert_eq!(sql, "SELECT place.zip AS zip FROM nested");
}

#[test]
fn columns_are_selected_dropped_and_renamed() {
    assert_eq!(
        query("it: {SelectFields: {Name: it, Inputs: [orders], Paths: [[id], [amount]]}}").0,
        "SELECT id, amount FROM orders"
    );
    assert_eq!(
        query("it: {DropFields: {Name: it, Inputs: [customers], Paths: [born]}}").0,
        "SELECT id, name FROM customers"
    );
    let (sql, columns) =
        query("it: {RenameField: {Name: it, Inputs: [customers], SourcePath: [id], TargetPath: [Key]}}");
    assert_eq!(sql, "SELECT id AS \"Key\", name, born FROM customers");
    assert_eq!(columns, "Key integer, name varchar, born date");
}

#[test]
fn filters() {
    let filter = |filters: &str, operator: &str| {
        query(&format!(
            "it: {{Filter: {{Name: it, Inputs: [orders], LogicalOperator: {operator}, Filters: {filters}}}}}"
        ))
        .0
    };
    let column = |name: &str| format!("{{Type: COLUMNEXTRACTED, Value: [{name}]}}");
    let constant = |value: &str| format!("{{Type: CONSTANT, Value: ['{value}']}}");
    let one =
        |operation: &str, a: String, b: String| format!("{{Operation: {operation}, Values: [{a}, {b}]}}");
    for (operation, sign) in [("EQ", "="), ("LT", "<"), ("GT", ">"), ("LTE", "<="), ("GTE", ">=")] {
        let sql = filter(&format!("[{}]", one(operation, column("amount"), constant("10.5"))), "AND");
        assert_eq!(sql, format!("SELECT * FROM orders WHERE amount {sign} 10.5"));
    }
    let two =
        format!("[{}, {}]", one("EQ", column("note"), constant("1")), one("LT", constant("3"), column("id")));
    assert_eq!(filter(&two, "OR"), "SELECT * FROM orders WHERE note = '1' OR id > 3");
    let regex =
        format!("[{{Operation: REGEX, Negated: true, Values: [{}, {}]}}]", column("note"), constant("a|b"));
    assert_eq!(
        filter(&regex, "AND"),
        "SELECT * FROM orders WHERE NOT coalesce(regexp_like(note, '^(?:a|b)'), false)"
    );
    let null = format!("[{{Operation: ISNULL, Negated: true, Values: [{}]}}]", column("note"));
    assert_eq!(filter(&null, "AND"), "SELECT * FROM orders WHERE note IS NOT NULL");
    let columns = format!("[{}]", one("GT", column("id"), column("customer")));
    assert_eq!(filter(&columns, "AND"), "SELECT * FROM orders WHERE id > customer");
    let time = format!("[{}]", one("GTE", column("placed"), constant("2020-06-03T14:00:00Z")));
    assert_eq!(filter(&time, "AND"), "SELECT * FROM orders WHERE placed >= TIMESTAMP '2020-06-03 14:00:00'");
}

#[test]
fn joins_of_all_types() {
    let join = |kind: &str, key: &str| {
        let text = format!(
            "renamed: {{RenameField: {{Name: r, Inputs: [customers], SourcePath: [id], TargetPath: [{key}]}}}}\n\
             it: {{Join: {{Name: it, Inputs: [orders, renamed], JoinType: {kind}, \
             Columns: [{{From: renamed, Keys: [[{key}]]}}, {{From: orders, Keys: [[customer]]}}]}}}}"
        );
        query(&text).0
    };
    for (kind, words) in
        [("equijoin", "JOIN"), ("left", "LEFT JOIN"), ("right", "RIGHT JOIN"), ("outer", "FULL JOIN")]
    {
        assert_eq!(join(kind, "customer"), format!("SELECT * FROM orders {words} renamed USING (customer)"));
        assert_eq!(
            join(kind, "person"),
            format!("SELECT * FROM orders {words} renamed ON renamed.person = orders.customer")
        );
    }
    assert_eq!(
        join("leftsemi", "person"),
        "SELECT * FROM orders WHERE EXISTS (SELECT 1 FROM renamed WHERE renamed.person = orders.customer)"
    );
    assert!(join("leftanti", "person").contains("WHERE NOT EXISTS ("));
}

#[test]
fn a_join_whose_columns_collide_says_so() {
    let (_, checked) = checked(&around(
        "it: {Join: {Name: it, Inputs: [orders, customers], JoinType: equijoin, Columns: [{From: orders, Keys: [customer]}, {From: customers, Keys: [id]}]}}",
    ));
    assert_eq!(checked.errors.len(), 1, "{:?}", checked.errors);
    assert_eq!(checked.errors[0].message(), "both sides of `it` have a column `id`");
}

#[test]
fn unions_and_merges() {
    let pair = "a: {SelectFields: {Name: a, Inputs: [orders], Paths: [id, customer]}}
b: {SelectFields: {Name: b, Inputs: [orders], Paths: [customer, id]}}\n";
    let union = |kind: &str| {
        query(&format!("{pair}it: {{Union: {{Name: it, Inputs: [a, b], UnionType: {kind}}}}}")).0
    };
    assert_eq!(union("ALL"), "SELECT id, customer FROM a UNION ALL SELECT id, customer FROM b");
    assert_eq!(union("DISTINCT"), "SELECT id, customer FROM a UNION SELECT id, customer FROM b");
    let (sql, _) =
        query(&format!("{pair}it: {{Merge: {{Name: it, Inputs: [a, b], Source: b, PrimaryKeys: [[id]]}}}}"));
    assert_eq!(
        sql,
        "SELECT id, customer FROM a UNION ALL SELECT id, customer FROM b WHERE NOT EXISTS (SELECT 1 FROM a WHERE a.id = b.id)"
    );
}

#[test]
fn aggregates_have_sparks_names() {
    let functions = [
        ("avg", "avg(amount)"),
        ("countDistinct", "count(DISTINCT amount)"),
        ("count", "count(amount)"),
        ("first", "arbitrary(amount)"),
        ("last", "arbitrary(amount)"),
        ("max", "max(amount)"),
        ("min", "min(amount)"),
        ("skewness", "skewness(amount)"),
        ("stddev_samp", "stddev_samp(amount)"),
        ("stddev_pop", "stddev_pop(amount)"),
        ("sum", "sum(amount)"),
        ("sumDistinct", "sum(DISTINCT amount)"),
        ("var_samp", "var_samp(amount)"),
        ("var_pop", "var_pop(amount)"),
    ];
    for (function, sql) in functions {
        let name = match function {
            "countDistinct" => "count(amount)".to_owned(),
            "sumDistinct" => "sum(DISTINCT amount)".to_owned(),
            other => format!("{other}(amount)"),
        };
        let node = format!(
            "it: {{Aggregate: {{Name: it, Inputs: [orders], Groups: [[customer]], Aggs: [{{Column: [amount], AggFunc: {function}}}]}}}}"
        );
        assert_eq!(
            query(&node).0,
            format!("SELECT customer, {sql} AS \"{name}\" FROM orders GROUP BY customer")
        );
    }
    let (sql, _) = query(
        "it: {Aggregate: {Name: it, Inputs: [orders], Groups: [], Aggs: [{Column: [amount], AggFunc: kurtosis}]}}",
    );
    assert!(sql.starts_with("SELECT (kurtosis(amount) * (CAST(count(amount) AS double) - 2)"), "{sql}");
    assert!(!sql.contains("GROUP BY"));
}

#[test]
fn duplicates_and_nulls() {
    assert_eq!(
        query("it: {DropDuplicates: {Name: it, Inputs: [orders]}}").0,
        "SELECT DISTINCT * FROM orders"
    );
    let (sql, columns) = query("it: {DropDuplicates: {Name: it, Inputs: [customers], Columns: [[id]]}}");
    assert!(sql.contains("row_number() OVER (PARTITION BY id)"), "{sql}");
    assert_eq!(columns, "id integer, name varchar, born date");
    let (step, columns) = step(
        "it: {DropNullFields: {Name: it, Inputs: [customers], NullCheckBoxList: {IsEmpty: true, IsNullString: true, IsNegOne: true}, NullTextList: [{Value: 'n/a', Datatype: {Id: string, Label: String}}]}}",
    );
    let Step::DropNulls(drop) = step else { panic!() };
    assert_eq!(
        (drop.texts.clone(), drop.numbers.clone()),
        (vec![String::new(), "null".into(), "n/a".into()], vec![-1])
    );
    let known = crate::analyst::columns(&columns);
    let probe = drop.probe(&known);
    assert!(
        probe.contains("count_if(name IS NOT NULL AND trim(name) NOT IN ('', 'null', 'n/a')) AS name"),
        "{probe}"
    );
    sql::parse_one(&probe, "probe").unwrap();
    assert_eq!(drop.kept(&known, &[4, 0, 1]), "SELECT id, born FROM customers");
    assert_eq!(drop.kept(&known, &[0, 0, 0]), "SELECT id FROM customers");
}

#[test]
fn missing_values_are_filled() {
    let (sql, columns) = query("it: {FillMissingValues: {Name: it, Inputs: [orders], ImputedPath: amount}}");
    assert!(
        sql.contains(
            "if(amount IS NULL, (SELECT CAST(avg(amount) AS double) FROM orders), amount) AS amount_filled"
        ),
        "{sql}"
    );
    assert!(columns.ends_with("amount_filled double") || columns.contains("amount_filled"), "{columns}");
    let (sql, _) = query(
        "it: {FillMissingValues: {Name: it, Inputs: [customers], ImputedPath: name, FilledPath: name}}",
    );
    assert!(sql.contains("ORDER BY n DESC"), "{sql}");
}

#[test]
fn collections_are_split_routed_and_selected() {
    let (_, checked) = checked(&around(
        "split: {SplitFields: {Name: s, Inputs: [customers], Paths: [[id], [born]]}}
it: {SelectFromCollection: {Name: it, Inputs: [split], Index: 1}}",
    ));
    assert!(checked.errors.is_empty(), "{:?}", checked.errors);
    let Some(Step::Collection(split)) = &checked.node("split").unwrap().step else { panic!() };
    assert_eq!(split.members[0].sql, "SELECT id, born FROM customers");
    let it = checked.node("it").unwrap();
    assert_eq!(it.columns.as_ref().unwrap().to_string(), "name varchar");
    let Some(Step::Query(select)) = &it.step else { panic!() };
    assert_eq!(select.sql, "SELECT * FROM \"split#1\"");
    assert_eq!(
        (select.inputs[0].name.as_str(), select.inputs[0].node.as_str(), select.inputs[0].member),
        ("split#1", "split", Some(1))
    );
    assert_eq!(split.members[1].relation, "split#1");
    let (_, checked) = crate::checked(&around(
        "ways: {Route: {Name: w, Inputs: [orders], GroupFiltersList: [{GroupName: big, LogicalOperator: AND, Filters: [{Operation: GT, Values: [{Type: COLUMNEXTRACTED, Value: [amount]}, {Type: CONSTANT, Value: ['9']}]}]}]}}
it: {SelectFromCollection: {Name: it, Inputs: [ways], Index: 1}}",
    ));
    assert!(checked.errors.is_empty(), "{:?}", checked.errors);
    let Some(Step::Collection(ways)) = &checked.node("ways").unwrap().step else { panic!() };
    let names: Vec<&str> = ways.members.iter().map(|member| member.name.as_str()).collect();
    assert_eq!(names, ["big", "default_group"]);
    assert_eq!(ways.members[1].sql, "SELECT * FROM orders WHERE NOT coalesce(amount > 9, false)");
}

#[test]
fn spigots_and_parts_pass_rows_on() {
    let (spigot, columns) =
        step("it: {Spigot: {Name: it, Inputs: [customers], Path: 's3://lake/sample/', Topk: 10, Prob: 0.5}}");
    let Step::Spigot(spigot) = spigot else { panic!() };
    assert_eq!(
        (spigot.path.to_string().as_str(), spigot.top, spigot.probability),
        ("s3://lake/sample/", Some(10), Some(0.5))
    );
    assert_eq!(columns, "id integer, name varchar, born date");
    let (parts, _) = step(
        "it: {DynamicTransform: {Name: it, Inputs: [customers], TransformName: gs_repartition, FunctionName: gs_repartition, Path: 's3://x/y.py', Parameters: [{Name: numPartitionsStr, Type: str, Value: ['4'], IsOptional: true}]}}",
    );
    let Step::Repartition(parts) = parts else { panic!() };
    assert_eq!((parts.partitions, parts.columns.len()), (Some(4), 0));
}

#[test]
fn spark_sql_reads_by_alias() {
    let (step, columns) = step(
        "it: {SparkSQL: {Name: it, Inputs: [orders, customers], SqlAliases: [{From: orders, Alias: o}], SqlQuery: 'select `id`, amount / 2 as half from o where note == \"x\"'}}",
    );
    let Step::Query(query) = step else { panic!() };
    assert_eq!(query.sql, "select \"id\", amount / 2e0 as half from o where note = 'x'");
    let names: Vec<(&str, &str)> = query.inputs.iter().map(|i| (i.name.as_str(), i.node.as_str())).collect();
    assert_eq!(names, [("o", "orders"), ("customers", "customers")]);
    assert_eq!(columns, "id integer, half double");
}

fn dynamic(function: &str, input: &str, parameters: &str) -> String {
    format!(
        "it: {{DynamicTransform: {{Name: it, Inputs: [{input}], FunctionName: {function}, Parameters: {{{parameters}}}}}}}"
    )
}

#[test]
fn derived_columns() {
    let (sql, _) = query(&dynamic("gs_derived", "customers", "colName: name, expr: 'upper(name)'"));
    assert_eq!(sql, "SELECT id, (upper(name)) AS name, born FROM customers");
    let (sql, _) = query(&dynamic("gs_derived", "customers", "colName: more, expr: 'nvl(id, 0) + 1'"));
    assert_eq!(sql, "SELECT id, name, born, (coalesce(id, 0) + 1) AS more FROM customers");
    let text = around(&dynamic("gs_derived", "customers", "colName: more, expr: 'upper(nmae)'"));
    let (_, checked) = checked(&text);
    let Some(model::Place::Source(at)) = checked.errors[0].place() else { panic!("{:?}", checked.errors) };
    assert_eq!(text.lines().nth(at.line as usize - 1).unwrap().find("nmae").unwrap() + 1, at.column as usize);
}

#[test]
fn timestamps_are_read_and_written() {
    let (sql, columns) =
        query(&dynamic("gs_to_timestamp", "nested", "colName: id, colType: milliseconds, newColName: at"));
    assert!(
        sql.contains(
            "CAST(from_unixtime(CAST(id AS double) / 1000e0) AT TIME ZONE 'UTC' AS timestamp(3)) AS at"
        ),
        "{sql}"
    );
    assert!(columns.ends_with("at timestamp(3)"), "{columns}");
    let (step, _) = step(&dynamic("gs_to_timestamp", "customers", "colName: name"));
    let Step::Query(made) = step else { panic!() };
    assert_eq!(made.rejects[0].reason, "the value is no timestamp");
    let (sql, _) = query(&dynamic(
        "gs_format_timestamp",
        "orders",
        "colName: placed, dateFormat: '%Y-%m', newColName: month",
    ));
    assert!(sql.contains("format_datetime(placed, 'yyyy-MM') AS month"), "{sql}");
}

#[test]
fn regular_expressions_make_columns() {
    let (sql, _) = query(&dynamic(
        "gs_regex_extract",
        "customers",
        "colName: name, regex: '(\\w+) (\\w+)', newCols: 'first,last'",
    ));
    assert!(
        sql.contains(
            "if(name IS NULL, NULL, coalesce(regexp_extract(name, '(\\w+) (\\w+)', 1), '')) AS first"
        ),
        "{sql}"
    );
    assert!(sql.contains(", 2), '')) AS last"), "{sql}");
}

#[test]
fn arrays_and_maps_are_exploded() {
    let (sql, _) = query(&dynamic("gs_explode", "nested", "colName: tags, newCol: tag"));
    assert!(sql.ends_with("glulam_element_0 AS tag FROM nested CROSS JOIN UNNEST(tags) AS glulam_elements (glulam_element_0)"), "{sql}");
    let (sql, _) =
        query(&dynamic("gs_explode", "nested", "colName: attributes, newCol: 'k, v', outer: true"));
    assert!(
        sql.contains(
            "LEFT JOIN UNNEST(attributes) AS glulam_elements (glulam_element_0, glulam_element_1) ON true"
        ),
        "{sql}"
    );
}

#[test]
fn windows_tumble_and_slide() {
    let aggregates = "aggregates: ['min(amount) as least', 'count(*) as n', 'first(note) as note', 'percentile(amount, 95) as p95']";
    let (step, columns) = step(&dynamic(
        "glulam_window",
        "orders",
        &format!("timestamp: placed, keys: [customer], {aggregates}"),
    ));
    let Step::Query(made) = step else { panic!() };
    assert_eq!(
        made.sql,
        "SELECT customer, CAST(from_unixtime(glulam_begin) AT TIME ZONE 'UTC' AS timestamp(3)) AS \"fromTimestamp\", \
         CAST(from_unixtime(glulam_begin + 300e0) AT TIME ZONE 'UTC' AS timestamp(3)) AS \"toTimestamp\", \
         min(amount) AS least, count(*) AS n, min_by(note, glulam_time) AS note, approx_percentile(amount, 0.95e0) AS p95 \
         FROM (SELECT *, placed AS glulam_time, floor(to_unixtime(placed) / 300e0) * 300e0 AS glulam_begin FROM orders) \
         AS glulam_rows GROUP BY customer, glulam_begin"
    );
    assert_eq!(
        columns,
        "customer integer, fromTimestamp timestamp(3), toTimestamp timestamp(3), least double, n bigint, note varchar, p95 double"
    );
    assert_eq!(made.rejects[0].condition, "placed IS NULL");
    assert!(made.accepted().contains("FROM accepted) AS glulam_rows"), "{}", made.accepted());
    let (sql, _) = query(&dynamic(
        "glulam_window",
        "orders",
        "timestamp: placed, size: 10 minutes, slide: 1 minute, aggregates: 'sum(amount)'",
    ));
    assert!(sql.contains("CROSS JOIN UNNEST(sequence(0, 9)) AS glulam_windows (glulam_back)"), "{sql}");
    assert!(sql.contains("- glulam_back * 60e0"), "{sql}");
}

#[test]
fn logs_are_parsed() {
    let text = "lines: {S3TextSource: {Name: l, Paths: ['s3://landing/logs/']}}
it: {DynamicTransform: {Name: it, Inputs: [lines], FunctionName: glulam_parse_log}}
t: {S3DirectTarget: {Name: t, Inputs: [it], Path: 's3://lake/t/', Format: json}}";
    let (_, parsed) = checked(text);
    assert!(parsed.errors.is_empty(), "{:?}", parsed.errors);
    let it = parsed.node("it").unwrap();
    let Some(Step::ParseLog(log)) = &it.step else { panic!() };
    assert_eq!(
        (log.pattern.clone(), log.column.as_str(), log.path_column.as_deref()),
        (LogPattern::AccessLog, "line", Some("$path"))
    );
    let columns: Vec<&str> = it.columns.as_ref().unwrap().names().collect();
    assert_eq!(
        columns,
        [
            "remote_addr",
            "remote_user",
            "time",
            "method",
            "path",
            "protocol",
            "status",
            "user_agent",
            "source",
            "target",
        ]
    );
    let grok = text.replace(
        "glulam_parse_log}",
        "glulam_parse_log, Parameters: {pattern: '%{WORD:verb} %{INT:status:int}', keepLine: true}}",
    );
    let (_, parsed) = checked(&grok);
    assert_eq!(
        parsed.node("it").unwrap().columns.as_ref().unwrap().to_string(),
        "status integer, verb varchar, line varchar"
    );
}

#[test]
fn sources_of_all_formats() {
    let spec = |node: &str| {
        let text = format!(
            "s: {{{node}}}\nt: {{S3DirectTarget: {{Name: t, Inputs: [s], Path: 's3://lake/t/', Format: orc}}}}"
        );
        let (_, checked) = checked(&text);
        assert!(checked.errors.is_empty(), "{text}: {:?}", checked.errors);
        checked.node("s").unwrap().step.clone().unwrap()
    };
    for (kind, format) in [
        ("Parquet", "parquet"),
        ("Avro", "avro"),
        ("Orc", "orc"),
        ("Text", "text"),
        ("Delta", "delta"),
        ("Json", "json"),
        ("Csv", "csv"),
    ] {
        let Step::Source(SourceSpec::Files(files)) =
            spec(&format!("S3{kind}Source: {{Name: s, Paths: ['s3://lake/in/'], Recurse: false}}"))
        else {
            panic!()
        };
        assert_eq!((files.format.name(), files.recurse), (format, false));
    }
    let csv = r#"S3CsvSource: {Name: s, Paths: ['s3://lake/a/', 's3://lake/b/'], Separator: pipe, QuoteChar: disabled, Escaper: '\', WithHeader: false,
        SkipFirst: true, Multiline: true, CompressionType: gzip, Exclusions: ['["**.tmp", "**.bak"]'], AdditionalOptions: {BoundedSize: 1000, BoundedFiles: 3},
        OutputSchemas: [{Columns: [{Name: id, Type: bigint}, {Name: tags, Type: 'array<string>'}]}]}"#;
    let Step::Source(SourceSpec::Files(files)) = spec(csv) else { panic!() };
    let FileFormat::Csv(format) = &files.format else { panic!() };
    assert_eq!(
        (format.separator, format.quote, format.escape, format.header),
        ('|', None, Some('\\'), false)
    );
    assert!(format.skip_first && format.multiline);
    assert_eq!(files.exclusions, ["**.tmp", "**.bak"]);
    assert_eq!((files.bounded_bytes, files.bounded_files), (Some(1000), Some(3)));
    assert_eq!(files.columns.unwrap().to_string(), "id bigint, tags array(varchar)");
    let Step::Source(SourceSpec::Table(table)) = spec(
        "S3CatalogSource: {Name: s, Database: shop, Table: orders, PartitionPredicate: '(year == 2020)', AdditionalOptions: {BoundedFiles: 5}}",
    ) else {
        panic!()
    };
    assert_eq!((table.predicate.as_deref(), table.bounded_files), (Some("(year = 2020)"), Some(5)));
}

#[test]
fn targets_of_all_kinds() {
    use jobgraph::{Destination, WriteMode};
    let target = |node: &str| {
        let text = format!(
            "s: {{CatalogSource: {{Name: s, Database: shop, Table: totals}}}}\nt: {{{}}}",
            node.replace("{", "{Name: t, Inputs: [s], ").replace("{Name: t, Inputs: [s], &", "{")
        );
        let (_, checked) = checked(&text);
        assert!(checked.errors.is_empty(), "{text}: {:?}", checked.errors);
        match checked.node("t").unwrap().step.clone() {
            Some(Step::Target(target)) => target,
            other => panic!("{other:?}"),
        }
    };
    for format in ["json", "csv", "avro", "orc", "parquet", "delta"] {
        let spec = target(&format!("S3DirectTarget: {{Path: 's3://lake/t/', Format: {format}}}"));
        assert_eq!(spec.format.unwrap().name(), format);
    }
    let table = Destination::Table { database: "shop".into(), table: "totals".into() };
    for kind in ["CatalogTarget", "S3CatalogTarget", "S3DeltaCatalogTarget"] {
        assert_eq!(target(&format!("{kind}: {{Database: shop, Table: totals}}")).destination, table);
    }
    let merge = target(
        "S3DeltaDirectTarget: {Path: 's3://lake/d/', Format: delta, Compression: snappy, AdditionalOptions: {&writeMode: merge, mergeKeys: [customer]}}",
    );
    assert_eq!(merge.mode, WriteMode::Merge { keys: vec!["customer".into()] });
    let grown = target(
        "S3CatalogTarget: {Database: shop, Table: totals, SchemaChangePolicy: {&EnableUpdateCatalog: true, UpdateBehavior: LOG}}",
    );
    assert!(!grown.update.unwrap().add_columns);
}
