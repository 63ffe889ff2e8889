//! What is no table gets a diagnosis that names the object, says why and what to do.

use super::{classify, classify_fixture, fixture};
use model::{Error, Place};

/// Whether the error is placed at that object, says `expected`, and tells what to do.
fn assert_diagnosed(error: &Error, name: &str, expected: &str) {
    let diagnosis = error.diagnosis();
    let text = diagnosis.to_string();
    match &diagnosis.place {
        Some(Place::Object { uri, .. }) => assert_eq!(uri, &format!("s3://lake/{name}"), "{text}"),
        other => panic!("no object is named but {other:?}: {text}"),
    }
    assert!(text.contains(expected), "`{expected}` is not in: {text}");
    assert!(!diagnosis.hints.is_empty(), "no hint: {text}");
    assert!(text.lines().count() <= 10, "{text}");
}

#[test]
fn broken_objects_are_named() {
    for (name, expected) in [
        ("truncated.parquet", "the Parquet file has no footer"),
        ("empty.csv.gz", "gzip stream is empty"),
        ("corrupt.csv.zst", "broken zstd stream"),
        ("cut.csv.gz", "ends in the middle of its gzip stream"),
    ] {
        assert_diagnosed(&classify_fixture(name).unwrap_err(), name, expected);
    }
}

#[test]
fn bytes_that_are_no_table_are_named() {
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    let junk: Vec<u8> = (0..5000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let utf16: Vec<u8> = "\u{feff}a,b\n1,2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (name, bytes, expected) in [
        ("nothing.csv", Vec::new(), "the object is empty"),
        ("zero.csv.gz", Vec::new(), "the object is empty"),
        ("blank.csv", b" \n\r\n\t\n".to_vec(), "nothing but white space"),
        ("report.pdf", b"%PDF-1.7\n%\xe2\xe3".to_vec(), "a PDF document"),
        ("picture.png", png, "a PNG image"),
        ("book.xlsx", b"PK\x03\x04\x14\0\x06\0".to_vec(), "a ZIP archive"),
        ("junk.bin", junk, "binary and of no known format"),
        ("wide.csv", utf16, "UTF-16"),
        ("short.parquet", b"PAR1PAR1".to_vec(), "has no footer"),
        ("lies.parquet", b"PAR1\xff\xff\xff\x7fPAR1".to_vec(), "Parquet footer is broken"),
        ("cut.avro", b"Obj\x01\x04\x16avro".to_vec(), "header is cut short"),
        ("cut.orc", b"ORC\0\x01\x02\x03".to_vec(), "ORC footer is broken"),
        ("page.html", b"<!DOCTYPE html><html><body>404</body></html>".to_vec(), "an HTML page"),
        ("broken.json", b"{\"a\": 1,\n\"b\": [1, 2\n".to_vec(), "cut short"),
        ("broken.xml", b"<?xml version=\"1.0\"?>\n<r><x>1</x>\n<y></z></r>".to_vec(), "not well-formed"),
        ("empty.json", b"{}\n{}\n".to_vec(), "no fields"),
        (
            "prose.txt",
            b"Once upon a time there was a lake.\nIt was calm.\n".to_vec(),
            "no classifier recognises",
        ),
    ] {
        assert_diagnosed(&classify(name, bytes).unwrap_err(), name, expected);
    }
}

#[test]
fn a_parquet_file_inside_gzip_is_refused() {
    use std::io::Write;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&fixture("rows.parquet")).unwrap();
    let error = classify("rows.parquet.gz", gzip.finish().unwrap()).unwrap_err();
    assert_diagnosed(&error, "rows.parquet.gz", "a Parquet file inside gzip");
}

#[test]
fn ragged_rows_and_wrong_bytes() {
    let bytes = b"id,name,city\n1,Zo\xeb,Oslo\n2,Ann\n3,Ben,Rome,Italy\n4,Cem,Paris\n".to_vec();
    let error = classify("people.csv", bytes).unwrap_err();
    assert_diagnosed(&error, "people.csv", "row 3 has 2 fields, most rows have 3");
    assert!(matches!(error.place(), Some(Place::Object { row: Some(3), .. })));
}

#[test]
fn a_few_ragged_rows_are_noted() {
    let mut text = String::from("id,name,city\n");
    for n in 0..50 {
        text.push_str(if n == 20 { "20,only two\n" } else { "7,name,city\n" });
    }
    let found = classify("people.csv", text).unwrap();
    assert!(
        found.notes.iter().any(|note| note.contains("1 of 51") && note.contains("row 22")),
        "{:?}",
        found.notes
    );
    assert!(found.confidence < 1.0);
}

#[test]
fn most_lines_broken_names_the_row() {
    let error = classify("events.json", "{\"a\":1}\nnonsense\n{\"a\":\n").unwrap_err();
    assert_diagnosed(&error, "events.json", "begins as JSON");
    assert!(matches!(error.place(), Some(Place::Object { row: Some(2), .. })), "{error:?}");
}

#[test]
fn more_columns_than_allowed_are_refused() {
    let header: Vec<String> = (0..6000).map(|n| format!("c{n}")).collect();
    let text = format!("{}\n{}\n", header.join(","), vec!["1"; 6000].join(","));
    assert_diagnosed(&classify("wide.csv", text).unwrap_err(), "wide.csv", "more than the 5000");
}
