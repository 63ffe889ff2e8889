//! No bytes panic, and tables written by a reference writer are inferred back.

use super::{classify, classify_fixture, columns, fixture};
use proptest::prelude::*;

/// A cell type with a way to write random values of it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Cell {
    Int,
    Double,
    Boolean,
    Date,
    Timestamp,
    Text,
}

impl Cell {
    fn hive(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Double => "double",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::Text => "string",
        }
    }

    fn write(self, seed: u32) -> String {
        let day = format!("20{:02}-{:02}-{:02}", seed % 40, seed % 12 + 1, seed % 28 + 1);
        match self {
            Self::Int => (i64::from(seed) - 1_000_000).to_string(),
            Self::Double => format!("{}.{}", seed % 1000, seed % 97),
            Self::Boolean => seed.is_multiple_of(2).to_string(),
            Self::Date => day,
            Self::Timestamp => format!("{day} {:02}:{:02}:07", seed % 24, seed % 60),
            Self::Text => ["it's, so", "a \"quoted\" word", "two\nlines", "plain", " spaced ", "|;\t"]
                [seed as usize % 6]
                .to_owned(),
        }
    }
}

fn any_cell() -> impl Strategy<Value = Cell> {
    prop::sample::select(vec![
        Cell::Int,
        Cell::Double,
        Cell::Boolean,
        Cell::Date,
        Cell::Timestamp,
        Cell::Text,
    ])
}

/// The reference writer: it quotes what must be quoted, or everything.
fn quote(cell: &str, delimiter: char, always: bool) -> String {
    if always || cell.contains([delimiter, '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn written_tables_are_inferred_back(
        types in prop::collection::vec(any_cell(), 2..7),
        seeds in prop::collection::vec(0u32..2_000_000, 42),
        rows in 3usize..7,
        delimiter in prop::sample::select(vec![',', ';', '|', '\t']),
        ending in prop::sample::select(vec!["\n", "\r\n"]),
        always in any::<bool>(),
    ) {
        prop_assume!(types.iter().any(|one| *one != Cell::Text));
        let line = |cells: Vec<String>| {
            let cells: Vec<String> = cells.iter().map(|cell| quote(cell, delimiter, always)).collect();
            cells.join(&delimiter.to_string()) + ending
        };
        let names: Vec<String> = (0..types.len()).map(|n| format!("column_{}", char::from(b'a' + n as u8))).collect();
        let mut text = line(names.clone());
        for row in 0..rows {
            text += &line(types.iter().enumerate().map(|(n, cell)| cell.write(seeds[row * 6 + n])).collect());
        }
        let found = classify("t.csv", text).unwrap();
        let expected: Vec<String> =
            names.iter().zip(&types).map(|(name, cell)| format!("{name} {}", cell.hive())).collect();
        prop_assert_eq!(columns(&found), expected);
        prop_assert_eq!(&found.table_parameters["delimiter"], &delimiter.to_string());
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = classify("any.bin", bytes);
    }

    #[test]
    fn no_text_panics(text in "([a-z0-9\"',;|<>/={}\\[\\]:é\\n\\r\\t -]{0,12}(\",|\\{\"a\":|<a>|</a>|\\n)){0,12}") {
        let _ = classify("any.csv", text.clone());
        let _ = classify("any", text);
    }

    #[test]
    fn no_damage_panics(
        name in prop::sample::select(vec![
            "types.parquet", "rows.parquet", "types.avro", "types_zlib.orc", "types_none.orc", "types_snappy.orc",
            "types_zstd.orc", "lz4.orc", "orders.csv.gz", "orders.csv.zst", "orders.csv.bz2", "orders.csv.sz",
            "orders.csv.snappy", "orders.csv.lz4", "pandas_records.json",
        ]),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut bytes = fixture(name);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = classify(name, bytes);
    }
}

#[test]
fn every_cut_of_a_columnar_file_is_diagnosed() {
    for name in ["rows.parquet", "types_zlib.orc"] {
        let whole = fixture(name);
        classify_fixture(name).unwrap();
        for length in 0..whole.len() {
            let error = classify(name, &whole[..length]).unwrap_err();
            assert!(error.place().is_some(), "{name} cut at {length}");
        }
    }
}
