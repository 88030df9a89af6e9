//! TLS with a certificate from files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// Why TLS cannot be switched on.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read as PEM.
    #[error("`{}` cannot be read as PEM: {why}\n  correct tls_certificate and tls_key in [server]", path.display())]
    Pem {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Certificate and key do not fit.
    #[error(
        "the TLS certificate and key cannot be used: {0}\n  check that tls_key belongs to tls_certificate"
    )]
    Unusable(#[from] rustls::Error),
}

/// An acceptor for HTTP/1.1 over TLS. HTTP/2 has no reason phrase, which is how half of the clients show a refusal.
///
/// # Errors
/// [`TlsError`].
pub fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let pem = |path: &Path, why: &dyn std::fmt::Display| TlsError::Pem {
        path: path.to_owned(),
        why: why.to_string(),
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .map_err(|e| pem(certificate, &e))?
        .collect::<Result<_, _>>()
        .map_err(|e| pem(certificate, &e))?;
    if chain.is_empty() {
        return Err(pem(certificate, &"it holds no certificate"));
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(|e| pem(key, &e))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
