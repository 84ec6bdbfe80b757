//! Our certificate for DTLS, and the comparison of fingerprints.

use std::fmt;
use std::sync::Arc;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::dtls;

/// Length of a fingerprint in bytes: SHA-256.
pub const FINGERPRINT_LEN: usize = 32;

/// SHA-256 over a certificate in DER, as `a=fingerprint:sha-256` carries it (RFC 8122 section 5).
pub type Fingerprint = [u8; FINGERPRINT_LEN];

/// A self-signed ECDSA P-256 certificate with its key, made once per process and shared by all transports.
pub struct Certificate {
    der: Vec<u8>,
    private_key: Zeroizing<Vec<u8>>,
    fingerprint: Fingerprint,
    dtls: Arc<dimpl::Config>,
}

/// The certificate could not be made: no randomness from the operating system, or a broken library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the certificate could not be made")]
pub struct CertificateError;

impl Certificate {
    /// Makes a certificate with a fresh key.
    ///
    /// The subject is the one that browsers use and the dates are fixed, so that the certificate, which is sent in
    /// clear, tells nothing about this machine. The key comes from the operating system's randomness.
    pub fn generate() -> Result<Self, CertificateError> {
        let key =
            rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(|_| CertificateError)?;
        let mut parameters = rcgen::CertificateParams::default();
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        parameters
            .distinguished_name
            .push(rcgen::DnType::CommonName, "WebRTC");
        parameters.is_ca = rcgen::IsCa::NoCa;
        // 2049 is the last year that every X.509 parser reads in the short form (RFC 5280 section 4.1.2.5.1).
        parameters.not_before = rcgen::date_time_ymd(2020, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(2049, 12, 31);
        // Without a serial number of ours rcgen derives one from the public key, so it is as unique as the key.
        let certificate = parameters.self_signed(&key).map_err(|_| CertificateError)?;
        let der = certificate.der().to_vec();
        Ok(Self {
            fingerprint: fingerprint(&der),
            der,
            private_key: Zeroizing::new(key.serialize_der()),
            dtls: dtls::configuration().map_err(|_| CertificateError)?,
        })
    }

    /// The fingerprint that signaling announces.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    pub(crate) fn private_key(&self) -> &[u8] {
        &self.private_key
    }

    /// The settings of the handshake library. They live here because checking them takes milliseconds.
    pub(crate) fn dtls_configuration(&self) -> Arc<dimpl::Config> {
        Arc::clone(&self.dtls)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Certificate").finish_non_exhaustive()
    }
}

/// SHA-256 over a certificate in DER.
pub(crate) fn fingerprint(der: &[u8]) -> Fingerprint {
    let digest = ring::digest::digest(&ring::digest::SHA256, der);
    let mut fingerprint = [0; FINGERPRINT_LEN];
    fingerprint.copy_from_slice(digest.as_ref());
    fingerprint
}

/// Whether two fingerprints are the same, in constant time.
pub(crate) fn same(left: &Fingerprint, right: &Fingerprint) -> bool {
    left.ct_eq(right).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprint_is_sha_256_of_the_certificate() {
        let certificate = Certificate::generate().unwrap();
        assert_eq!(certificate.fingerprint(), fingerprint(certificate.der()));
        assert!(same(&certificate.fingerprint(), &fingerprint(certificate.der())));
    }

    #[test]
    fn two_certificates_differ_in_fingerprint_and_key() {
        let (one, two) = (Certificate::generate().unwrap(), Certificate::generate().unwrap());
        assert!(!same(&one.fingerprint(), &two.fingerprint()));
        assert_ne!(one.private_key(), two.private_key());
    }

    #[test]
    fn certificate_names_no_machine() {
        let certificate = Certificate::generate().unwrap();
        assert!(certificate.der().windows(6).any(|window| window == b"WebRTC"));
        assert!(!certificate.der().windows(5).any(|window| window == b"rcgen"));
    }

    #[test]
    fn debug_output_holds_no_key() {
        assert_eq!(
            format!("{:?}", Certificate::generate().unwrap()),
            "Certificate { .. }"
        );
    }
}
