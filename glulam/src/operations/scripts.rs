//! Python-shell scripts of this machine, and the environment they run in.

use super::{Operation, Started};
use crate::platform::Platform;
use engine::Finding;
use jobs::LocalScript;
use model::Result;
use python::Checked;
use serde::{Deserialize, Serialize};

/// Starts a script.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StartScript {
    pub(crate) script: LocalScript,
}

impl Operation for StartScript {
    const NAME: &'static str = "start-script";
    type Answer = Started;

    async fn perform(self, platform: &Platform) -> Result<Started> {
        let handle = platform.jobs.start_local_script(self.script).await?;
        Ok(Started { run: handle.id().clone() })
    }
}

/// Makes the environment of scripts.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SetUpPython {}

impl Operation for SetUpPython {
    const NAME: &'static str = "set-up-python";
    type Answer = Started;

    async fn perform(self, platform: &Platform) -> Result<Started> {
        let handle = platform.jobs.start_python_setup().await?;
        Ok(Started { run: handle.id().clone() })
    }
}

/// Checks scripts.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CheckScripts {
    pub(crate) scripts: Vec<Checked>,
}

impl Operation for CheckScripts {
    const NAME: &'static str = "check-scripts";
    type Answer = Vec<Finding>;

    async fn perform(self, platform: &Platform) -> Result<Vec<Finding>> {
        let errors = platform.jobs.check_scripts(&self.scripts).await?;
        Ok(errors.into_iter().map(|error| Finding { diagnosis: error.diagnosis() }).collect())
    }
}
