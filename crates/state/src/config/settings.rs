//! Every setting, declared once: key, kind, default and meaning. The command line's `config`, the file that `init`
//! writes, the environment variables' names and the checks on all of them are derived from this table.

/// What a setting may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// Text that is never shown.
    Secret,
    /// A path; a relative one in a file is relative to that file.
    Path,
    /// A whole number within these limits.
    Count {
        /// The smallest allowed.
        min: u64,
        /// The largest allowed.
        max: u64,
    },
    /// `true` or `false`.
    Switch,
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// One declaration.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The key, with dots between its parts; `*` stands for a name: a bucket's, an access key's, a role's.
    pub key: &'static str,
    /// What it may hold.
    pub kind: Kind,
    /// The value when nobody says anything; empty means not set.
    pub default: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

const fn setting(key: &'static str, kind: Kind, default: &'static str, meaning: &'static str) -> Setting {
    Setting { key, kind, default, meaning }
}

const BACKENDS: Kind = Kind::Choice(&["local", "s3"]);

/// The table. To add a setting, add its line here.
pub const SETTINGS: &[Setting] = &[
    setting("data", Kind::Path, "./glulam-data", "the data directory: buckets, state, logs"),
    setting(
        "state.url",
        Kind::Secret,
        "",
        "PostgreSQL URL of the state database; empty: SQLite in the data directory",
    ),
    setting(
        "runs.max_running",
        Kind::Count { min: 1, max: 1024 },
        "8",
        "how many runs may work at once; more wait",
    ),
    setting(
        "runs.keep_days",
        Kind::Count { min: 1, max: 3650 },
        "90",
        "days for which finished runs and their logs are kept",
    ),
    setting(
        "cost.glue_dpu_hour",
        Kind::Text,
        "0.44",
        "dollars for an hour of a data processing unit, from which a job's cost on AWS is reckoned",
    ),
    setting(
        "sql.memory_mb",
        Kind::Count { min: 64, max: 1_048_576 },
        "4096",
        "megabytes that all queries together may hold before they spill to disk",
    ),
    setting(
        "sql.threads",
        Kind::Count { min: 0, max: 1024 },
        "0",
        "threads a query uses; 0: as many as there are processors",
    ),
    setting(
        "sql.bytes_cutoff_mb",
        Kind::Count { min: 0, max: 1_073_741_824 },
        "0",
        "a query that has read more megabytes is stopped; 0: no limit",
    ),
    setting(
        "sql.warehouse",
        Kind::Text,
        "s3://warehouse/",
        "the folder for tables that queries make without naming a location",
    ),
    setting(
        "python.program",
        Kind::Text,
        "python3",
        "the Python, 3.11 or later, that makes the environment of Python-shell scripts",
    ),
    setting(
        "python.environment",
        Kind::Path,
        "",
        "a virtual environment to take for scripts as it is; empty: one is made",
    ),
    setting(
        "python.folder",
        Kind::Path,
        "",
        "where environments are made, for all data directories; empty: glulam/python in the user's cache folder",
    ),
    setting(
        "python.memory_mb",
        Kind::Count { min: 0, max: 1_048_576 },
        "4096",
        "megabytes of data that a script may hold; 0: no limit",
    ),
    setting(
        "log.level",
        Kind::Choice(&["error", "warn", "info", "debug", "trace"]),
        "warn",
        "how much the program says of itself",
    ),
    setting("log.format", Kind::Choice(&["text", "json"]), "text", "how it says it, on standard error"),
    setting(
        "aws.access_key_id",
        Kind::Text,
        "",
        "an access key that may do everything; with no key at all, `glulam`, `test` and `testing` hold on loopback",
    ),
    setting("aws.secret_access_key", Kind::Secret, "", "the secret of that access key"),
    setting(
        "streams.limits",
        Kind::Switch,
        "false",
        "whether streams have the limits of Kinesis: a shard takes 1 MiB and 1,000 records a second and is read 5 times, \
         iterators hold 5 minutes",
    ),
    setting("aws.account", Kind::Text, "123456789012", "the account that everything belongs to, in ARNs"),
    setting("aws.region", Kind::Text, "us-east-1", "the region in ARNs where nobody asks from one"),
    setting(
        "aws.etags",
        Kind::Choice(&["md5", "fast"]),
        "md5",
        "ETags of objects that are put: their MD5, as S3 has it; fast: of the CRC, for large objects on a fast disk",
    ),
    setting("aws.keys.*.secret_access_key", Kind::Secret, "", "the secret of this access key"),
    setting(
        "aws.keys.*.policy",
        Kind::Text,
        "",
        "what this key may do, as an IAM policy in JSON; without a policy: everything",
    ),
    setting("aws.keys.*.policy_file", Kind::Path, "", "a file with that policy"),
    setting(
        "aws.roles.*.policy",
        Kind::Text,
        "",
        "what whoever assumes this role may do, as an IAM policy in JSON; with any role here, no others may be assumed",
    ),
    setting("aws.roles.*.policy_file", Kind::Path, "", "a file with that policy of the role"),
    setting(
        "console.metrics_token",
        Kind::Secret,
        "",
        "what a scraper sends as bearer token to get /metrics of a console that people log in to",
    ),
    setting(
        "telemetry.endpoint",
        Kind::Text,
        "",
        "URL of the OpenTelemetry collector that `glulam up` sends traces and metrics to, such as http://127.0.0.1:4318; \
         empty: none. OpenTelemetry's own variables (OTEL_EXPORTER_OTLP_ENDPOINT) go before these settings",
    ),
    setting(
        "telemetry.headers",
        Kind::Secret,
        "",
        "headers that the collector wants to be shown: NAME=VALUE,NAME=VALUE",
    ),
    setting(
        "telemetry.protocol",
        Kind::Choice(&["http/protobuf", "http/json"]),
        "",
        "how it is spoken with; empty: http/protobuf",
    ),
    setting("telemetry.service_name", Kind::Text, "", "what the server calls itself there; empty: glulam"),
    setting("telemetry.attributes", Kind::Text, "", "more attributes of the server: NAME=VALUE,NAME=VALUE"),
    setting(
        "pg.tls_certificate",
        Kind::Path,
        "",
        "a file with the certificate, as PEM, with which the PostgreSQL door encrypts; empty: it does not",
    ),
    setting("pg.tls_key", Kind::Path, "", "the file with the certificate's key, as PEM"),
    setting(
        "pg.tls_required",
        Kind::Switch,
        "false",
        "whether the PostgreSQL door lets in encrypted connections alone",
    ),
    setting(
        "pg.shutdown_grace",
        Kind::Count { min: 0, max: 3600 },
        "2",
        "how many seconds statements at the PostgreSQL door have to end by themselves when the server ends",
    ),
    setting(
        "console.dashboards",
        Kind::Text,
        "s3://dashboards/",
        "the folder of the lake in which dashboards are kept, as Grafana's JSON",
    ),
    setting(
        "lake.backend",
        BACKENDS,
        "local",
        "where buckets live by default: folders of the data directory, or an S3 endpoint",
    ),
    setting("lake.endpoint", Kind::Text, "", "URL of the S3 endpoint; empty: AWS of that region"),
    setting("lake.region", Kind::Text, "us-east-1", "region of the S3 endpoint"),
    setting("lake.access_key_id", Kind::Text, "", "access key for the S3 endpoint"),
    setting("lake.secret_access_key", Kind::Secret, "", "secret key for the S3 endpoint"),
    setting("lake.path_style", Kind::Switch, "true", "address buckets by path instead of by host name"),
    setting("lake.allow_http", Kind::Switch, "false", "allow an endpoint without TLS"),
    setting("lake.buckets.*.backend", BACKENDS, "", "where this bucket lives, if not where the others do"),
    setting("lake.buckets.*.endpoint", Kind::Text, "", "S3 endpoint of this bucket; empty: that of `lake`"),
    setting("lake.buckets.*.region", Kind::Text, "", "region of this bucket; empty: that of `lake`"),
    setting(
        "lake.buckets.*.access_key_id",
        Kind::Text,
        "",
        "access key for this bucket; empty: that of `lake`",
    ),
    setting(
        "lake.buckets.*.secret_access_key",
        Kind::Secret,
        "",
        "secret key for this bucket; empty: that of `lake`",
    ),
    setting(
        "lake.buckets.*.path_style",
        Kind::Switch,
        "",
        "address this bucket by path; empty: as `lake` does",
    ),
    setting(
        "lake.buckets.*.allow_http",
        Kind::Switch,
        "",
        "allow this bucket's endpoint without TLS; empty: as `lake` does",
    ),
    setting("lake.buckets.*.name", Kind::Text, "", "the bucket's name at the endpoint, if it is another"),
];

/// The groups of settings that are given per name: what stands before the name, and an example of it.
pub(super) const GROUPS: &[(&str, &str, &str)] = &[
    ("lake.buckets.", "my-bucket", "A bucket that lives elsewhere:"),
    ("aws.keys.", "reader", "An access key of its own rights:"),
    ("aws.roles.", "etl", "A role, for the keys whose policies allow sts:AssumeRole on it:"),
];

/// Environment variables with our prefix that are no settings.
pub(super) const OTHER_VARIABLES: &[&str] = &["GLULAM_CONFIG", "GLULAM_CRASH_AT"];

impl Setting {
    /// Whether the key has a name in it: a bucket's, an access key's or a role's.
    pub fn is_per_name(&self) -> bool {
        self.key.contains('*')
    }

    /// The environment variable of this setting: `GLULAM_STATE_URL` for `state.url`. Settings per name have none.
    pub fn variable(&self) -> Option<String> {
        (!self.is_per_name()).then(|| format!("GLULAM_{}", self.key.to_uppercase().replace('.', "_")))
    }

    /// The setting that declares this key, with any name in the place of `*`.
    pub fn of(key: &str) -> Option<&'static Setting> {
        SETTINGS.iter().find(|setting| match setting.key.split_once('*') {
            None => setting.key == key,
            Some((before, after)) => key
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after))
                .is_some_and(|name| !name.is_empty()),
        })
    }

    /// Checks a value and brings it into its plain form.
    pub(super) fn accept(&self, value: &str) -> Result<String, String> {
        match self.kind {
            Kind::Text | Kind::Secret | Kind::Path => Ok(value.to_owned()),
            _ if value.is_empty() && self.default.is_empty() => Ok(String::new()),
            Kind::Count { min, max } => match value.trim().parse::<u64>() {
                Ok(number) if (min..=max).contains(&number) => Ok(number.to_string()),
                _ => Err(format!("must be a whole number from {min} to {max}")),
            },
            Kind::Switch => match value.trim().to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Ok("true".to_owned()),
                "false" | "0" | "no" | "off" => Ok("false".to_owned()),
                _ => Err("must be true or false".to_owned()),
            },
            Kind::Choice(words) => words
                .iter()
                .find(|word| word.eq_ignore_ascii_case(value.trim()))
                .map(|word| (*word).to_owned())
                .ok_or_else(|| format!("must be one of {}", words.join(", "))),
        }
    }
}
