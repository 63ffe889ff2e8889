//! The configuration: defaults, then `glulam.toml`, then the environment, then flags; each later one wins.
//!
//! What comes in are texts from these four places; what goes out are checked values that remember where they came
//! from. An unknown key and a wrong value are refused here with their place, so that nothing above has to check again.

mod file;
mod settings;

pub use settings::{Kind, SETTINGS, Setting};

use model::{BucketName, Error, Place, Result};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The declaration.
    Default,
    /// A file and line.
    File(String),
    /// An environment variable.
    Environment(String),
    /// A flag of the command line.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(place) => f.write_str(place),
            Self::Environment(variable) => write!(f, "${variable}"),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// What was found in the four places.
#[derive(Debug, Default)]
pub struct Sources {
    /// The file, if there is one.
    pub file: Option<PathBuf>,
    /// The process's environment.
    pub environment: Vec<(String, String)>,
    /// Values from the command line: key, value, and the flag they came by.
    pub flags: Vec<(String, String, String)>,
}

/// The checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    values: BTreeMap<String, Value>,
}

#[derive(Debug, Clone)]
struct Value {
    text: String,
    origin: Origin,
}

/// A line for people: a setting as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The key.
    pub key: String,
    /// The value; secrets are hidden.
    pub value: String,
    /// Where it came from.
    pub origin: String,
    /// The environment variable that sets it.
    pub variable: Option<String>,
    /// What it means.
    pub meaning: &'static str,
}

impl Config {
    /// Reads and checks all sources.
    pub fn load(sources: &Sources) -> Result<Self> {
        let mut config = Self { values: BTreeMap::new() };
        for setting in SETTINGS.iter().filter(|setting| !setting.is_per_name()) {
            config.put(setting.key, setting.default.to_owned(), Origin::Default);
        }
        if let Some(path) = &sources.file {
            for entry in file::read(path)? {
                config.put(&entry.key, entry.value, Origin::File(entry.place));
            }
        }
        config.take_environment(&sources.environment)?;
        for (key, value, flag) in &sources.flags {
            let setting = Setting::of(key).ok_or_else(|| unknown_key(key).at(Place::object(flag)))?;
            let accepted = setting.accept(value).map_err(|why| wrong_value(key, setting, value, &why))?;
            config.put(key, accepted, Origin::Flag(flag.clone()));
        }
        config.check_buckets()?;
        Ok(config)
    }

    fn take_environment(&mut self, environment: &[(String, String)]) -> Result<()> {
        for (variable, value) in environment {
            if !variable.starts_with("GLULAM_")
                || variable.starts_with("GLULAM_TEST_")
                || settings::OTHER_VARIABLES.contains(&variable.as_str())
            {
                continue;
            }
            let setting =
                SETTINGS.iter().find(|s| s.variable().as_deref() == Some(variable)).ok_or_else(|| {
                    let known: Vec<String> = SETTINGS.iter().filter_map(Setting::variable).collect();
                    Error::invalid(format!("the environment variable `{variable}` is no setting"))
                        .hint(model::nearest_hint(variable, known.iter().map(String::as_str)))
                })?;
            let accepted = setting.accept(value).map_err(|why| {
                wrong_value(setting.key, setting, value, &why).at(Place::object(format!("${variable}")))
            })?;
            self.put(setting.key, accepted, Origin::Environment(variable.clone()));
        }
        Ok(())
    }

    fn put(&mut self, key: &str, text: String, origin: Origin) {
        self.values.insert(key.to_owned(), Value { text, origin });
    }

    fn check_buckets(&self) -> Result<()> {
        for bucket in self.bucket_words() {
            BucketName::new(bucket.clone()).map_err(|e| e.context(format!("lake.buckets.{bucket}")))?;
        }
        Ok(())
    }

    fn bucket_words(&self) -> BTreeSet<String> {
        self.names("lake.buckets.")
    }

    /// The names that have settings of their own in this group, such as `aws.keys.`.
    pub fn names(&self, group: &str) -> BTreeSet<String> {
        // A name may hold dots: the key's last part is the setting, all between is the name.
        self.values
            .keys()
            .filter_map(|key| key.strip_prefix(group))
            .filter_map(|rest| rest.rsplit_once('.'))
            .map(|(name, _)| name.to_owned())
            .collect()
    }

    /// The buckets that have settings of their own.
    pub fn buckets(&self) -> Vec<BucketName> {
        self.bucket_words().into_iter().filter_map(|word| BucketName::new(word).ok()).collect()
    }

    /// A value's text; none when it is not set.
    pub fn text(&self, key: &str) -> Option<&str> {
        debug_assert!(Setting::of(key).is_some(), "`{key}` is not declared");
        self.values.get(key).map(|value| value.text.as_str()).filter(|text| !text.is_empty())
    }

    /// A path; none when it is not set.
    pub fn path(&self, key: &str) -> Option<&Path> {
        self.text(key).map(Path::new)
    }

    /// A whole number.
    pub fn count(&self, key: &str) -> u64 {
        self.text(key).and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    /// A switch; none when it is not set.
    pub fn switch(&self, key: &str) -> Option<bool> {
        self.text(key).map(|text| text == "true")
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.path("data").map_or_else(|| PathBuf::from("glulam-data"), Path::to_path_buf)
    }

    /// All settings as they stand, for people.
    pub fn rows(&self) -> Vec<Row> {
        let order = |key: &str| Setting::of(key).map(|s| SETTINGS.iter().position(|t| t.key == s.key));
        let mut rows: Vec<(Option<Option<usize>>, Row)> = self
            .values
            .iter()
            .filter_map(|(key, value)| {
                let setting = Setting::of(key)?;
                let shown = match setting.kind {
                    Kind::Secret if !value.text.is_empty() => "(hidden)".to_owned(),
                    _ => value.text.clone(),
                };
                let row = Row {
                    key: key.clone(),
                    value: shown,
                    origin: value.origin.to_string(),
                    variable: setting.variable(),
                    meaning: setting.meaning,
                };
                Some((order(key), row))
            })
            .collect();
        rows.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.key.cmp(&b.1.key)));
        rows.into_iter().map(|(_, row)| row).collect()
    }
}

fn unknown_key(key: &str) -> Error {
    let known: Vec<String> = SETTINGS.iter().map(|setting| with_name_of(key, setting.key)).collect();
    Error::invalid(format!("there is no setting `{key}`"))
        .hint(model::nearest_hint(key, known.iter().map(String::as_str)))
        .hint("`glulam config` shows all settings")
}

/// A declared key with the mistyped key's name in the place of `*`, so that the nearest one can be found.
fn with_name_of(key: &str, declared: &str) -> String {
    let named = settings::GROUPS.iter().find_map(|(group, ..)| key.strip_prefix(group)?.rsplit_once('.'));
    declared.replace('*', named.map_or("NAME", |(name, _)| name))
}

fn wrong_value(key: &str, setting: &Setting, value: &str, why: &str) -> Error {
    let shown = if setting.kind == Kind::Secret { "(hidden)" } else { value };
    Error::invalid(format!("`{key}` {why}, but it is `{shown}`"))
}

/// The text of a new `glulam.toml`: every setting with its meaning, commented out at its default.
pub fn template() -> String {
    let mut text = String::from(
        "# Settings of Glulam. Each line shows a default; remove the `#` to change it. The environment (GLULAM_…) and\n\
         # flags win over this file; `glulam config` shows what holds and why.\n",
    );
    for setting in SETTINGS.iter().filter(|setting| !setting.is_per_name()) {
        let value = match setting.kind {
            Kind::Count { .. } | Kind::Switch => setting.default.to_owned(),
            _ => format!("{:?}", setting.default),
        };
        text.push_str(&format!("\n# {}\n# {} = {value}\n", setting.meaning, setting.key));
    }
    for (group, example, heading) in settings::GROUPS {
        text.push_str(&format!("\n# {heading}\n# [{group}\"{example}\"]\n"));
        for setting in SETTINGS.iter().filter(|setting| setting.key.starts_with(group)) {
            let name = setting.key.rsplit('.').next().unwrap_or(setting.key);
            text.push_str(&format!(
                "# {name} = {}  # {}\n",
                if setting.kind == Kind::Switch { "true" } else { "\"\"" },
                setting.meaning
            ));
        }
    }
    text
}
