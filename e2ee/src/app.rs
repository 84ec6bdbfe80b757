//! What members say to each other, in application messages of the group: `kind u8 ‖ body`.

use crate::limits::{CHAT_BYTES_MAX, PROFILE_BYTES_MAX, REACTION_BYTES_MAX};

/// One message, opened.
#[derive(Clone, PartialEq, Eq)]
pub enum App {
    /// Nothing but: I am here, in this epoch.
    Presence,
    /// A signed [`Profile`](crate::profile::Profile): of the sender, or handed on by it.
    Profile(Vec<u8>),
    /// All signed profiles that the sender knows, for newcomers, and whether the meeting is locked.
    Roster {
        /// Whether nobody new may come in.
        locked: bool,
        /// The signed profiles.
        profiles: Vec<Vec<u8>>,
    },
    /// Asks for a roster: the member of this rank among the others, by leaf, answers.
    Ask {
        /// 0 for the lowest leaf.
        rank: u16,
    },
    /// A text for all.
    Chat(String),
    /// A passing sign, one emoji.
    Reaction(String),
    /// Whether the sender wants to speak.
    Hand {
        /// Up or down.
        raised: bool,
    },
}

impl std::fmt::Debug for App {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Presence => "Presence",
            Self::Profile(_) => "Profile(hidden)",
            Self::Roster { .. } => "Roster(hidden)",
            Self::Ask { .. } => "Ask",
            Self::Chat(_) => "Chat(hidden)",
            Self::Reaction(_) => "Reaction(hidden)",
            Self::Hand { .. } => "Hand",
        })
    }
}

const PRESENCE: u8 = 1;
const PROFILE: u8 = 2;
const ROSTER: u8 = 3;
const ASK: u8 = 4;
const CHAT: u8 = 5;
const REACTION: u8 = 6;
const HAND: u8 = 7;

impl App {
    /// The bytes, before they are sealed.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Presence => vec![PRESENCE],
            Self::Profile(profile) => with(PROFILE, profile),
            Self::Roster { locked, profiles } => {
                let mut bytes = vec![ROSTER, u8::from(*locked)];
                for profile in profiles {
                    let length = u16::try_from(profile.len()).unwrap_or(u16::MAX);
                    bytes.extend_from_slice(&length.to_be_bytes());
                    bytes.extend_from_slice(profile);
                }
                bytes
            }
            Self::Ask { rank } => with(ASK, &rank.to_be_bytes()),
            Self::Chat(text) => with(CHAT, text.as_bytes()),
            Self::Reaction(text) => with(REACTION, text.as_bytes()),
            Self::Hand { raised } => vec![HAND, u8::from(*raised)],
        }
    }

    /// Reads opened bytes; `None` where they are no message of this version.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (&kind, body) = bytes.split_first()?;
        match kind {
            PRESENCE => body.is_empty().then_some(Self::Presence),
            PROFILE => (body.len() <= PROFILE_BYTES_MAX).then(|| Self::Profile(body.to_vec())),
            ROSTER => roster(body),
            ASK => Some(Self::Ask {
                rank: u16::from_be_bytes(body.try_into().ok()?),
            }),
            CHAT => text(body, CHAT_BYTES_MAX).map(Self::Chat),
            REACTION => text(body, REACTION_BYTES_MAX).map(Self::Reaction),
            HAND => Some(Self::Hand { raised: flag(body)? }),
            _ => None,
        }
    }
}

fn with(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend_from_slice(body);
    bytes
}

fn flag(body: &[u8]) -> Option<bool> {
    match body {
        [0] => Some(false),
        [1] => Some(true),
        _ => None,
    }
}

fn text(body: &[u8], bytes_max: usize) -> Option<String> {
    if body.is_empty() || body.len() > bytes_max {
        return None;
    }
    String::from_utf8(body.to_vec()).ok()
}

fn roster(body: &[u8]) -> Option<App> {
    let (locked, mut rest) = body.split_at_checked(1)?;
    let locked = flag(locked)?;
    let mut profiles = Vec::new();
    while !rest.is_empty() {
        let (length, left) = rest.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length > PROFILE_BYTES_MAX {
            return None;
        }
        let (profile, left) = left.split_at_checked(length)?;
        profiles.push(profile.to_vec());
        rest = left;
    }
    Some(App::Roster { locked, profiles })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_as_it_was_written() {
        let all = [
            App::Presence,
            App::Profile(vec![1, 2, 3]),
            App::Roster {
                locked: true,
                profiles: vec![vec![1], vec![], vec![2, 3]],
            },
            App::Ask { rank: 3 },
            App::Chat("hello".to_owned()),
            App::Reaction("👍🏽".to_owned()),
            App::Hand { raised: true },
        ];
        for app in all {
            assert_eq!(App::decode(&app.encode()), Some(app));
        }
    }

    #[test]
    fn cut_bytes_and_unknown_kinds_are_no_message() {
        let roster = App::Roster {
            locked: false,
            profiles: vec![vec![7; 40]],
        };
        let bytes = roster.encode();
        for length in (0..bytes.len()).filter(|length| *length != 2) {
            assert_eq!(App::decode(&bytes[..length]), None, "length {length}");
        }
        for bytes in [&[0][..], &[8, 1], &[7, 2], &[5], &[1, 0], &[5, 0xff]] {
            assert_eq!(App::decode(bytes), None, "{bytes:?}");
        }
    }
}
