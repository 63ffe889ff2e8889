//! Python-shell scripts: from the command line without a definition, as jobs, and what a reader sees when they fail.

use crate::aws::{python_with, up};
use crate::home::{Home, LONG};
use testkit::{Finished, Process};

/// Runs a command with the tests' own environment of Python.
fn run(home: &Home, arguments: &[&str]) -> Finished {
    let environment = format!("python.environment={}", testkit::venv().display());
    let mut all = vec!["--set", &environment];
    all.extend(arguments);
    Process::start(&mut home.command(&all)).wait(LONG)
}

const COPY: &str = r#"
import sys
import boto3
from awsglue.utils import getResolvedOptions

options = getResolvedOptions(sys.argv, ["bucket", "text"])
s3 = boto3.client("s3")
s3.create_bucket(Bucket=options["bucket"])
s3.put_object(Bucket=options["bucket"], Key="by/script.txt", Body=options["text"].encode())
names = [o["Key"] for o in s3.list_objects_v2(Bucket=options["bucket"])["Contents"]]
print("wrote", *names)
print("a remark", file=sys.stderr)
"#;

#[test]
fn a_script_without_a_server_reaches_the_lake() {
    let home = Home::new();
    home.write("convert.py", COPY);
    let finished = run(&home, &["run", "convert.py", "--bucket", "made", "--text", "ä b"]);
    assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
    assert_eq!(finished.stdout, "wrote by/script.txt\n");
    assert!(finished.stderr.contains("a remark\n"), "{}", finished.stderr);
    assert_eq!(std::fs::read_to_string(home.bucket("made").join("by/script.txt")).unwrap(), "ä b");
    // Its lines are the run's log.
    let log = home.succeed(["logs", "--last"]);
    assert!(log.contains("info   wrote by/script.txt") && log.contains("warn   a remark"), "{log}");
    let runs = home.json(["runs", "--kind", "job"]);
    assert_eq!(runs[0]["name"], "convert.py", "{runs}");
    assert!(!runs.to_string().contains("secret"), "{runs}");
}

#[test]
fn a_script_sees_nothing_of_who_started_it() {
    let home = Home::new();
    home.write("look.py", "import os\nprint(*sorted(os.environ))\n");
    let environment = format!("python.environment={}", testkit::venv().display());
    let mut command = home.command(["--set", &environment, "run", "look.py"]);
    command.env("DATABASE_PASSWORD", "hidden").env("AWS_PROFILE", "mine").env("LC_TIME", "C");
    let finished = Process::start(&mut command).wait(LONG);
    assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
    let names: Vec<&str> = finished.stdout.split_whitespace().collect();
    for wanted in ["PATH", "LC_TIME", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID"] {
        assert!(names.contains(&wanted), "{wanted}: {names:?}");
    }
    for hidden in ["DATABASE_PASSWORD", "AWS_PROFILE"] {
        assert!(!names.contains(&hidden), "{hidden}: {names:?}");
    }
}

#[test]
fn files_of_one_name_from_two_folders_are_both_there() {
    let home = Home::new();
    home.write(
        "script.py",
        "import sys\nprint(*[open(path + '/part.py').read() for path in sys.path if 'files' in path])\n",
    );
    std::fs::create_dir_all(home.bucket("code").join("a")).unwrap();
    std::fs::create_dir_all(home.bucket("code").join("b")).unwrap();
    std::fs::write(home.bucket("code").join("a/part.py"), "'a'").unwrap();
    std::fs::write(home.bucket("code").join("b/part.py"), "'b'").unwrap();
    let files = "s3://code/a/part.py,s3://code/b/part.py";
    let finished = run(&home, &["run", "script.py", "--extra-py-files", files]);
    assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
    assert_eq!(finished.stdout, "'a' 'b'\n");
}

#[test]
fn a_failure_is_explained_in_a_few_lines() {
    let home = Home::new();
    home.write(
        "fails.py",
        "import boto3\n\ndef load():\n    boto3.client('s3').head_bucket(Bucket='absent')\n\nload()\n",
    );
    let finished = run(&home, &["run", "fails.py"]);
    assert_eq!(finished.code, Some(1), "{}{}", finished.stdout, finished.stderr);
    let (traceback, diagnosis) = finished.stderr.split_once("error: ").unwrap();
    assert!(traceback.contains("Traceback"), "{traceback}");
    assert!(diagnosis.starts_with("botocore.exceptions.ClientError: An error occurred (404)"), "{diagnosis}");
    assert!(diagnosis.contains("--> fails.py:4:5\n4 |     boto3.client('s3').head_bucket"), "{diagnosis}");
    assert!(diagnosis.contains("why: raised in botocore/client.py, line "), "{diagnosis}");
    assert!(diagnosis.lines().count() <= 11, "{diagnosis}");

    let finished = run(&home, &["run", "absent.py"]);
    assert_eq!(finished.code, Some(3), "{}", finished.stderr);
    home.write("convert.py", COPY);
    let finished = run(&home, &["run", "convert.py"]);
    assert!(finished.stderr.contains("the argument --bucket is required"), "{}", finished.stderr);
}

#[test]
fn check_finds_what_keeps_scripts_from_starting() {
    let home = Home::new();
    home.write("good.py", "import pandas, awswrangler, good\nfrom awsglue.utils import getResolvedOptions\n");
    home.write("syntax.py", "def f(:\n    pass\n");
    home.write("imports.py", "import pandas\nimport nowhere\n");
    let finished = run(&home, &["check", "good.py"]);
    assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
    let finished = run(&home, &["check", "."]);
    assert_eq!(finished.code, Some(2), "{}{}", finished.stdout, finished.stderr);
    for expected in [
        "SyntaxError: invalid syntax\n  --> ./syntax.py:1:7\n1 | def f(:\n  |       ^",
        "the module `nowhere` is not there\n  --> ./imports.py:2:8\n2 | import nowhere\n  |        ^^^^^^^",
    ] {
        assert!(finished.stdout.contains(expected), "{}", finished.stdout);
    }
    assert!(finished.stderr.contains("2 mistakes in 3 files"), "{}", finished.stderr);
}

#[test]
fn the_practice_by_amazons_clients() {
    let home = Home::new();
    let environment = format!("python.environment={}", testkit::venv().display());
    let (server, url) = up(&home, &["--set", &environment]);
    python_with(&home, &url, "practice.py", &[], "test");
    server.signal(15);
    let ended = server.wait(LONG);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("error"), "{}", ended.stderr);
}
