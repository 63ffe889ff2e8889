//! The PostgreSQL door of the binary, used by psql, psycopg, SQLAlchemy, pandas and Java's driver.

use crate::home::{Home, LONG};
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::Process;

const ORDERS: &str = r#"{"id": 1, "customer": "Ada", "amount": 12.50, "day": "2026-01-01"}
{"id": 2, "customer": "Ada, the second", "amount": 7.25, "day": "2026-01-01"}
{"id": 3, "customer": "Brian", "amount": 100.00, "day": "2026-01-02"}
{"id": 4, "customer": "Dennis", "amount": 0.05, "day": "2026-01-03"}
"#;

/// A server with a small table and a view, and the address of its door.
fn up(home: &Home, more: &[&str]) -> (Process, String) {
    home.drop_file("raw", "orders/orders.json", ORDERS);
    let tables = home.write(
        "tables.sql",
        "CREATE DATABASE shop;\n\
         CREATE EXTERNAL TABLE shop.orders (id bigint, customer string, amount double, `day` date)\n\
         COMMENT 'what was bought'\n\
         ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'\n\
         LOCATION 's3://raw/orders/';\n\
         CREATE VIEW shop.totals AS SELECT customer, sum(amount) AS total FROM shop.orders GROUP BY customer;\n",
    );
    let made = home.run(["sql", "-f", &tables.display().to_string()]);
    assert_eq!(made.code, Some(0), "{}{}", made.stdout, made.stderr);
    let mut arguments = vec!["up", "--aws", "off", "--console", "off", "--pg", "127.0.0.1:0"];
    arguments.extend(more);
    let mut server = Process::start(&mut home.command(&arguments));
    let line = server.wait_for_line("ready aws=off console=off pg=postgresql://127.0.0.1:", LONG);
    let url = line.split("pg=").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().to_owned();
    (server, url)
}

/// Runs psql with commands; answers what it printed.
fn psql(home: &Home, url: &str, user: &str, commands: &str, code: i32) -> String {
    let mut command = Command::new("psql");
    command
        .args(["-X", "-v", "ON_ERROR_STOP=1", "-P", "pager=off", url, "-f", "-"])
        .current_dir(home.path())
        .env("PGUSER", user)
        .env("PGPASSWORD", user)
        .env("PGCONNECT_TIMEOUT", "20")
        .env_remove("PGDATABASE");
    let script = home.write("commands.psql", commands);
    command.stdin(std::fs::File::open(script).unwrap());
    let finished = Process::start(&mut command).wait(LONG);
    let all = format!("{}{}", finished.stdout, finished.stderr);
    assert_eq!(finished.code, Some(code), "{commands}\n{all}");
    all
}

/// Runs functions of the script `pg.py`, in one process.
fn python(home: &Home, url: &str, functions: &[&str]) {
    let mut command = Command::new(testkit::venv().join("bin/python"));
    command
        .arg(testkit::project_root().join("glulam/tests/it/clients/pg.py"))
        .arg(url)
        .args(functions)
        .current_dir(home.path())
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let finished = Process::start(&mut command).wait(LONG);
    assert_eq!(finished.code, Some(0), "{functions:?}\n{}{}", finished.stdout, finished.stderr);
}

#[test]
fn psql_describes_and_queries() {
    let home = Home::new();
    let (server, url) = up(&home, &[]);
    let shown = psql(
        &home,
        &url,
        "test",
        "\\l\n\\dn\n\\du\n\\dt shop.*\n\\dv shop.*\n\\d shop.orders\n\\d+ shop.orders\n\\df\n\\di shop.*\n\\dT\n\\conninfo\n\
         SET search_path = shop;\n\\d orders\nSELECT count(*) AS many FROM orders;\n\
         SELECT customer, amount FROM orders WHERE customer ILIKE 'ada%' ORDER BY id;\nEXPLAIN SELECT 1;\nSHOW TABLES IN shop;\n",
        0,
    );
    for part in [
        "List of databases",
        "List of roles",
        " shop ",
        "| orders | table | test",
        "| totals | view  | test",
        "Table \"shop.orders\"",
        "| double precision |",
        "| text ",
        "| date ",
        "Ada, the second |   7.25",
    ] {
        let squeezed = shown.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        let wanted = part.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        assert!(squeezed.contains(&wanted), "{part}\n{shown}");
    }
    let refused = psql(&home, &url, "test", "SELECT nothing FROM shop.orders;\n", 3);
    assert!(
        refused.contains("ERROR:") && refused.contains("LINE 1") && refused.contains("nothing"),
        "{refused}"
    );
    let refused = psql(&home, &url, "nobody", "SELECT 1;\n", 2);
    assert!(refused.contains("password authentication failed for user \"nobody\""), "{refused}");
    drop(server);
}

#[test]
fn psycopg_and_its_friends() {
    let home = Home::new();
    let (server, url) = up(&home, &[]);
    python(
        &home,
        &url,
        &[
            "types",
            "spellings",
            "nothing",
            "mistakes",
            "breaks",
            "cursors",
            "copies",
            "cancels",
            "writes",
            "modes",
            "catalog",
        ],
    );
    drop(server);
}

#[test]
fn statements_mean_what_they_mean_in_postgresql() {
    let home = Home::new();
    let (server, url) = up(&home, &[]);
    python(&home, &url, &["zones", "meaning", "transactions"]);
    drop(server);
}

/// A server that ends waits a moment for statements and then stops them, and says so.
#[test]
fn statements_are_stopped_with_the_server() {
    let home = Home::new();
    let (server, url) = up(&home, &["--set=pg.shutdown_grace=1"]);
    let mut command = Command::new(testkit::venv().join("bin/python"));
    command
        .arg(testkit::project_root().join("glulam/tests/it/clients/pg.py"))
        .arg(&url)
        .arg("ends")
        .current_dir(home.path())
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let mut client = Process::start(&mut command);
    client.wait_for_line("rows are coming", LONG);
    server.signal(15);
    // The statement would take days: the client ends since it is told that the server does.
    let finished = client.wait(LONG);
    assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
    let ended = server.wait(LONG);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("were cut off"), "{}", ended.stderr);
}

/// A key may read what its policy allows, at this door as at Athena's.
#[test]
fn policies_hold() {
    let home = Home::new();
    home.write(
        "glulam.toml",
        r#"[aws.keys.boss]
secret_access_key = "boss"
[aws.keys.reader]
secret_access_key = "reader"
policy = '{"Statement": [{"Effect": "Allow", "Action": ["glue:GetTable", "s3:GetObject"], "Resource": ["arn:aws:glue:*:*:table/shop/orders", "arn:aws:s3:::raw/orders/*"]}]}'
[aws.keys.stranger]
secret_access_key = "stranger"
policy = '{"Statement": []}'
"#,
    );
    let (server, url) = up(&home, &[]);
    assert!(psql(&home, &url, "reader", "SELECT count(*) FROM shop.orders;\n", 0).contains("4"));
    let listed = psql(&home, &url, "reader", "\\dt shop.*\n\\dv shop.*\n", 0);
    assert!(listed.contains("orders") && !listed.contains("totals"), "{listed}");
    for (user, sees) in [("boss", true), ("reader", true), ("stranger", false)] {
        let schemas = psql(&home, &url, user, "SELECT nspname FROM pg_namespace;\n", 0);
        assert_eq!(schemas.contains("shop"), sees, "{user}: {schemas}");
    }
    for (user, statement) in [
        ("reader", "SELECT * FROM shop.totals;"),
        ("reader", "DROP TABLE shop.orders;"),
        ("stranger", "SELECT * FROM shop.orders;"),
        ("stranger", "COPY shop.orders TO STDOUT;"),
    ] {
        let refused = psql(&home, &url, user, &format!("{statement}\n"), 3);
        assert!(refused.contains("not authorized"), "{user} {statement}: {refused}");
    }
    let refused = psql(&home, &url, "test", "SELECT 1;\n", 2);
    assert!(refused.contains("password authentication failed"), "{refused}");
    drop(server);
}

#[test]
fn connections_are_encrypted_where_a_certificate_is() {
    let home = Home::new();
    let (certificate, key) = (home.path().join("door.pem"), home.path().join("door.key"));
    let mut openssl = Command::new("openssl");
    openssl
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-out",
        ])
        .arg(&certificate)
        .arg("-keyout")
        .arg(&key);
    let made = Process::start(&mut openssl).wait(LONG);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let set = |name: &str, path: &Path| format!("--set={name}={}", path.display());
    let (certificate, key) = (set("pg.tls_certificate", &certificate), set("pg.tls_key", &key));
    let (server, url) = up(&home, &[&certificate, &key, "--set=pg.tls_required=true"]);
    let shown = psql(&home, &format!("{url}?sslmode=require"), "test", "\\conninfo\nSELECT 41 + 1;\n", 0);
    assert!(shown.contains("42") && shown.contains("TLS"), "{shown}");
    let refused = psql(&home, &format!("{url}?sslmode=disable"), "test", "SELECT 1;\n", 2);
    assert!(refused.contains("encrypted"), "{refused}");
    drop(server);
}

/// Java's driver, where a JDK and the driver are installed.
#[test]
fn java_reads_rows_and_metadata() {
    let jar = PathBuf::from("/usr/share/java/postgresql.jar");
    assert!(jar.exists(), "no {}; run scripts/setup.sh", jar.display());
    let home = Home::new();
    let (server, url) = up(&home, &[]);
    let mut command = Command::new("java");
    command
        .arg("-cp")
        .arg(&jar)
        .arg(testkit::project_root().join("glulam/tests/it/clients/Jdbc.java"))
        .arg(format!("jdbc:{url}"))
        .current_dir(home.path());
    let finished = Process::start(&mut command).wait(LONG);
    assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
    drop(server);
}
