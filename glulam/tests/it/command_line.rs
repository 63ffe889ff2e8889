//! Words, exit codes, help.

use crate::home::Home;

#[test]
fn wrong_use_is_told_apart_from_a_missing_thing() {
    let home = Home::new();
    for (arguments, code, words) in [
        (vec!["nonsense"], 2, "unrecognized subcommand"),
        (vec!["describe", "nowhere.at_all"], 3, "nowhere"),
        (vec!["describe", "no-dot"], 2, "DATABASE.TABLE"),
        (vec!["crawl", "s3://bucket/"], 2, "--database"),
        (vec!["crawl", "./missing", "--database", "x"], 3, "no file or folder"),
        (vec!["crawl", "missing"], 3, "missing"),
        (vec!["crawl", "s3://Bad_Bucket/", "--database", "x"], 2, "bucket name"),
        (vec!["runs", "0000"], 2, "run id"),
        (vec!["logs", "00000000000000000000000000"], 3, "run"),
        (vec!["logs", "--last"], 3, "nothing ran"),
        (vec!["runs", "--state", "runing"], 2, "did you mean `running`"),
        (vec!["up", "--aws", "off", "--console", "off", "--pg", "nowhere"], 2, "HOST:PORT"),
        (vec!["up", "--aws", "off", "--console", "off", "--pg", "0.0.0.0:0"], 2, "no access key"),
        (vec!["up", "--pg", "off", "--console", "off", "--aws", "nowhere"], 2, "HOST:PORT"),
        (vec!["up", "--pg", "off", "--console", "off", "--aws", "0.0.0.0:0"], 2, "no access key"),
        (vec!["up", "--pg", "off", "--aws", "off", "--console", "nowhere"], 2, "HOST:PORT"),
        (vec!["up", "--pg", "off", "--aws", "off", "--console", "0.0.0.0:0"], 2, "no access key"),
        (vec!["--set", "dta=x", "tables"], 2, "did you mean `data`"),
        (vec!["gen", "missing.json"], 3, "missing.json"),
    ] {
        let finished = testkit::Process::start(&mut home.command(&arguments)).wait(crate::home::LONG);
        assert_eq!(finished.code, Some(code), "{arguments:?}: {}{}", finished.stdout, finished.stderr);
        assert!(finished.stderr.contains(words), "{arguments:?}: {}", finished.stderr);
        assert!(finished.stdout.is_empty(), "{arguments:?}: an error is no answer: {}", finished.stdout);
        assert!(!finished.stderr.contains("panicked"), "{}", finished.stderr);
    }
}

#[test]
fn errors_are_json_where_answers_are() {
    let home = Home::new();
    let finished = home.run(["describe", "nowhere.at_all", "--json"]);
    let error: serde_json::Value = serde_json::from_str(&finished.stderr).unwrap();
    assert_eq!(error["error"]["kind"], "not_found");
}

#[test]
fn every_command_explains_itself_with_examples() {
    let home = Home::new();
    let help = home.succeed(["--help"]);
    for command in [
        "up",
        "init",
        "crawl",
        "tables",
        "describe",
        "partitions",
        "runs",
        "logs",
        "gen",
        "config",
        "completions",
    ] {
        assert!(
            help.lines().any(|line| line.trim_start().starts_with(command)),
            "{command} is not in\n{help}"
        );
        assert!(home.succeed([command, "--help"]).contains("Examples:"), "{command}");
    }
}

#[test]
fn completions_know_the_commands() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(home.succeed(["completions", shell]).contains("partitions"), "{shell}");
    }
    // Broken configuration must not break the shell's start.
    home.write("glulam.toml", "nonsense = [");
    home.succeed(["completions", "bash"]);
}

#[test]
fn init_makes_what_the_other_commands_use() {
    let home = Home::new();
    let said = home.succeed(["init", "--bucket", "raw"]);
    assert!(said.contains("raw"), "{said}");
    assert!(home.path().join("glulam-data/buckets/raw").is_dir());
    home.write("glulam.toml", "[runs]\nmax_running = 3\n");
    let again = home.succeed(["init"]);
    assert!(again.contains("left as it is"), "{again}");
    let settings = home.json(["config"]);
    let row =
        settings.as_array().unwrap().iter().find(|row| row["key"] == "runs.max_running").unwrap().clone();
    assert_eq!((row["value"].as_str(), row["origin"].as_str()), (Some("3"), Some("glulam.toml:2")));
    assert!(!row["meaning"].as_str().unwrap().is_empty());
    // Elsewhere: a folder with everything in it.
    home.succeed(["init", "elsewhere"]);
    assert!(
        home.path().join("elsewhere/glulam.toml").exists()
            && home.path().join("elsewhere/glulam-data").is_dir()
    );
}

#[test]
fn nothing_but_the_answer_when_nobody_watches() {
    let home = Home::new();
    home.drop_file("raw", "pets/a.csv", "name,age\nrex,3\nmia,4\n");
    let finished = home.run(["crawl", "s3://raw/", "--database", "zoo"]);
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""), "{}", finished.stdout);
    assert!(!finished.stdout.contains('\u{1b}'));
}
