//! A certificate chain and its private key, read from two PEM files and found to belong together.

use std::fs::File;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{InconsistentKeys, ServerConfig};
use sha2::{Digest, Sha256};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use zeroize::Zeroizing;

use crate::limits::{EXPIRY_WARNING, PEM_BYTES_MAX};
use crate::settings::TlsFiles;

/// The contents of both files.
pub(crate) struct Contents {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

/// A pair that TLS can be served with.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    pub(crate) config: Arc<ServerConfig>,
    /// The first name or address that the certificate is for, as it stands in a link.
    pub(crate) host: Option<String>,
    /// From when the certificate counts.
    pub(crate) not_before: SystemTime,
    /// Until when.
    pub(crate) not_after: SystemTime,
}

/// Why the files cannot be served with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PairError {
    #[error(
        "{setting}: the file cannot be read: {reason}.\n  Give the path of a PEM file that this user may read."
    )]
    Unreadable { setting: &'static str, reason: String },
    #[error(
        "tls.certificate: the file holds no certificate that can be read.\n  \
         It has to be PEM: -----BEGIN CERTIFICATE-----, the server's own first, then those that signed it."
    )]
    NoCertificate,
    #[error(
        "tls.key: the file holds no private key that can be read.\n  \
         It has to be PEM without a password: -----BEGIN PRIVATE KEY-----, of the kind ECDSA, Ed25519 or RSA."
    )]
    NoKey,
    #[error(
        "tls.key: the key is not the one of the certificate in tls.certificate.\n  \
         Take both files from the same issue; the server's own certificate has to be the first of its file."
    )]
    Mismatch,
}

impl Contents {
    /// Reads both files.
    pub(crate) fn read(files: &TlsFiles) -> Result<Self, PairError> {
        Ok(Self {
            certificate: read("tls.certificate", &files.certificate)?,
            key: Zeroizing::new(read("tls.key", &files.key)?),
        })
    }

    /// Tells these contents from others.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.certificate.len().to_be_bytes());
        hash.update(&self.certificate);
        hash.update(self.key.as_slice());
        hash.finalize().into()
    }
}

fn read(setting: &'static str, path: &Path) -> Result<Vec<u8>, PairError> {
    let unreadable = |reason: String| PairError::Unreadable { setting, reason };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(PEM_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() as u64 > PEM_BYTES_MAX {
        return Err(unreadable("it is larger than 1 MiB".to_owned()));
    }
    Ok(bytes)
}

impl Pair {
    /// Makes a pair of the contents.
    pub(crate) fn new(contents: &Contents) -> Result<Self, PairError> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&contents.certificate)
            .collect::<Result<_, _>>()
            .map_err(|_| PairError::NoCertificate)?;
        let first = chain.first().ok_or(PairError::NoCertificate)?;
        let certificate = Certificate::from_der(first).map_err(|_| PairError::NoCertificate)?;
        let key = PrivateKeyDer::from_pem_slice(&contents.key).map_err(|_| PairError::NoKey)?;
        let provider = Arc::new(default_provider());
        let certified = CertifiedKey::from_der(chain, key, &provider).map_err(|error| match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => PairError::Mismatch,
            rustls::Error::InvalidCertificate(_) => PairError::NoCertificate,
            _ => PairError::NoKey,
        })?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            // Only a provider that lacks the ciphers of TLS 1.2 and 1.3 fails here, and ring has them.
            .map_err(|_| PairError::NoKey)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        // HTTP/2 would want another way to open WebSockets (RFC 8441), and the page asks for little.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let validity = certificate.tbs_certificate().validity();
        Ok(Self {
            config: Arc::new(config),
            host: host(&certificate),
            not_before: SystemTime::UNIX_EPOCH + validity.not_before.to_unix_duration(),
            not_after: SystemTime::UNIX_EPOCH + validity.not_after.to_unix_duration(),
        })
    }

    /// What an operator should know about the time of the certificate.
    pub(crate) fn warning(&self, now: SystemTime) -> Option<&'static str> {
        let left = self.not_after.duration_since(now).unwrap_or(Duration::ZERO);
        if left.is_zero() {
            Some("tls.certificate: the certificate has expired; browsers refuse it. Renew it")
        } else if now < self.not_before {
            Some(
                "tls.certificate: the certificate does not count yet; look at its dates and at this machine's clock",
            )
        } else if left < EXPIRY_WARNING {
            Some("tls.certificate: the certificate expires in less than a week. Renew it")
        } else {
            None
        }
    }
}

/// Whether anybody on this machine may read the key.
pub(crate) fn is_key_open(files: &TlsFiles) -> bool {
    std::fs::metadata(&files.key).is_ok_and(|metadata| metadata.permissions().mode() & 0o007 != 0)
}

/// The first name or address of the certificate that a browser could be sent to.
fn host(certificate: &Certificate) -> Option<String> {
    let (_, names) = certificate
        .tbs_certificate()
        .get_extension::<SubjectAltName>()
        .ok()??;
    names.0.iter().find_map(|name| match name {
        GeneralName::DnsName(name) if !name.as_str().starts_with('*') => Some(name.as_str().to_owned()),
        GeneralName::IpAddress(bytes) => match address(bytes.as_bytes())? {
            IpAddr::V4(address) => Some(address.to_string()),
            IpAddr::V6(address) => Some(format!("[{address}]")),
        },
        _ => None,
    })
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes)
        .map(|bytes| Ipv4Addr::from(bytes).into())
        .or_else(|_| <[u8; 16]>::try_from(bytes).map(|bytes| Ipv6Addr::from(bytes).into()))
        .ok()
}

#[cfg(test)]
mod tests;
