//! Where a signal goes and how: the variables that hold for traces and metrics each, and for both where a signal has none
//! of its own.

use super::{Variables, lists::pairs, wrong};
use crate::tls::Tls;
use chrono::Duration;
use http::{HeaderMap, HeaderName, HeaderValue};
use model::{Error, Result};
use std::fmt;
use std::path::PathBuf;
use url::{Host, Url};

/// Where OpenTelemetry's collectors listen.
const DEFAULT: &str = "http://localhost:4318";
/// What may be said for both signals or for each.
const OF_SIGNALS: &[&str] = &[
    "ENDPOINT",
    "HEADERS",
    "PROTOCOL",
    "TIMEOUT",
    "COMPRESSION",
    "CERTIFICATE",
    "CLIENT_CERTIFICATE",
    "CLIENT_KEY",
];

/// How a request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Protobuf,
    Json,
}

/// The parts of an endpoint's URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) is_https: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Path and query.
    pub(crate) path: String,
    url: String,
}

impl Address {
    /// Host and port as the header `Host` has them.
    pub(crate) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let default = if self.is_https { 443 } else { 80 };
        if self.port == default { host } else { format!("{host}:{}", self.port) }
    }

    /// The URL without path.
    pub(crate) fn origin(&self) -> String {
        format!("{}://{}", if self.is_https { "https" } else { "http" }, self.authority())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

/// Where a signal goes, and how.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) address: Address,
    pub(crate) headers: HeaderMap,
    pub(crate) protocol: Protocol,
    /// How long a request may take.
    pub(crate) timeout: Duration,
    pub(crate) gzip: bool,
    pub(crate) tls: Tls,
}

/// Whether a variable, less `OTEL_`, is one of these.
pub(super) fn is_known(name: &str) -> bool {
    let Some(name) = name.strip_prefix("EXPORTER_OTLP_") else { return false };
    let name = name.strip_prefix("TRACES_").or_else(|| name.strip_prefix("METRICS_")).unwrap_or(name);
    OF_SIGNALS.contains(&name)
}

/// What holds for the signal `TRACES` or `METRICS`.
pub(super) fn target(get: &Variables<'_>, signal: &str) -> Result<Target> {
    // The signal's own variable goes before the common one: name and value.
    let find = |what: &str| {
        let names = [format!("EXPORTER_OTLP_{signal}_{what}"), format!("EXPORTER_OTLP_{what}")];
        names.into_iter().find_map(|name| get.get(&name).map(|value| (name.clone(), value.to_owned())))
    };
    let own = format!("EXPORTER_OTLP_{signal}_ENDPOINT");
    let address = match get.get(&own) {
        Some(text) => address(&own, text, None)?,
        None => {
            let name = "EXPORTER_OTLP_ENDPOINT";
            address(name, get.get(name).unwrap_or(DEFAULT), Some(signal))?
        }
    };
    let path = |what: &str| find(what).map(|(_, path)| PathBuf::from(path));
    let identity = match (path("CLIENT_CERTIFICATE"), path("CLIENT_KEY")) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        _ => {
            return Err(Error::invalid("a client's certificate wants its key, but only one is set")
                .hint("set both OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY"));
        }
    };
    Ok(Target {
        tls: Tls::of(&address, path("CERTIFICATE").as_deref(), identity.as_ref())?,
        address,
        headers: find("HEADERS").map(|(name, text)| headers(&name, &text)).transpose()?.unwrap_or_default(),
        protocol: find("PROTOCOL").map_or(Ok(Protocol::Protobuf), |(name, text)| protocol(&name, &text))?,
        timeout: match find("TIMEOUT") {
            Some((name, _)) => get.millis(&name, 10_000)?,
            None => Duration::seconds(10),
        },
        gzip: find("COMPRESSION").map_or(Ok(false), |(name, text)| compression(&name, &text))?,
    })
}

/// An endpoint for both signals gets the signal's path appended; one of a signal is taken as it is.
fn address(name: &str, text: &str, signal: Option<&str>) -> Result<Address> {
    let example = "write http://HOST:PORT or https://HOST:PORT; collectors listen on port 4318 for HTTP";
    // What stands before an `@` may be a secret.
    let shown = text.rsplit_once('@').map_or(text, |(_, behind)| behind);
    let wrong = || wrong(name, shown).hint(example);
    let mut url = Url::parse(text).map_err(|e| wrong().source_is(e))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::unsupported(format!("OTEL_{name} has a user or password in it"))
            .hint("put it into OTEL_EXPORTER_OTLP_HEADERS: authorization=Basic%20…"));
    }
    if let Some(signal) = signal {
        let path = format!("{}/v1/{}", url.path().trim_end_matches('/'), signal.to_ascii_lowercase());
        url.set_path(&path);
    }
    url.set_fragment(None);
    let host = match url.host() {
        Some(Host::Domain(name)) => name.to_owned(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        None => return Err(wrong()),
    };
    let (is_https, port) = match (url.scheme(), url.port_or_known_default()) {
        ("http", Some(port)) => (false, port),
        ("https", Some(port)) => (true, port),
        _ => return Err(wrong()),
    };
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    // It may hold a key, and what is shown has none.
    url.set_query(None);
    Ok(Address { is_https, host, port, path, url: url.into() })
}

fn protocol(name: &str, text: &str) -> Result<Protocol> {
    match text {
        "http/protobuf" => Ok(Protocol::Protobuf),
        "http/json" => Ok(Protocol::Json),
        "grpc" => Err(Error::unsupported(format!("OTEL_{name} is `grpc`"))
            .hint("take `http/protobuf`, and the collector's port for HTTP: 4318 where gRPC's is 4317")),
        _ => Err(wrong(name, text).hint("`http/protobuf` and `http/json` are supported")),
    }
}

fn compression(name: &str, text: &str) -> Result<bool> {
    match text {
        "gzip" => Ok(true),
        "none" => Ok(false),
        _ => {
            Err(Error::unsupported(format!("OTEL_{name} is `{text}`"))
                .hint("`gzip` and `none` are supported"))
        }
    }
}

/// The headers; what they hold is never shown, since it is mostly a secret.
fn headers(variable: &str, text: &str) -> Result<HeaderMap> {
    let wrong = |what: &str| {
        Error::invalid(format!("OTEL_{variable} is no list of headers: {what}"))
            .hint("write NAME=VALUE,NAME=VALUE; what is special in a value is percent-encoded")
    };
    let mut headers = HeaderMap::new();
    for (name, value) in pairs(text).ok_or_else(|| wrong("a part of it is no NAME=VALUE"))? {
        let known: HeaderName = name.parse().map_err(|_| wrong(&format!("`{name}` is no header's name")))?;
        let mut value: HeaderValue =
            value.parse().map_err(|_| wrong(&format!("the value of `{name}` cannot stand in a header")))?;
        value.set_sensitive(true);
        headers.insert(known, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn read(signal: &str, given: &[(&str, &str)]) -> Result<Target> {
        let variables: BTreeMap<String, String> = given
            .iter()
            .map(|(name, value)| (format!("OTEL_EXPORTER_OTLP_{name}"), (*value).to_owned()))
            .collect();
        target(&Variables(&variables), signal)
    }

    #[test]
    fn endpoints_are_read_as_the_specification_says() {
        for (given, signal, expected) in [
            (&[][..], "TRACES", "http://localhost:4318/v1/traces"),
            (&[("ENDPOINT", "http://c:4318")], "METRICS", "http://c:4318/v1/metrics"),
            (&[("ENDPOINT", "http://c:4318/")], "TRACES", "http://c:4318/v1/traces"),
            (&[("ENDPOINT", "http://c"), ("TRACES_ENDPOINT", "http://t:1/in")], "TRACES", "http://t:1/in"),
            (&[("ENDPOINT", "http://c"), ("TRACES_ENDPOINT", "http://t:1")], "TRACES", "http://t:1/"),
            (
                &[("ENDPOINT", "http://c"), ("TRACES_ENDPOINT", "http://t:1")],
                "METRICS",
                "http://c/v1/metrics",
            ),
        ] {
            assert_eq!(read(signal, given).unwrap().address.to_string(), expected, "{given:?}");
        }
        let base = address("x", "https://c/otlp/", Some("TRACES")).unwrap();
        assert_eq!(
            (base.to_string().as_str(), base.origin().as_str()),
            ("https://c/otlp/v1/traces", "https://c")
        );
        let own = address("x", "https://[::1]/a?b=c#d", None).unwrap();
        assert_eq!((own.is_https, own.host.as_str(), own.port), (true, "::1", 443));
        assert_eq!((own.path.as_str(), own.authority().as_str()), ("/a?b=c", "[::1]"));
        assert_eq!(own.to_string(), "https://[::1]/a");
    }

    #[test]
    fn a_signals_own_variables_go_first() {
        let given = [
            ("HEADERS", "api-key=common"),
            ("TRACES_HEADERS", "authorization=Bearer%20own"),
            ("PROTOCOL", "http/json"),
            ("METRICS_PROTOCOL", "http/protobuf"),
            ("TIMEOUT", "5000"),
            ("METRICS_TIMEOUT", "7"),
            ("COMPRESSION", "gzip"),
            ("METRICS_COMPRESSION", "none"),
            // Not looked at where nothing is encrypted.
            ("CERTIFICATE", "/ca.pem"),
        ];
        let (traces, metrics) = (read("TRACES", &given).unwrap(), read("METRICS", &given).unwrap());
        assert_eq!(
            (traces.headers.len(), traces.headers["authorization"].to_str().unwrap()),
            (1, "Bearer own")
        );
        assert_eq!(metrics.headers["api-key"], "common");
        assert_eq!((traces.protocol, metrics.protocol), (Protocol::Json, Protocol::Protobuf));
        assert_eq!((traces.timeout, metrics.timeout), (Duration::seconds(5), Duration::milliseconds(7)));
        assert_eq!((traces.gzip, metrics.gzip), (true, false));
        assert!(!format!("{traces:?}").contains("own"), "headers are secrets");
    }

    #[test]
    fn what_cannot_be_is_refused_and_secrets_are_not_shown() {
        for (given, part) in [
            (("ENDPOINT", "collector:4318"), "is no value for OTEL_EXPORTER_OTLP_ENDPOINT"),
            (("ENDPOINT", "unix:///run/x"), "http://HOST:PORT"),
            (("TRACES_ENDPOINT", "http://"), "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
            (("ENDPOINT", "http://me:hush@c"), "has a user or password in it"),
            (("ENDPOINT", "htp://me:hush@"), "is no value for"),
            (("ENDPOINT", "http://me:hush@"), "is no value for"),
            (("PROTOCOL", "grpc"), "4318 where gRPC's is 4317"),
            (("PROTOCOL", "http"), "`http/protobuf` and `http/json`"),
            (("TIMEOUT", "soon"), "OTEL_EXPORTER_OTLP_TIMEOUT"),
            (("COMPRESSION", "zstd"), "`gzip` and `none`"),
            (("HEADERS", "hush"), "is no list of headers"),
            (("HEADERS", "a b=hush"), "`a b` is no header's name"),
            (("HEADERS", "a=hush%0a"), "the value of `a`"),
            (("CLIENT_KEY", "/key"), "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"),
        ] {
            let text = read("TRACES", &[given]).unwrap_err().diagnosis().to_string();
            assert!(text.contains(part), "{given:?}: {text}");
            assert!(!text.contains("hush"), "{text}");
        }
    }
}
