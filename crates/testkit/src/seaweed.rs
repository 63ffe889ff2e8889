//! A real S3 server (SeaweedFS, from its PyPI package), one per test run, with a fresh bucket for every call.

use crate::places::venv_program;
use crate::{free_port, shared};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const ACCESS_KEY: &str = "testkit";
const SECRET_KEY: &str = "testkit-secret";

static BUCKETS: AtomicU32 = AtomicU32::new(0);

/// Where a real S3 server listens and how to sign for it. Addresses are path-style, over plain HTTP.
#[derive(Debug, Clone)]
pub struct Seaweed {
    /// `http://127.0.0.1:PORT`
    pub endpoint: String,
    /// The access key id of a user who may do everything.
    pub access_key: String,
    /// Its secret.
    pub secret_key: String,
    /// Any region is accepted; this one is customary.
    pub region: String,
    filer_port: String,
}

/// A real S3 server that lives as long as the test run.
///
/// Its puts honour `If-None-Match: *` and `If-Match` with one winner among racing writers. It refuses keys with `..`.
#[track_caller]
pub fn seaweed() -> Seaweed {
    let facts = shared::server("seaweed", prepare, is_ready);
    let mut ports = facts.split_whitespace().map(String::from);
    let (s3, filer_port) = (ports.next().unwrap_or_default(), ports.next().unwrap_or_default());
    Seaweed {
        endpoint: format!("http://127.0.0.1:{s3}"),
        access_key: ACCESS_KEY.into(),
        secret_key: SECRET_KEY.into(),
        region: "us-east-1".into(),
        filer_port,
    }
}

impl Seaweed {
    /// Makes an empty bucket that no other test uses and gives its name.
    #[track_caller]
    pub fn fresh_bucket(&self) -> String {
        let number = BUCKETS.fetch_add(1, Ordering::Relaxed);
        let name = format!("test-{}-{number}", std::process::id());
        self.create_bucket(&name);
        name
    }

    /// Makes a bucket of this name. The server is shared by all tests of a run: prefer [`Seaweed::fresh_bucket`].
    #[track_caller]
    pub fn create_bucket(&self, name: &str) {
        // The filer's own interface needs no signature: a bucket is a folder below /buckets.
        let reply = http(&self.filer_port, "POST", &format!("/buckets/{name}/"));
        assert!(reply.contains(" 201 "), "the S3 server did not make the bucket {name}: {reply}");
    }
}

fn prepare(dir: &Path) -> shared::Launch {
    let identity = format!(
        r#"{{"identities":[{{"name":"testkit","credentials":[{{"accessKey":"{ACCESS_KEY}","secretKey":"{SECRET_KEY}"}}],
        "actions":["Admin","Read","Write","List","Tagging"]}}]}}"#
    );
    fs::write(dir.join("s3.json"), identity).expect("the folder is writable");
    // One volume a bucket instead of seven: tests make many small buckets.
    fs::write(dir.join("master.toml"), "[master.volume_growth]\ncopy_1 = 1\ncopy_other = 1\n")
        .expect("the folder is writable");
    let [master, master_rpc, volume, volume_rpc, filer, filer_rpc, s3, s3_rpc] =
        std::array::from_fn(|_| free_port().to_string());
    let mut command = vec![venv_program("weed").display().to_string(), "server".into()];
    let mut flag = |name: &str, value: &str| command.push(format!("-{name}={value}"));
    flag("ip", "127.0.0.1");
    flag("ip.bind", "127.0.0.1");
    flag("dir", ".");
    flag("master.port", &master);
    flag("master.port.grpc", &master_rpc);
    flag("master.telemetry", "false");
    flag("master.electionTimeout", "1s");
    flag("master.volumeSizeLimitMB", "64");
    flag("volume.port", &volume);
    flag("volume.port.grpc", &volume_rpc);
    flag("volume.max", "5000");
    flag("filer", "true");
    flag("filer.port", &filer);
    flag("filer.port.grpc", &filer_rpc);
    flag("s3", "true");
    flag("s3.port", &s3);
    flag("s3.port.grpc", &s3_rpc);
    flag("s3.port.iceberg", "0");
    flag("s3.port.lance", "0");
    flag("s3.iam", "false");
    flag("s3.autoCreateBucket", "false");
    flag("s3.config", "s3.json");
    let sockets = ["master-grpc-", "volume-grpc-", "filer-grpc-", "s3-grpc-", "filer-", "s3-"];
    let ports = [&master_rpc, &volume_rpc, &filer_rpc, &s3_rpc, &filer, &s3];
    let leftovers =
        sockets.iter().zip(ports).map(|(kind, port)| format!("/tmp/seaweedfs-{kind}{port}.sock")).collect();
    shared::Launch { command, stop_signal: "KILL", leftovers, facts: format!("{s3} {filer}") }
}

/// An unsigned request that is answered, even with a refusal, shows that the whole chain stands.
fn is_ready(_dir: &Path, facts: &str) -> bool {
    let port = facts.split_whitespace().next().unwrap_or_default();
    shared::answers(port) && http(port, "GET", "/").starts_with("HTTP/1.1 403")
}

fn http(port: &str, method: &str, path: &str) -> String {
    let mut reply = String::new();
    if let Ok(mut stream) = TcpStream::connect(format!("127.0.0.1:{port}")) {
        let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        let _ = stream.write_all(request.as_bytes());
        let _ = stream.read_to_string(&mut reply);
    }
    reply
}
