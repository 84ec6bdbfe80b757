//! Which room, and which place in it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::limits::{LEAF_MAX, TRACK_MAX};

/// A room: 16 random bytes, drawn by the page that creates it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoomId([u8; 16]);

impl RoomId {
    /// Takes the bytes as they are.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads the 22 characters of base64url that stand in a meeting link.
    /// `None` for anything else, spare bits that are not zero included.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// The raw bytes, as key derivation takes them.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The text in a meeting link: 22 characters.
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

impl std::fmt::Debug for RoomId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("RoomId(hidden)")
    }
}

/// A member's leaf index in the ratchet tree of the group, 0 to 1,023.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leaf(u16);

impl Leaf {
    /// `None` above 1,023.
    pub const fn new(number: u16) -> Option<Self> {
        if number <= LEAF_MAX {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The number, 0 to 1,023.
    pub const fn number(self) -> u16 {
        self.0
    }
}

/// A member of one room: 16 random bytes, new for each room and each time that one comes in. It stands in the
/// credential of the member's leaf.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId([u8; 16]);

impl MemberId {
    /// Takes the bytes as they are.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The raw bytes, as they stand in a credential.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl std::fmt::Debug for MemberId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("MemberId(hidden)")
    }
}

/// A track of one participant, 0 to 63. Numbers are not used twice under one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrackNumber(u8);

impl TrackNumber {
    /// `None` above 63.
    pub const fn new(number: u8) -> Option<Self> {
        if number <= TRACK_MAX {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The number, 0 to 63.
    pub const fn number(self) -> u8 {
        self.0
    }
}
