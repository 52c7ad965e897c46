//! TLS towards servers: whom to trust, and what is said when that fails.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use rustls_platform_verifier::ConfigVerifierExt;
use tokio_rustls::TlsConnector;

use super::upstream::UpstreamError;

/// Trusts the certificates in `ca_file`, or those of the machine.
pub(super) fn connector(name: &str, ca_file: Option<&Path>) -> Result<TlsConnector, UpstreamError> {
    let mut config = match ca_file {
        Some(file) => trusting(file).map_err(|why| UpstreamError::CaFile {
            name: name.to_owned(),
            file: file.to_owned(),
            why,
        })?,
        None => ClientConfig::with_platform_verifier()
            .map_err(|error| UpstreamError::Tls(error.to_string()))?,
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

fn trusting(file: &Path) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| error.to_string())?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() {
        return Err(
            "there is none in it; PEM is expected (-----BEGIN CERTIFICATE-----)".to_owned(),
        );
    }
    Ok(ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// What went wrong while a connection to `host` was secured, in words that say what to look at.
pub(super) fn told(error: &std::io::Error, host: &str) -> String {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let Some(rustls::Error::InvalidCertificate(wrong)) = inner else {
        return format!("TLS with {host} failed: {error}");
    };
    let why = match wrong {
        // Another issuer of the same name shows only in the signature.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "nobody that is trusted here has signed it; name its issuer with tls.ca_file".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet; is this machine's clock right?".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name".to_owned()
        }
        CertificateError::Revoked => "it is revoked".to_owned(),
        other => other.to_string(),
    };
    format!("the certificate of {host} is not accepted: {why}")
}
