//! Encryption for endpoints with `https`: who is trusted, and who we are.

use crate::options::Address;
use model::{Error, Place, Result};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

/// How an endpoint is spoken with, if encrypted.
#[derive(Clone)]
pub(crate) struct Tls(Option<TlsConnector>);

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "encrypted" } else { "plain" })
    }
}

impl Tls {
    /// What this endpoint needs. Without a file of trusted certificates the system's are.
    pub(crate) fn of(
        address: &Address,
        trusted: Option<&Path>,
        identity: Option<&(PathBuf, PathBuf)>,
    ) -> Result<Self> {
        if !address.is_https {
            return Ok(Self(None));
        }
        let roots = match trusted {
            Some(file) => from_file(file)?,
            None => from_system()?,
        };
        let provider = Arc::new(crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| Error::internal("encryption cannot be set up").source_is(e))?
            .with_root_certificates(roots);
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let secret = PrivateKeyDer::from_pem_file(key).map_err(|e| unreadable(key, e))?;
                builder.with_client_auth_cert(certificates(certificate)?, secret).map_err(|e| {
                    Error::invalid("the certificate for the collector and its key do not fit")
                        .at(Place::object(certificate.display()))
                        .source_is(e)
                })?
            }
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Some(TlsConnector::from(Arc::new(config)))))
    }

    pub(crate) fn connector(&self) -> Option<&TlsConnector> {
        self.0.as_ref()
    }
}

fn from_file(file: &Path) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|e| {
            Error::invalid("a certificate cannot be trusted").at(Place::object(file.display())).source_is(e)
        })?;
    }
    Ok(roots)
}

fn from_system() -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(Error::unavailable("the system has no certificates that could be trusted").hint(
            "install them (ca-certificates), or name a file with the collector's in OTEL_EXPORTER_OTLP_CERTIFICATE",
        ));
    }
    Ok(roots)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let found: Vec<_> = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>)
        .map_err(|e| unreadable(file, e))?;
    if found.is_empty() {
        return Err(Error::invalid("the file has no certificate").at(Place::object(file.display())));
    }
    Ok(found)
}

fn unreadable(file: &Path, error: pem::Error) -> Error {
    Error::invalid("cannot read a certificate or key for the collector")
        .at(Place::object(file.display()))
        .source_is(error)
}
