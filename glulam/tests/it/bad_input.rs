//! Bad files among good ones: the bad ones are named, the good ones become tables.

use crate::home::Home;

#[test]
fn each_bad_file_is_named_and_hurts_nobody_else() {
    let home = Home::new();
    home.drop_file("raw", "good/a.csv", "name,age\nrex,3\nmia,4\n");
    home.drop_file("raw", "truncated/a.parquet", b"PAR1\x15\x04\x15\x10 then nothing");
    home.drop_file("raw", "empty-gzip/a.csv.gz", b"");
    home.drop_file(
        "raw",
        "binary/a.bin",
        (0..4000u32).flat_map(|n| (n.wrapping_mul(2_654_435_761)).to_le_bytes()).collect::<Vec<_>>(),
    );
    let finished = home.run(["crawl", "s3://raw/", "--database", "zoo"]);
    let text = format!("{}{}", finished.stdout, finished.stderr);
    assert_eq!(finished.code, Some(0), "{text}");
    for name in ["s3://raw/truncated/a.parquet", "s3://raw/empty-gzip/a.csv.gz", "s3://raw/binary/a.bin"] {
        assert!(text.contains(name), "{name} is not named in\n{text}");
    }
    assert!(!text.contains("panicked"));
    assert_eq!(home.tables(), ["zoo.good"]);
}

#[test]
fn ragged_rows_and_wrong_bytes_keep_the_table_and_are_reported() {
    let home = Home::new();
    let mut csv = b"id,name,price\n".to_vec();
    for n in 0..200 {
        csv.extend_from_slice(format!("{n},thing {n},{n}.5\n").as_bytes());
    }
    csv.extend_from_slice(b"200,\xff\xfe\xfd,1.5\n201,too,many,fields,here\n202\n");
    for n in 203..300 {
        csv.extend_from_slice(format!("{n},thing {n},{n}.5\n").as_bytes());
    }
    home.drop_file("raw", "things/a.csv", &csv);
    let said = home.succeed(["crawl", "s3://raw/", "--database", "shop"]);
    assert_eq!(home.columns("shop.things"), ["id int", "name string", "price double"]);
    assert!(said.contains("s3://raw/things/a.csv"), "{said}");
}

#[test]
fn a_partition_folder_with_a_wrong_key_is_named() {
    let home = Home::new();
    for (folder, rows) in [("year=2019", "1,2\n"), ("year=2020", "3,4\n"), ("yeer=2021", "5,6\n")] {
        home.drop_file("raw", &format!("sales/{folder}/a.csv"), format!("units,price\n{rows}{rows}"));
    }
    let said = home.succeed(["crawl", "s3://raw/sales/", "--database", "shop"]);
    assert!(said.contains("yeer=2021"), "{said}");
    let partitions = home.json(["partitions", "shop.sales", "--where", "year >= 2019"]);
    assert_eq!(partitions["partitions"].as_array().unwrap().len(), 2);
}

#[test]
fn a_folder_of_mixed_formats_names_what_does_not_fit() {
    let home = Home::new();
    home.drop_file("raw", "mix/a.csv", "name,age\nrex,3\nmia,4\n");
    home.drop_file("raw", "mix/b.csv", "name,age\nbo,5\nkim,6\n");
    home.drop_file("raw", "mix/c.json", "{\"colour\": \"red\", \"size\": {\"w\": 1}}\n");
    let said = home.succeed(["crawl", "s3://raw/", "--database", "zoo"]);
    assert!(said.contains("c.json"), "{said}");
}

#[test]
fn a_filter_with_a_mistake_points_at_it() {
    let home = Home::new();
    home.drop_file("raw", "sales/year=2020/a.csv", "units,price\n1,2\n3,4\n");
    home.succeed(["crawl", "s3://raw/sales/", "--database", "shop"]);
    let finished = home.run(["partitions", "shop.sales", "--where", "yaer = 2020"]);
    assert_eq!(finished.code, Some(2), "{}", finished.stderr);
    assert!(
        finished.stderr.contains("did you mean `year`") && finished.stderr.contains('^'),
        "{}",
        finished.stderr
    );
}
