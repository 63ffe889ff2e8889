//! A door over a lake of a test's own, and a client that signs.

use apps::{Applications, ApplicationsRooms};
use aws::{Door, DoorConfig, Key, KeyRing, Policy, Rooms};
use bytes::Bytes;
use catalog::Catalog;
use chrono::{DateTime, Utc};
use crawl::Crawlers;
use delivery::{Deliveries, DeliveriesRooms};
use engine::{Engine, EngineOptions};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use jobs::{Jobs, JobsRooms, Prices};
use lake::{Lake, LakeConfig};
use model::AccountId;
use sha2::{Digest as _, Sha256};
use state::events::Events;
use state::{Clock, Database, ManualClock, RunOptions, Runs};
use std::net::SocketAddr;
use std::sync::Arc;
use streams::{LocalLog, LocalOptions, Log};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// The rights of the key `reader`.
const READER: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": ["arn:aws:s3:::raw", "arn:aws:s3:::raw/*"]},
    {"Effect": "Allow", "Action": "glue:Get*", "Resource": "*"},
    {"Effect": "Allow", "Action": "kinesis:Get*", "Resource": "arn:aws:kinesis:*:*:stream/s"},
    {"Effect": "Deny", "Action": "*", "Resource": "arn:aws:s3:::raw/secret/*"}]}"#;

/// The rights of the key `historian`.
const HISTORIAN: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Resource": ["arn:aws:s3:::raw", "arn:aws:s3:::raw/*"], "Action": ["s3:GetObjectVersion",
     "s3:GetObjectVersionTagging", "s3:DeleteObjectVersion", "s3:ListBucketVersions", "s3:PutObject"]}]}"#;

/// The rights of the key `operator`.
const OPERATOR: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "kinesisanalytics:*", "Resource": "*"},
    {"Effect": "Allow", "Action": "kinesis:GetRecords", "Resource": "arn:aws:kinesis:*:*:stream/s"},
    {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::raw/app/*"}]}"#;
/// The rights of the key `hose`.
const HOSE: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "firehose:*", "Resource": "*"},
    {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::raw/mine/*"}]}"#;
/// The rights of the key `logger`.
const LOGGER: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "logs:*", "Resource": "arn:aws:logs:*:*:log-group:/app/*"},
    {"Effect": "Deny", "Action": "logs:*", "Resource": "arn:aws:logs:*:*:log-group:/app/x:log-stream:secret"}]}"#;

/// A door and what stands behind it.
pub(crate) struct House {
    pub(crate) folder: TempDir,
    pub(crate) events: Events,
    pub(crate) address: SocketAddr,
    pub(crate) hand: ManualClock,
    pub(crate) clock: Clock,
    pub(crate) stop: CancellationToken,
    pub(crate) served: tokio::task::JoinHandle<model::Result<()>>,
}

/// A request before it is signed.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) method: &'static str,
    /// Path and query, encoded.
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) service: &'static str,
    pub(crate) key: (&'static str, &'static str),
    pub(crate) host: Option<String>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The text of the first element of that name.
    pub(crate) fn element(&self, name: &str) -> String {
        let text = self.text();
        let inner = text.split(&format!("<{name}>")).nth(1).and_then(|rest| rest.split("</").next());
        inner.unwrap_or_default().replace("&quot;", "\"")
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// Status and error code of an answer of S3.
    pub(crate) fn outcome(&self) -> (u16, String) {
        (self.status.as_u16(), self.element("Code"))
    }
}

impl Ask {
    pub(crate) fn s3(method: &'static str, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: Vec::new(),
            body: Vec::new(),
            service: "s3",
            key: ("admin", "secret"),
            host: None,
        }
    }

    pub(crate) fn json(target: &str, body: serde_json::Value) -> Self {
        Self::json_of("glue", target, body)
    }

    pub(crate) fn json_of(service: &'static str, target: &str, body: serde_json::Value) -> Self {
        let mut ask = Self::s3("POST", "/").header("x-amz-target", target).body(body.to_string());
        ask.service = service;
        ask.header("content-type", "application/x-amz-json-1.1")
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn key(mut self, id: &'static str, secret: &'static str) -> Self {
        self.key = (id, secret);
        self
    }

    pub(crate) fn host(mut self, host: &str) -> Self {
        self.host = Some(host.to_owned());
        self
    }
}

pub(crate) fn hex_hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// The signature of a text for a day.
pub(crate) fn sign(secret: &str, day: &str, service: &str, text: &str) -> String {
    let mut key = hmac(format!("AWS4{secret}").as_bytes(), day);
    for part in ["eu-central-1", service, "aws4_request"] {
        key = hmac(&key, part);
    }
    hex::encode(hmac(&key, text))
}

impl House {
    pub(crate) async fn new() -> Self {
        let start = DateTime::parse_from_rfc3339("2026-05-05T12:00:00Z").unwrap().with_timezone(&Utc);
        let (clock, hand) = Clock::manual(start);
        Self::at(clock, hand).await
    }

    /// A house in the present, for clients that have a clock of their own.
    pub(crate) async fn today() -> Self {
        let (_, hand) = Clock::manual(DateTime::default());
        Self::at(Clock::system(), hand).await
    }

    async fn at(clock: Clock, hand: ManualClock) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open(LakeConfig::local(folder.path())).await.unwrap();
        let database = Database::sqlite(&folder.path().join("state.db")).await.unwrap();
        let catalog = Catalog::open(database.clone(), clock.clone()).await.unwrap();
        let events = Events::open(database.clone(), clock.clone()).await.unwrap();
        let options = RunOptions::default();
        let runs = Runs::open(database.clone(), clock.clone(), events.clone(), options).await.unwrap();
        let crawlers = Crawlers::open(
            database.clone(),
            clock.clone(),
            lake.clone(),
            catalog.clone(),
            runs.clone(),
            events.clone(),
        )
        .await
        .unwrap();
        let options = EngineOptions {
            memory_limit: 64 << 20,
            spill_dir: folder.path().join("spill"),
            threads: 1,
            bytes_cutoff: None,
            warehouse: "s3://warehouse/".parse().unwrap(),
            results_dir: folder.path().join("results"),
        };
        let (state, its_clock) = (database.clone(), clock.clone());
        let engine =
            Engine::open(state, catalog.clone(), lake.clone(), Some(runs.clone()), its_clock, options)
                .await
                .unwrap();
        let python = python::Python::new(python::PythonOptions {
            program: "python3".into(),
            environment: None,
            folder: folder.path().join("python"),
            memory: 0,
        });
        let rooms = JobsRooms {
            python,
            database: database.clone(),
            clock: clock.clone(),
            lake: lake.clone(),
            engine: engine.clone(),
            runs: runs.clone(),
            events: events.clone(),
        };
        let jobs = Jobs::open(rooms, Prices::default()).await.unwrap();
        let key = |id: &str, secret: &str, policy| Key { id: id.into(), secret: secret.into(), policy };
        let keys = vec![
            key("admin", "secret", Policy::everything()),
            key("reader", "read", Policy::parse(READER).unwrap()),
            key("historian", "history", Policy::parse(HISTORIAN).unwrap()),
            key("operator", "operate", Policy::parse(OPERATOR).unwrap()),
            key("hose", "hose", Policy::parse(HOSE).unwrap()),
            key("logger", "log", Policy::parse(LOGGER).unwrap()),
            key("nobody", "none", Policy::default()),
        ];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let keys = KeyRing::new(keys, address.ip()).unwrap();
        let account = AccountId::new("123456789012").unwrap();
        let options = LocalOptions::new(account.clone(), "eu-central-1".parse().unwrap());
        let options = LocalOptions { sweep_every: None, ..options };
        let log = LocalLog::open(&folder.path().join("streams"), database.clone(), clock.clone(), options)
            .await
            .unwrap();
        let log: Arc<dyn Log> = Arc::new(log);
        let rooms = DeliveriesRooms {
            database: database.clone(),
            clock: clock.clone(),
            lake: lake.clone(),
            catalog: catalog.clone(),
            runs: runs.clone(),
            events: events.clone(),
            log: Arc::clone(&log),
        };
        let deliveries = Deliveries::open(rooms).await.unwrap();
        let rooms = ApplicationsRooms {
            database: database.clone(),
            clock: clock.clone(),
            lake: lake.clone(),
            catalog: catalog.clone(),
            engine: engine.clone(),
            runs: runs.clone(),
            log: Arc::clone(&log),
            folder: folder.path().join("applications"),
        };
        let apps = Applications::open(rooms).await.unwrap();
        let rooms = Rooms {
            log,
            apps,
            lake,
            catalog,
            crawlers,
            engine,
            jobs,
            deliveries,
            runs,
            database,
            events: events.clone(),
            clock: clock.clone(),
        };
        let stop = CancellationToken::new();
        let door = Door::open(
            rooms,
            DoorConfig { keys, account, fast_etags: false, tracer: telemetry::Tracer::default() },
        )
        .await
        .unwrap();
        let served = tokio::spawn(door.serve(listener, stop.clone()));
        Self { folder, events, address, hand, clock, stop, served }
    }

    /// A house with the bucket `raw`.
    pub(crate) async fn with_bucket() -> Self {
        let house = Self::new().await;
        assert_eq!(house.ask(Ask::s3("PUT", "/raw")).await.status, 200);
        house
    }

    /// Signs and sends.
    pub(crate) async fn ask(&self, ask: Ask) -> Answer {
        let signed = self.signed(ask);
        self.send(signed).await
    }

    /// The host that a request names.
    fn host(&self, ask: &Ask) -> String {
        ask.host.clone().unwrap_or_else(|| self.address.to_string())
    }

    /// The time as it is signed.
    pub(crate) fn stamp(&self) -> String {
        self.clock.now().format("%Y%m%dT%H%M%SZ").to_string()
    }

    /// Adds the headers of a signature.
    pub(crate) fn signed(&self, mut ask: Ask) -> Ask {
        let stamp = self.stamp();
        let payload = match ask.headers.iter().find(|(name, _)| name == "x-amz-content-sha256") {
            Some((_, value)) => value.clone(),
            None => {
                let hash = hex_hash(&ask.body);
                ask = ask.header("x-amz-content-sha256", &hash);
                hash
            }
        };
        ask = ask.header("x-amz-date", &stamp);
        let mut headers = ask.headers.clone();
        headers.push(("host".to_owned(), self.host(&ask)));
        headers.sort();
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let lines: String =
            headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
        let (path, query) = ask.path.split_once('?').unwrap_or((&ask.path, ""));
        let mut pairs: Vec<String> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| if pair.contains('=') { pair.to_owned() } else { format!("{pair}=") })
            .collect();
        pairs.sort();
        let canonical = format!("{}\n{path}\n{}\n{lines}\n{names}\n{payload}", ask.method, pairs.join("&"));
        let day = &stamp[..8];
        let scope = format!("{day}/eu-central-1/{}/aws4_request", ask.service);
        let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}", hex_hash(canonical.as_bytes()));
        let signature = sign(ask.key.1, day, ask.service, &text);
        let value = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            ask.key.0
        );
        ask.header("authorization", value)
    }

    /// A presigned path for an object of S3.
    pub(crate) fn presigned(&self, method: &str, path: &str, expires: u32) -> String {
        let stamp = self.stamp();
        let scope = format!("{}/eu-central-1/s3/aws4_request", &stamp[..8]);
        let query = format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=admin%2F{}&X-Amz-Date={stamp}&\
             X-Amz-Expires={expires}&X-Amz-SignedHeaders=host",
            scope.replace('/', "%2F")
        );
        let canonical = format!("{method}\n{path}\n{query}\nhost:{}\n\nhost\nUNSIGNED-PAYLOAD", self.address);
        let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}", hex_hash(canonical.as_bytes()));
        format!("{path}?{query}&X-Amz-Signature={}", sign("secret", &stamp[..8], "s3", &text))
    }

    /// Sends as it is.
    pub(crate) async fn send(&self, ask: Ask) -> Answer {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        let connection = tokio::spawn(connection);
        let mut request =
            Request::builder().method(ask.method).uri(&ask.path).header("host", self.host(&ask));
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        let response =
            sender.send_request(request.body(Full::new(Bytes::from(ask.body))).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        drop(sender);
        let _ = connection.await;
        assert!(parts.headers.contains_key("x-amzn-requestid"), "every answer has an id");
        assert!(parts.headers.contains_key("x-amz-request-id"), "every answer has an id");
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Puts an object that must go in.
    pub(crate) async fn put(&self, path: &str, body: impl Into<Vec<u8>>) -> Answer {
        let answer = self.ask(Ask::s3("PUT", path).body(body)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer
    }
}
