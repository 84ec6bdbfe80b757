//! What a meeting link says.

use e2ee::fragment::Fragment;
use e2ee::identity::RoomId;
use e2ee::secret::Link;
use rand_chacha::rand_core::CryptoRng;

use crate::error::MemberError;

/// A meeting link: `http://host/r/<room>#<fragment>`.
#[derive(Debug, Clone)]
pub struct MeetingLink {
    /// The server, as it stands in the link.
    pub server: String,
    /// The room.
    pub room: RoomId,
    /// What the server never learns.
    pub fragment: Fragment,
}

impl MeetingLink {
    /// Reads a link.
    pub fn parse(text: &str) -> Result<Self, MemberError> {
        let refuse = |reason: &str| MemberError::Target(format!("not a meeting link: {reason}"));
        let (address, fragment) = text
            .split_once('#')
            .ok_or_else(|| refuse("nothing stands behind #"))?;
        let (server, room) = address
            .split_once("/r/")
            .ok_or_else(|| refuse("there is no /r/"))?;
        let room = RoomId::parse(room.trim_end_matches('/')).ok_or_else(|| refuse("no room"))?;
        let fragment = Fragment::parse(fragment).map_err(|error| refuse(&error.to_string()))?;
        if fragment.lobby {
            return Err(refuse("a lobby, which nobody here can pass"));
        }
        Ok(Self {
            server: server.to_owned(),
            room,
            fragment,
        })
    }

    /// Draws the link of a new meeting without password.
    pub fn draw(server: &str, random: &mut impl CryptoRng) -> Self {
        let mut bytes = [0; 48];
        random.fill_bytes(&mut bytes);
        let (mut room, mut link, mut owner) = ([0; 16], [0; 16], [0; 16]);
        room.copy_from_slice(&bytes[..16]);
        link.copy_from_slice(&bytes[16..32]);
        owner.copy_from_slice(&bytes[32..]);
        Self {
            server: server.trim_end_matches('/').to_owned(),
            room: RoomId::new(room),
            fragment: Fragment {
                password: false,
                lobby: false,
                generation: 0,
                link: Link::new(link),
                owner,
            },
        }
    }

    /// The link as text. It holds the secret of the room.
    pub fn to_text(&self) -> String {
        format!(
            "{}/r/{}#{}",
            self.server,
            self.room.to_text(),
            self.fragment.to_text().as_str()
        )
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    #[test]
    fn a_drawn_link_is_read_back() {
        let drawn = MeetingLink::draw("http://localhost:8080/", &mut ChaCha20Rng::seed_from_u64(1));
        let read = MeetingLink::parse(&drawn.to_text()).unwrap();
        assert_eq!(read.server, "http://localhost:8080");
        assert!(read.room == drawn.room);
        assert_eq!(read.fragment.link.as_bytes(), drawn.fragment.link.as_bytes());
    }

    #[test]
    fn a_link_with_a_part_missing_is_refused() {
        let whole = MeetingLink::draw("http://localhost", &mut ChaCha20Rng::seed_from_u64(1)).to_text();
        for wrong in [
            whole.split_once('#').unwrap().0.to_owned(),
            whole.replace("/r/", "/"),
            whole[..whole.len() - 1].to_owned(),
        ] {
            assert!(MeetingLink::parse(&wrong).is_err());
        }
    }
}
