//! An application's configuration: what is taken, and what is refused by name.

use ::apps::MAX_TASKS;
use model::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What is kept of a configuration.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Configuration {
    /// How many tasks; what the script says if nothing.
    pub(super) parallelism: Option<usize>,
    /// What was said of monitoring; it changes nothing.
    pub(super) monitoring: Option<Value>,
    pub(super) snapshots_disabled: bool,
    /// Where the script was read from.
    pub(super) code_location: Option<Value>,
}

/// The members that are known, as they are called in a new configuration and in a change of one.
const SUFFIX: &str = "Update";

/// One level of a configuration, whose members are taken one after the other. What is left is refused.
struct Members<'a> {
    path: &'a str,
    left: Map<String, Value>,
    is_update: bool,
}

impl<'a> Members<'a> {
    fn of(path: &'a str, value: Value, is_update: bool) -> Result<Self> {
        match value {
            Value::Object(left) => Ok(Self { path, left, is_update }),
            Value::Null => Ok(Self { path, left: Map::new(), is_update }),
            _ => Err(Error::invalid(format!("{path} must be a structure"))),
        }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        let name = if self.is_update { format!("{name}{SUFFIX}") } else { name.to_owned() };
        self.left.remove(&name).filter(|value| !value.is_null())
    }

    /// A text that must be one of these.
    fn word(&mut self, name: &str, known: &[&str]) -> Result<Option<String>> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(word)) if known.contains(&word.as_str()) => Ok(Some(word)),
            Some(other) => Err(Error::invalid(format!("{}.{name} cannot be {other}", self.path))
                .hint(format!("write one of {}", known.join(", ")))),
        }
    }

    fn count(&mut self, name: &str) -> Result<Option<usize>> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => match value.as_u64().and_then(|count| usize::try_from(count).ok()) {
                Some(count) => Ok(Some(count)),
                None => Err(Error::invalid(format!("{}.{name} must be a number, not {value}", self.path))),
            },
        }
    }

    fn flag(&mut self, name: &str) -> Result<Option<bool>> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(value) => {
                Err(Error::invalid(format!("{}.{name} must be true or false, not {value}", self.path)))
            }
        }
    }

    /// Refuses what nobody took.
    fn end(self, hint: &str) -> Result<()> {
        match self.left.into_iter().find(|(_, value)| !value.is_null()) {
            None => Ok(()),
            Some((name, _)) => {
                Err(Error::unsupported(format!("{}.{name} is not supported here", self.path)).hint(hint))
            }
        }
    }
}

const PLAIN: &str =
    "leave it away: an application is a script of Flink SQL, whose settings stand in it as SET";

impl Configuration {
    /// Takes up a configuration, or a change of one. What it says of the code is handed back.
    pub(super) fn take(&mut self, value: Value, is_update: bool) -> Result<Option<Value>> {
        let path = if is_update { "ApplicationConfigurationUpdate" } else { "ApplicationConfiguration" };
        let mut all = Members::of(path, value, is_update)?;
        let code = all.take("ApplicationCodeConfiguration");
        if let Some(flink) = all.take("FlinkApplicationConfiguration") {
            self.take_flink(flink, is_update)?;
        }
        if let Some(snapshots) = all.take("ApplicationSnapshotConfiguration") {
            let mut members = Members::of("ApplicationSnapshotConfiguration", snapshots, is_update)?;
            if let Some(enabled) = members.flag("SnapshotsEnabled")? {
                self.snapshots_disabled = !enabled;
            }
            members.end(PLAIN)?;
        }
        all.end(PLAIN)?;
        // Said before anything is stopped or made, not when it is started.
        match self.parallelism {
            Some(tasks) if !(1..=MAX_TASKS).contains(&tasks) => Err(Error::invalid(format!(
                "ParallelismConfiguration.Parallelism must be from 1 to {MAX_TASKS}, not {tasks}"
            ))),
            _ => Ok(code),
        }
    }

    fn take_flink(&mut self, flink: Value, is_update: bool) -> Result<()> {
        const TYPES: &[&str] = &["DEFAULT", "CUSTOM"];
        let mut flink = Members::of("FlinkApplicationConfiguration", flink, is_update)?;
        if let Some(tasks) = flink.take("ParallelismConfiguration") {
            let mut tasks = Members::of("ParallelismConfiguration", tasks, is_update)?;
            let kind = tasks.word("ConfigurationType", TYPES)?;
            if let Some(count) = tasks.count("Parallelism")? {
                self.parallelism = Some(count);
            }
            if kind.as_deref() == Some("DEFAULT") {
                self.parallelism = None;
            }
            // A machine is not made of units, and nothing scales by itself; both may be said.
            tasks.count("ParallelismPerKPU")?;
            tasks.flag("AutoScalingEnabled")?;
            tasks.end(PLAIN)?;
        }
        if let Some(checkpoints) = flink.take("CheckpointConfiguration") {
            let mut checkpoints = Members::of("CheckpointConfiguration", checkpoints, is_update)?;
            checkpoints.word("ConfigurationType", TYPES)?;
            if checkpoints.flag("CheckpointingEnabled")? == Some(false) {
                return Err(Error::unsupported("an application without checkpoints is not supported here"));
            }
            checkpoints.end("write SET 'execution.checkpointing.interval' = '10 s' into the script")?;
        }
        if let Some(monitoring) = flink.take("MonitoringConfiguration") {
            let mut members = Members::of("MonitoringConfiguration", monitoring, is_update)?;
            let kind = members.word("ConfigurationType", TYPES)?;
            let metrics =
                members.word("MetricsLevel", &["APPLICATION", "TASK", "OPERATOR", "PARALLELISM"])?;
            let log = members.word("LogLevel", &["INFO", "WARN", "ERROR", "DEBUG"])?;
            members.end(PLAIN)?;
            self.monitoring = Some(json!({
                "ConfigurationType": kind.unwrap_or_else(|| "CUSTOM".to_owned()),
                "MetricsLevel": metrics.unwrap_or_else(|| "APPLICATION".to_owned()),
                "LogLevel": log.unwrap_or_else(|| "INFO".to_owned()),
            }));
        }
        flink.end(PLAIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_and_what_is_refused() {
        let mut kept = Configuration::default();
        let code = kept
            .take(
                json!({
                    "ApplicationCodeConfiguration": { "CodeContentType": "PLAINTEXT" },
                    "ApplicationSnapshotConfiguration": { "SnapshotsEnabled": false },
                    "FlinkApplicationConfiguration": {
                        "ParallelismConfiguration": { "ConfigurationType": "CUSTOM", "Parallelism": 3 },
                        "MonitoringConfiguration": { "ConfigurationType": "CUSTOM", "LogLevel": "WARN" },
                        "CheckpointConfiguration": { "ConfigurationType": "DEFAULT" },
                    },
                }),
                false,
            )
            .unwrap();
        assert_eq!(code, Some(json!({ "CodeContentType": "PLAINTEXT" })));
        assert_eq!((kept.parallelism, kept.snapshots_disabled), (Some(3), true));
        let change = json!({
            "ApplicationSnapshotConfigurationUpdate": { "SnapshotsEnabledUpdate": true },
            "FlinkApplicationConfigurationUpdate": {
                "ParallelismConfigurationUpdate": { "ParallelismUpdate": 2 },
            },
        });
        assert_eq!(kept.take(change, true).unwrap(), None);
        assert_eq!((kept.parallelism, kept.snapshots_disabled), (Some(2), false));
        for (value, part) in [
            (json!({ "SqlApplicationConfiguration": {} }), "SqlApplicationConfiguration"),
            (json!({ "VpcConfigurations": [] }), "VpcConfigurations"),
            (
                json!({ "FlinkApplicationConfiguration": { "CheckpointConfiguration": { "CheckpointInterval": 5 } } }),
                "CheckpointInterval",
            ),
            (
                json!({ "FlinkApplicationConfiguration": { "CheckpointConfiguration": { "CheckpointingEnabled": false } } }),
                "checkpoints",
            ),
            (
                json!({ "FlinkApplicationConfiguration": { "ParallelismConfiguration": { "Parallelism": "x" } } }),
                "Parallelism",
            ),
            (
                json!({ "FlinkApplicationConfiguration": { "ParallelismConfiguration": { "Parallelism": 0 } } }),
                "Parallelism",
            ),
            (
                json!({ "FlinkApplicationConfiguration": { "ParallelismConfiguration": { "Parallelism": MAX_TASKS + 1 } } }),
                "Parallelism",
            ),
            (json!([]), "ApplicationConfiguration"),
        ] {
            let error = kept.clone().take(value.clone(), false).unwrap_err();
            assert!(error.to_string().contains(part), "{value}: {error}");
        }
    }
}
