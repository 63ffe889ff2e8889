//! Changes of a workgroup: what is not named stays.

use super::{Configuration, KIND, ResultConfiguration, WorkGroup};
use crate::athena::{Athena, Done, of_workgroup};
use crate::json::Input;
use engine::PRIMARY_WORKGROUP;
use model::{Error, Result};
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::athena) struct UpdateWorkGroup {
    work_group: String,
    description: Option<String>,
    state: Option<String>,
    configuration_updates: Option<Updates>,
}

impl Input for UpdateWorkGroup {
    fn resources(&self) -> Vec<String> {
        of_workgroup(Some(&self.work_group))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Updates {
    #[serde(flatten)]
    configuration: Configuration,
    result_configuration_updates: ResultUpdates,
    remove_bytes_scanned_cutoff_per_query: bool,
    managed_query_results_configuration_updates: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ResultUpdates {
    #[serde(flatten)]
    configuration: ResultConfiguration,
    remove_output_location: bool,
    remove_encryption_configuration: bool,
    remove_expected_bucket_owner: bool,
    remove_acl_configuration: bool,
}

fn update_one<T>(kept: &mut Option<T>, new: Option<T>, is_removed: bool) {
    if is_removed {
        *kept = None;
    } else if new.is_some() {
        *kept = new;
    }
}

impl Updates {
    fn check(&mut self) -> Result<()> {
        self.configuration.managed_query_results_configuration =
            self.managed_query_results_configuration_updates.take();
        // The account stands in ExpectedBucketOwner alone, which is checked when a query names it.
        let account = self.result_configuration_updates.configuration.expected_bucket_owner.clone();
        self.result_configuration_updates.configuration.check(account.as_deref().unwrap_or_default())?;
        self.configuration.check("")
    }

    fn apply(&self, kept: &mut Configuration) {
        let new = self.configuration.clone();
        update_one(&mut kept.enforce_work_group_configuration, new.enforce_work_group_configuration, false);
        update_one(
            &mut kept.publish_cloud_watch_metrics_enabled,
            new.publish_cloud_watch_metrics_enabled,
            false,
        );
        update_one(&mut kept.requester_pays_enabled, new.requester_pays_enabled, false);
        update_one(&mut kept.engine_version, new.engine_version, false);
        let is_removed = self.remove_bytes_scanned_cutoff_per_query;
        update_one(&mut kept.bytes_scanned_cutoff_per_query, new.bytes_scanned_cutoff_per_query, is_removed);
        let (results, new) = (&mut kept.result_configuration, &self.result_configuration_updates);
        let said = new.configuration.clone();
        update_one(&mut results.output_location, said.output_location, new.remove_output_location);
        update_one(
            &mut results.encryption_configuration,
            said.encryption_configuration,
            new.remove_encryption_configuration,
        );
        update_one(
            &mut results.expected_bucket_owner,
            said.expected_bucket_owner,
            new.remove_expected_bucket_owner,
        );
        update_one(&mut results.acl_configuration, said.acl_configuration, new.remove_acl_configuration);
    }
}

pub(in crate::athena) async fn update(athena: Athena, input: UpdateWorkGroup) -> Result<Done> {
    let name = input.work_group;
    let mut updates = input.configuration_updates.unwrap_or_default();
    updates.check()?;
    let is_disabled = match input.state.as_deref() {
        None => None,
        Some("ENABLED") => Some(false),
        Some("DISABLED") => Some(true),
        Some(other) => {
            return Err(Error::invalid(format!("`{other}` is no State: write ENABLED or DISABLED")));
        }
    };
    if name == PRIMARY_WORKGROUP {
        let first = WorkGroup {
            configuration: Configuration {
                enforce_work_group_configuration: Some(false),
                ..Configuration::default()
            },
            ..WorkGroup::default()
        };
        athena.documents.create(KIND, &name, &first).await?;
    }
    let found = athena
        .documents
        .change(KIND, &name, |group: &mut WorkGroup| {
            updates.apply(&mut group.configuration);
            update_one(&mut group.description, input.description.clone(), false);
            group.is_disabled = is_disabled.unwrap_or(group.is_disabled);
            Ok(())
        })
        .await?;
    match found {
        true => Ok(Done {}),
        false => athena.workgroup(&name).await.map(|_| Done {}),
    }
}
