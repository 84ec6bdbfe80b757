//! The binary messages: `type u8 ‖ epoch u64 ‖ body`, numbers big-endian.
//!
//! A field that is not the last of its body stands behind its length in four bytes.

use super::reader::{Reader, put_field};
use super::reason::{RefusalReason, RejectReason};
use crate::limits::{ADDS_MAX, FRAME_BYTES_MAX};

/// Bytes that are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// It ends within a field.
    #[error("the frame ends too early")]
    Truncated,
    /// Bytes stand behind its end.
    #[error("bytes stand behind the end of the frame")]
    TrailingBytes,
    /// Its type is not known.
    #[error("the frame has an unknown type")]
    UnknownType,
    /// A field holds what it must not.
    #[error("a field of the frame holds what it must not")]
    BadValue,
    /// It is larger than the limit.
    #[error("the frame is larger than the limit")]
    TooLarge,
}

/// A KeyPackage with the proof that who made it knows the room's secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedKeyPackage {
    /// HMAC-SHA-256 with key HKDF(K, "kp") over group_id ‖ generation ‖ KeyPackage.
    pub mac: [u8; 32],
    /// An `MLSMessage` with a KeyPackage.
    pub key_package: Vec<u8>,
}

/// Whom an application message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// All other members.
    Everyone,
    /// Those who came in with the commit that made this epoch.
    Newcomers,
}

/// The first 16 bytes of SHA-256.
pub type Digest = [u8; 16];

/// What a member says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientFrame {
    /// Asks to come into the group, or says that one has it still. First frame after `joined` and after `resumed`.
    /// Answered by `GROUP_INFO`, `CREATE`, `UPLOAD`, `WELCOME`, `EPOCH` or `REJECT`. In its header: the highest epoch
    /// that one is in, else 0.
    Enter {
        /// Highest epoch that one is in; 0 without a group.
        epoch: u64,
        /// The group that one is in.
        group_id: Option<[u8; 16]>,
        /// Wants to come in anew by an external commit that frees one's own leaf.
        resync: bool,
        /// One's KeyPackage; its signature key is the one of the leaf that one has or wants.
        key_package: SealedKeyPackage,
    },
    /// A commit made in `epoch`.
    Commit {
        /// The epoch that it ends.
        epoch: u64,
        /// A `PublicMessage`, as `MLSMessage`.
        commit: Vec<u8>,
        /// The GroupInfo of the next epoch, with `external_pub`, without the tree.
        group_info: Vec<u8>,
        /// The Welcome for those that it adds, without the tree; may be empty.
        welcome: Vec<u8>,
    },
    /// GroupInfo and tree: of a group that one created, or for a server that has forgotten it.
    GroupInfo {
        /// The epoch of the GroupInfo.
        epoch: u64,
        /// With `external_pub`, without the tree.
        group_info: Vec<u8>,
        /// The ratchet tree.
        tree: Vec<u8>,
    },
    /// One is in this epoch and has its keys.
    Ready {
        /// The epoch.
        epoch: u64,
        /// Digest of the confirmation tag (RFC 9420, section 6.1) that one's epoch began with: where it is not the
        /// server's, one is in another epoch of the same number.
        tag: Digest,
    },
    /// One does not merge the commit of this epoch.
    Refused {
        /// The epoch that the commit would have ended.
        epoch: u64,
        /// Why.
        reason: RefusalReason,
    },
    /// An application message.
    App {
        /// The epoch that it was sealed in.
        epoch: u64,
        /// Whom it is for.
        audience: Audience,
        /// A `PrivateMessage`, as `MLSMessage`.
        message: Vec<u8>,
    },
    /// Asks for all commits since the epoch that one is in.
    CatchUp {
        /// That epoch.
        epoch: u64,
    },
    /// After a kick: what opens the room from now on.
    Gate {
        /// The epoch that the kick began.
        epoch: u64,
        /// SHA-256 of the next gate.
        gate_hash: [u8; 32],
    },
}

/// What the delivery service says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerFrame {
    /// Here is the group: come in by an external commit.
    GroupInfo {
        /// Its epoch.
        epoch: u64,
        /// With `external_pub`, without the tree.
        group_info: Vec<u8>,
        /// The ratchet tree.
        tree: Vec<u8>,
    },
    /// There is no group: make one, and upload it with `GROUP_INFO`.
    Create {
        /// The key that the server signs its Remove proposals with, for `external_senders`.
        external_sender: [u8; 32],
    },
    /// The server has forgotten the group: send `GROUP_INFO`.
    Upload,
    /// A commit was ordered. Answered by `READY` of the next epoch or by `REFUSED`.
    Committed {
        /// The epoch that it ends.
        epoch: u64,
        /// The commit.
        commit: Vec<u8>,
    },
    /// One's own commit was ordered and a member is ready for it: merge it. Or the group that one gave was taken.
    Confirmed {
        /// The epoch that it began.
        epoch: u64,
        /// Digest of the commit, or of the GroupInfo: which of one's own is meant.
        digest: Digest,
    },
    /// Every member with a connection is in this epoch.
    AllReady {
        /// The epoch.
        epoch: u64,
    },
    /// Something was not taken.
    Reject {
        /// The epoch that the server is in.
        epoch: u64,
        /// Why.
        reason: RejectReason,
    },
    /// Somebody left: the server's signed Remove, to be committed by the lowest live leaf.
    Proposal {
        /// The epoch that it was made for.
        epoch: u64,
        /// A `PublicMessage`, as `MLSMessage`.
        proposal: Vec<u8>,
    },
    /// Somebody waits at the door: add them in one commit.
    KeyPackages {
        /// The epoch that the server is in.
        epoch: u64,
        /// One to 32 of them.
        key_packages: Vec<SealedKeyPackage>,
    },
    /// One was added.
    Welcome {
        /// The epoch that it leads to.
        epoch: u64,
        /// A Welcome, as `MLSMessage`, without the tree.
        welcome: Vec<u8>,
        /// The ratchet tree.
        tree: Vec<u8>,
    },
    /// An application message of another member.
    App {
        /// The epoch that it was sealed in, as its sender says.
        epoch: u64,
        /// A `PrivateMessage`, as `MLSMessage`.
        message: Vec<u8>,
    },
    /// Nothing more to catch up with: the server is in this epoch.
    Epoch {
        /// The epoch.
        epoch: u64,
    },
}

const GROUP_INFO: u8 = 2;
const COMMIT: u8 = 3;
const COMMITTED: u8 = 4;
const REJECT: u8 = 5;
const PROPOSAL: u8 = 6;
const KEY_PACKAGES: u8 = 7;
const WELCOME: u8 = 8;
const READY: u8 = 9;
const APP: u8 = 10;
const CATCH_UP: u8 = 11;
const ENTER: u8 = 1;
const REFUSED: u8 = 12;
const GATE: u8 = 13;
const CREATE: u8 = 14;
const UPLOAD: u8 = 15;
const CONFIRMED: u8 = 16;
const EPOCH: u8 = 17;

const HAS_GROUP: u8 = 1;
const RESYNC: u8 = 2;

fn header(kind: u8, epoch: u64) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend_from_slice(&epoch.to_be_bytes());
    bytes
}

fn open(bytes: &[u8]) -> Result<(u8, u64, Reader<'_>), FrameError> {
    if bytes.len() > FRAME_BYTES_MAX {
        return Err(FrameError::TooLarge);
    }
    let mut reader = Reader(bytes);
    Ok((reader.u8()?, reader.u64()?, reader))
}

impl ClientFrame {
    /// The bytes of a binary message.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Enter {
                epoch,
                group_id,
                resync,
                key_package,
            } => {
                let mut bytes = header(ENTER, *epoch);
                let group = if group_id.is_some() { HAS_GROUP } else { 0 };
                bytes.push(group | if *resync { RESYNC } else { 0 });
                bytes.extend_from_slice(&group_id.unwrap_or_default());
                bytes.extend_from_slice(&key_package.mac);
                bytes.extend_from_slice(&key_package.key_package);
                bytes
            }
            Self::Commit {
                epoch,
                commit,
                group_info,
                welcome,
            } => {
                let mut bytes = header(COMMIT, *epoch);
                put_field(&mut bytes, commit);
                put_field(&mut bytes, group_info);
                bytes.extend_from_slice(welcome);
                bytes
            }
            Self::GroupInfo {
                epoch,
                group_info,
                tree,
            } => group_info_bytes(*epoch, group_info, tree),
            Self::Ready { epoch, tag } => with_rest(READY, *epoch, tag),
            Self::Refused { epoch, reason } => {
                let mut bytes = header(REFUSED, *epoch);
                bytes.push(reason.code());
                bytes
            }
            Self::App {
                epoch,
                audience,
                message,
            } => {
                let mut bytes = header(APP, *epoch);
                bytes.push(match audience {
                    Audience::Everyone => 0,
                    Audience::Newcomers => 1,
                });
                bytes.extend_from_slice(message);
                bytes
            }
            Self::CatchUp { epoch } => header(CATCH_UP, *epoch),
            Self::Gate { epoch, gate_hash } => {
                let mut bytes = header(GATE, *epoch);
                bytes.extend_from_slice(gate_hash);
                bytes
            }
        }
    }

    /// Reads a binary message of a member.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let (kind, epoch, mut reader) = open(bytes)?;
        let frame = match kind {
            ENTER => {
                let flags = reader.u8()?;
                if flags & !(HAS_GROUP | RESYNC) != 0 {
                    return Err(FrameError::BadValue);
                }
                let group_id = reader.array::<16>()?;
                let mac = reader.array()?;
                let key_package = reader.rest().to_vec();
                Self::Enter {
                    epoch,
                    group_id: (flags & HAS_GROUP != 0).then_some(group_id),
                    resync: flags & RESYNC != 0,
                    key_package: SealedKeyPackage { mac, key_package },
                }
            }
            COMMIT => Self::Commit {
                epoch,
                commit: reader.field()?.to_vec(),
                group_info: reader.field()?.to_vec(),
                welcome: reader.rest().to_vec(),
            },
            GROUP_INFO => Self::GroupInfo {
                epoch,
                group_info: reader.field()?.to_vec(),
                tree: reader.rest().to_vec(),
            },
            READY => Self::Ready {
                epoch,
                tag: reader.array()?,
            },
            REFUSED => Self::Refused {
                epoch,
                reason: RefusalReason::from_code(reader.u8()?).ok_or(FrameError::BadValue)?,
            },
            APP => Self::App {
                epoch,
                audience: match reader.u8()? {
                    0 => Audience::Everyone,
                    1 => Audience::Newcomers,
                    _ => return Err(FrameError::BadValue),
                },
                message: reader.rest().to_vec(),
            },
            CATCH_UP => Self::CatchUp { epoch },
            GATE => Self::Gate {
                epoch,
                gate_hash: reader.array()?,
            },
            _ => return Err(FrameError::UnknownType),
        };
        reader.end()?;
        Ok(frame)
    }
}

impl ServerFrame {
    /// The bytes of a binary message.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::GroupInfo {
                epoch,
                group_info,
                tree,
            } => group_info_bytes(*epoch, group_info, tree),
            Self::Create { external_sender } => {
                let mut bytes = header(CREATE, 0);
                bytes.extend_from_slice(external_sender);
                bytes
            }
            Self::Upload => header(UPLOAD, 0),
            Self::Committed { epoch, commit } => with_rest(COMMITTED, *epoch, commit),
            Self::Confirmed { epoch, digest } => with_rest(CONFIRMED, *epoch, digest),
            Self::AllReady { epoch } => header(READY, *epoch),
            Self::Reject { epoch, reason } => with_rest(REJECT, *epoch, &[reason.code()]),
            Self::Proposal { epoch, proposal } => with_rest(PROPOSAL, *epoch, proposal),
            Self::KeyPackages { epoch, key_packages } => {
                let mut bytes = header(KEY_PACKAGES, *epoch);
                for SealedKeyPackage { mac, key_package } in key_packages {
                    bytes.extend_from_slice(mac);
                    put_field(&mut bytes, key_package);
                }
                bytes
            }
            Self::Welcome { epoch, welcome, tree } => {
                let mut bytes = header(WELCOME, *epoch);
                put_field(&mut bytes, welcome);
                bytes.extend_from_slice(tree);
                bytes
            }
            Self::App { epoch, message } => with_rest(APP, *epoch, message),
            Self::Epoch { epoch } => header(EPOCH, *epoch),
        }
    }

    /// Reads a binary message of the server.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let (kind, epoch, mut reader) = open(bytes)?;
        let frame = match kind {
            GROUP_INFO => Self::GroupInfo {
                epoch,
                group_info: reader.field()?.to_vec(),
                tree: reader.rest().to_vec(),
            },
            CREATE => Self::Create {
                external_sender: reader.array()?,
            },
            UPLOAD => Self::Upload,
            COMMITTED => Self::Committed {
                epoch,
                commit: reader.rest().to_vec(),
            },
            CONFIRMED => Self::Confirmed {
                epoch,
                digest: reader.array()?,
            },
            READY => Self::AllReady { epoch },
            REJECT => Self::Reject {
                epoch,
                reason: RejectReason::from_code(reader.u8()?).ok_or(FrameError::BadValue)?,
            },
            PROPOSAL => Self::Proposal {
                epoch,
                proposal: reader.rest().to_vec(),
            },
            KEY_PACKAGES => Self::KeyPackages {
                epoch,
                key_packages: key_packages(&mut reader)?,
            },
            WELCOME => Self::Welcome {
                epoch,
                welcome: reader.field()?.to_vec(),
                tree: reader.rest().to_vec(),
            },
            APP => Self::App {
                epoch,
                message: reader.rest().to_vec(),
            },
            EPOCH => Self::Epoch { epoch },
            _ => return Err(FrameError::UnknownType),
        };
        reader.end()?;
        Ok(frame)
    }
}

fn group_info_bytes(epoch: u64, group_info: &[u8], tree: &[u8]) -> Vec<u8> {
    let mut bytes = header(GROUP_INFO, epoch);
    put_field(&mut bytes, group_info);
    bytes.extend_from_slice(tree);
    bytes
}

fn with_rest(kind: u8, epoch: u64, rest: &[u8]) -> Vec<u8> {
    let mut bytes = header(kind, epoch);
    bytes.extend_from_slice(rest);
    bytes
}

fn key_packages(reader: &mut Reader<'_>) -> Result<Vec<SealedKeyPackage>, FrameError> {
    let mut key_packages = Vec::new();
    while !reader.0.is_empty() {
        if key_packages.len() == ADDS_MAX {
            return Err(FrameError::BadValue);
        }
        let mac = reader.array()?;
        let key_package = reader.field()?.to_vec();
        key_packages.push(SealedKeyPackage { mac, key_package });
    }
    if key_packages.is_empty() {
        return Err(FrameError::BadValue);
    }
    Ok(key_packages)
}
