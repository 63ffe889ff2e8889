//! Converting files, as a run.

use super::{Operation, Started};
use crate::platform::Platform;
use engine::ConvertRequest;
use model::{Error, Result, RunKind};
use serde::{Deserialize, Serialize};
use serde_json::json;
use state::events::NewEvent;
use state::runs::{NewRun, RunContext};

/// Converts files.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StartConvert {
    pub(crate) request: ConvertRequest,
}

impl Operation for StartConvert {
    const NAME: &'static str = "start-convert";
    type Answer = Started;

    async fn perform(self, platform: &Platform) -> Result<Started> {
        let request = self.request;
        let mut new = NewRun::new(RunKind::new("convert")?, request.output.at.to_string());
        new.arguments = serde_json::to_value(&request)
            .map_err(|e| Error::internal("a request cannot be written").source_is(e))?;
        let (engine, events) = (platform.engine.clone(), platform.events.clone());
        let handle = platform
            .runs
            .start(new, move |run: RunContext| {
                let (engine, events, request) = (engine.clone(), events.clone(), request.clone());
                async move {
                    let converted = engine.convert(&request, &run).await?;
                    for object in &converted.objects {
                        let event =
                            NewEvent::new("object.created", object.as_str(), json!({ "run": run.id() }));
                        events.publish(event).await?;
                    }
                    serde_json::to_value(converted)
                        .map_err(|e| Error::internal("an account cannot be written").source_is(e))
                }
            })
            .await?;
        Ok(Started { run: handle.id().clone() })
    }
}
