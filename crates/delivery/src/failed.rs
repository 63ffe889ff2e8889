//! Records that could not be delivered: lines of JSON under the error prefix, as Firehose writes them. Nothing is lost: the
//! record stands in its line, as Base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// What failed; decides the folder and the line's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum FailedStep {
    /// Taking keys out of the record.
    Extraction,
    /// Converting it.
    Conversion,
}

impl FailedStep {
    /// What `!{firehose:error-output-type}` becomes.
    pub(crate) fn error_type(self) -> &'static str {
        match self {
            Self::Extraction => "metadata-extraction-failed",
            Self::Conversion => "format-conversion-failed",
        }
    }
}

/// A record that failed.
#[derive(Debug, Clone)]
pub(crate) struct Failed<'a> {
    pub(crate) step: FailedStep,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) arrived: DateTime<Utc>,
    pub(crate) sequence_number: String,
    pub(crate) data: &'a [u8],
}

impl Failed<'_> {
    /// Its line. `table` is the catalog's table that it should have fitted.
    pub(crate) fn line(&self, now: DateTime<Utc>, table: Option<&Value>) -> String {
        let mut line = match self.step {
            FailedStep::Extraction => json!({
                "attemptsMade": 1,
                "arrivalTimestamp": self.arrived.timestamp_millis(),
                "errorCode": self.code,
                "errorMessage": self.message,
                "attemptEndingTimestamp": now.timestamp_millis(),
                "rawData": STANDARD.encode(self.data),
            }),
            FailedStep::Conversion => json!({
                "attemptsMade": 1,
                "arrivalTimestamp": self.arrived.timestamp_millis(),
                "lastErrorCode": self.code,
                "lastErrorMessage": self.message,
                "attemptEndingTimestamp": now.timestamp_millis(),
                "rawData": STANDARD.encode(self.data),
                "sequenceNumber": self.sequence_number,
                "subSequenceNumber": null,
                "dataCatalogTable": table,
            }),
        }
        .to_string();
        line.push('\n');
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let time = |millis| DateTime::from_timestamp_millis(millis).unwrap();
        let failed = Failed {
            step: FailedStep::Extraction,
            code: "DynamicPartitioning.MetadataExtractionFailed",
            message: "Non JSON record provided".into(),
            arrived: time(1000),
            sequence_number: "49".into(),
            data: b"{\xff",
        };
        let line: Value = serde_json::from_str(&failed.line(time(2000), None)).unwrap();
        assert_eq!(
            line,
            json!({ "attemptsMade": 1, "arrivalTimestamp": 1000, "attemptEndingTimestamp": 2000, "rawData": "e/8=",
                    "errorCode": "DynamicPartitioning.MetadataExtractionFailed",
                    "errorMessage": "Non JSON record provided" })
        );
        let table = json!({ "tableName": "t" });
        let failed = Failed { step: FailedStep::Conversion, ..failed };
        let line: Value = serde_json::from_str(&failed.line(time(2000), Some(&table))).unwrap();
        assert_eq!(
            (&line["lastErrorMessage"], &line["sequenceNumber"]),
            (&json!("Non JSON record provided"), &json!("49"))
        );
        assert_eq!(line["dataCatalogTable"], table);
        assert_eq!(failed.step.error_type(), "format-conversion-failed");
    }
}
