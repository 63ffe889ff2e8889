//! An application's code: a script in the request or in an object. Jars and archives are refused.

use super::Analytics;
use crate::json::{Answered, Call, Failed};
use model::{Error, LakeUri, Result};
use serde_json::{Value, json};

/// The largest script.
const MAX_SCRIPT: u64 = 1 << 20;

/// A script, and where it was read from.
pub(super) struct Code {
    pub(super) script: String,
    pub(super) source_name: String,
    pub(super) location: Option<Value>,
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

fn no_archive(what: &str) -> Error {
    Error::unsupported(format!("{what} is not supported here: programs for the Java machine are not run"))
        .hint("give Flink SQL: as CodeContent.TextContent, or as an object whose name ends in .sql")
}

impl Analytics {
    /// The script that an application's code configuration means, or the change of one.
    pub(super) async fn code(&self, call: &Call, value: &Value, is_update: bool) -> Answered<Code> {
        let name = |plain: &str| if is_update { format!("{plain}Update") } else { plain.to_owned() };
        match text(value, &name("CodeContentType")) {
            Some("PLAINTEXT" | "ZIPFILE") => {}
            None if is_update => {}
            other => {
                return Err(Error::invalid(format!(
                    "CodeContentType must be PLAINTEXT or ZIPFILE, not `{}`",
                    other.unwrap_or_default()
                ))
                .into());
            }
        }
        let missing = || Error::invalid("the application has no code").hint("give CodeContent.TextContent");
        let content = value.get(name("CodeContent")).ok_or_else(missing)?;
        if content.get(name("ZipFileContent")).is_some_and(|zip| !zip.is_null()) {
            return Err(no_archive("ZipFileContent").into());
        }
        let script = text(content, &name("TextContent"));
        let place = content.get(name("S3ContentLocation")).filter(|place| !place.is_null());
        match (script, place) {
            (Some(script), None) => {
                Ok(Code { script: script.to_owned(), source_name: "TextContent".to_owned(), location: None })
            }
            (None, Some(place)) => self.fetched(call, place, is_update).await,
            (Some(_), Some(_)) => {
                Err(Error::invalid("TextContent and S3ContentLocation cannot be given together").into())
            }
            (None, None) => Err(missing().into()),
        }
    }

    async fn fetched(&self, call: &Call, place: &Value, is_update: bool) -> Answered<Code> {
        let member = |plain: &str| {
            let name = if is_update { format!("{plain}Update") } else { plain.to_owned() };
            text(place, &name)
                .map(str::to_owned)
                .ok_or_else(|| Error::invalid(format!("S3ContentLocation has no {name}")))
        };
        let (bucket_arn, key) = (member("BucketARN")?, member("FileKey")?);
        if member("ObjectVersion").is_ok() {
            return Err(Error::unsupported("S3ContentLocation.ObjectVersion is not supported here").into());
        }
        let bucket = bucket_arn
            .strip_prefix("arn:aws:s3:::")
            .ok_or_else(|| Error::invalid(format!("`{bucket_arn}` is no ARN of a bucket")))?;
        let ending = key.rsplit('.').next().unwrap_or_default().to_lowercase();
        if ["jar", "zip"].contains(&ending.as_str()) {
            return Err(no_archive(&format!("the file `{key}`")).into());
        }
        call.may("s3:GetObject", &format!("{bucket_arn}/{key}"))?;
        let uri: LakeUri = format!("s3://{bucket}/{key}").parse()?;
        let unread = |error: Error| Failed::coded("InvalidArgumentException", error.context("the code"));
        let script = self.script(&uri).await.map_err(unread)?;
        let location = json!({ "BucketARN": bucket_arn, "FileKey": key });
        Ok(Code { script, source_name: uri.to_string(), location: Some(location) })
    }

    async fn script(&self, uri: &LakeUri) -> Result<String> {
        let size = self.lake.head(uri).await?.size;
        if size > MAX_SCRIPT {
            return Err(Error::invalid(format!("{uri} has {size} bytes: a script has at most {MAX_SCRIPT}")));
        }
        let bytes = self.lake.read(uri).await?;
        if bytes.starts_with(b"PK\x03\x04") {
            return Err(no_archive(&format!("the archive {uri}")));
        }
        String::from_utf8(bytes.to_vec())
            .map_err(|e| Error::invalid(format!("{uri} is no text in UTF-8")).source_is(e))
    }

    /// Refuses a script with mistakes; all of them are told.
    pub(super) async fn check_script(&self, code: &Code) -> Answered<()> {
        let mistakes = self.apps.check(&code.script, &code.source_name).await;
        let Some(first) = mistakes.first() else { return Ok(()) };
        let all: Vec<String> = mistakes.iter().map(crate::fault::sentence).collect();
        let error = match mistakes.len() {
            1 => first.clone(),
            many => Error::invalid(format!("the script has {many} mistakes")).why(all.join("; ")),
        };
        Err(Failed::coded("CodeValidationException", error))
    }
}
