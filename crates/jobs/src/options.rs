//! Arguments that say how a run goes, not what its settings are.

use crate::bookmarks::BookmarkMode;
use jobgraph::{Arguments, JobDefinition};
use model::{Error, LakeUri, Result};

const BOOKMARK: &str = "job-bookmark-option";
const REJECTS: &str = "reject-location";
const MOST_REJECTS: &str = "max-rejects";

/// What Glue's own runs take beside a job's arguments; here they change nothing.
const OF_GLUE: &[&str] = &[
    "JOB_NAME",
    "JOB_ID",
    "JOB_RUN_ID",
    "TempDir",
    "additional-python-modules",
    "class",
    "conf",
    "continuous-log-conversionPattern",
    "continuous-log-logGroup",
    "continuous-log-logStreamPrefix",
    "customer-driver-env-vars",
    "customer-executor-env-vars",
    "datalake-formats",
    "disable-proxy-v2",
    "enable-auto-scaling",
    "enable-continuous-cloudwatch-log",
    "enable-continuous-log-filter",
    "enable-glue-datacatalog",
    "enable-job-insights",
    "enable-lakeformation-fine-grained-access",
    "enable-metrics",
    "enable-observability-metrics",
    "enable-rename-algorithm-v2",
    "enable-s3-parquet-optimized-committer",
    "enable-spark-ui",
    "executor-cores",
    "extra-files",
    "extra-jars",
    "extra-py-files",
    "job-language",
    "python-modules-installer-option",
    "scriptLocation",
    "spark-event-logs-path",
    "user-jars-first",
    "write-shuffle-files-to-s3",
    "write-shuffle-spills-to-s3",
];

/// How a run goes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) mode: BookmarkMode,
    /// Where rejected rows go.
    pub(crate) rejects: Option<LakeUri>,
    /// More rejected rows than this fail the run; so does a larger part of what was read.
    pub(crate) most: Option<u64>,
    pub(crate) share: Option<f64>,
}

impl Options {
    /// What a definition and a run's arguments say, and what is wrong with it.
    pub(crate) fn of(definition: &JobDefinition, given: &Arguments) -> (Self, Vec<Error>) {
        let option = |name: &str| {
            let maps = [&definition.fixed_arguments, given, &definition.default_arguments];
            let dashed = format!("--{name}");
            maps.into_iter().find_map(|map| map.get(&dashed).or_else(|| map.get(name)).cloned())
        };
        let (mut options, mut errors) = (Self::default(), Vec::new());
        let mut wrong = |name: &str, error: Error| {
            let place = definition.place_of_argument(name).filter(|_| !is_given(given, name));
            errors.push(place.into_iter().fold(error, Error::at));
        };
        match BookmarkMode::parse(option(BOOKMARK).as_deref().unwrap_or_default()) {
            Ok(mode) => options.mode = mode,
            Err(error) => wrong(BOOKMARK, error),
        }
        match option(REJECTS).map(|text| text.parse::<LakeUri>()).transpose() {
            Ok(at) => options.rejects = at,
            Err(error) => wrong(REJECTS, error.context(format!("--{REJECTS}"))),
        }
        match option(MOST_REJECTS).map(|text| most_rejects(&text)).transpose() {
            Ok(Some((most, share))) => (options.most, options.share) = (most, share),
            Ok(None) => {}
            Err(error) => wrong(MOST_REJECTS, error),
        }
        (options, errors)
    }

    /// Whether an argument of this name means something to whoever runs jobs, here or at AWS.
    pub(crate) fn is_known(name: &str) -> bool {
        [BOOKMARK, REJECTS, MOST_REJECTS].contains(&name) || OF_GLUE.contains(&name)
    }
}

fn is_given(given: &Arguments, name: &str) -> bool {
    given.keys().any(|key| key.trim_start_matches("--") == name)
}

/// `100`, or `2%` of the rows that were read.
fn most_rejects(text: &str) -> Result<(Option<u64>, Option<f64>)> {
    let wrong = || {
        Error::invalid(format!("`{text}` is no value of --{MOST_REJECTS}"))
            .hint("write a number of rows, such as 100, or a part of them, such as 2%")
    };
    match text.trim().strip_suffix('%') {
        Some(percent) => match percent.trim().parse::<f64>() {
            Ok(percent) if (0.0..=100.0).contains(&percent) => Ok((None, Some(percent / 100.0))),
            _ => Err(wrong()),
        },
        None => text.trim().parse().map(|most| (Some(most), None)).map_err(|_| wrong()),
    }
}
