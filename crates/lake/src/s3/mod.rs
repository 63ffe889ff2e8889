//! The remote backend: any server that speaks S3.
//!
//! Requests are made here and signed and sent by `object_store`'s public parts, because its own S3 store cannot list by
//! an arbitrary prefix or delimiter, fails on a page that holds one key its paths cannot express, and has no calls for
//! buckets, for listing uploads or for completing one on a condition.

mod multipart;
mod notes;
mod objects;
mod request;
mod sink;
mod tokens;
mod xml;

pub(crate) use notes::noted_uploads;

use crate::config::S3Endpoint;
use crate::private::Private;
use model::{BucketName, Error, LakeUri, Place, Result};
use object_store::ClientOptions;
use object_store::aws::AwsCredential;
use object_store::client::{HttpClient, HttpConnector as _, ReqwestConnector};
use std::sync::Arc;
use std::time::Duration;

/// A server and how to talk to it. Cheap to clone.
#[derive(Clone)]
pub(crate) struct S3Store {
    inner: Arc<Server>,
    private: Arc<Private>,
}

struct Server {
    config: S3Endpoint,
    credential: AwsCredential,
    client: HttpClient,
    scheme: String,
    host: String,
    tokens: tokens::Tokens,
}

impl S3Store {
    pub(crate) fn new(config: S3Endpoint, private: Arc<Private>) -> Result<Self> {
        let endpoint = match &config.endpoint {
            Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
            None => format!("https://s3.{}.amazonaws.com", config.region),
        };
        let (scheme, host) = match endpoint.split_once("://") {
            Some((scheme @ ("http" | "https"), host)) if !host.is_empty() && !host.contains('/') => {
                (scheme, host)
            }
            _ => {
                return Err(Error::invalid(format!("`{endpoint}` is no S3 endpoint"))
                    .hint("write http://host:port or https://host, without a path"));
            }
        };
        if scheme == "http" && !config.allow_http {
            return Err(Error::invalid(format!("the S3 endpoint `{endpoint}` is not encrypted"))
                .hint("use https, or allow http for this endpoint"));
        }
        if config.region.is_empty() || config.access_key_id.is_empty() {
            return Err(Error::invalid(format!(
                "the S3 endpoint `{endpoint}` lacks a region or an access key"
            )));
        }
        let options = ClientOptions::new()
            .with_allow_http(config.allow_http)
            .with_connect_timeout(Duration::from_secs(10))
            // Large parts on slow lines take their time; a dead server is noticed by the connection.
            .with_timeout(Duration::from_secs(300));
        let client = ReqwestConnector::default()
            .connect(&options)
            .map_err(|e| Error::unavailable("cannot set up the HTTP client").source_is(e))?;
        let credential = AwsCredential {
            key_id: config.access_key_id.clone(),
            secret_key: config.secret_access_key.clone(),
            token: config.session_token.clone(),
        };
        let (scheme, host) = (scheme.to_owned(), host.to_owned());
        Ok(Self {
            inner: Arc::new(Server { config, credential, client, scheme, host, tokens: Default::default() }),
            private,
        })
    }

    /// The bucket's name over there.
    fn remote<'a>(&'a self, bucket: &'a BucketName) -> &'a str {
        self.inner.config.remote_bucket.as_deref().unwrap_or(bucket.as_str())
    }

    /// Refuses keys that cannot be said in a URL: `.` and `..` are resolved away by every HTTP client on the way.
    fn check_key(&self, uri: &LakeUri) -> Result<()> {
        if uri.key().split('/').any(|segment| segment == "." || segment == "..") {
            return Err(Error::unsupported(
                "a key with `.` or `..` as a segment cannot be sent to a remote bucket",
            )
            .at(Place::object(uri))
            .why("HTTP clients and servers resolve such segments, so another key would be meant")
            .hint("rename the object, or keep it in a local bucket"));
        }
        Ok(())
    }
}
