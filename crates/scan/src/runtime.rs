//! The environment that queries run in: memory and spill limits, and the object stores of all buckets, made from the lake
//! when somebody asks.

use datafusion::common::DataFusionError;
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use lake::Lake;
use model::{BucketName, Error, Result};
use object_store::ObjectStore;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;

/// How many of the largest consumers an error about memory names.
const NAMED_CONSUMERS: usize = 3;

/// An environment for queries over the lake. Without a limit memory is not bounded; without a folder spills go to the
/// system's temporary one.
pub fn runtime_env(
    lake: &Arc<Lake>,
    memory_limit: Option<usize>,
    spill_dir: Option<PathBuf>,
) -> Result<Arc<RuntimeEnv>> {
    let mut builder = RuntimeEnvBuilder::new().with_object_store_registry(Arc::new(LakeStores::new(lake)));
    if let Some(limit) = memory_limit {
        let named = NonZeroUsize::new(NAMED_CONSUMERS).unwrap_or(NonZeroUsize::MIN);
        builder =
            builder.with_memory_pool(Arc::new(TrackConsumersPool::new(FairSpillPool::new(limit), named)));
    }
    if let Some(folder) = spill_dir {
        builder = builder.with_temp_file_path(folder);
    }
    builder.build_arc().map_err(crate::error)
}

/// The buckets of the lake, and whatever else somebody registers.
struct LakeStores {
    lake: Arc<Lake>,
    stores: Mutex<HashMap<String, Arc<dyn ObjectStore>>>,
}

impl LakeStores {
    fn new(lake: &Arc<Lake>) -> Self {
        Self { lake: Arc::clone(lake), stores: Mutex::default() }
    }
}

impl std::fmt::Debug for LakeStores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LakeStores")
    }
}

fn key(url: &Url) -> String {
    format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default())
}

impl ObjectStoreRegistry for LakeStores {
    fn register_store(&self, url: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        self.stores.lock().unwrap_or_else(PoisonError::into_inner).insert(key(url), store)
    }

    fn get_store(&self, url: &Url) -> datafusion::common::Result<Arc<dyn ObjectStore>> {
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = stores.get(&key(url)) {
            return Ok(Arc::clone(store));
        }
        if !matches!(url.scheme(), "s3" | "s3a" | "s3n") {
            let error =
                Error::unsupported(format!("nothing is known about addresses like `{}://`", url.scheme()))
                    .hint("use s3://bucket/key");
            return Err(crate::external(error));
        }
        let bucket = BucketName::new(url.host_str().unwrap_or_default()).map_err(crate::external)?;
        let store = self.lake.object_store(&bucket);
        stores.insert(key(url), Arc::clone(&store));
        Ok::<_, DataFusionError>(store)
    }
}
