//! The forms a definition may have, and arguments.

use crate::{analyst::Hand, checked_with};
use jobgraph::{Arguments, SourceSpec, Step};

const NODES: &str = r#"{"a": {"S3JsonSource": {"Name": "a", "Paths": ["s3://${bucket}/$${x}/"]}},
 "t": {"S3DirectTarget": {"Name": "t", "Inputs": ["a"], "Path": "s3://lake/t/", "Format": "json"}}}"#;

fn path(text: &str, given: &[(&str, &str)]) -> String {
    let arguments: Arguments = given.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let (_, checked) = checked_with(text, "job.json", &arguments, &Hand::usual());
    assert!(checked.errors.is_empty(), "{:?}", checked.errors);
    let Some(Step::Source(SourceSpec::Files(files))) = &checked.node("a").unwrap().step else { panic!() };
    files.paths[0].to_string()
}

#[test]
fn jobs_come_whole_wrapped_or_as_nodes() {
    let job = |more: &str| {
        format!(
            r#"{{"Name": "j", "Command": {{"Name": "glueetl"}}, "Role": "r", {more} "CodeGenConfigurationNodes": {NODES}}}"#
        )
    };
    let defaults = r#""DefaultArguments": {"--bucket": "one"},"#;
    assert_eq!(path(&job(defaults), &[]), "s3://one/${x}/");
    assert_eq!(path(&job(defaults), &[("--bucket", "two")]), "s3://two/${x}/");
    assert_eq!(path(&job(defaults), &[("bucket", "two")]), "s3://two/${x}/");
    assert_eq!(
        path(&job(r#""NonOverridableArguments": {"--bucket": "one"},"#), &[("--bucket", "two")]),
        "s3://one/${x}/"
    );
    let wrapped =
        format!(r#"{{"Job": {}}}"#, job(r#""CreatedOn": 1, "DefaultArguments": {"--bucket": "one"},"#));
    assert_eq!(path(&wrapped, &[]), "s3://one/${x}/");
    let answered = wrapped.replacen('{', r#"{"ResponseMetadata": {"HTTPStatusCode": 200}, "#, 1);
    assert_eq!(path(&answered, &[]), "s3://one/${x}/");
    let update = format!(
        r#"{{"JobName": "renewed", "JobUpdate": {{"Role": "r", "CodeGenConfigurationNodes": {NODES}}}}}"#
    );
    let (definition, errors) = jobgraph::parse(&update, "job.json");
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(definition.name.as_deref(), Some("renewed"));
    assert_eq!(path(NODES, &[("bucket", "two")]), "s3://two/${x}/");
}

#[test]
fn a_job_without_a_name_has_its_files() {
    let (definition, _) = jobgraph::parse(NODES, "/jobs/daily.json");
    assert_eq!(jobgraph::resolve(&definition, &Arguments::new()).name, "daily");
    assert_eq!(definition.node_ids().collect::<Vec<_>>(), ["a", "t"]);
}

#[test]
fn wrong_forms_say_what_is_wanted() {
    for (text, message) in [
        ("", "empty"),
        ("[1]", "is a map, but this is a list"),
        ("Name: x", "no `CodeGenConfigurationNodes`"),
        ("Name: x\nCodeGenConfigurationNodes: {}", "no nodes"),
        ("Name: x\nCodeGenConfigurationNodes: [a]", "a map from ids to nodes"),
        ("Name: x\nCodeGenConfiguratonNodes: {}", "unknown setting `CodeGenConfiguratonNodes`"),
        ("Name: x\nMaxRetrys: 1\nCodeGenConfigurationNodes: {a: {}}", "unknown setting `MaxRetrys`"),
        ("DefaultArguments: {source: x}\nCodeGenConfigurationNodes: {a: {}}", "does not begin with `--`"),
        ("WorkerType: G.3X\nCodeGenConfigurationNodes: {a: {}}", "no WorkerType"),
        ("JobMode: NOTEBOOK\nCodeGenConfigurationNodes: {a: {}}", "no graph of nodes"),
        ("CodeGenConfigurationNodes: {a: {}}", "has 0 types"),
        ("CodeGenConfigurationNodes: {a: 5}", "must be `{Type: {settings}}`"),
    ] {
        let (_, errors) = jobgraph::parse(text, "j.yaml");
        assert!(
            errors.iter().any(|e| format!("{:?}", e.diagnosis()).contains(message)),
            "{text}: {errors:?}"
        );
        assert!(errors.iter().all(|error| error.place().is_some()));
    }
}

#[test]
fn all_kinds_have_a_name() {
    let names: Vec<&str> = jobgraph::kind_names().collect();
    assert_eq!(names.len(), 36);
    let mut once = names.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), names.len());
}
