//! The AWS door of the binary, used by Amazon's own client for Python and by plain HTTP.

use crate::home::{Home, LONG};
use std::process::Command;
use testkit::Process;

/// A server on a free port, and where it listens.
pub(crate) fn up(home: &Home, more: &[&str]) -> (Process, String) {
    let mut arguments = vec!["up", "--aws", "127.0.0.1:0", "--console", "off", "--pg", "off"];
    arguments.extend(more);
    let mut server = Process::start(&mut home.command(&arguments));
    let line = server.wait_for_line("ready aws=http://127.0.0.1:", LONG);
    let url = line.split("aws=").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().to_owned();
    (server, url)
}

/// Runs functions of the script `aws.py`, in one process: it takes seconds until Amazon's client is loaded.
fn python(home: &Home, url: &str, functions: &[&str], key: &str) -> String {
    python_with(home, url, "aws.py", functions, key)
}

/// A script of `clients`, not yet started.
pub(crate) fn client(home: &Home, url: &str, script: &str, arguments: &[&str], key: &str) -> Command {
    let script = testkit::project_root().join("glulam/tests/it/clients").join(script);
    let mut command = Command::new(testkit::venv().join("bin/python"));
    command.arg(script).args(arguments).current_dir(home.path());
    for (name, value) in [
        ("AWS_ENDPOINT_URL", url),
        ("AWS_ACCESS_KEY_ID", key),
        ("AWS_SECRET_ACCESS_KEY", key),
        ("AWS_DEFAULT_REGION", "eu-central-1"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("NO_PROXY", "*"),
    ] {
        command.env(name, value);
    }
    command
}

/// Runs a script of `clients`.
pub(crate) fn python_with(home: &Home, url: &str, script: &str, arguments: &[&str], key: &str) -> String {
    let finished = Process::start(&mut client(home, url, script, arguments, key)).wait(LONG);
    assert_eq!(finished.code, Some(0), "{arguments:?}\n{}{}", finished.stdout, finished.stderr);
    finished.stdout
}

#[test]
fn boto3_where_etags_are_no_md5s() {
    let home = Home::new();
    let (server, url) = up(&home, &["--set", "aws.etags=fast"]);
    python(&home, &url, &["fast_etags"], "glulam");
    drop(server);
}

#[test]
fn boto3_at_home() {
    let home = Home::new();
    let (server, url) = up(&home, &[]);
    let all = [
        "objects",
        "listing",
        "settings",
        "multipart",
        "presigned",
        "conditions",
        "wrong_secret",
        "hosts",
        "who",
        "glue",
    ];
    python(&home, &url, &all, "glulam");
    for key in ["test", "testing"] {
        python(&home, &url, &["who"], key);
    }
    // What went in by the protocol lies there as files, and the other way round.
    let uploaded = std::fs::read(home.bucket("first").join("folder/ä +%.txt")).unwrap();
    assert_eq!(uploaded, b"by boto3");
    home.drop_file("first", "by-hand.txt", "dropped");
    assert_eq!(python(&home, &url, &["dropped"], "glulam").trim(), "dropped");
    server.signal(15);
    let ended = server.wait(LONG);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("error"), "{}", ended.stderr);
    assert!(home.tables().contains(&"shop.orders".to_owned()));
}

#[test]
fn versions_by_boto3_and_the_aws_command() {
    let home = Home::new();
    let (server, url) = up(&home, &[]);
    python_with(&home, &url, "versions.py", &["boto3", "command", "emptied", "platform"], "glulam");
    // The newest version alone is a file of the bucket.
    let path = home.bucket("kept").join("dropped.txt");
    home.drop_file("kept", "dropped.txt", "by hand");
    python_with(&home, &url, "versions.py", &["by_hand"], "glulam");
    assert_eq!(std::fs::read_to_string(path).unwrap(), "by hand");
    drop(server);
    // A new process finds them all.
    let (_server, url) = up(&home, &[]);
    python_with(&home, &url, "versions.py", &["afterwards"], "glulam");
}

#[test]
fn keys_of_the_configuration_and_their_policies() {
    let home = Home::new();
    let policy = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*",
        "Resource": ["arn:aws:s3:::mine", "arn:aws:s3:::mine/*"]}]}"#;
    home.write("mine.json", policy);
    home.write(
        "glulam.toml",
        "[aws]\naccess_key_id = \"root\"\nsecret_access_key = \"root\"\n\
         [aws.keys.limited]\nsecret_access_key = \"limited\"\npolicy_file = \"mine.json\"\n",
    );
    let (server, url) = up(&home, &[]);
    python(&home, &url, &["who"], "root");
    python(&home, &url, &["limited"], "limited");
    python(&home, &url, &["stranger"], "glulam");
    drop(server);
    home.write(
        "glulam.toml",
        "[aws.keys.limited]\nsecret_access_key = \"x\"\npolicy = '{\"Statement\": 5}'\n",
    );
    let finished = home.run(["up", "--aws", "127.0.0.1:0", "--console", "off", "--pg", "off"]);
    assert_eq!(finished.code, Some(2), "{}", finished.stderr);
    assert!(finished.stderr.contains("policy of the access key `limited`"), "{}", finished.stderr);
}

#[test]
fn temporary_keys() {
    let home = Home::new();
    let environment = format!("python.environment={}", testkit::venv().display());
    let (server, url) = up(&home, &["--set", &environment]);
    let all = ["buckets", "role", "narrowed", "user", "profile", "presigned", "tampered", "script", "kept"];
    python_with(&home, &url, "sessions.py", &all, "glulam");
    drop(server);
    // A new process knows the sessions of the one before.
    let (_server, url) = up(&home, &[]);
    python_with(&home, &url, "sessions.py", &["afterwards"], "glulam");
}

#[test]
fn roles_of_the_configuration_and_their_policies() {
    let home = Home::new();
    home.write(
        "analyst.json",
        r#"{"Statement": [
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::raw/*"},
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::123456789012:role/writer"}]}"#,
    );
    home.write(
        "glulam.toml",
        r#"
        [aws]
        access_key_id = "root"
        secret_access_key = "root"
        [aws.keys.step]
        secret_access_key = "step"
        policy = '''{"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
            "Resource": ["arn:aws:iam::123456789012:role/analyst", "arn:aws:iam::123456789012:role/other"]}}'''
        [aws.roles.analyst]
        policy_file = "analyst.json"
        [aws.roles.writer]
        policy = '{"Statement": {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::raw/*"}}'
        "#,
    );
    let (server, url) = up(&home, &[]);
    python_with(&home, &url, "sessions.py", &["buckets"], "root");
    python_with(&home, &url, "sessions.py", &["roles"], "step");
    drop(server);
    home.write("glulam.toml", "[aws.roles.analyst]\npolicy = \"\"\n");
    let finished = home.run(["up", "--aws", "127.0.0.1:0", "--console", "off", "--pg", "off"]);
    assert_eq!(finished.code, Some(2), "{}", finished.stderr);
    assert!(finished.stderr.contains("the role `analyst` has no policy"), "{}", finished.stderr);
}

#[test]
fn two_servers_cannot_share_a_port() {
    let (one, two) = (Home::new(), Home::new());
    let (server, url) = up(&one, &[]);
    let address = url.trim_start_matches("http://");
    let second = two.run(["up", "--aws", address, "--console", "off", "--pg", "off"]);
    assert_eq!(second.code, Some(4), "{}", second.stderr);
    assert!(second.stderr.contains("is taken"), "{}", second.stderr);
    drop(server);
}
