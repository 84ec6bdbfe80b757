//! Byte strings of fixed or bounded length; in JSON they are base64url without padding.

use std::fmt;
use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};
use subtle::ConstantTimeEq as _;

use crate::ids::{IdError, Parse};
use crate::limits::{MESSAGE_BYTES_MAX, SDP_BYTES_MAX, SEALED_BYTES_MAX};

fn decode(text: &str) -> Result<Vec<u8>, IdError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| IdError::Character)
}

macro_rules! base64url_serde {
    ($name:ident, $expected:literal) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&URL_SAFE_NO_PAD.encode(&self.0))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Parse($expected, Self::from_base64url))
            }
        }
    };
}

macro_rules! fixed_bytes {
    ($(#[$documentation:meta])* $name:ident, $length:literal bytes, $characters:literal, $expected:literal) => {
        $(#[$documentation])*
        #[derive(Clone, Copy)]
        pub struct $name([u8; $length]);

        impl $name {
            /// Wraps raw bytes.
            pub const fn from_bytes(bytes: [u8; $length]) -> Self {
                Self(bytes)
            }

            /// The raw bytes.
            pub const fn as_bytes(&self) -> &[u8; $length] {
                &self.0
            }

            /// Reads base64url without padding.
            pub fn from_base64url(text: &str) -> Result<Self, IdError> {
                if text.len() != $characters {
                    return Err(IdError::Length);
                }
                Ok(Self(decode(text)?.try_into().map_err(|_| IdError::Length)?))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }

        base64url_serde!($name, $expected);
    };
}

fixed_bytes!(
    /// What opens a room: 32 bytes that a page derives from link and password.
    ///
    /// It has no `==`: comparing it is signaling's business, in constant time.
    Gate, 32 bytes, 43, "43 characters of base64url"
);

fixed_bytes!(
    /// SHA-256 of a [`Gate`]: all that the server keeps of it.
    GateHash, 32 bytes, 43, "43 characters of base64url"
);

fixed_bytes!(
    /// What brings a page back to its seat: 32 bytes that signaling draws for each seat.
    ///
    /// Its `==` takes the same time for every other token.
    ResumeToken, 32 bytes, 43, "43 characters of base64url"
);

fixed_bytes!(
    /// Who owns a room: the first 16 bytes of SHA-256 of the owner's public key.
    Owner, 16 bytes, 22, "22 characters of base64url"
);

impl PartialEq for ResumeToken {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for ResumeToken {}

/// An announcement that only the members of a room can open, 1 to 1,024 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// Wraps the bytes, unless there are none or more than [`SEALED_BYTES_MAX`].
    pub fn new(bytes: Vec<u8>) -> Result<Self, IdError> {
        if bytes.is_empty() || bytes.len() > SEALED_BYTES_MAX {
            return Err(IdError::Length);
        }
        Ok(Self(bytes))
    }

    /// Reads base64url without padding.
    pub fn from_base64url(text: &str) -> Result<Self, IdError> {
        if text.len() > SEALED_BYTES_MAX.div_ceil(3) * 4 {
            return Err(IdError::Length);
        }
        Self::new(decode(text)?)
    }

    /// The bytes, as the announcing page made them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Sealed({} bytes)", self.0.len())
    }
}

base64url_serde!(Sealed, "base64url of 1 to 1,024 bytes");

/// An offer or an answer on its way: SDP in UTF-8, compressed with raw deflate (RFC 1951).
#[derive(Clone, PartialEq, Eq)]
pub struct DeflatedSdp(Vec<u8>);

impl DeflatedSdp {
    /// Wraps compressed bytes, unless there are more than a message may carry.
    pub fn new(bytes: Vec<u8>) -> Result<Self, IdError> {
        if bytes.is_empty() || bytes.len() > MESSAGE_BYTES_MAX / 2 {
            return Err(IdError::Length);
        }
        Ok(Self(bytes))
    }

    /// Reads base64url without padding.
    pub fn from_base64url(text: &str) -> Result<Self, IdError> {
        Self::new(decode(text)?)
    }

    /// The compressed bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Compresses a session description, unless it is longer than a message may carry.
    pub fn deflate(sdp: &str) -> Result<Self, IdError> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(sdp.as_bytes()).map_err(|_| IdError::Length)?;
        Self::new(encoder.finish().map_err(|_| IdError::Length)?)
    }

    /// The session description. Never inflates more than [`SDP_BYTES_MAX`], however small the bytes are.
    pub fn inflate(&self) -> Result<Sdp, InflateError> {
        let mut text = Vec::new();
        let mut decoder = DeflateDecoder::new(self.0.as_slice()).take(SDP_BYTES_MAX as u64 + 1);
        decoder
            .read_to_end(&mut text)
            .map_err(|_| InflateError::Damaged)?;
        if text.len() > SDP_BYTES_MAX {
            return Err(InflateError::TooLarge);
        }
        let text = String::from_utf8(text).map_err(|_| InflateError::NotText)?;
        Sdp::new(&text).map_err(|_| InflateError::Damaged)
    }
}

/// Compressed bytes that hold no session description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InflateError {
    /// The bytes are no deflate stream, or an empty one.
    #[error("not deflated SDP")]
    Damaged,
    /// More than [`SDP_BYTES_MAX`] bytes come out.
    #[error("larger than the limit once inflated")]
    TooLarge,
    /// What comes out is not UTF-8.
    #[error("not UTF-8 once inflated")]
    NotText,
}

impl fmt::Debug for DeflatedSdp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DeflatedSdp({} bytes)", self.0.len())
    }
}

base64url_serde!(DeflatedSdp, "base64url of deflated SDP");

/// The text of a session description. `Debug` hides it, because it holds the ICE password and addresses.
#[derive(Clone, PartialEq, Eq)]
pub struct Sdp(String);

impl Sdp {
    /// Wraps the text, unless it is empty or longer than [`SDP_BYTES_MAX`].
    pub fn new(text: &str) -> Result<Self, IdError> {
        if text.is_empty() || text.len() > SDP_BYTES_MAX {
            return Err(IdError::Length);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Sdp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Sdp({} bytes)", self.0.len())
    }
}

impl Serialize for Sdp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Sdp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Parse("an SDP of bounded length", Self::new))
    }
}
