//! Folders in, tables out: every shape that a lake can have, in words.

use super::*;
use crate::classify::{BytesSource, Classifiers, Limits, Source};
use crate::sampling::{DEFAULT_FILES, choose};
use futures::executor::block_on;

const ORDERS: &str = "id,amount\n1,2.5\n2,3.5\n";
const MORE_ORDERS: &str = "id,amount,note\n1,2.5,x\n2,3.5,y\n";
const PEOPLE: &str = "name,city,age\nann,ulm,3\nbob,bonn,4\n";
const ORDERS_JSON: &str = "{\"id\":1,\"amount\":2.5}\n{\"id\":2,\"amount\":3.5}\n";

/// Plans what these files are, as a crawl would.
fn planned(files: &[(&str, &str)], rules: &Rules) -> Plan {
    let mut inventory = Inventory::default();
    for (path, text) in files {
        inventory.add(path, text.len() as u64);
    }
    let sampling = choose(&inventory, DEFAULT_FILES);
    let mut findings: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
    for pick in sampling.picks {
        let path =
            if pick.folder.is_empty() { pick.name.clone() } else { format!("{}/{}", pick.folder, pick.name) };
        let text = files.iter().find(|(known, _)| *known == path).unwrap().1;
        let source = BytesSource::new(format!("s3://lake/data/{path}"), text.to_owned());
        assert_eq!(source.size(), pick.size);
        let result = block_on(Classifiers::built_in().classify(&source, &Limits::default())).map(Arc::new);
        findings.entry(pick.folder).or_default().push(Finding { name: pick.name, size: pick.size, result });
    }
    let known = Known {
        root: "s3://lake/data/",
        root_name: "data",
        root_level: 2,
        single_file: false,
        inventory: &inventory,
        findings: &findings,
        families: &sampling.families,
    };
    plan(&known, rules)
}

/// A plan in short: `name[keys] location-under-root (values …)`.
fn shown(plan: &Plan) -> Vec<String> {
    plan.tables
        .iter()
        .map(|table| {
            let keys: Vec<String> =
                table.keys.iter().map(|key| format!("{} {}", key.name, key.hive_type)).collect();
            let values: Vec<String> = table.partitions.iter().map(|one| one.values.join("/")).collect();
            let location = table.location.strip_prefix("s3://lake/").unwrap();
            format!("{}[{}] {location} ({})", table.name, keys.join(", "), values.join(" "))
        })
        .collect()
}

fn problems(plan: &Plan) -> String {
    plan.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n")
}

fn check(files: &[(&str, &str)], tables: &[&str], problem_words: &[&str]) {
    let plan = planned(files, &Rules::default());
    assert_eq!(shown(&plan), tables, "{}", problems(&plan));
    assert_eq!(plan.problems.len(), problem_words.len(), "{}", problems(&plan));
    for word in problem_words {
        assert!(problems(&plan).contains(word), "{word} in {}", problems(&plan));
    }
}

#[test]
fn a_folder_of_like_files_is_a_table() {
    check(&[("orders/1.csv", ORDERS), ("orders/2.csv", ORDERS)], &["orders[] data/orders/ ()"], &[]);
    check(&[("1.csv", ORDERS), ("2.csv", MORE_ORDERS)], &["data[] data/ ()"], &[]);
}

#[test]
fn different_folders_are_different_tables() {
    check(
        &[("Orders-2/1.csv", ORDERS), ("people/1.csv", PEOPLE), ("x/y/people/1.csv", PEOPLE)],
        &["orders_2[] data/Orders-2/ ()", "people[] data/people/ ()", "people[] data/x/y/people/ ()"],
        &[],
    );
}

#[test]
fn keys_in_names_become_partitions() {
    check(
        &[
            ("t/year=2019/month=1/a.csv", ORDERS),
            ("t/year=2019/month=12/a.csv", MORE_ORDERS),
            ("t/year=2020/month=1/a.csv", ORDERS),
        ],
        &["t[year int, month int] data/t/ (2019/1 2019/12 2020/1)"],
        &[],
    );
}

#[test]
fn like_plain_folders_become_partitions() {
    check(
        &[("m/order-service/a.csv", ORDERS), ("m/user-service/a.csv", ORDERS), ("people/p.csv", PEOPLE)],
        &["m[partition_0 string] data/m/ (order-service user-service)", "people[] data/people/ ()"],
        &[],
    );
    check(
        &[("2020/01/01/a.csv", ORDERS), ("2020/01/02/a.csv", ORDERS)],
        &["data[partition_0 int, partition_1 string, partition_2 string] data/ (2020/01/01 2020/01/02)"],
        &[],
    );
}

#[test]
fn a_lone_folder_names_its_table() {
    check(&[("landing/orders/a.csv", ORDERS)], &["orders[] data/landing/orders/ ()"], &[]);
    check(&[("orders/2020/a.csv", ORDERS)], &["orders[partition_0 int] data/orders/ (2020)"], &[]);
}

#[test]
fn a_wrong_key_is_named_and_nothing_else_is_lost() {
    check(
        &[
            ("t/year=2019/a.csv", ORDERS),
            ("t/year=2020/a.csv", ORDERS),
            ("t/yeer=2021/a.csv", ORDERS),
            ("people/a.csv", PEOPLE),
        ],
        &["people[] data/people/ ()", "t[year int] data/t/ (2019 2020)"],
        &["s3://lake/data/t/yeer=2021/"],
    );
    // One against one: the first by name is taken, the other named.
    let plan = planned(&[("t/year=2019/a.csv", ORDERS), ("t/yeer=2020/a.csv", ORDERS)], &Rules::default());
    assert_eq!(shown(&plan), ["t[year int] data/t/ (2019)"]);
    assert!(problems(&plan).contains("did you mean `year=…`?"), "{}", problems(&plan));
    // A missing key, and a missing level.
    check(
        &[
            ("t/day=1/hour=1/a.csv", ORDERS),
            ("t/day=1/hour=2/a.csv", ORDERS),
            ("t/day=2/a.csv", ORDERS),
            ("t/day=3/7/a.csv", ORDERS),
        ],
        &["t[day int, hour int] data/t/ (1/1 1/2)"],
        &["data/t/day=2/", "data/t/day=3/7/"],
    );
    check(
        &[("t/day=1/a.csv", ORDERS), ("t/day=2/a.csv", ORDERS), ("t/3/a.csv", ORDERS)],
        &["t[day int] data/t/ (1 2)"],
        &["rename it to `day=3`"],
    );
}

#[test]
fn a_value_of_another_type_is_pointed_at() {
    let files: Vec<(String, &str)> =
        ["1", "2", "3", "4", "x5"].map(|n| (format!("t/day={n}/a.csv"), ORDERS)).into();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    check(&files, &["t[day string] data/t/ (1 2 3 4 x5)"], &["`x5` is no number"]);
}

#[test]
fn missing_values_and_twins() {
    check(
        &[("t/d=__HIVE_DEFAULT_PARTITION__/a.csv", ORDERS), ("t/d=1/a.csv", ORDERS), ("t/D=1/a.csv", ORDERS)],
        &["t[d int] data/t/ (1 __HIVE_DEFAULT_PARTITION__)"],
        &["two folders have the same partition values"],
    );
}

#[test]
fn a_folder_of_mixed_formats() {
    check(
        &[("m/a.csv", ORDERS), ("m/b.json", ORDERS_JSON), ("m/c.csv", PEOPLE), ("people/a.csv", PEOPLE)],
        &[
            "a_csv[] data/m/a.csv ()",
            "b_json[] data/m/b.json ()",
            "c_csv[] data/m/c.csv ()",
            "people[] data/people/ ()",
        ],
        &["a.csv is csv, b.json is json"],
    );
    check(
        &[("m/a.csv", ORDERS), ("m/c.csv", PEOPLE)],
        &["a_csv[] data/m/a.csv ()", "c_csv[] data/m/c.csv ()"],
        &[],
    );
    let plan = planned(
        &[("m/1.csv", ORDERS), ("m/2.csv", ORDERS), ("m/3.csv", ORDERS), ("m/odd.json", ORDERS_JSON)],
        &Rules::default(),
    );
    assert_eq!(shown(&plan), ["m[] data/m/ ()"]);
    assert_eq!(plan.tables[0].exclusions, ["s3://lake/data/m/odd.json"]);
    assert_eq!(plan.tables[0].files, 3);
    assert!(problems(&plan).contains("the object is json in a folder of csv"));
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_a_table() {
    check(
        &[
            ("t/a.csv", ORDERS),
            ("t/empty.csv.gz", ""),
            ("t/broken.parquet", "PAR1 nothing more"),
            ("u/\u{1}", "\u{1}\u{2}\u{3}\u{0}\u{1}\u{2}"),
        ],
        &["t[] data/t/ ()"],
        &["t/empty.csv.gz", "t/broken.parquet", "data/u/"],
    );
}

#[test]
fn partitions_of_another_format_keep_their_own() {
    let plan = planned(
        &[("t/d=1/a.csv", ORDERS), ("t/d=2/a.csv", ORDERS), ("t/d=3/a.json", ORDERS_JSON)],
        &Rules::default(),
    );
    assert_eq!(shown(&plan), ["t[d int] data/t/ (1 2 3)"]);
    let own: Vec<bool> = plan.tables[0].partitions.iter().map(|one| one.own.is_some()).collect();
    assert_eq!(own, [false, false, true]);
    assert!(problems(&plan).contains("holds json where the others hold csv"));
}

#[test]
fn files_beside_folders() {
    check(
        &[("t/d=1/a.csv", ORDERS), ("t/d=2/a.csv", ORDERS), ("t/stray.csv", ORDERS)],
        &["t[d int] data/t/ (1 2)"],
        &["data/t/stray.csv"],
    );
    // Like files here and beneath are one table; unlike ones two.
    check(&[("t/a.csv", ORDERS), ("t/old/a.csv", ORDERS)], &["t[] data/t/ ()"], &[]);
    check(
        &[("t/a.csv", ORDERS), ("t/b.csv", ORDERS), ("t/people/a.csv", PEOPLE)],
        &["people[] data/t/people/ ()", "t[] data/t/ ()"],
        &[],
    );
}

#[test]
fn grouping_level_and_single_schema() {
    let files = [("a/x/1.csv", ORDERS), ("a/y/1.csv", ORDERS), ("b/x/1.csv", ORDERS), ("b/y/1.csv", ORDERS)];
    let at = |level| Rules { table_level: Some(level), ..Rules::default() };
    assert_eq!(
        shown(&planned(&files, &Rules::default())),
        ["data[partition_0 string, partition_1 string] data/ (a/x a/y b/x b/y)"]
    );
    assert_eq!(
        shown(&planned(&files, &at(3))),
        ["a[partition_0 string] data/a/ (x y)", "b[partition_0 string] data/b/ (x y)"]
    );
    assert_eq!(shown(&planned(&files, &at(4))).len(), 4);
    // Alike in too few columns to be one table by themselves.
    let files = [("a/1.json", "{\"id\":1}\n"), ("b/1.json", "{\"id\":1,\"x\":2,\"y\":3,\"z\":4}\n")];
    assert_eq!(planned(&files, &Rules::default()).tables.len(), 2);
    let combine = Rules { combine_compatible: true, ..Rules::default() };
    assert_eq!(shown(&planned(&files, &combine)), ["data[partition_0 string] data/ (a b)"]);
}

#[test]
fn a_known_table_keeps_its_folder() {
    let known_tables = BTreeMap::from([("s3://lake/data/m/".to_owned(), vec!["service".to_owned()])]);
    let rules = Rules { known_tables, ..Rules::default() };
    let plan = planned(&[("m/order-service/a.csv", ORDERS)], &rules);
    assert_eq!(shown(&plan), ["m[partition_0 string] data/m/ (order-service)"]);
}

#[test]
fn a_key_that_is_a_column_too() {
    let json = planned(&[("t/id=1/a.json", ORDERS_JSON), ("t/id=2/a.json", ORDERS_JSON)], &Rules::default());
    assert_eq!(json.tables[0].found.schema.columns.len(), 1);
    assert!(json.tables[0].partitions.iter().all(|one| one.own.is_none()));
    let csv = planned(&[("t/id=1/a.csv", ORDERS), ("t/id=2/a.csv", ORDERS)], &Rules::default());
    assert_eq!(shown(&csv), ["t[partition_id int] data/t/ (1 2)"]);
}

#[test]
fn thousands_of_partitions_are_planned_from_a_few() {
    let files: Vec<(String, &str)> = (0..3000).map(|n| (format!("t/n={n}/a.csv"), ORDERS)).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let plan = planned(&files, &Rules::default());
    assert_eq!((plan.tables.len(), plan.tables[0].partitions.len(), plan.problems.len()), (1, 3000, 0));
    assert_eq!(plan.tables[0].files, 3000);
}
