//! The query protocol: a form comes in, XML goes out.

use crate::fault::Fault;
use crate::keys::{Caller, KeyRing};
use crate::signature::query_pairs;
use crate::sts::{self, Asked};
use chrono::{DateTime, Utc};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What an operation answers: the elements of its result, in order.
pub(crate) type Elements = Vec<(&'static str, Element)>;

/// What an element holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Element {
    Text(String),
    Group(Elements),
}

impl From<String> for Element {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// Answers a verified request.
pub(crate) fn answer(
    parts: &Parts,
    body: &[u8],
    caller: &Caller,
    keys: &KeyRing,
    now: DateTime<Utc>,
    id: &str,
) -> Response<s3s::Body> {
    let form = String::from_utf8_lossy(body);
    let pairs = query_pairs(parts.uri.query().unwrap_or_default()).chain(form_pairs(&form));
    let fields: BTreeMap<String, String> = pairs
        .map(|(name, value)| {
            (String::from_utf8_lossy(&name).into_owned(), String::from_utf8_lossy(&value).into_owned())
        })
        .collect();
    let action = fields.get("Action").cloned().unwrap_or_default();
    match sts::run(&action, &Asked::new(fields, caller, keys, now)) {
        Ok(elements) => write(&action, &elements, id),
        Err(fault) => write_fault(&fault, id),
    }
}

/// In forms a plus sign is a space.
fn form_pairs(form: &str) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    let spaced = form.replace('+', "%20");
    query_pairs(&spaced).collect::<Vec<_>>().into_iter()
}

fn write(action: &str, elements: &Elements, id: &str) -> Response<s3s::Body> {
    let mut xml = format!("<{action}Response xmlns=\"{}\"><{action}Result>", sts::NAMESPACE);
    write_elements(&mut xml, elements);
    let _ = write!(
        xml,
        "</{action}Result><ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></{action}Response>"
    );
    respond(StatusCode::OK, xml)
}

fn write_elements(xml: &mut String, elements: &Elements) {
    for (name, element) in elements {
        let _ = write!(xml, "<{name}>");
        match element {
            Element::Text(text) => xml.push_str(&escape(text)),
            Element::Group(inner) => write_elements(xml, inner),
        }
        let _ = write!(xml, "</{name}>");
    }
}

/// An error in this protocol.
pub(crate) fn write_fault(fault: &Fault, id: &str) -> Response<s3s::Body> {
    let whose = if fault.status.is_server_error() { "Receiver" } else { "Sender" };
    let xml = format!(
        "<ErrorResponse xmlns=\"{}\"><Error><Type>{whose}</Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>{id}</RequestId></ErrorResponse>",
        sts::NAMESPACE,
        escape(&fault.code),
        escape(&fault.message)
    );
    respond(fault.status, xml)
}

fn respond(status: StatusCode, xml: String) -> Response<s3s::Body> {
    let mut response = Response::new(s3s::Body::from(xml));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    response
}

/// A text within XML; signs that XML cannot hold are replaced.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(sign),
            sign if sign.is_control() => out.push('\u{FFFD}'),
            sign => out.push(sign),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_stand_in_elements() {
        let inner = vec![("A", "1 < 2".to_owned().into()), ("B", Element::Group(Vec::new()))];
        let mut xml = String::new();
        write_elements(&mut xml, &vec![("Outer", Element::Group(inner)), ("C", "&".to_owned().into())]);
        assert_eq!(xml, "<Outer><A>1 &lt; 2</A><B></B></Outer><C>&amp;</C>");
    }
}
