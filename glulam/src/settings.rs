//! Gathers the configuration's sources from the process, once, and turns settings into the rooms' options.

use crate::args::Shared;
use lake::{Backend, LakeConfig, S3Endpoint};
use model::{AccountId, BucketName, Error, Place, Result};
use state::Config;
use state::config::Sources;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use telemetry::Tracer;

/// Reads defaults, file, environment and flags.
pub(crate) fn load(shared: &Shared) -> Result<Config> {
    let environment: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let named = shared.config.clone().or_else(|| {
        environment.iter().find(|(key, _)| key == "GLULAM_CONFIG").map(|(_, value)| PathBuf::from(value))
    });
    let file = named.or_else(|| Some(PathBuf::from("glulam.toml")).filter(|path| path.exists()));
    let mut flags = Vec::new();
    for pair in &shared.set {
        let (key, value) = pair.split_once('=').ok_or_else(|| {
            Error::invalid(format!("`--set {pair}` has no value"))
                .hint("write --set KEY=VALUE, such as --set log.level=info")
        })?;
        flags.push((key.to_owned(), value.to_owned(), format!("--set {key}")));
    }
    if let Some(data) = &shared.data {
        flags.push(("data".to_owned(), data.display().to_string(), "--data".to_owned()));
    }
    if let Some(level) = &shared.log {
        flags.push(("log.level".to_owned(), level.clone(), "--log".to_owned()));
    }
    Config::load(&Sources { file, environment, flags })
}

/// Python, as scripts are run with it.
pub(crate) fn python(config: &Config, root: &Path) -> python::PythonOptions {
    let path = |key: &str| config.text(key).map(PathBuf::from);
    let cache = || {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
        cache.map_or_else(|| root.join("python"), |cache| cache.join("glulam/python"))
    };
    python::PythonOptions {
        program: path("python.program").unwrap_or_else(|| "python3".into()),
        environment: path("python.environment"),
        folder: path("python.folder").unwrap_or_else(cache),
        memory: config.count("python.memory_mb").saturating_mul(1 << 20),
    }
}

/// What things would cost on AWS.
pub(crate) fn prices(config: &Config) -> Result<jobs::Prices> {
    match config.text("cost.glue_dpu_hour") {
        Some(text) => jobs::Prices::parse(text).map_err(|e| e.context("the setting cost.glue_dpu_hour")),
        None => Ok(jobs::Prices::default()),
    }
}

/// Where the lake's buckets live.
pub(crate) fn lake(config: &Config, root: &Path) -> Result<LakeConfig> {
    let mut buckets = BTreeMap::new();
    for bucket in config.buckets() {
        buckets.insert(bucket.clone(), backend(config, Some(&bucket))?);
    }
    Ok(LakeConfig { root: root.to_path_buf(), default: backend(config, None)?, buckets })
}

fn backend(config: &Config, bucket: Option<&BucketName>) -> Result<Backend> {
    let own = |name: &str| bucket.map(|bucket| format!("lake.buckets.{bucket}.{name}"));
    let text = |name: &str| {
        own(name)
            .and_then(|key| config.text(&key).map(str::to_owned))
            .or_else(|| config.text(&format!("lake.{name}")).map(str::to_owned))
    };
    let switch = |name: &str| {
        own(name)
            .and_then(|key| config.switch(&key))
            .or_else(|| config.switch(&format!("lake.{name}")))
            .unwrap_or(false)
    };
    if text("backend").as_deref() != Some("s3") {
        return Ok(Backend::Local);
    }
    let required = |name: &str| {
        text(name).ok_or_else(|| {
            let place = bucket.map_or_else(|| "lake".to_owned(), |bucket| format!("lake.buckets.{bucket}"));
            Error::invalid(format!("`{place}.backend` is s3, but `{place}.{name}` is not set"))
        })
    };
    Ok(Backend::S3(S3Endpoint {
        endpoint: text("endpoint"),
        region: required("region")?,
        access_key_id: required("access_key_id")?,
        secret_access_key: required("secret_access_key")?,
        session_token: None,
        path_style: switch("path_style"),
        allow_http: switch("allow_http"),
        remote_bucket: own("name").and_then(|key| config.text(&key).map(str::to_owned)),
    }))
}

/// How the console is set up that listens on this address: on loopback nobody has to log in.
pub(crate) fn console(config: &Config, listens_on: IpAddr) -> Result<console::DoorConfig> {
    let keys: Option<Arc<dyn console::Keys>> = match listens_on.is_loopback() {
        true => None,
        false => Some(Arc::new(ConsoleKeys(keys(config, listens_on)?))),
    };
    let dashboards = config.text("console.dashboards").unwrap_or("s3://dashboards/");
    let dashboards = dashboards.parse().map_err(|e: Error| e.context("the setting console.dashboards"))?;
    Ok(console::DoorConfig {
        keys,
        account: account(config)?,
        metrics_token: config.text("console.metrics_token").map(str::to_owned),
        dashboards,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        tracer: Tracer::default(),
    })
}

/// The access keys, for the console.
struct ConsoleKeys(aws::KeyRing);

impl console::Keys for ConsoleKeys {
    fn admits(&self, id: &str, secret: &str) -> bool {
        self.0.admits(id, secret, "glulam:Console")
    }

    fn allows(&self, id: &str, action: &str, resource: &str) -> bool {
        self.0.allows(id, action, resource)
    }
}

/// Who may come in at the AWS door that listens on this address.
pub(crate) fn aws(config: &Config, listens_on: IpAddr) -> Result<aws::DoorConfig> {
    let (keys, account) = (keys(config, listens_on)?, account(config)?);
    let fast_etags = config.text("aws.etags") == Some("fast");
    Ok(aws::DoorConfig { keys, account, fast_etags, tracer: Tracer::default() })
}

/// How the PostgreSQL door is set up that listens on this address: the access keys are its users.
pub(crate) fn pg(config: &Config, listens_on: IpAddr) -> Result<PgConfig> {
    let path = |key: &str| config.text(key).map(PathBuf::from);
    let tls = match (path("pg.tls_certificate"), path("pg.tls_key")) {
        (Some(certificate), Some(key)) => Some(pg::Tls::open(&certificate, &key)?),
        (None, None) => None,
        _ => {
            return Err(Error::invalid("encryption wants a certificate and its key, but only one is set")
                .hint("set both pg.tls_certificate and pg.tls_key"));
        }
    };
    let tls_required = config.switch("pg.tls_required").unwrap_or(false);
    if tls_required && tls.is_none() {
        return Err(Error::invalid("pg.tls_required is set, but there is no certificate")
            .hint("set pg.tls_certificate and pg.tls_key"));
    }
    let grace = Duration::from_secs(config.count("pg.shutdown_grace"));
    Ok(PgConfig { keys: keys(config, listens_on)?, account: account(config)?, tls, tls_required, grace })
}

/// What the PostgreSQL door is configured with.
pub(crate) struct PgConfig {
    pub(crate) keys: aws::KeyRing,
    pub(crate) account: AccountId,
    pub(crate) tls: Option<pg::Tls>,
    pub(crate) tls_required: bool,
    pub(crate) grace: Duration,
}

/// The access keys, and the roles that may be assumed with them.
fn keys(config: &Config, listens_on: IpAddr) -> Result<aws::KeyRing> {
    let mut keys = Vec::new();
    let (id, secret) = (config.text("aws.access_key_id"), config.text("aws.secret_access_key"));
    match (id, secret) {
        (Some(id), Some(secret)) => keys.push(aws::Key {
            id: id.to_owned(),
            secret: secret.to_owned(),
            policy: aws::Policy::everything(),
        }),
        (None, None) => {}
        _ => {
            return Err(Error::invalid("an access key has two halves, but only one is set")
                .hint("set both aws.access_key_id and aws.secret_access_key"));
        }
    }
    for id in config.names("aws.keys.") {
        let text = |name: &str| config.text(&format!("aws.keys.{id}.{name}"));
        let secret = text("secret_access_key")
            .ok_or_else(|| Error::invalid(format!("`aws.keys.{id}.secret_access_key` is not set")))?;
        let policy = policy(config, &format!("aws.keys.{id}"))
            .map_err(|error| error.context(format!("the policy of the access key `{id}`")))?
            .unwrap_or_else(aws::Policy::everything);
        keys.push(aws::Key { id: id.clone(), secret: secret.to_owned(), policy });
    }
    aws::KeyRing::new(keys, listens_on)?.with_roles(roles(config)?)
}

/// The roles that may be assumed, with their policies. Unlike a key, none may do everything because nothing is said of it.
pub(crate) fn roles(config: &Config) -> Result<Vec<(String, aws::Policy)>> {
    let mut roles = Vec::new();
    for name in config.names("aws.roles.") {
        let policy = policy(config, &format!("aws.roles.{name}"))
            .map_err(|error| error.context(format!("the policy of the role `{name}`")))?;
        let policy = policy.ok_or_else(|| {
            Error::invalid(format!("the role `{name}` has no policy"))
                .hint(format!("set aws.roles.{name}.policy or aws.roles.{name}.policy_file"))
        })?;
        roles.push((name, policy));
    }
    Ok(roles)
}

/// The policy of a key or role, as a text or in a file.
fn policy(config: &Config, of: &str) -> Result<Option<aws::Policy>> {
    let text = |name: &str| config.text(&format!("{of}.{name}"));
    let document = match (text("policy"), text("policy_file")) {
        (Some(_), Some(_)) => {
            return Err(Error::invalid(format!("`{of}` has both a policy and a policy_file")));
        }
        (Some(policy), None) => policy.to_owned(),
        (None, Some(path)) => std::fs::read_to_string(path).map_err(|e| {
            Error::not_found("cannot read the policy file").at(Place::object(path)).source_is(e)
        })?,
        (None, None) => return Ok(None),
    };
    aws::Policy::parse(&document).map(Some)
}

/// Where traces and metrics go: OpenTelemetry's variables, and for those that are not set our settings.
pub(crate) fn telemetry(config: &Config) -> Result<telemetry::Options> {
    let mut variables: BTreeMap<String, String> = std::env::vars_os()
        .filter(|(name, _)| name.to_string_lossy().starts_with("OTEL_"))
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .collect();
    for (key, variable) in [
        ("telemetry.endpoint", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ("telemetry.headers", "OTEL_EXPORTER_OTLP_HEADERS"),
        ("telemetry.protocol", "OTEL_EXPORTER_OTLP_PROTOCOL"),
        ("telemetry.service_name", "OTEL_SERVICE_NAME"),
        ("telemetry.attributes", "OTEL_RESOURCE_ATTRIBUTES"),
    ] {
        let is_set = variables.get(variable).is_some_and(|value| !value.trim().is_empty());
        if let Some(text) = config.text(key).filter(|_| !is_set) {
            variables.insert(variable.to_owned(), text.to_owned());
        }
    }
    let options =
        telemetry::Options::read(&variables, env!("CARGO_PKG_VERSION"), &crate::platform::node_name())?;
    for name in options.without_effect() {
        tracing::warn!("the variable {name} is set, but has no effect here");
    }
    Ok(options)
}

/// The account that everything belongs to.
pub(crate) fn account(config: &Config) -> Result<AccountId> {
    AccountId::new(config.text("aws.account").unwrap_or_default())
        .map_err(|error| error.context("aws.account"))
}

/// How the engine is set up.
pub(crate) fn engine(config: &Config, root: &Path) -> Result<engine::EngineOptions> {
    let count = |key: &str| usize::try_from(config.count(key)).unwrap_or(usize::MAX);
    let threads = match count("sql.threads") {
        0 => std::thread::available_parallelism().map_or(2, std::num::NonZeroUsize::get),
        given => given,
    };
    let cutoff = config.count("sql.bytes_cutoff_mb");
    let warehouse = config.text("sql.warehouse").unwrap_or("s3://warehouse/");
    Ok(engine::EngineOptions {
        memory_limit: count("sql.memory_mb").saturating_mul(1 << 20),
        spill_dir: root.join("spill"),
        threads,
        bytes_cutoff: (cutoff > 0).then(|| cutoff.saturating_mul(1 << 20)),
        warehouse: warehouse.parse()?,
        results_dir: root.join("results"),
    })
}
