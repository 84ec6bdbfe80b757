//! Identifiers of RTP streams, each with its own type.

use core::fmt;

use thiserror::Error;

/// A synchronization source: names one RTP stream within one transport.
///
/// Source: RFC 3550 section 3.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Ssrc(pub u32);

impl fmt::Display for Ssrc {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// An RTP payload type, 0 to 127: stands for a codec negotiated in SDP.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PayloadType(u8);

impl PayloadType {
    /// A payload type, or nothing when `value` needs more than its seven bits.
    pub const fn new(value: u8) -> Option<Self> {
        if value < 128 { Some(Self(value)) } else { None }
    }

    /// The low seven bits of `byte`: how the second byte of an RTP packet carries it.
    pub(crate) const fn from_wire(byte: u8) -> Self {
        Self(byte & 0x7F)
    }

    /// The number, 0 to 127.
    pub const fn value(self) -> u8 {
        self.0
    }
}

impl fmt::Display for PayloadType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Longest [`Mid`] and [`Rid`], in bytes: the most that one element of the
/// one-byte header extension form can carry (RFC 8285 section 4.2).
pub const LABEL_LEN_MAX: usize = 16;

/// Why a text is no [`Mid`] or [`Rid`].
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum LabelError {
    /// Empty, or longer than [`LABEL_LEN_MAX`].
    #[error("must have 1 to 16 bytes")]
    Length,
    /// Holds a character that its grammar does not allow.
    #[error("holds a character that is not allowed")]
    Character,
}

/// A media section's name: SDP `a=mid`, and the `sdes:mid` header extension.
///
/// A `token` of 1 to 16 bytes. Source: RFC 8843 section 15, RFC 8866 section 9.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Mid(Label);

impl Mid {
    /// Checks the grammar of `token` (RFC 8866 section 9).
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, LabelError> {
        Label::new(bytes.as_ref(), is_token_character).map(Self)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// A simulcast encoding's name: SDP `a=rid`, and the `rtp-stream-id` header extension.
///
/// Letters, digits, `-` and `_`, 1 to 16 bytes. Source: RFC 8851 section 10, RFC 8852 section 3.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Rid(Label);

impl Rid {
    /// Checks the grammar of `rid-id` (RFC 8851 section 10).
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, LabelError> {
        Label::new(bytes.as_ref(), |byte| {
            byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
        })
        .map(Self)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for Mid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(formatter)
    }
}

impl fmt::Debug for Mid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Mid").field(&self.as_str()).finish()
    }
}

impl fmt::Display for Rid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(formatter)
    }
}

impl fmt::Debug for Rid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Rid").field(&self.as_str()).finish()
    }
}

/// A short ASCII text held in place, so that parsing a packet allocates nothing.
/// The unused tail is zero, which makes the derived comparisons those of the text.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
struct Label {
    bytes: [u8; LABEL_LEN_MAX],
    len: u8,
}

impl Label {
    fn new(text: &[u8], allowed: impl Fn(u8) -> bool) -> Result<Self, LabelError> {
        if text.is_empty() || text.len() > LABEL_LEN_MAX {
            return Err(LabelError::Length);
        }
        if !text.iter().all(|&byte| allowed(byte)) {
            return Err(LabelError::Character);
        }
        let mut bytes = [0; LABEL_LEN_MAX];
        bytes[..text.len()].copy_from_slice(text);
        Ok(Self {
            bytes,
            len: text.len() as u8,
        })
    }

    fn as_str(&self) -> &str {
        // Both grammars are ASCII, which `new` has checked.
        core::str::from_utf8(&self.bytes[..usize::from(self.len)]).expect("a label is ASCII")
    }
}

/// `token-char` of RFC 8866 section 9.
fn is_token_character(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x27 | 0x2A..=0x2B | 0x2D..=0x2E | 0x30..=0x39 | 0x41..=0x5A | 0x5E..=0x7E)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_keep_their_text() {
        assert_eq!(Mid::new("a0").unwrap().as_str(), "a0");
        assert_eq!(Rid::new("l").unwrap().to_string(), "l");
        assert_eq!(format!("{:?}", Rid::new("h").unwrap()), "Rid(\"h\")");
        assert_eq!(Mid::new("0123456789abcdef").unwrap().as_str(), "0123456789abcdef");
    }

    #[test]
    fn labels_outside_their_grammar_are_refused() {
        assert_eq!(Mid::new(""), Err(LabelError::Length));
        assert_eq!(Mid::new("0123456789abcdefg"), Err(LabelError::Length));
        assert_eq!(Mid::new("a b"), Err(LabelError::Character));
        assert_eq!(Mid::new([b'a', 0]), Err(LabelError::Character));
        assert_eq!(Mid::new([0xFF]), Err(LabelError::Character));
        assert_eq!(Rid::new("l;m"), Err(LabelError::Character));
        assert_eq!(Rid::new("ü"), Err(LabelError::Character));
    }

    #[test]
    fn labels_are_ordered_as_their_text() {
        assert!(Mid::new("a").unwrap() < Mid::new("a0").unwrap());
        assert!(Mid::new("a9").unwrap() < Mid::new("b").unwrap());
    }

    #[test]
    fn payload_types_have_seven_bits() {
        assert_eq!(PayloadType::new(127).map(PayloadType::value), Some(127));
        assert_eq!(PayloadType::new(128), None);
    }
}
