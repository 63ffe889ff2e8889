//! URL functions. A text is read as RFC 2396 has URIs, the way Java's `URI` does: what is not one gives NULL.

use super::Scalar;
use crate::{Call, Family};
use arrow::array::ArrayRef;
use arrow::datatypes::Int64Type;
use model::{Error, Result};

/// The URL functions.
pub const FAMILY: Family = Family { title: "URL functions", scalars: SCALARS, aggregates: &[] };

const PART: &[&str] = &["(varchar) -> varchar"];

const SCALARS: &[Scalar] = &[
    Scalar::new("url_extract_fragment", PART, |c| part(c, |u| decoded(u.fragment)), "What follows the `#`."),
    Scalar::new("url_extract_host", PART, |c| part(c, |u| u.host.to_owned()), "The host."),
    Scalar::new(
        "url_extract_parameter",
        &["(varchar, varchar) -> varchar"],
        parameter,
        "The first value of a parameter of the query.",
    ),
    Scalar::new("url_extract_path", PART, |c| part(c, |u| decoded(u.path)), "The path."),
    Scalar::new("url_extract_port", &["(varchar) -> bigint"], port, "The port, if one is given."),
    Scalar::new("url_extract_protocol", PART, |c| part(c, |u| u.scheme.to_owned()), "The protocol."),
    Scalar::new(
        "url_extract_query",
        PART,
        |c| part(c, |u| decoded(u.query.unwrap_or_default())),
        "What follows the `?`.",
    ),
    Scalar::new("url_encode", PART, encode, "Escapes a text for the query of a URL."),
    Scalar::new("url_decode", PART, decode, "Takes the escapes of a query away."),
];

/// The parts of a URI, as they stand in it; what is missing is empty.
#[derive(Debug, Default)]
struct Uri<'a> {
    scheme: &'a str,
    host: &'a str,
    port: Option<u32>,
    path: &'a str,
    query: Option<&'a str>,
    fragment: &'a str,
}

impl<'a> Uri<'a> {
    fn parse(text: &'a str) -> Option<Uri<'a>> {
        let mut uri = Uri::default();
        let rest = match text.split_once('#') {
            Some((rest, fragment)) => {
                uri.fragment = fragment;
                rest
            }
            None => text,
        };
        let rest = match scheme(rest)? {
            Some((scheme, rest)) => {
                uri.scheme = scheme;
                rest
            }
            None => rest,
        };
        if !uri.scheme.is_empty() && !rest.starts_with('/') {
            // An opaque URI (`mailto:a@b`) has no parts besides.
            return (!rest.is_empty() && legal(rest, "[]") && legal(uri.fragment, "[]")).then_some(uri);
        }
        let (hierarchy, query) = match rest.split_once('?') {
            Some((hierarchy, query)) => (hierarchy, Some(query)),
            None => (rest, None),
        };
        uri.query = query;
        uri.path = hierarchy;
        if let Some(after) = hierarchy.strip_prefix("//") {
            let (authority, path) = after.split_at(after.find('/').unwrap_or(after.len()));
            uri.path = path;
            uri.authority(authority)?;
            if authority.is_empty() && path.is_empty() {
                return None;
            }
        }
        let fits = legal(uri.path, "") && legal(query.unwrap_or_default(), "[]") && legal(uri.fragment, "[]");
        fits.then_some(uri)
    }

    /// `user@host:port`. What is no server is a registry's name: allowed, but without a host.
    fn authority(&mut self, authority: &'a str) -> Option<()> {
        if !legal(authority, "[]") {
            return None;
        }
        let server = authority.rsplit_once('@').map_or(authority, |(_, server)| server);
        let (host, port) = match server.rfind(']') {
            Some(end) => {
                let (host, rest) = server.split_at_checked(end + 1)?;
                (host, rest.strip_prefix(':').or(rest.is_empty().then_some(""))?)
            }
            None => server.split_once(':').unwrap_or((server, "")),
        };
        if host.starts_with('[') {
            let inside = host.strip_prefix('[')?.strip_suffix(']')?;
            let address = inside.split('%').next().unwrap_or(inside);
            address.parse::<std::net::Ipv6Addr>().ok()?;
        } else if host.contains(['[', ']']) {
            return None;
        }
        let port_fits = port.bytes().all(|b| b.is_ascii_digit());
        let number: Option<u32> = port.parse().ok().filter(|n| *n <= i32::MAX as u32);
        if is_host(host) && port_fits && (port.is_empty() || number.is_some()) {
            self.host = host;
            self.port = number;
        }
        Some(())
    }
}

/// The scheme and what follows its colon, nothing inside if there is none, nothing at all if it is not legal.
fn scheme(text: &str) -> Option<Option<(&str, &str)>> {
    let Some(end) = text.find([':', '/', '?']) else { return Some(None) };
    let (scheme, rest) = text.split_at(end);
    let Some(rest) = rest.strip_prefix(':') else { return Some(None) };
    let mut symbols = scheme.chars();
    let starts = symbols.next().is_some_and(|c| c.is_ascii_alphabetic());
    let goes_on = symbols.all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    (starts && goes_on).then_some(Some((scheme, rest)))
}

/// Whether every character may stand in a URI: RFC 2396's, whole escapes, and letters beyond ASCII.
fn legal(text: &str, also: &str) -> bool {
    let bytes = text.as_bytes();
    text.char_indices().all(|(at, c)| match c {
        '%' => bytes.get(at + 1..at + 3).is_some_and(|d| d.iter().all(u8::is_ascii_hexdigit)),
        'a'..='z' | 'A'..='Z' | '0'..='9' => true,
        '-' | '_' | '.' | '!' | '~' | '*' | '\'' | '(' | ')' => true,
        ';' | '/' | '?' | ':' | '@' | '&' | '=' | '+' | '$' | ',' => true,
        c if also.contains(c) => true,
        c => !c.is_ascii() && !c.is_control() && !c.is_whitespace(),
    })
}

/// Whether it is a name or an address of a server: labels of letters, digits and inner hyphens, the last one beginning
/// with a letter; or four numbers; or an address in brackets.
fn is_host(host: &str) -> bool {
    if host.starts_with('[') {
        return true;
    }
    if host.parse::<std::net::Ipv4Addr>().is_ok() {
        return true;
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let label = |l: &str| {
        !l.is_empty()
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.split('.').all(label) && last.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// Without its escapes; bytes that are no UTF-8 become the replacement character.
fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn part(call: &Call<'_>, take: fn(&Uri<'_>) -> String) -> Result<ArrayRef> {
    let text = call.strings(0)?;
    call.build_strings(|row, out| {
        let Some(uri) = text.get(row).and_then(Uri::parse) else { return Ok(false) };
        out.push_str(&take(&uri));
        Ok(true)
    })
}

fn port(call: &Call<'_>) -> Result<ArrayRef> {
    let text = call.strings(0)?;
    call.build::<Int64Type>(|row| Ok(text.get(row).and_then(Uri::parse).and_then(|u| u.port).map(i64::from)))
}

fn parameter(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, name) = (call.strings(0)?, call.strings(1)?);
    call.build_strings(|row, out| {
        let (Some(uri), Some(name)) = (text.get(row).and_then(Uri::parse), name.get(row)) else {
            return Ok(false);
        };
        for argument in uri.query.into_iter().flat_map(|q| q.split('&')) {
            let (key, value) = argument.split_once('=').unwrap_or((argument, ""));
            if key == name {
                unescape(call.name, value, out)?;
                return Ok(true);
            }
        }
        Ok(false)
    })
}

fn encode(call: &Call<'_>) -> Result<ArrayRef> {
    let text = call.strings(0)?;
    call.build_strings(|row, out| {
        for byte in text.get(row).unwrap_or_default().bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => {
                    out.push(char::from(byte));
                }
                b' ' => out.push('+'),
                _ => out.push_str(percent_encoding::percent_encode_byte(byte)),
            }
        }
        Ok(true)
    })
}

fn decode(call: &Call<'_>) -> Result<ArrayRef> {
    let text = call.strings(0)?;
    call.build_strings(|row, out| {
        unescape(call.name, text.get(row).unwrap_or_default(), out)?;
        Ok(true)
    })
}

/// Takes away the escapes of a form: `+` is a blank.
fn unescape(name: &str, text: &str, out: &mut String) -> Result<()> {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        plain.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut one = [0u8];
                let digits = bytes.get(at..at + 2).unwrap_or_default();
                if hex::decode_to_slice(digits, &mut one).is_err() {
                    return Err(Error::invalid(format!(
                        "{name} cannot read the escape at byte {at} of its argument"
                    ))
                    .why("a % is followed by two hexadecimal digits"));
                }
                at += 2;
                one[0]
            }
            other => *other,
        });
    }
    out.push_str(&String::from_utf8_lossy(&plain));
    Ok(())
}
