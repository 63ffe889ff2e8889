//! Jobs that are Python-shell scripts: fetched, prepared, run as processes that reach the platform by its AWS door.

mod fetch;
mod run;

pub use run::{NOTE, script_run};

use crate::jobs::Jobs;
use jobgraph::{Arguments, JobDefinition};
use model::{Error, ErrorKind, LakeUri, Place, Result, RunKind};
use serde::{Deserialize, Serialize};
use serde_json::json;
use state::runs::{NewRun, RunContext, RunHandle};
use std::fmt;
use std::path::PathBuf;
use std::sync::Weak;

/// Where scripts reach the platform by AWS's protocols.
#[async_trait::async_trait]
pub trait ScriptDoor: Send + Sync {
    /// The door's URL, and a key of its owner's. A door that is not open yet is opened.
    async fn open(&self) -> Result<(String, ScriptKey)>;
}

/// The access key with which a script calls. Its `Debug` text leaves the secret out.
#[derive(Clone)]
pub struct ScriptKey {
    /// The public half.
    pub id: String,
    /// The secret half.
    pub secret: String,
    /// The session token, if it is a temporary key.
    pub token: Option<String>,
    /// The region that is meant.
    pub region: String,
}

impl fmt::Debug for ScriptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A script on this machine, run without a definition.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LocalScript {
    /// The file.
    pub file: PathBuf,
    /// What the user calls it.
    pub name: String,
    /// The folder to work in.
    pub folder: PathBuf,
    /// Its arguments, as they were written.
    pub arguments: Vec<String>,
}

/// What a script's run answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ScriptReport {
    /// The script.
    pub script: String,
    /// How long it ran, without its preparation.
    pub seconds: f64,
    /// How many lines it wrote.
    pub lines: u64,
}

/// A script with all that its run needs to know.
#[derive(Debug, Clone)]
struct Plan {
    script: Source,
    arguments: Vec<String>,
    extras: Extras,
    key: Option<ScriptKey>,
}

/// Where a script comes from.
#[derive(Debug, Clone)]
enum Source {
    Lake(LakeUri),
    Local { file: PathBuf, name: String, folder: PathBuf },
}

/// What is installed or put beside it, from the arguments that Glue knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Extras {
    /// `--additional-python-modules`
    modules: Vec<String>,
    /// `--python-modules-installer-option`
    options: Vec<String>,
    /// `--extra-py-files`
    files: Vec<String>,
}

const MODULES: &str = "additional-python-modules";
const OPTIONS: &str = "python-modules-installer-option";
const FILES: &str = "extra-py-files";

impl Extras {
    /// From words such as `--name value` and `--name=value`.
    fn of(words: &[String]) -> Self {
        let mut extras = Self::default();
        for (index, word) in words.iter().enumerate() {
            let Some(word) = word.strip_prefix("--") else { continue };
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, value),
                None => (word, words.get(index + 1).map_or("", String::as_str)),
            };
            let list = |by: char| {
                value.split(by).map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
            };
            match name {
                MODULES => extras.modules = list(','),
                OPTIONS => extras.options = list(' '),
                FILES => extras.files = list(','),
                _ => {}
            }
        }
        extras
    }
}

impl Extras {
    /// The modules that will probably be there, by the names of their packages and files.
    fn brings(&self) -> Vec<String> {
        let package = |word: &String| {
            let file = word.rsplit('/').next().unwrap_or(word);
            let end = file
                .find(|c: char| !(c.is_alphanumeric() || c == '_' || (c == '-' && !file.ends_with(".whl"))));
            file[..end.unwrap_or(file.len())].replace('-', "_").to_lowercase()
        };
        self.modules.iter().chain(&self.files).map(package).collect()
    }
}

/// The words that a run's script gets: what cannot be changed, then the run's own, then the job's.
fn words(definition: &JobDefinition, given: &Arguments, job: &str, run: &str) -> Vec<String> {
    let mut all = definition.default_arguments.clone();
    let dashed = |name: &String| if name.starts_with("--") { name.clone() } else { format!("--{name}") };
    all.extend(given.iter().map(|(name, value)| (dashed(name), value.clone())));
    all.extend(definition.fixed_arguments.clone());
    all.entry("--JOB_NAME".to_owned()).or_insert_with(|| job.to_owned());
    all.entry("--JOB_RUN_ID".to_owned()).or_insert_with(|| run.to_owned());
    all.into_iter().flat_map(|(name, value)| [name, value]).collect()
}

impl Jobs {
    /// Says where scripts find the platform. Until then they are refused.
    pub fn set_door(&self, door: Weak<dyn ScriptDoor>) {
        // The first door stays: it is opened once.
        let _ = self.door.set(door);
    }

    /// Makes the environment of scripts, if it is not there: a run, because it takes a while.
    pub async fn start_python_setup(&self) -> Result<RunHandle> {
        let python = self.rooms.python.clone();
        self.rooms
            .runs
            .start(NewRun::new(RunKind::new("python-setup")?, "environment"), move |run: RunContext| {
                let python = python.clone();
                async move {
                    let stop = run.cancelled();
                    let made = run::noted(&run, |lines| async move { python.ready(&stop, &lines).await });
                    let environment = made.await.0?;
                    Ok(json!({ "interpreter": environment.interpreter }))
                }
            })
            .await
    }

    /// Starts a script of this machine.
    pub async fn start_local_script(&self, script: LocalScript) -> Result<RunHandle> {
        if !script.file.is_file() {
            return Err(Error::not_found("there is no such script").at(Place::object(&script.name)));
        }
        let name = script.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut new = NewRun::new(RunKind::new("job")?, name);
        new.arguments = json!({ "command": "pythonshell", "script": script.name, "words": script.arguments });
        let plan = Plan {
            extras: Extras::of(&script.arguments),
            arguments: script.arguments,
            script: Source::Local { file: script.file, name: script.name, folder: script.folder },
            key: None,
        };
        let jobs = self.clone();
        self.rooms
            .runs
            .start(new, move |run: RunContext| {
                let (jobs, plan) = (jobs.clone(), plan.clone());
                async move { jobs.run_script(&plan, &run).await }
            })
            .await
    }

    /// Starts a run of a job that is a script, with the rights of that key, or else the owner's.
    pub(crate) async fn start_script(
        &self,
        mut new: NewRun,
        definition: JobDefinition,
        given: Arguments,
        key: Option<ScriptKey>,
    ) -> Result<RunHandle> {
        let source = self.script_of(&definition).await?;
        let job = new.name.clone();
        if let serde_json::Value::Object(arguments) = &mut new.arguments {
            arguments.insert("command".to_owned(), json!("pythonshell"));
        }
        let jobs = self.clone();
        self.rooms
            .runs
            .start(new, move |run: RunContext| {
                let arguments = words(&definition, &given, &job, run.id().as_ref());
                let plan = Plan {
                    extras: Extras::of(&arguments),
                    arguments,
                    script: source.clone(),
                    key: key.clone(),
                };
                let jobs = jobs.clone();
                async move { jobs.run_script(&plan, &run).await }
            })
            .await
    }

    /// Syntax errors of scripts, and imports of what is not there.
    pub async fn check_scripts(&self, scripts: &[python::Checked]) -> Result<Vec<Error>> {
        match scripts.is_empty() {
            true => Ok(Vec::new()),
            false => self.rooms.python.check(scripts, &[], run::own_folder()?.path()).await,
        }
    }

    /// The same of a definition's script, with the modules that it asks for.
    pub(crate) async fn check_script_of(&self, definition: &JobDefinition) -> Result<Vec<Error>> {
        let words = words(definition, &Arguments::new(), "", "");
        let own = run::own_folder()?;
        let source = match self.script_of(definition).await {
            Ok(source) => source,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidInput) => {
                return Ok(vec![error]);
            }
            Err(error) => return Err(error),
        };
        let extras = Extras::of(&words);
        let fetched = fetch::fetch(&self.rooms.lake, &source, &Extras::default(), own.path()).await?;
        let file = fetched.script.file;
        let text = std::fs::read_to_string(&file).map_err(|e| {
            Error::invalid("the script is not UTF-8 text").at(Place::object(file.display())).source_is(e)
        })?;
        let name = fetched.script.name.unwrap_or_else(|| file.display().to_string());
        let checked =
            python::Checked { name, text, folders: file.parent().map(PathBuf::from).into_iter().collect() };
        self.rooms.python.check(&[checked], &extras.brings(), own.path()).await
    }

    /// Where a definition's script stands; it must be there.
    async fn script_of(&self, definition: &JobDefinition) -> Result<Source> {
        let Some(script) = &definition.script else {
            return Err(Error::internal("a job without a script was started as one"));
        };
        let missing = |error: Error| {
            Error::new(error.kind(), format!("the script {} is not there", script.location))
                .at(script.place.clone())
                .source_is(error)
        };
        if script.location.contains("://") {
            let uri: LakeUri = script.location.parse().map_err(|e: Error| e.at(script.place.clone()))?;
            self.rooms.lake.head(&uri).await.map_err(missing)?;
            return Ok(Source::Lake(uri));
        }
        let file = PathBuf::from(&script.location);
        if !file.is_absolute() {
            return Err(Error::invalid("a relative path says nothing about where a script is")
                .at(script.place.clone())
                .hint("write s3://bucket/script.py, or the whole path"));
        }
        if !file.is_file() {
            return Err(missing(Error::not_found("there is no such file")));
        }
        let folder = file.parent().map(PathBuf::from).unwrap_or_default();
        Ok(Source::Local { file, name: script.location.clone(), folder })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_win_in_glues_order() {
        let text = r#"{"Name": "j", "Command": {"Name": "pythonshell", "ScriptLocation": "s3://b/s.py"},
            "DefaultArguments": {"--a": "1", "--b": "1", "--c": "1"}, "NonOverridableArguments": {"--c": "3"}}"#;
        let (definition, errors) = jobgraph::parse(text, "j.json");
        assert!(errors.is_empty(), "{errors:?}");
        let given = [("--b", "2"), ("c", "2"), ("--JOB_NAME", "mine")];
        let given = given.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let words = words(&definition, &given, "j", "r");
        let pairs: Vec<String> = words.chunks(2).map(|pair| pair.join("=")).collect();
        assert_eq!(pairs, ["--JOB_NAME=mine", "--JOB_RUN_ID=r", "--a=1", "--b=2", "--c=3"]);
    }

    #[test]
    fn extras_are_found_in_both_forms() {
        let words = |text: &str| text.split('|').map(str::to_owned).collect::<Vec<_>>();
        let extras = Extras::of(&words(
            "--additional-python-modules|faker, s3://b/x.whl|--extra-py-files=s3://b/y.py,|x|\
             --python-modules-installer-option|--no-index --upgrade",
        ));
        assert_eq!(extras.modules, ["faker", "s3://b/x.whl"]);
        assert_eq!(extras.files, ["s3://b/y.py"]);
        assert_eq!(extras.options, ["--no-index", "--upgrade"]);
        assert_eq!(extras.brings(), ["faker", "x", "y"]);
        let more = Extras::of(&words(
            "--additional-python-modules|scikit-learn==1.7,s3://b/My_Sums-1.0-py3-none-any.whl",
        ));
        assert_eq!(more.brings(), ["scikit_learn", "my_sums"]);
        assert_eq!(Extras::of(&words("--extra-py-files")), Extras::default());
    }
}
