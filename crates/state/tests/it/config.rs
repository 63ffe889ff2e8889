//! The four sources and their order; refusals with their place.

use state::config::{self, Config, SETTINGS, Setting, Sources};
use std::fs;

fn load(file: &str, environment: &[(&str, &str)], flags: &[(&str, &str)]) -> model::Result<Config> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("glulam.toml");
    fs::write(&path, file).unwrap();
    Config::load(&Sources {
        file: Some(path),
        environment: environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        flags: flags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned(), format!("--set {k}"))).collect(),
    })
}

fn refusal(file: &str, environment: &[(&str, &str)], flags: &[(&str, &str)]) -> String {
    let text = load(file, environment, flags).unwrap_err().diagnosis().to_string();
    // The folder is a temporary one.
    text.lines()
        .map(|line| match (line.find("--> /"), line.find("glulam.toml")) {
            (Some(from), Some(to)) if from < to => format!("{}{}", &line[..from + 4], &line[to..]),
            _ => line.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn each_later_source_wins_and_is_remembered() {
    let file = "[runs]\nmax_running = 3\nkeep_days = 4\n[log]\nlevel = \"info\"\n";
    let config = load(
        file,
        &[("GLULAM_RUNS_KEEP_DAYS", "5"), ("GLULAM_LOG_LEVEL", "debug")],
        &[("log.level", "trace")],
    )
    .unwrap();
    let rows = config.rows();
    let row = |key: &str| rows.iter().find(|row| row.key == key).unwrap();
    assert_eq!(
        (row("log.level").value.as_str(), row("log.level").origin.as_str()),
        ("trace", "--set log.level")
    );
    assert_eq!(
        (config.count("runs.keep_days"), row("runs.keep_days").origin.as_str()),
        (5, "$GLULAM_RUNS_KEEP_DAYS")
    );
    assert_eq!(config.count("runs.max_running"), 3);
    assert!(row("runs.max_running").origin.ends_with("glulam.toml:2"), "{}", row("runs.max_running").origin);
    assert_eq!((row("log.format").value.as_str(), row("log.format").origin.as_str()), ("text", "default"));
}

#[test]
fn a_path_in_the_file_is_relative_to_the_file() {
    let config = load("data = \"here\"\n", &[], &[]).unwrap();
    assert!(config.data().is_absolute() && config.data().ends_with("here"));
}

#[test]
fn buckets_have_settings_of_their_own_and_secrets_stay_hidden() {
    let config = load(
        "[lake.buckets.\"raw.data\"]\nbackend = \"s3\"\nsecret_access_key = \"hush\"\npath_style = false\n",
        &[],
        &[],
    )
    .unwrap();
    assert_eq!(config.buckets().iter().map(|b| b.as_str()).collect::<Vec<_>>(), ["raw.data"]);
    assert_eq!(config.text("lake.buckets.raw.data.backend"), Some("s3"));
    assert_eq!(config.switch("lake.buckets.raw.data.path_style"), Some(false));
    assert!(config.rows().iter().all(|row| !row.value.contains("hush")));
}

#[test]
fn access_keys_have_settings_of_their_own() {
    let config = load(
        "[aws.keys.reader]\nsecret_access_key = \"hush\"\npolicy_file = \"reader.json\"\n\
         [aws.keys.\"a.b\"]\nsecret_access_key = \"hush\"\n",
        &[],
        &[],
    )
    .unwrap();
    assert_eq!(config.names("aws.keys.").into_iter().collect::<Vec<_>>(), ["a.b", "reader"]);
    assert!(config.path("aws.keys.reader.policy_file").unwrap().is_absolute());
    assert!(config.buckets().is_empty() && config.rows().iter().all(|row| !row.value.contains("hush")));
    let refused = refusal("[aws.keys.reader]\npolcy = \"x\"\n", &[], &[]);
    assert!(refused.contains("did you mean `aws.keys.reader.policy`"), "{refused}");
}

#[test]
fn roles_have_settings_of_their_own() {
    let config = load(
        "[aws.roles.\"night/etl\"]\npolicy = \"{}\"\n[aws.roles.\"a.b\"]\npolicy_file = \"ab.json\"\n",
        &[],
        &[],
    )
    .unwrap();
    assert_eq!(config.names("aws.roles.").into_iter().collect::<Vec<_>>(), ["a.b", "night/etl"]);
    assert_eq!(config.text("aws.roles.night/etl.policy"), Some("{}"));
    assert!(config.path("aws.roles.a.b.policy_file").unwrap().is_absolute());
    let refused = refusal("[aws.roles.etl]\nsecret_access_key = \"x\"\n", &[], &[]);
    assert!(refused.contains("there is no setting `aws.roles.etl.secret_access_key`"), "{refused}");
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_one() {
    insta::assert_snapshot!(refusal("data = \"x\"\nlake.endpiont = \"y\"\n", &[], &[]), @r##"
    there is no setting `lake.endpiont`
      --> glulam.toml:2:6
    2 | lake.endpiont = "y"
      |      ^^^^^^^^
    help: did you mean `lake.endpoint`?
    help: `glulam config` shows all settings
    "##);
    insta::assert_snapshot!(refusal("", &[("GLULAM_DTA", "x")], &[]), @r##"
    the environment variable `GLULAM_DTA` is no setting
    help: did you mean `GLULAM_DATA`?
    "##);
    insta::assert_snapshot!(refusal("[lake.buckets.raw]\nendpont = \"x\"\n", &[], &[]), @r##"
    there is no setting `lake.buckets.raw.endpont`
      --> glulam.toml:2:1
    2 | endpont = "x"
      | ^^^^^^^
    help: did you mean `lake.buckets.raw.endpoint`?
    help: `glulam config` shows all settings
    "##);
}

#[test]
fn a_wrong_value_is_refused_where_it_stands() {
    insta::assert_snapshot!(refusal("[runs]\nmax_running = 0\n", &[], &[]), @r##"
    `runs.max_running` must be a whole number from 1 to 1024, but it is `0`
      --> glulam.toml:2:15
    2 | max_running = 0
      |               ^
    "##);
    insta::assert_snapshot!(refusal("data = [1]\n", &[], &[]), @r##"
    `data` must be a text, a whole number, true or false
      --> glulam.toml:1:8
    1 | data = [1]
      |        ^^^
    "##);
    assert!(refusal("data = \n", &[], &[]).contains("glulam.toml:1:8"));
    insta::assert_snapshot!(refusal("", &[("GLULAM_LOG_LEVEL", "loud")], &[]), @r##"
    `log.level` must be one of error, warn, info, debug, trace, but it is `loud`
      --> $GLULAM_LOG_LEVEL
    "##);
}

#[test]
fn the_template_is_a_valid_file_with_every_setting() {
    let template = config::template();
    let uncommented: String = template
        .lines()
        .filter_map(|line| line.strip_prefix("# "))
        .filter(|l| l.contains(" = "))
        .map(|l| format!("{l}\n"))
        .collect();
    let plain = uncommented.split("backend = \"\"").next().unwrap();
    load(plain, &[], &[]).unwrap();
    for setting in SETTINGS {
        assert!(template.contains(setting.meaning), "{}", setting.key);
        assert!(Setting::of(&setting.key.replace('*', "some.bucket")).is_some());
    }
}
