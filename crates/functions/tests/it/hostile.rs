//! Whatever text comes: casts, literals and patterns answer or refuse, and what is written is read back the same.

use crate::harness::{eval, session, text};
use crate::value::{shown, typed};
use arrow::array::{Array, ArrayRef, StringViewArray};
use functions::cast::{OnError, cast};
use functions::scalar::datetime::{date_literal, time_literal, timestamp_literal, zone_name};
use proptest::prelude::*;
use sql::SqlType;
use std::sync::Arc;

const TYPES: [&str; 14] = [
    "boolean",
    "tinyint",
    "bigint",
    "real",
    "double",
    "decimal(38,10)",
    "decimal(3,3)",
    "date",
    "time(9)",
    "timestamp(3)",
    "timestamp(9)",
    "timestamp(6) Europe/Berlin",
    "uuid",
    "ipaddress",
];

fn tried(written: &str, to: &SqlType) -> ArrayRef {
    let texts: ArrayRef = Arc::new(StringViewArray::from(vec![written]));
    cast(&texts, &SqlType::VARCHAR, to, &session(), OnError::Null).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn no_text_is_too_strange(written in "[-+0-9eE:. TZa-c/äNIfy\u{0}]{0,40}") {
        for to in TYPES {
            let to = typed(to);
            let value = tried(&written, &to);
            if value.is_valid(0) {
                shown(&to, &value);
            }
        }
        let _ = (date_literal(&written), time_literal(&written), timestamp_literal(&written), zone_name(&written));
        for name in ["from_iso8601_timestamp", "from_iso8601_date", "from_iso8601_timestamp_nanos", "date"] {
            let _ = eval(name, &[text(&written)]);
        }
    }

    #[test]
    fn no_pattern_is_too_strange(written in "\\PC{0,20}", pattern in "[%A-Za-z' :-]{0,20}") {
        for name in ["date_parse", "parse_datetime"] {
            let _ = eval(name, &[text(&written), text(&pattern)]);
            let _ = eval(name, &[text(&pattern), text(&pattern)]);
        }
        let now = crate::value::value("timestamp(3) UTC", "2024-01-01");
        for name in ["date_format", "format_datetime"] {
            let _ = eval(name, &[now.clone(), text(&pattern)]);
        }
    }

    #[test]
    fn what_is_written_is_read_back(seconds in -60_000_000_000i64..250_000_000_000, millis in 0i64..1000) {
        let at = chrono::DateTime::from_timestamp_millis(seconds * 1000 + millis).unwrap();
        let written = at.format("%Y-%m-%d %H:%M:%S%.3f").to_string();
        let to = typed("timestamp(3)");
        let value = tried(&written, &to);
        prop_assert_eq!(shown(&to, &value), written.clone());
        let parsed = eval("parse_datetime", &[text(&written), text("yyyy-MM-dd HH:mm:ss.SSS")]).unwrap();
        prop_assert_eq!(shown(&to, &{ crate::value::local(&parsed.1) }), written);
    }

    #[test]
    fn doubles_are_read_back(bits in any::<u64>()) {
        let value = f64::from_bits(bits);
        prop_assume!(value.is_finite());
        let array: ArrayRef = Arc::new(arrow::array::Float64Array::from(vec![value]));
        for written in [
            shown(&SqlType::Double, &array),
            shown(&SqlType::VARCHAR, &cast(&array, &SqlType::Double, &SqlType::VARCHAR, &session(), OnError::Fail).unwrap()),
        ] {
            prop_assert_eq!(written.parse::<f64>().unwrap().to_bits(), bits, "{}", written);
        }
    }
}
