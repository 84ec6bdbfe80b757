//! The part of a meeting link behind `#`, which no browser ever sends.
//!
//! base64url of 36 bytes: version ‖ flags ‖ generation u16 ‖ link (16) ‖ owner (16).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::secret::Link;

/// What a meeting link says behind `#`.
#[derive(Debug, Clone)]
pub struct Fragment {
    /// The meeting has a password besides the link.
    pub password: bool,
    /// Newcomers wait until a moderator lets them in.
    pub lobby: bool,
    /// How often the link was replaced.
    pub generation: u16,
    /// The secret of the room.
    pub link: Link,
    /// First 16 bytes of SHA-256 of the owner's public key.
    pub owner: [u8; 16],
}

/// Why a text is no fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FragmentError {
    /// It was cut or altered on its way.
    #[error("the link is incomplete")]
    Malformed,
    /// It was made by a version newer than this one.
    #[error("the link was made by a newer version")]
    VersionUnsupported,
}

const VERSION: u8 = 1;
const FLAG_PASSWORD: u8 = 1;
const FLAG_LOBBY: u8 = 2;
const LENGTH: usize = 36;

impl Fragment {
    /// Reads a fragment, with or without its `#`. Flags that we do not know
    /// mean a newer version: they could ask for something we would not do.
    pub fn parse(text: &str) -> Result<Self, FragmentError> {
        let text = text.strip_prefix('#').unwrap_or(text);
        let bytes = Zeroizing::new(
            URL_SAFE_NO_PAD
                .decode(text)
                .map_err(|_| FragmentError::Malformed)?,
        );
        match bytes.first() {
            None => return Err(FragmentError::Malformed),
            Some(&VERSION) => {}
            Some(_) => return Err(FragmentError::VersionUnsupported),
        }
        let bytes: &[u8; LENGTH] = bytes
            .as_slice()
            .try_into()
            .map_err(|_| FragmentError::Malformed)?;
        let [_, flags, high, low, rest @ ..] = bytes;
        if flags & !(FLAG_PASSWORD | FLAG_LOBBY) != 0 {
            return Err(FragmentError::VersionUnsupported);
        }
        let mut link = Zeroizing::new([0; 16]);
        let mut owner = [0; 16];
        link.copy_from_slice(&rest[..16]);
        owner.copy_from_slice(&rest[16..]);
        Ok(Self {
            password: flags & FLAG_PASSWORD != 0,
            lobby: flags & FLAG_LOBBY != 0,
            generation: u16::from_be_bytes([*high, *low]),
            link: Link::new(*link),
            owner,
        })
    }

    /// The text, without `#`. It holds the room's secret.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        bytes[0] = VERSION;
        bytes[1] = u8::from(self.password) * FLAG_PASSWORD + u8::from(self.lobby) * FLAG_LOBBY;
        bytes[2..4].copy_from_slice(&self.generation.to_be_bytes());
        bytes[4..20].copy_from_slice(self.link.as_bytes());
        bytes[20..].copy_from_slice(&self.owner);
        Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragment_survives_its_text() {
        let text = sample().to_text();
        assert_eq!(text.len(), 48);
        for written in [text.to_string(), format!("#{}", text.as_str())] {
            let read = Fragment::parse(&written).unwrap();
            assert!(read.password && !read.lobby);
            assert_eq!(read.generation, 0x1234);
            assert_eq!(read.link.as_bytes(), &[7; 16]);
            assert_eq!(read.owner, [9; 16]);
        }
    }

    #[test]
    fn cut_or_lengthened_fragment_is_malformed() {
        let text = sample().to_text();
        for length in 0..text.len() {
            assert_eq!(
                Fragment::parse(&text[..length]).unwrap_err(),
                FragmentError::Malformed
            );
        }
        assert_eq!(
            Fragment::parse(&format!("{}AAAA", text.as_str())).unwrap_err(),
            FragmentError::Malformed
        );
        assert_eq!(Fragment::parse("§").unwrap_err(), FragmentError::Malformed);
    }

    #[test]
    fn other_version_and_unknown_flag_ask_for_a_newer_program() {
        let text = sample().to_text();
        let mut bytes = URL_SAFE_NO_PAD.decode(text.as_str()).unwrap();
        bytes[1] = 4;
        let flagged = URL_SAFE_NO_PAD.encode(&bytes);
        bytes[0] = 2;
        let newer = URL_SAFE_NO_PAD.encode(&bytes);
        assert_eq!(
            Fragment::parse(&flagged).unwrap_err(),
            FragmentError::VersionUnsupported
        );
        assert_eq!(
            Fragment::parse(&newer).unwrap_err(),
            FragmentError::VersionUnsupported
        );
    }

    #[test]
    fn debug_output_hides_the_link() {
        assert!(format!("{:?}", sample()).contains("Link(hidden)"));
    }

    fn sample() -> Fragment {
        Fragment {
            password: true,
            lobby: false,
            generation: 0x1234,
            link: Link::new([7; 16]),
            owner: [9; 16],
        }
    }
}
