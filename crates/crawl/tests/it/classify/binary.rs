//! Parquet, Avro and ORC: every type of theirs as a Hive type, and the table facts.

use super::{classify, classify_fixture, columns};

#[test]
fn parquet_types() {
    let found = classify_fixture("types.parquet").unwrap();
    assert_eq!(
        columns(&found),
        [
            "b boolean",
            "i8 tinyint",
            "i16 smallint",
            "i32 int",
            "i64 bigint",
            "u8 smallint",
            "u16 int",
            "u32 bigint",
            "u64 decimal(20,0)",
            "f32 float",
            "f64 double",
            "s string",
            "bin binary",
            "fixed binary",
            "d date",
            "t bigint",
            "ts_ms timestamp",
            "ts_ns timestamp",
            "ts_utc timestamp",
            "dec9 decimal(9,2)",
            "dec18 decimal(18,4)",
            "dec38 decimal(38,10)",
            "list array<int>",
            "nested array<array<string>>",
            "map map<string,double>",
            "struct struct<x:int,y:struct<z:string>>",
            "structs array<struct<id:bigint>>",
        ]
    );
    assert_eq!(found.rows, Some(0));
    assert!(found.notes.iter().any(|note| note.contains("`t`")), "{:?}", found.notes);
    assert!(found.notes.iter().any(|note| note.contains("`ts_utc`")), "{:?}", found.notes);
}

#[test]
fn parquet_facts() {
    let found = classify_fixture("rows.parquet").unwrap();
    assert_eq!(found.classification, "parquet");
    assert_eq!(found.rows, Some(3));
    assert_eq!(found.compression, None);
    assert_eq!(found.serde_library, "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe");
    assert_eq!(found.input_format, "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat");
    assert_eq!(found.table_parameters["typeOfData"], "file");
    assert_eq!(columns(&found), ["id bigint", "name string"]);
}

#[test]
fn parquet_of_old_writers() {
    assert_eq!(columns(&classify_fixture("int96.parquet").unwrap()), ["at timestamp"]);
    assert_eq!(columns(&classify_fixture("old_list.parquet").unwrap()), ["items array<int>"]);
}

#[test]
fn a_parquet_footer_larger_than_the_first_read() {
    let file = wide_parquet(4000);
    assert!(file.len() > 100_000);
    let found = classify("wide.parquet", file).unwrap();
    assert_eq!(found.schema.columns.len(), 4000);
    assert_eq!(found.rows, Some(7));
    assert_eq!(columns(&found)[3999], "a_rather_long_column_name_3999 bigint");
}

/// A Parquet file of many columns without rows groups: a schema list of root and leaves, and a row count.
pub(super) fn wide_parquet(width: usize) -> Vec<u8> {
    let mut footer = vec![0x15, 0x02, 0x19, 0xfc];
    varint(&mut footer, width as u64 + 1);
    footer.extend([0x48, 0x04]);
    footer.extend(b"root");
    footer.push(0x15);
    varint(&mut footer, width as u64 * 2);
    footer.push(0);
    for n in 0..width {
        let name = format!("a_rather_long_column_name_{n:04}");
        footer.extend([0x15, 0x04, 0x25, 0x02, 0x18]);
        varint(&mut footer, name.len() as u64);
        footer.extend(name.as_bytes());
        footer.push(0);
    }
    footer.extend([0x16, 14, 0x19, 0x0c, 0x00]);
    let mut file = b"PAR1".to_vec();
    file.extend(&footer);
    file.extend((footer.len() as u32).to_le_bytes());
    file.extend(b"PAR1");
    file
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[test]
fn avro_types_and_facts() {
    let found = classify_fixture("types.avro").unwrap();
    assert_eq!(
        columns(&found),
        [
            "b boolean",
            "i int",
            "l bigint",
            "f float",
            "d double",
            "s string",
            "raw binary",
            "day date",
            "at timestamp",
            "clock bigint",
            "price decimal(12,3)",
            "level string",
            "hash binary",
            "tags array<string>",
            "counts map<string,bigint>",
            "point struct<x:double,y:double>",
            "other_point struct<x:double,y:double>",
            "either uniontype<string,bigint>",
            "id string",
        ]
    );
    assert_eq!(found.classification, "avro");
    assert_eq!(found.serde_library, "org.apache.hadoop.hive.serde2.avro.AvroSerDe");
    assert!(found.serde_parameters["avro.schema.literal"].contains("\"Reading\""));
}

#[test]
fn avro_that_is_no_table() {
    let error = classify_fixture("recursive.avro").unwrap_err();
    assert!(error.to_string().contains("contains itself"), "{error}");
    let error = classify_fixture("longs.avro").unwrap_err();
    assert!(error.to_string().contains("bigint values, not records"), "{error}");
}

#[test]
fn an_avro_schema_that_multiplies_is_refused() {
    let mut fields = String::from(
        r#"{"name":"f0","type":{"type":"record","name":"T0","fields":[{"name":"x","type":"int"}]}}"#,
    );
    for n in 1..40 {
        let inner = n - 1;
        fields.push_str(&format!(
            r#",{{"name":"f{n}","type":{{"type":"record","name":"T{n}","fields":[{{"name":"a","type":"T{inner}"}},{{"name":"b","type":"T{inner}"}}]}}}}"#
        ));
    }
    let schema = format!(r#"{{"type":"record","name":"R","fields":[{fields}]}}"#);
    let mut file = b"Obj\x01\x02".to_vec();
    for text in ["avro.schema", &schema] {
        varint(&mut file, text.len() as u64 * 2);
        file.extend(text.as_bytes());
    }
    file.extend([0; 17]);
    let error = classify("bomb.avro", file).unwrap_err();
    assert!(error.diagnosis().to_string().contains("too deep or too large"), "{error:?}");
}

#[test]
fn orc_types_under_each_compression() {
    for name in ["types_none.orc", "types_zlib.orc", "types_snappy.orc", "types_zstd.orc"] {
        let found = classify_fixture(name).unwrap();
        assert_eq!(
            columns(&found),
            [
                "b boolean",
                "t tinyint",
                "s smallint",
                "i int",
                "l bigint",
                "f float",
                "d double",
                "str string",
                "bin binary",
                "ts timestamp",
                "day date",
                "price decimal(10,2)",
                "v varchar(20)",
                "c char(3)",
                "a array<int>",
                "m map<string,bigint>",
                "p struct<x:double,y:array<string>>",
            ],
            "{name}"
        );
        assert_eq!(found.rows, Some(3), "{name}");
        assert_eq!(found.serde_library, "org.apache.hadoop.hive.ql.io.orc.OrcSerde");
    }
    assert_eq!(columns(&classify_fixture("lz4.orc").unwrap()), ["id bigint"]);
}
