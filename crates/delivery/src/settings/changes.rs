//! What others ask of a destination's settings: what they touch, a plain one of them, one that is changed.

use super::{Compiled, S3Destination};
use model::{BucketName, EntityName, Error, Result};
use serde_json::{Map, Value};

impl S3Destination {
    /// What it writes: buckets, and what all keys in them begin with.
    pub fn writes(&self) -> Result<Vec<(BucketName, String)>> {
        let compiled = Compiled::new(self)?;
        let mut all = vec![
            (compiled.bucket.clone(), compiled.prefix.literal().to_owned()),
            (compiled.bucket, compiled.error_prefix.literal().to_owned()),
        ];
        all.extend(compiled.backup.map(|backup| (backup.bucket, backup.prefix.literal().to_owned())));
        Ok(all)
    }

    /// The table whose columns the objects have, where records are converted.
    pub fn reads(&self) -> Result<Option<(EntityName, EntityName)>> {
        Ok(Compiled::new(self)?.target.map(|target| (target.database, target.table)))
    }

    /// What of it a plain S3 destination can say: the rest is left out.
    #[must_use]
    pub fn plain(self) -> Self {
        Self {
            processing_configuration: None,
            s3_backup_mode: None,
            s3_backup_configuration: None,
            data_format_conversion_configuration: None,
            dynamic_partitioning_configuration: None,
            file_extension: None,
            custom_time_zone: None,
            ..self
        }
    }

    /// With members of a change; those of a backup are changed one by one, too.
    pub fn merged(&self, change: Map<String, Value>) -> Result<Self> {
        let unwritten = |e| Error::internal("settings cannot be written down").source_is(e);
        let Value::Object(mut all) = serde_json::to_value(self).map_err(unwritten)? else {
            return Err(Error::internal("settings are no object"));
        };
        for (name, value) in change.into_iter().filter(|(_, value)| !value.is_null()) {
            match (name.as_str(), value) {
                ("S3BackupUpdate", Value::Object(change)) => {
                    let backup =
                        all.entry("S3BackupConfiguration").or_insert_with(|| Value::Object(Map::new()));
                    if let Value::Object(backup) = backup {
                        backup.extend(change);
                    }
                }
                (_, value) => drop(all.insert(name, value)),
            }
        }
        serde_json::from_value(Value::Object(all))
            .map_err(|e| Error::invalid(format!("the settings cannot be read: {e}")))
    }
}
