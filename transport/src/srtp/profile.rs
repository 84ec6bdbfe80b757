//! Protection profiles and the master keys of a session.

use std::fmt;

use zeroize::Zeroizing;

/// A protection profile that DTLS-SRTP can agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SrtpProfile {
    /// AES-128 in counter mode with an HMAC-SHA1 tag of 80 bits (RFC 3711, RFC 5764 section 4.1.2).
    Aes128CmHmacSha1_80,
    /// AES-128-GCM with a tag of 128 bits (RFC 7714).
    AeadAes128Gcm,
    /// AES-256-GCM with a tag of 128 bits (RFC 7714).
    AeadAes256Gcm,
}

impl SrtpProfile {
    /// Length of a master key, in bytes.
    pub const fn key_len(self) -> usize {
        match self {
            Self::Aes128CmHmacSha1_80 | Self::AeadAes128Gcm => 16,
            Self::AeadAes256Gcm => 32,
        }
    }

    /// Length of a master salt, in bytes.
    pub const fn salt_len(self) -> usize {
        match self {
            Self::Aes128CmHmacSha1_80 => 14,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
        }
    }

    /// Length of the authentication tag, in bytes.
    pub const fn tag_len(self) -> usize {
        match self {
            Self::Aes128CmHmacSha1_80 => 10,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 16,
        }
    }

    /// The name in the IANA registry of DTLS-SRTP protection profiles.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes128CmHmacSha1_80 => "SRTP_AES128_CM_HMAC_SHA1_80",
            Self::AeadAes128Gcm => "SRTP_AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "SRTP_AEAD_AES_256_GCM",
        }
    }
}

impl fmt::Display for SrtpProfile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Keys or salts are of the wrong length for their profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the SRTP keys do not fit their profile")]
pub struct SrtpKeysError;

/// The master keys and salts of both directions.
#[derive(Clone)]
pub struct SrtpKeys {
    profile: SrtpProfile,
    send: Zeroizing<Vec<u8>>,
    receive: Zeroizing<Vec<u8>>,
}

impl SrtpKeys {
    /// Takes what `send` and `receive` are protected with: master key followed by master salt.
    ///
    /// Fails when a length does not fit the profile.
    pub fn new(profile: SrtpProfile, send: &[u8], receive: &[u8]) -> Result<Self, SrtpKeysError> {
        let len = profile.key_len() + profile.salt_len();
        if send.len() != len || receive.len() != len {
            return Err(SrtpKeysError);
        }
        Ok(Self {
            profile,
            send: Zeroizing::new(send.to_vec()),
            receive: Zeroizing::new(receive.to_vec()),
        })
    }

    /// Splits the keying material that a handshake exported: client key, server key, client salt, server salt.
    ///
    /// `is_client` says which side we are. Fails when the length does not fit the profile.
    ///
    /// Source: RFC 5764 section 4.2.
    pub fn from_exported(
        profile: SrtpProfile,
        exported: &[u8],
        is_client: bool,
    ) -> Result<Self, SrtpKeysError> {
        let (key_len, salt_len) = (profile.key_len(), profile.salt_len());
        if exported.len() != 2 * (key_len + salt_len) {
            return Err(SrtpKeysError);
        }
        let (keys, salts) = exported.split_at(2 * key_len);
        let join = |side: usize| {
            let mut joined = Zeroizing::new(Vec::with_capacity(key_len + salt_len));
            joined.extend_from_slice(&keys[side * key_len..(side + 1) * key_len]);
            joined.extend_from_slice(&salts[side * salt_len..(side + 1) * salt_len]);
            joined
        };
        let (client, server) = (join(0), join(1));
        let (send, receive) = if is_client {
            (client, server)
        } else {
            (server, client)
        };
        Ok(Self {
            profile,
            send,
            receive,
        })
    }

    /// The same keys as the other side sees them.
    pub fn reversed(&self) -> Self {
        Self {
            profile: self.profile,
            send: self.receive.clone(),
            receive: self.send.clone(),
        }
    }

    /// The profile that the keys are for.
    pub fn profile(&self) -> SrtpProfile {
        self.profile
    }

    /// Master key and master salt of what we send.
    pub(crate) fn send(&self) -> (&[u8], &[u8]) {
        self.send.split_at(self.profile.key_len())
    }

    /// Master key and master salt of what we receive.
    pub(crate) fn receive(&self) -> (&[u8], &[u8]) {
        self.receive.split_at(self.profile.key_len())
    }
}

impl fmt::Debug for SrtpKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SrtpKeys")
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}
