//! What OpenTelemetry's environment variables say. Names, defaults and precedence are those of its specification, with two
//! differences: nothing is sent before a variable asks for it, and what is not understood is refused instead of ignored.

mod lists;
mod signal;

pub(crate) use signal::{Address, Protocol, Target};

use crate::sampling::Sampling;
use chrono::Duration;
use lists::pairs;
use model::{Error, Result};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

/// Whether and where traces and metrics go.
#[derive(Debug, Clone)]
pub struct Options {
    pub(crate) traces: Option<Traces>,
    pub(crate) metrics: Option<Metrics>,
    pub(crate) resource: Vec<(String, String)>,
    pub(crate) unknown: Vec<String>,
}

/// How traces are exported.
#[derive(Debug, Clone)]
pub(crate) struct Traces {
    pub(crate) target: Target,
    pub(crate) sampling: Sampling,
    /// How long spans may wait for others to go with them.
    pub(crate) delay: Duration,
    /// How many may wait.
    pub(crate) most: usize,
    /// How many go at once.
    pub(crate) batch: usize,
    /// How long a batch is tried, if that has an end.
    pub(crate) give_up: Option<Duration>,
}

/// How metrics are exported.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    pub(crate) target: Target,
    pub(crate) interval: Duration,
}

/// Variables that are read here or in `signal`, less their prefix.
const KNOWN: &[&str] = &[
    "SDK_DISABLED",
    "SERVICE_NAME",
    "RESOURCE_ATTRIBUTES",
    "TRACES_EXPORTER",
    "METRICS_EXPORTER",
    "TRACES_SAMPLER",
    "TRACES_SAMPLER_ARG",
    "METRIC_EXPORT_INTERVAL",
    "BSP_SCHEDULE_DELAY",
    "BSP_MAX_QUEUE_SIZE",
    "BSP_MAX_EXPORT_BATCH_SIZE",
    "BSP_EXPORT_TIMEOUT",
    // These change nothing that would be done otherwise.
    "EXPORTER_OTLP_INSECURE",
    "METRIC_EXPORT_TIMEOUT",
    "EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
    "EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
];

/// The variables as they are set. An empty one is none.
pub(crate) struct Variables<'a>(&'a BTreeMap<String, String>);

impl Variables<'_> {
    /// The value of `OTEL_` and that name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(&format!("OTEL_{name}")).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    fn number<T: FromStr + Display + PartialOrd>(&self, name: &str, default: T, least: T) -> Result<T> {
        match self.get(name) {
            None => Ok(default),
            Some(text) => text.parse().ok().filter(|number| *number >= least).ok_or_else(|| {
                wrong(name, text)
                    .hint(format!("it must be a number from {least} on; without it {default} holds"))
            }),
        }
    }

    fn millis(&self, name: &str, default: i64) -> Result<Duration> {
        // A day is longer than anything here can mean.
        Ok(Duration::milliseconds(self.number(name, default, 1)?.min(86_400_000)))
    }

    /// Whether a signal is exported: as its exporter says, or as it is by default.
    fn exports(&self, name: &str, by_default: bool) -> Result<bool> {
        let Some(text) = self.get(name) else { return Ok(by_default) };
        let mut exports = false;
        for word in text.split(',').map(str::trim) {
            match word.to_ascii_lowercase().as_str() {
                "otlp" => exports = true,
                "none" => {}
                "prometheus" => {
                    return Err(Error::unsupported(format!("OTEL_{name} names the exporter `prometheus`"))
                        .hint("Prometheus finds all metrics at /metrics of the console's port, without it; take `none`"));
                }
                _ => {
                    return Err(Error::unsupported(format!("OTEL_{name} names the exporter `{word}`"))
                        .hint("`otlp` and `none` are supported"));
                }
            }
        }
        Ok(exports)
    }
}

pub(crate) fn wrong(name: &str, text: &str) -> Error {
    Error::invalid(format!("`{text}` is no value for OTEL_{name}"))
}

impl Options {
    /// Reads the variables whose names begin with `OTEL_`; others may be among them. `version` and `node` are those of
    /// the server.
    pub fn read(variables: &BTreeMap<String, String>, version: &str, node: &str) -> Result<Self> {
        let get = Variables(variables);
        let mut options =
            Self { traces: None, metrics: None, resource: Vec::new(), unknown: unknown(variables) };
        // Anything but true is false there, by specification.
        if get.get("SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
            options.unknown.clear();
            return Ok(options);
        }
        let asked = |signal: &str| {
            let names = ["EXPORTER_OTLP_ENDPOINT".to_owned(), format!("EXPORTER_OTLP_{signal}_ENDPOINT")];
            names.iter().any(|name| get.get(name).is_some())
        };
        if get.exports("TRACES_EXPORTER", asked("TRACES"))? {
            options.traces = Some(traces(&get)?);
        }
        if get.exports("METRICS_EXPORTER", asked("METRICS"))? {
            options.metrics = Some(metrics(&get)?);
        }
        if options.is_on() {
            options.resource = resource(&get, version, node)?;
        } else {
            options.unknown.clear();
        }
        Ok(options)
    }

    /// Whether anything is sent anywhere.
    pub fn is_on(&self) -> bool {
        self.traces.is_some() || self.metrics.is_some()
    }

    /// Where things go, in a line for the log; none where nothing does.
    pub fn shown(&self) -> Option<String> {
        let shown = |what: &str, target: &Target| format!("{what} to {}", target.address);
        let traces = self.traces.as_ref().map(|traces| shown("traces", &traces.target));
        let metrics = self.metrics.as_ref().map(|metrics| shown("metrics", &metrics.target));
        let both: Vec<String> = traces.into_iter().chain(metrics).collect();
        (!both.is_empty()).then(|| both.join(", "))
    }

    /// Variables of OpenTelemetry's that are set and change nothing here.
    pub fn without_effect(&self) -> &[String] {
        &self.unknown
    }
}

fn unknown(variables: &BTreeMap<String, String>) -> Vec<String> {
    let is_known = |name: &str| KNOWN.contains(&name) || signal::is_known(name);
    let set = variables.iter().filter(|(_, value)| !value.trim().is_empty());
    let names = set.filter_map(|(name, _)| Some((name, name.strip_prefix("OTEL_")?)));
    names.filter(|(_, short)| !is_known(short)).map(|(name, _)| name.clone()).collect()
}

fn traces(get: &Variables<'_>) -> Result<Traces> {
    let most = get.number("BSP_MAX_QUEUE_SIZE", 2048, 1)?.min(1 << 20);
    let give_up = get.get("BSP_EXPORT_TIMEOUT").is_some();
    Ok(Traces {
        target: signal::target(get, "TRACES")?,
        sampling: sampling(get)?,
        delay: get.millis("BSP_SCHEDULE_DELAY", 5000)?,
        most,
        batch: get.number("BSP_MAX_EXPORT_BATCH_SIZE", 512, 1)?.min(most),
        give_up: if give_up { Some(get.millis("BSP_EXPORT_TIMEOUT", 30_000)?) } else { None },
    })
}

fn metrics(get: &Variables<'_>) -> Result<Metrics> {
    for (name, served) in [
        ("EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "cumulative"),
        ("EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "explicit_bucket_histogram"),
    ] {
        if let Some(text) = get.get(name)
            && !text.eq_ignore_ascii_case(served)
        {
            return Err(Error::unsupported(format!("OTEL_{name} is `{text}`"))
                .hint(format!("`{served}` is supported; a collector can make the other of it")));
        }
    }
    Ok(Metrics {
        target: signal::target(get, "METRICS")?,
        interval: get.millis("METRIC_EXPORT_INTERVAL", 60_000)?,
    })
}

/// Samplers that ask the parent first do as they are called where there is none, or none that has decided.
fn sampling(get: &Variables<'_>) -> Result<Sampling> {
    let name = "TRACES_SAMPLER";
    let sampler = get.get(name).unwrap_or("parentbased_always_on");
    let alone = sampler.strip_prefix("parentbased_");
    let ratio = match alone.unwrap_or(sampler) {
        "always_on" => Ok(1.0),
        "always_off" => Ok(0.0),
        "traceidratio" => {
            let name = "TRACES_SAMPLER_ARG";
            let text = get.get(name).unwrap_or("1");
            let ratio = text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
            ratio.ok_or_else(|| wrong(name, text).hint("it must be a number from 0 to 1"))
        }
        _ => Err(Error::unsupported(format!("OTEL_{name} is `{sampler}`"))
            .hint("`always_on`, `always_off` and `traceidratio` are supported, also with `parentbased_` before them")),
    };
    Ok(Sampling { ratio: ratio?, asks_parent: alone.is_some() })
}

fn resource(get: &Variables<'_>, version: &str, node: &str) -> Result<Vec<(String, String)>> {
    let host = node.rsplit_once(':').map_or(node, |(host, _)| host);
    let mut resource = BTreeMap::from([
        ("service.name".to_owned(), "glulam".to_owned()),
        ("service.version".to_owned(), version.to_owned()),
        ("service.instance.id".to_owned(), node.to_owned()),
        ("host.name".to_owned(), host.to_owned()),
        ("process.pid".to_owned(), std::process::id().to_string()),
        ("telemetry.sdk.name".to_owned(), "glulam".to_owned()),
        ("telemetry.sdk.language".to_owned(), "rust".to_owned()),
        ("telemetry.sdk.version".to_owned(), version.to_owned()),
    ]);
    if let Some(text) = get.get("RESOURCE_ATTRIBUTES") {
        let given = pairs(text).ok_or_else(|| {
            wrong("RESOURCE_ATTRIBUTES", text)
                .hint("write NAME=VALUE,NAME=VALUE; what is special is percent-encoded")
        })?;
        resource.extend(given);
    }
    if let Some(name) = get.get("SERVICE_NAME") {
        resource.insert("service.name".to_owned(), name.to_owned());
    }
    Ok(resource.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ErrorKind;

    fn variables(given: &[(&str, &str)]) -> BTreeMap<String, String> {
        given.iter().map(|(name, value)| (format!("OTEL_{name}"), (*value).to_owned())).collect()
    }

    fn read(given: &[(&str, &str)]) -> Result<Options> {
        Options::read(&variables(given), "1.2.3", "here:7")
    }

    const ENDPOINT: (&str, &str) = ("EXPORTER_OTLP_ENDPOINT", "http://collector:4318");

    #[test]
    fn nothing_is_sent_before_it_is_asked_for() {
        let on = |given: &[(&str, &str)]| {
            let options = read(given).unwrap();
            (options.traces.is_some(), options.metrics.is_some())
        };
        for (given, expected) in [
            (&[][..], (false, false)),
            (&[("SERVICE_NAME", "x"), ("EXPORTER_OTLP_ENDPOINT", " ")], (false, false)),
            (&[ENDPOINT], (true, true)),
            (&[ENDPOINT, ("SDK_DISABLED", "TRUE")], (false, false)),
            (&[ENDPOINT, ("SDK_DISABLED", "1")], (true, true)),
            (&[ENDPOINT, ("TRACES_EXPORTER", "none")], (false, true)),
            (&[ENDPOINT, ("METRICS_EXPORTER", "none")], (true, false)),
            (&[("TRACES_EXPORTER", "otlp")], (true, false)),
            (&[("METRICS_EXPORTER", "none, OTLP")], (false, true)),
            (&[("EXPORTER_OTLP_TRACES_ENDPOINT", "http://t:1/x")], (true, false)),
            (&[("EXPORTER_OTLP_METRICS_ENDPOINT", "http://m:1/x")], (false, true)),
        ] {
            assert_eq!(on(given), expected, "{given:?}");
        }
    }

    #[test]
    fn numbers_have_the_defaults_of_the_specification() {
        let options = read(&[ENDPOINT]).unwrap();
        let (traces, metrics) = (options.traces.unwrap(), options.metrics.unwrap());
        assert_eq!((traces.most, traces.batch, traces.delay.num_milliseconds()), (2048, 512, 5000));
        assert_eq!((traces.sampling, traces.give_up), (Sampling { ratio: 1.0, asks_parent: true }, None));
        assert_eq!(metrics.interval.num_milliseconds(), 60_000);
        let given = [
            ENDPOINT,
            ("BSP_MAX_QUEUE_SIZE", "10"),
            ("BSP_SCHEDULE_DELAY", "20"),
            ("BSP_EXPORT_TIMEOUT", "30"),
            ("METRIC_EXPORT_INTERVAL", "40"),
            ("TRACES_SAMPLER", "parentbased_traceidratio"),
            ("TRACES_SAMPLER_ARG", "0.25"),
        ];
        let options = read(&given).unwrap();
        let (traces, metrics) = (options.traces.unwrap(), options.metrics.unwrap());
        assert_eq!((traces.most, traces.batch, traces.delay.num_milliseconds()), (10, 10, 20));
        assert_eq!(traces.sampling, Sampling { ratio: 0.25, asks_parent: true });
        assert_eq!(traces.give_up, Some(Duration::milliseconds(30)));
        let alone = read(&[ENDPOINT, ("TRACES_SAMPLER", "always_off")]).unwrap().traces.unwrap();
        assert_eq!(alone.sampling, Sampling { ratio: 0.0, asks_parent: false });
        assert_eq!(metrics.interval.num_milliseconds(), 40);
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        for (given, kind, part) in [
            (
                ("BSP_MAX_QUEUE_SIZE", "0"),
                ErrorKind::InvalidInput,
                "`0` is no value for OTEL_BSP_MAX_QUEUE_SIZE",
            ),
            (("METRIC_EXPORT_INTERVAL", "1m"), ErrorKind::InvalidInput, "OTEL_METRIC_EXPORT_INTERVAL"),
            (("TRACES_EXPORTER", "zipkin"), ErrorKind::Unsupported, "`zipkin`"),
            (("METRICS_EXPORTER", "prometheus"), ErrorKind::Unsupported, "/metrics"),
            (("TRACES_SAMPLER", "jaeger_remote"), ErrorKind::Unsupported, "`traceidratio`"),
            (("RESOURCE_ATTRIBUTES", "a"), ErrorKind::InvalidInput, "NAME=VALUE"),
            (
                ("EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta"),
                ErrorKind::Unsupported,
                "`cumulative` is supported",
            ),
        ] {
            let error = read(&[ENDPOINT, given]).unwrap_err();
            assert_eq!(error.kind(), kind, "{given:?}");
            let text = error.diagnosis().to_string();
            assert!(text.contains(part), "{text}");
        }
        let sampled = [ENDPOINT, ("TRACES_SAMPLER", "traceidratio"), ("TRACES_SAMPLER_ARG", "2")];
        assert!(read(&sampled).unwrap_err().diagnosis().to_string().contains("from 0 to 1"));
    }

    #[test]
    fn the_resource_says_who_tells() {
        let given = [ENDPOINT, ("RESOURCE_ATTRIBUTES", "service.name=lake, team=a%2Cb ,host.name=h")];
        let resource = |given: &[(&str, &str)]| -> BTreeMap<String, String> {
            read(given).unwrap().resource.into_iter().collect()
        };
        let told = resource(&given);
        assert_eq!((told["service.name"].as_str(), told["team"].as_str()), ("lake", "a,b"));
        assert_eq!((told["host.name"].as_str(), told["service.instance.id"].as_str()), ("h", "here:7"));
        assert_eq!(told["service.version"], "1.2.3");
        let named = [given[0], given[1], ("SERVICE_NAME", "mine")];
        assert_eq!(resource(&named)["service.name"], "mine");
    }

    #[test]
    fn variables_without_effect_are_known() {
        let given =
            [ENDPOINT, ("LOGS_EXPORTER", "otlp"), ("EXPORTER_OTLP_HEADERS", "a=b"), ("PROPAGATORS", "b3")];
        let options = read(&given).unwrap();
        assert_eq!(options.without_effect(), ["OTEL_LOGS_EXPORTER", "OTEL_PROPAGATORS"]);
        let shown = options.shown().unwrap();
        assert_eq!(
            shown,
            "traces to http://collector:4318/v1/traces, metrics to http://collector:4318/v1/metrics"
        );
    }
}
