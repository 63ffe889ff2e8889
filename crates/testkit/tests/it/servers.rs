//! Real servers: they answer, each call gives a fresh place, and nothing outlives its run.

use std::path::Path;
use std::process::Command;
use std::time::Duration;
use testkit::{Process, await_until, postgres, postgres_alone, project_root, seaweed, site_packages};

const SOON: Duration = Duration::from_secs(60);

/// What psql prints for a query, or nothing when it fails.
fn psql(url: &str, query: &str) -> Option<String> {
    let output = Command::new("psql").args(["-X", "-A", "-t", "-c", query, url]).output().unwrap();
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_string())
}

#[test]
fn postgres_gives_a_fresh_database_each_time() {
    let (one, two) = (postgres(), postgres());
    assert_ne!(one, two);
    psql(&one, "create table t (n int)").unwrap();
    assert_eq!(psql(&one, "select count(*) from t").as_deref(), Some("0"));
    assert_eq!(psql(&two, "select count(*) from t"), None);
}

#[test]
fn a_server_of_ones_own_can_be_killed() {
    let server = postgres_alone();
    let url = server.database();
    assert_eq!(psql(&url, "select 1").as_deref(), Some("1"));
    server.kill();
    assert_eq!(psql(&url, "select 1"), None);
}

#[test]
fn seaweed_signs_lists_and_decides_races() {
    let s3 = seaweed();
    let (one, two) = (s3.fresh_bucket(), s3.fresh_bucket());
    assert_ne!(one, two);
    let curl = |arguments: &[&str], url: &str| {
        let output = Command::new("curl")
            .args([
                "-sS",
                "--aws-sigv4",
                "aws:amz:us-east-1:s3",
                "--user",
                &format!("{}:{}", s3.access_key, s3.secret_key),
            ])
            .args(["-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", "-w", "%{http_code}"])
            .args(arguments)
            .arg(format!("{}/{url}", s3.endpoint))
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let put_once = ["-X", "PUT", "-H", "If-None-Match: *", "-d", "hello"];
    assert_eq!(curl(&put_once, &format!("{one}/key")), "200");
    let second = curl(&put_once, &format!("{one}/key"));
    assert!(second.ends_with("412"), "{second}");
    assert_eq!(curl(&[], &format!("{one}/key")), "hello200");
    assert!(curl(&[], &format!("{two}/key")).ends_with("404"));
}

/// Not a test of its own: the process below runs it alone and kills it.
#[test]
fn holds_a_server_until_killed() {
    if std::env::var_os("TESTKIT_HOLD").is_some() {
        println!("holding {}", postgres());
        std::thread::park();
    }
}

#[test]
fn a_server_ends_with_a_killed_test_process() {
    let mut holder = Process::start(
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "servers::holds_a_server_until_killed", "--nocapture"])
            .env("TESTKIT_HOLD", "1")
            .env_remove("NEXTEST_RUN_ID"),
    );
    let line = holder.wait_for_line("holding postgresql://", SOON);
    let url = line.split_whitespace().last().unwrap().to_string();
    assert_eq!(psql(&url, "select 1").as_deref(), Some("1"));
    let data = psql(&url, "show data_directory").unwrap();
    holder.kill();
    await_until("the server to be gone", SOON, || psql(&url, "select 1").is_none().then_some(()));
    await_until("its folder to be gone", SOON, || (!Path::new(&data).exists()).then_some(()));
}

#[test]
fn the_python_environment_has_packages() {
    assert!(project_root().join("Cargo.toml").is_file());
    assert!(site_packages().join("pip").is_dir());
}
