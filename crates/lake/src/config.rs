//! Where buckets live: on the local disk or on an S3 endpoint, as default or for one bucket.

use model::BucketName;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// What a lake needs to know to open.
#[derive(Debug, Clone)]
pub struct LakeConfig {
    /// The data directory: local buckets are `root/buckets/<bucket>`, the lake's own things `root/lake`. Needed for
    /// remote buckets too: the journals of commits stand there.
    pub root: PathBuf,
    /// Where buckets live that are not named below.
    pub default: Backend,
    /// Buckets with a place of their own.
    pub buckets: BTreeMap<BucketName, Backend>,
}

impl LakeConfig {
    /// A lake that is all local.
    pub fn local(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), default: Backend::Local, buckets: BTreeMap::new() }
    }
}

/// Where a bucket's objects are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Backend {
    /// Plain files in a folder of the data directory.
    #[default]
    Local,
    /// A server that speaks S3.
    S3(S3Endpoint),
}

/// How to reach an S3 server. Its `Debug` text leaves the secrets out.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct S3Endpoint {
    /// The server's URL; none means AWS itself.
    pub endpoint: Option<String>,
    /// The region that requests are signed for.
    pub region: String,
    /// The public half of the key.
    pub access_key_id: String,
    /// The secret half of the key.
    pub secret_access_key: String,
    /// The third part of temporary keys.
    pub session_token: Option<String>,
    /// `http://host/bucket/key` rather than `http://bucket.host/key`.
    pub path_style: bool,
    /// Whether an unencrypted endpoint is acceptable.
    pub allow_http: bool,
    /// The bucket's name over there, where it differs. Only for a single bucket, not for the default.
    pub remote_bucket: Option<String>,
}

impl fmt::Debug for S3Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Endpoint")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("access_key_id", &self.access_key_id)
            .field("path_style", &self.path_style)
            .field("allow_http", &self.allow_http)
            .field("remote_bucket", &self.remote_bucket)
            .finish_non_exhaustive()
    }
}
