//! What a workgroup says of its queries.

use super::ENGINE_VERSION;
use model::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Athena's least limit for the bytes of a query.
const LEAST_CUTOFF: i64 = 10_000_000;

/// What a workgroup says of its queries.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(in crate::athena) struct Configuration {
    pub(in crate::athena) result_configuration: ResultConfiguration,
    pub(in crate::athena) enforce_work_group_configuration: Option<bool>,
    pub(super) publish_cloud_watch_metrics_enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::athena) bytes_scanned_cutoff_per_query: Option<i64>,
    pub(super) requester_pays_enabled: Option<bool>,
    pub(super) engine_version: Option<EngineVersion>,
    #[serde(skip_serializing)]
    pub(super) managed_query_results_configuration: Option<Value>,
    #[serde(skip_serializing)]
    pub(super) execution_role: Option<Value>,
    #[serde(skip_serializing)]
    pub(super) additional_configuration: Option<Value>,
    #[serde(skip_serializing)]
    pub(super) customer_content_encryption_configuration: Option<Value>,
    #[serde(skip_serializing)]
    pub(super) identity_center_configuration: Option<Value>,
    #[serde(rename = "QueryResultsS3AccessGrantsConfiguration", skip_serializing)]
    pub(super) grants: Option<Value>,
    #[serde(skip_serializing)]
    pub(super) monitoring_configuration: Option<Value>,
    #[serde(skip_serializing)]
    pub(super) engine_configuration: Option<Value>,
}

/// Where results go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(in crate::athena) struct ResultConfiguration {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::athena) output_location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) encryption_configuration: Option<Encryption>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expected_bucket_owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) acl_configuration: Option<Acl>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Encryption {
    pub(super) encryption_option: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) kms_key: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Acl {
    #[serde(rename = "S3AclOption")]
    pub(super) option: String,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(in crate::athena) struct EngineVersion {
    pub(in crate::athena) selected_engine_version: Option<String>,
    pub(in crate::athena) effective_engine_version: Option<String>,
}

impl EngineVersion {
    pub(in crate::athena) fn auto() -> Self {
        Self {
            selected_engine_version: Some("AUTO".to_owned()),
            effective_engine_version: Some(ENGINE_VERSION.to_owned()),
        }
    }
}

impl ResultConfiguration {
    /// Refuses what is not done here.
    pub(in crate::athena) fn check(&self, account: &str) -> Result<()> {
        if let Some(encryption) = &self.encryption_configuration
            && encryption.encryption_option != "SSE_S3"
        {
            return Err(Error::unsupported(format!(
                "EncryptionOption {} is not supported here",
                encryption.encryption_option
            ))
            .hint("leave EncryptionConfiguration away, or write SSE_S3"));
        }
        if let Some(owner) = self.expected_bucket_owner.as_deref().filter(|owner| *owner != account) {
            return Err(Error::invalid(format!("the buckets here belong to {account}, not to {owner}")));
        }
        if let Some(location) = &self.output_location {
            location.parse::<model::LakeUri>().map_err(|e| e.context("OutputLocation"))?;
        }
        Ok(())
    }
}

impl Configuration {
    pub(super) fn check(&self, account: &str) -> Result<()> {
        self.result_configuration.check(account)?;
        let is_on = |value: &Option<Value>, switch: &str| {
            value.as_ref().is_some_and(|value| value.get(switch).and_then(Value::as_bool) == Some(true))
        };
        let is_set = |value: &Option<Value>| value.as_ref().is_some_and(|value| !value.is_null());
        for (name, refused) in [
            ("ManagedQueryResultsConfiguration", is_on(&self.managed_query_results_configuration, "Enabled")),
            (
                "IdentityCenterConfiguration",
                is_on(&self.identity_center_configuration, "EnableIdentityCenter"),
            ),
            ("QueryResultsS3AccessGrantsConfiguration", is_on(&self.grants, "EnableS3AccessGrants")),
            ("ExecutionRole", is_set(&self.execution_role)),
            ("AdditionalConfiguration", is_set(&self.additional_configuration)),
            (
                "CustomerContentEncryptionConfiguration",
                is_set(&self.customer_content_encryption_configuration),
            ),
            ("MonitoringConfiguration", is_set(&self.monitoring_configuration)),
            ("EngineConfiguration", is_set(&self.engine_configuration)),
        ] {
            if refused {
                return Err(Error::unsupported(format!("{name} of a workgroup is not supported here"))
                    .hint("leave it away"));
            }
        }
        if let Some(bytes) = self.bytes_scanned_cutoff_per_query.filter(|bytes| *bytes < LEAST_CUTOFF) {
            return Err(Error::invalid(format!(
                "BytesScannedCutoffPerQuery must be {LEAST_CUTOFF} at least, not {bytes}"
            )));
        }
        let selected = self.engine_version.as_ref().and_then(|it| it.selected_engine_version.as_deref());
        match selected {
            None | Some("AUTO" | ENGINE_VERSION) => Ok(()),
            Some(other) => {
                Err(Error::unsupported(format!("the engine version `{other}` is not supported here"))
                    .hint(format!("write AUTO or {ENGINE_VERSION}")))
            }
        }
    }

    /// With what holds where nothing is said.
    pub(super) fn shown(mut self, is_enforced: bool) -> Self {
        self.enforce_work_group_configuration.get_or_insert(is_enforced);
        self.publish_cloud_watch_metrics_enabled.get_or_insert(false);
        self.requester_pays_enabled.get_or_insert(false);
        let selected = self.engine_version.take().and_then(|it| it.selected_engine_version);
        let auto = EngineVersion::auto();
        self.engine_version = Some(EngineVersion {
            selected_engine_version: selected.or(auto.selected_engine_version),
            effective_engine_version: auto.effective_engine_version,
        });
        self
    }
}
