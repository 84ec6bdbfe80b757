//! Suite 1 of RFC 9420 on RustCrypto, with randomness from a seed.

use std::sync::{Mutex, PoisonError};

use aes_gcm::aead::{Aead, KeyInit as _, Payload};
use aes_gcm::{Aes128Gcm, Nonce};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use hpke::aead::AesGcm128;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable as _, Kem as KemTrait, OpModeR, OpModeS, Serializable as _};
use openmls::prelude::SecretVLBytes;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::{
    AeadType, Ciphersuite, CryptoError, ExporterSecret, HashType, HpkeAeadType, HpkeCiphertext, HpkeConfig,
    HpkeKdfType, HpkeKemType, HpkeKeyPair, KemOutput, SignatureScheme,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// The only suite: HPKE with X25519, AES-128-GCM, SHA-256, Ed25519 (RFC 9420, section 17.1).
pub const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;

/// Longest `info` that HPKE is given: its key schedule counts it in two bytes, and ours are a few hundred bytes.
const INFO_BYTES_MAX: usize = 65_000;

type PublicKey = <X25519HkdfSha256 as KemTrait>::PublicKey;
type PrivateKey = <X25519HkdfSha256 as KemTrait>::PrivateKey;
type EncappedKey = <X25519HkdfSha256 as KemTrait>::EncappedKey;

/// The cryptography of [`SUITE`]. Its randomness is a ChaCha20 stream, so that one seed gives one outcome, in a
/// browser as natively.
pub struct Crypto(Mutex<ChaCha20Rng>);

impl Crypto {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self(Mutex::new(ChaCha20Rng::from_seed(seed)))
    }

    /// The next bytes of the stream.
    pub fn fill(&self, bytes: &mut [u8]) {
        // A generator is whole also after a panic elsewhere: the next bytes are still unpredictable.
        let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stream.fill_bytes(bytes);
    }
}

impl std::fmt::Debug for Crypto {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Crypto(hidden)")
    }
}

/// The stream as HPKE takes it.
struct Stream<'crypto>(&'crypto Crypto);

impl TryRng for Stream<'_> {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Stream<'_> {}

const fn check_hash(hash: HashType) -> Result<(), CryptoError> {
    match hash {
        HashType::Sha2_256 => Ok(()),
        HashType::Sha2_384 | HashType::Sha2_512 => Err(CryptoError::UnsupportedHashAlgorithm),
    }
}

fn check_signature_scheme(scheme: SignatureScheme) -> Result<(), CryptoError> {
    match scheme {
        SignatureScheme::ED25519 => Ok(()),
        _ => Err(CryptoError::UnsupportedSignatureScheme),
    }
}

fn check_hpke(config: &HpkeConfig, info: &[u8]) -> Result<(), CryptoError> {
    match config {
        HpkeConfig(HpkeKemType::DhKem25519, HpkeKdfType::HkdfSha256, HpkeAeadType::AesGcm128) => {}
        _ => return Err(CryptoError::UnsupportedCiphersuite),
    }
    if info.len() > INFO_BYTES_MAX {
        return Err(CryptoError::TooMuchData);
    }
    Ok(())
}

fn cipher(algorithm: AeadType, key: &[u8]) -> Result<Aes128Gcm, CryptoError> {
    match algorithm {
        AeadType::Aes128Gcm => Aes128Gcm::new_from_slice(key).map_err(|_| CryptoError::InvalidLength),
        AeadType::Aes256Gcm | AeadType::ChaCha20Poly1305 => Err(CryptoError::UnsupportedAeadAlgorithm),
    }
}

fn public_key(bytes: &[u8]) -> Result<PublicKey, CryptoError> {
    PublicKey::from_bytes(bytes).map_err(|_| CryptoError::InvalidPublicKey)
}

fn private_key(bytes: &[u8]) -> Result<PrivateKey, CryptoError> {
    PrivateKey::from_bytes(bytes).map_err(|_| CryptoError::InvalidLength)
}

fn encapped_key(bytes: &[u8]) -> Result<EncappedKey, CryptoError> {
    EncappedKey::from_bytes(bytes).map_err(|_| CryptoError::HpkeDecryptionError)
}

impl OpenMlsCrypto for Crypto {
    fn supports(&self, suite: Ciphersuite) -> Result<(), CryptoError> {
        if suite == SUITE {
            Ok(())
        } else {
            Err(CryptoError::UnsupportedCiphersuite)
        }
    }

    fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
        vec![SUITE]
    }

    fn hkdf_extract(&self, hash: HashType, salt: &[u8], ikm: &[u8]) -> Result<SecretVLBytes, CryptoError> {
        check_hash(hash)?;
        let (prk, _) = Hkdf::<Sha256>::extract(Some(salt), ikm);
        Ok(prk.as_slice().into())
    }

    fn hmac(&self, hash: HashType, key: &[u8], message: &[u8]) -> Result<SecretVLBytes, CryptoError> {
        check_hash(hash)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| CryptoError::InvalidLength)?;
        mac.update(message);
        Ok(mac.finalize().into_bytes().as_slice().into())
    }

    fn hkdf_expand(
        &self,
        hash: HashType,
        prk: &[u8],
        info: &[u8],
        length: usize,
    ) -> Result<SecretVLBytes, CryptoError> {
        check_hash(hash)?;
        let hkdf = Hkdf::<Sha256>::from_prk(prk).map_err(|_| CryptoError::InvalidLength)?;
        let mut output = Zeroizing::new(vec![0; length]);
        hkdf.expand(info, &mut output)
            .map_err(|_| CryptoError::HkdfOutputLengthInvalid)?;
        Ok(output.as_slice().into())
    }

    fn hash(&self, hash: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        check_hash(hash)?;
        Ok(Sha256::digest(data).to_vec())
    }

    fn aead_encrypt(
        &self,
        algorithm: AeadType,
        key: &[u8],
        data: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let nonce = Nonce::try_from(nonce).map_err(|_| CryptoError::InvalidLength)?;
        cipher(algorithm, key)?
            .encrypt(&nonce, Payload { msg: data, aad })
            .map_err(|_| CryptoError::CryptoLibraryError)
    }

    fn aead_decrypt(
        &self,
        algorithm: AeadType,
        key: &[u8],
        ciphertext: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let nonce = Nonce::try_from(nonce).map_err(|_| CryptoError::InvalidLength)?;
        let payload = Payload { msg: ciphertext, aad };
        cipher(algorithm, key)?
            .decrypt(&nonce, payload)
            .map_err(|_| CryptoError::AeadDecryptionError)
    }

    fn signature_key_gen(&self, scheme: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        check_signature_scheme(scheme)?;
        let mut private = Zeroizing::new([0; 32]);
        self.fill(private.as_mut_slice());
        let key = SigningKey::from_bytes(&private);
        Ok((private.to_vec(), key.verifying_key().to_bytes().to_vec()))
    }

    fn verify_signature(
        &self,
        scheme: SignatureScheme,
        data: &[u8],
        public: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        check_signature_scheme(scheme)?;
        verify(data, public, signature)
    }

    fn sign(&self, scheme: SignatureScheme, data: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        check_signature_scheme(scheme)?;
        let key: &[u8; 32] = key.try_into().map_err(|_| CryptoError::InvalidLength)?;
        Ok(SigningKey::from_bytes(key).sign(data).to_bytes().to_vec())
    }

    fn hpke_seal(
        &self,
        config: HpkeConfig,
        recipient: &[u8],
        info: &[u8],
        aad: &[u8],
        plaintext: &[u8],
    ) -> Result<HpkeCiphertext, CryptoError> {
        check_hpke(&config, info)?;
        let (kem_output, ciphertext) =
            hpke::single_shot_seal_with_rng::<AesGcm128, HkdfSha256, X25519HkdfSha256>(
                &OpModeS::Base,
                &public_key(recipient)?,
                info,
                plaintext,
                aad,
                &mut Stream(self),
            )
            .map_err(|_| CryptoError::HpkeEncryptionError)?;
        Ok(HpkeCiphertext {
            kem_output: kem_output.to_bytes().to_vec().into(),
            ciphertext: ciphertext.into(),
        })
    }

    fn hpke_open(
        &self,
        config: HpkeConfig,
        input: &HpkeCiphertext,
        private: &[u8],
        info: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        check_hpke(&config, info)?;
        hpke::single_shot_open::<AesGcm128, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &private_key(private)?,
            &encapped_key(input.kem_output.as_slice())?,
            info,
            input.ciphertext.as_slice(),
            aad,
        )
        .map_err(|_| CryptoError::HpkeDecryptionError)
    }

    fn hpke_setup_sender_and_export(
        &self,
        config: HpkeConfig,
        recipient: &[u8],
        info: &[u8],
        exporter_context: &[u8],
        exporter_length: usize,
    ) -> Result<(KemOutput, ExporterSecret), CryptoError> {
        check_hpke(&config, info)?;
        let (kem_output, context) = hpke::setup_sender_with_rng::<AesGcm128, HkdfSha256, X25519HkdfSha256>(
            &OpModeS::Base,
            &public_key(recipient)?,
            info,
            &mut Stream(self),
        )
        .map_err(|_| CryptoError::SenderSetupError)?;
        let mut secret = Zeroizing::new(vec![0; exporter_length]);
        context
            .export(exporter_context, &mut secret)
            .map_err(|_| CryptoError::ExporterError)?;
        Ok((kem_output.to_bytes().to_vec(), secret.to_vec().into()))
    }

    fn hpke_setup_receiver_and_export(
        &self,
        config: HpkeConfig,
        kem_output: &[u8],
        private: &[u8],
        info: &[u8],
        exporter_context: &[u8],
        exporter_length: usize,
    ) -> Result<ExporterSecret, CryptoError> {
        check_hpke(&config, info)?;
        let context = hpke::setup_receiver::<AesGcm128, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &private_key(private)?,
            &encapped_key(kem_output)?,
            info,
        )
        .map_err(|_| CryptoError::ReceiverSetupError)?;
        let mut secret = Zeroizing::new(vec![0; exporter_length]);
        context
            .export(exporter_context, &mut secret)
            .map_err(|_| CryptoError::ExporterError)?;
        Ok(secret.to_vec().into())
    }

    fn derive_hpke_keypair(&self, config: HpkeConfig, ikm: &[u8]) -> Result<HpkeKeyPair, CryptoError> {
        check_hpke(&config, &[])?;
        let (private, public) = X25519HkdfSha256::derive_keypair(ikm);
        Ok(HpkeKeyPair {
            private: private.to_bytes().to_vec().into(),
            public: public.to_bytes().to_vec(),
        })
    }
}

/// Checks an Ed25519 signature (RFC 8032), strictly: keys and points of small order are refused.
pub fn verify(data: &[u8], public: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
    let public: &[u8; 32] = public.try_into().map_err(|_| CryptoError::InvalidPublicKey)?;
    let key = VerifyingKey::from_bytes(public).map_err(|_| CryptoError::InvalidPublicKey)?;
    let signature = Signature::from_slice(signature).map_err(|_| CryptoError::InvalidSignature)?;
    key.verify_strict(data, &signature)
        .map_err(|_| CryptoError::InvalidSignature)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_stream_and_another_seed_another() {
        let draw = |seed| {
            let mut bytes = [0; 40];
            Crypto::new([seed; 32]).fill(&mut bytes);
            bytes
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn what_is_sealed_for_a_key_opens_with_it_and_not_when_altered() {
        let crypto = Crypto::new([3; 32]);
        let config = || SUITE.hpke_config();
        let pair = crypto.derive_hpke_keypair(config(), &[7; 32]).unwrap();
        let mut sealed = crypto
            .hpke_seal(config(), &pair.public, b"info", b"aad", b"hello")
            .unwrap();
        let open =
            |sealed: &HpkeCiphertext| crypto.hpke_open(config(), sealed, &pair.private, b"info", b"aad");
        assert_eq!(open(&sealed).unwrap(), b"hello");
        let mut altered = sealed.ciphertext.as_slice().to_vec();
        altered[0] ^= 1;
        sealed.ciphertext = altered.into();
        assert_eq!(open(&sealed), Err(CryptoError::HpkeDecryptionError));
    }

    #[test]
    fn other_suites_are_refused() {
        let crypto = Crypto::new([3; 32]);
        let other = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;
        assert_eq!(crypto.supports(other), Err(CryptoError::UnsupportedCiphersuite));
        let key = [0; 32];
        let sealed = crypto.aead_encrypt(AeadType::ChaCha20Poly1305, &key, b"", &[0; 12], b"");
        assert_eq!(sealed, Err(CryptoError::UnsupportedAeadAlgorithm));
    }
}
