//! One run of a script: what it needs is fetched and installed, then it runs; its lines are the run's log.

use super::fetch::{Fetched, fetch};
use super::{Plan, ScriptKey, ScriptReport, Source};
use crate::jobs::Jobs;
use model::{Error, Result, RunId};
use python::{Line, LineSender, Stream};
use serde_json::Value;
use state::runs::RunContext;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Weak;
use tempfile::TempDir;

/// How many lines may wait for the run's log.
const WAITING: usize = 256;

/// Begins the lines of a script's log that are ours: what is prepared for it.
pub const NOTE: &str = "glulam: ";

/// What Amazon's clients in a script call it in their requests, before the run's id.
const CALLED: &str = "glulam-run-";

/// The run of the script that a request's `user-agent` names. It may be anybody's word: nothing may be allowed by it.
pub fn script_run(agent: &str) -> Option<RunId> {
    let (_, name) = agent.split_once("app/")?;
    name.split_whitespace().next()?.strip_prefix(CALLED)?.parse().ok()
}

/// A folder that nobody else may look into, gone when this is dropped.
pub(super) fn own_folder() -> Result<TempDir> {
    tempfile::Builder::new()
        .prefix("glulam-script-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir()
        .map_err(|e| Error::unavailable("cannot make a folder for a script").source_is(e))
}

/// Carries out what says lines meanwhile; they become the run's log. Gives how many were the script's.
pub(super) async fn noted<T, F>(run: &RunContext, work: impl FnOnce(LineSender) -> F) -> (Result<T>, u64)
where
    F: Future<Output = Result<T>>,
{
    let (lines, mut coming) = tokio::sync::mpsc::channel::<Line>(WAITING);
    let log = async {
        let mut count = 0;
        while let Some(Line { stream, text }) = coming.recv().await {
            count += u64::from(stream != Stream::Note);
            match stream {
                Stream::Note => run.info(format!("{NOTE}{text}")).await,
                Stream::Output => run.info(text).await,
                Stream::Error => run.warn(text).await,
            }
        }
        count
    };
    tokio::join!(work(lines), log)
}

impl Jobs {
    pub(super) async fn run_script(&self, plan: &Plan, run: &RunContext) -> Result<Value> {
        let own = own_folder()?;
        let (ended, lines) = noted(run, |lines| self.carry_out(plan, run, own.path(), lines)).await;
        let seconds = ended?;
        let script = match &plan.script {
            Source::Lake(uri) => uri.to_string(),
            Source::Local { name, .. } => name.clone(),
        };
        serde_json::to_value(ScriptReport { script, seconds, lines })
            .map_err(|e| Error::internal("an account cannot be written").source_is(e))
    }

    async fn carry_out(&self, plan: &Plan, run: &RunContext, own: &Path, lines: LineSender) -> Result<f64> {
        let python = &self.rooms.python;
        let stop = run.cancelled();
        let Fetched { mut script, modules } =
            fetch(&self.rooms.lake, &plan.script, &plan.extras, own).await?;
        let base = python.ready(&stop, &lines).await?;
        let environment = python.extended(&base, &modules, &plan.extras.options, &stop, &lines).await?;
        run.check()?;
        let Some(door) = self.door.get().and_then(Weak::upgrade) else {
            return Err(Error::unsupported("scripts cannot run here: no door leads back to the platform"));
        };
        let (endpoint, owner) = door.open().await?;
        script.arguments.clone_from(&plan.arguments);
        script.variables = variables(&endpoint, plan.key.as_ref().unwrap_or(&owner), run.id());
        let begun = run.clock().now();
        python.run(&environment, &script, own, &stop, &lines).await?;
        Ok((run.clock().now() - begun).as_seconds_f64())
    }
}

/// What makes Amazon's own clients in the script come to us, and nowhere else.
fn variables(endpoint: &str, key: &ScriptKey, run: &RunId) -> Vec<(String, String)> {
    let hosts = ["NO_PROXY", "no_proxy"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .filter(|hosts| !hosts.is_empty())
        .map_or_else(String::new, |hosts| format!("{hosts},"));
    let own =
        endpoint.split("://").nth(1).map_or("", |rest| rest.split(['/', ':']).next().unwrap_or_default());
    let hosts = format!("{hosts}127.0.0.1,localhost,{own}");
    let name = format!("{CALLED}{run}");
    let token = key.token.as_deref().map(|token| ("AWS_SESSION_TOKEN", token));
    [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", &key.id),
        ("AWS_SECRET_ACCESS_KEY", &key.secret),
        ("AWS_DEFAULT_REGION", &key.region),
        ("AWS_REGION", &key.region),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_SDK_UA_APP_ID", &name),
        ("NO_PROXY", &hosts),
        ("no_proxy", &hosts),
    ]
    .into_iter()
    .chain(token)
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scripts_requests_name_its_run() {
        let run = RunId::from_parts(7, 9);
        for (agent, found) in [
            (
                format!("Boto3/1.44 md/Botocore#1.44 lang/python#3.12 app/{CALLED}{run} Botocore/1.44"),
                Some(&run),
            ),
            (format!("aws-sdk-java/2.1 app/{CALLED}{run}"), Some(&run)),
            (format!("Boto3/1.44 app/{run}"), None),
            (format!("Boto3/1.44 app/{CALLED}x"), None),
            ("Boto3/1.44 app/".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(script_run(&agent).as_ref(), found, "{agent}");
        }
    }
}
