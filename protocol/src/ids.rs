//! Identifiers, each with its own type and none able to hold a wrong value.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::limits::SEATS;

/// A text that is not an identifier of the wanted kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text has another length than the identifier allows.
    #[error("wrong length")]
    Length,
    /// The text holds a character that the identifier does not allow.
    #[error("wrong character")]
    Character,
    /// The number lies outside the range of the identifier.
    #[error("out of range")]
    Range,
}

/// A room: 16 random bytes that the creating page draws, 22 characters of base64url in text.
///
/// It is shown by [`RoomId::to_text`] alone: `Debug` hides it, because room names stay out of logs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomId([u8; 16]);

impl RoomId {
    /// The room of these raw bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The raw bytes, which the key derivation of the endpoints reads.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The 22 characters that stand in links and messages.
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

impl FromStr for RoomId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.len() != 22 {
            return Err(IdError::Length);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| IdError::Character)?;
        Ok(Self(bytes.try_into().map_err(|_| IdError::Length)?))
    }
}

impl fmt::Debug for RoomId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RoomId([redacted])")
    }
}

impl Serialize for RoomId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_text())
    }
}

impl<'de> Deserialize<'de> for RoomId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Parse("22 characters of base64url", Self::from_str))
    }
}

/// A participant's place in a room, 0 to 1,023: chosen by signaling, not used again within 1,024 joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seat(u16);

impl Seat {
    /// The first seat of a room.
    pub const FIRST: Self = Self(0);

    /// The seat of this number, unless it is 1,024 or more.
    pub const fn new(number: u16) -> Result<Self, IdError> {
        if number < SEATS {
            Ok(Self(number))
        } else {
            Err(IdError::Range)
        }
    }

    /// The number of the seat.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The seat after this one; after the last comes the first.
    #[must_use]
    pub const fn next(self) -> Self {
        Self((self.0 + 1) % SEATS)
    }
}

impl fmt::Display for Seat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Serialize for Seat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.0)
    }
}

impl<'de> Deserialize<'de> for Seat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u16::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// The SFU's name for the transport of one participant; never used twice in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub u64);

impl fmt::Display for PeerId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Characters of a [`Mid`] or [`Rid`]: one-byte header extensions carry at most 16 bytes.
const TOKEN_MAX: usize = 16;

/// 1 to 16 ASCII characters of the SDP grammar's `token`, held in place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Token {
    bytes: [u8; TOKEN_MAX],
    length: u8,
}

impl Token {
    fn parse(text: &str, allowed: fn(u8) -> bool) -> Result<Self, IdError> {
        let length = u8::try_from(text.len()).map_err(|_| IdError::Length)?;
        if length == 0 || text.len() > TOKEN_MAX {
            return Err(IdError::Length);
        }
        if !text.bytes().all(allowed) {
            return Err(IdError::Character);
        }
        let mut bytes = [0; TOKEN_MAX];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self { bytes, length })
    }

    fn as_str(&self) -> &str {
        // Only ASCII enters, so this is always text.
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or_default()
    }
}

/// Source: RFC 8866 section 9, `token-char`.
fn is_token_character(byte: u8) -> bool {
    matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'^'..=b'~')
}

/// Source: RFC 8852 section 3.1; the hyphen and underscore of RFC 8851 are not allowed there.
fn is_rid_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

macro_rules! token_id {
    ($(#[$documentation:meta])* $name:ident, $allowed:path, $expected:literal) => {
        $(#[$documentation])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Token);

        impl $name {
            /// Reads the text, unless its length or one of its characters is not allowed.
            pub fn new(text: &str) -> Result<Self, IdError> {
                Token::parse(text, $allowed).map(Self)
            }

            /// The text as it stands in SDP, JSON and header extensions.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!(stringify!($name), "({})"), self.as_str())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Parse($expected, Self::new))
            }
        }
    };
}

token_id!(
    /// The name of one m-line of a session, 1 to 16 characters.
    ///
    /// Source: RFC 8843 section 9.1 (`a=mid`), RFC 8866 section 9 (`token`).
    Mid,
    is_token_character,
    "a mid of 1 to 16 characters"
);

token_id!(
    /// The name of one simulcast layer of an m-line, 1 to 16 letters and digits.
    ///
    /// Source: RFC 8852 section 3.1.
    Rid,
    is_rid_character,
    "a rid of 1 to 16 letters and digits"
);

/// Reads a string with a function; used by every type whose JSON form is a checked string.
pub(crate) struct Parse<T>(pub(crate) &'static str, pub(crate) fn(&str) -> Result<T, IdError>);

impl<T> Visitor<'_> for Parse<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.1)(text).map_err(E::custom)
    }
}
