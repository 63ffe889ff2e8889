//! Buckets in the host's name: `bucket.localhost`, `bucket.s3.localhost`, `bucket.s3.REGION.anything`.

use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};

/// Finds the bucket in a `Host` header.
pub(super) struct Hosts;

impl S3Host for Hosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        Ok(match bucket_of(name) {
            Some(bucket) => VirtualHost::new(name).with_bucket(bucket),
            None => VirtualHost::new(name),
        })
    }
}

fn bucket_of(name: &str) -> Option<&str> {
    let domain = name.find(".s3.").or_else(|| name.find(".s3-"));
    match domain {
        Some(at) => Some(&name[..at]),
        None if name.starts_with("s3.") => None,
        None => name.strip_suffix(".localhost").filter(|bucket| *bucket != "s3"),
    }
    .filter(|bucket| !bucket.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_in_hosts() {
        for (host, bucket) in [
            ("localhost", None),
            ("s3.localhost", None),
            ("s3.eu-central-1.localhost", None),
            ("raw.localhost", Some("raw")),
            ("raw.s3.localhost", Some("raw")),
            ("my.logs.s3.localhost", Some("my.logs")),
            ("my.logs.localhost", Some("my.logs")),
            ("raw.s3.eu-central-1.amazonaws.com", Some("raw")),
            ("raw.s3-eu-central-1.amazonaws.com", Some("raw")),
            ("raw.s3.localhost.localstack.cloud", Some("raw")),
            ("lake.example.org", None),
        ] {
            assert_eq!(bucket_of(host), bucket, "{host}");
        }
    }
}
