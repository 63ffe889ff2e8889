//! What is done to records on their way: the processors, checked.

use super::Processing;
use super::compiled::Splitting;
use crate::query::Query;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{Error, Result};

/// The steps of a processing configuration.
#[derive(Default)]
pub(super) struct Steps {
    pub(super) query: Option<Query>,
    pub(super) splitting: Option<Splitting>,
    pub(super) delimiter: Vec<u8>,
}

impl Steps {
    pub(super) fn read(processing: Option<&Processing>) -> Result<Self> {
        let mut steps = Self::default();
        let Some(processing) = processing.filter(|processing| processing.enabled) else { return Ok(steps) };
        for (at, processor) in processing.processors.iter().enumerate() {
            let kind = processor.r#type.as_str();
            if processing.processors.iter().take(at).any(|before| before.r#type == kind) {
                return Err(Error::invalid(format!("the processor {kind} is given twice")));
            }
            let parameter = |name: &str| {
                let found = processor.parameters.iter().find(|p| p.parameter_name == name);
                found.map(|p| p.parameter_value.as_str())
            };
            let known: &[&str] = match kind {
                "MetadataExtraction" => &["MetadataExtractionQuery", "JsonParsingEngine"],
                "RecordDeAggregation" => &["SubRecordType", "Delimiter"],
                "AppendDelimiterToRecord" => &["Delimiter"],
                _ => &[],
            };
            match kind {
                "MetadataExtraction" => steps.query = Some(query(parameter)?),
                "RecordDeAggregation" => steps.splitting = Some(splitting(parameter)?),
                "AppendDelimiterToRecord" => {
                    steps.delimiter = parameter("Delimiter").map_or_else(|| b"\n".to_vec(), unescaped);
                }
                "Lambda" | "Decompression" | "CloudWatchLogProcessing" => {
                    return Err(
                        Error::unsupported(format!("the processor {kind} is not supported")).hint(SUPPORTED)
                    );
                }
                _ => return Err(Error::invalid(format!("there is no processor {kind}")).hint(SUPPORTED)),
            }
            if let Some(other) =
                processor.parameters.iter().find(|p| !known.contains(&p.parameter_name.as_str()))
            {
                return Err(Error::invalid(format!(
                    "the processor {kind} has no parameter {}",
                    other.parameter_name
                ))
                .hint(format!("it has {}", known.join(", "))));
            }
        }
        Ok(steps)
    }
}

const SUPPORTED: &str = "supported are MetadataExtraction, RecordDeAggregation and AppendDelimiterToRecord";

fn query<'a>(parameter: impl Fn(&str) -> Option<&'a str>) -> Result<Query> {
    match parameter("JsonParsingEngine") {
        Some("JQ-1.6") => {}
        Some(other) => {
            return Err(Error::invalid(format!("there is no JsonParsingEngine {other}")).hint("write JQ-1.6"));
        }
        None => {
            return Err(Error::invalid("MetadataExtraction needs a JsonParsingEngine").hint("write JQ-1.6"));
        }
    }
    match parameter("MetadataExtractionQuery") {
        Some(text) => Query::parse(text),
        None => Err(Error::invalid("MetadataExtraction needs a MetadataExtractionQuery")
            .hint("such as {customer: .customer_id}")),
    }
}

fn splitting<'a>(parameter: impl Fn(&str) -> Option<&'a str>) -> Result<Splitting> {
    match (parameter("SubRecordType"), parameter("Delimiter")) {
        (Some("JSON"), _) => Ok(Splitting::Json),
        (Some("DELIMITED"), Some(text)) => match STANDARD.decode(text) {
            Ok(bytes) if !bytes.is_empty() => Ok(Splitting::Delimited(bytes)),
            _ => Err(Error::invalid(format!("the Delimiter `{text}` is no Base64"))
                .hint("the delimiter #### is written IyMjIw==")),
        },
        (Some("DELIMITED"), None) => Err(Error::invalid("the SubRecordType DELIMITED needs a Delimiter")
            .hint("write it as Base64: #### is IyMjIw==")),
        (Some(other), _) => {
            Err(Error::invalid(format!("there is no SubRecordType {other}")).hint("write JSON or DELIMITED"))
        }
        (None, _) => {
            Err(Error::invalid("RecordDeAggregation needs a SubRecordType").hint("write JSON or DELIMITED"))
        }
    }
}

/// Escapes as people write them: `\n`, `\t`, `\r`, `\\`.
fn unescaped(text: &str) -> Vec<u8> {
    let (mut out, mut signs) = (String::new(), text.chars());
    while let Some(sign) = signs.next() {
        match (sign, if sign == '\\' { signs.next() } else { None }) {
            ('\\', Some('n')) => out.push('\n'),
            ('\\', Some('t')) => out.push('\t'),
            ('\\', Some('r')) => out.push('\r'),
            ('\\', Some('\\')) => out.push('\\'),
            (_, Some(other)) => out.extend(['\\', other]),
            (other, None) => out.push(other),
        }
    }
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters() {
        for (text, bytes) in
            [(r"\n", &b"\n"[..]), ("\n", b"\n"), (r"\\n", br"\n"), ("||", b"||"), (r"\x", br"\x")]
        {
            assert_eq!(unescaped(text), bytes, "{text}");
        }
    }
}
