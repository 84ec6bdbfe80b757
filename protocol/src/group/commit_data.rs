//! What a commit says of itself, in the `authenticated_data` of its `PublicMessage` (RFC 9420, section 6).

use super::frame::FrameError;
use super::reader::Reader;
use crate::limits::ADDS_MAX;

const VERSION: u8 = 1;

/// What the owner allows one leaf to do: the owner's signature over [`Grant::signed_bytes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// The owner's public key, Ed25519. The first 16 bytes of its SHA-256 stand in the link.
    pub owner: [u8; 32],
    /// What it allows.
    pub role: Role,
    /// Until when, in seconds since 1970.
    pub expiry: u64,
    /// Ed25519 (RFC 8032).
    pub signature: [u8; 64],
}

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything; held by the owner's own leaf.
    Owner,
    /// Admit, remove and lock.
    Moderator,
}

impl Role {
    /// The byte on the wire.
    pub const fn code(self) -> u8 {
        match self {
            Self::Owner => 1,
            Self::Moderator => 2,
        }
    }

    /// Reads the byte of the wire.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Owner),
            2 => Some(Self::Moderator),
            _ => None,
        }
    }
}

impl Grant {
    /// Bytes of a grant.
    pub const LENGTH: usize = 32 + 1 + 8 + 64;

    /// What the owner signs.
    pub fn signed_bytes(
        group_id: &[u8],
        member_id: &[u8; 16],
        signature_key: &[u8],
        role: Role,
        expiry: u64,
    ) -> Vec<u8> {
        let mut bytes = b"undertone grant".to_vec();
        super::reader::put_field(&mut bytes, group_id);
        bytes.extend_from_slice(member_id);
        super::reader::put_field(&mut bytes, signature_key);
        bytes.push(role.code());
        bytes.extend_from_slice(&expiry.to_be_bytes());
        bytes
    }

    /// The bytes on the wire.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::LENGTH);
        bytes.extend_from_slice(&self.owner);
        bytes.push(self.role.code());
        bytes.extend_from_slice(&self.expiry.to_be_bytes());
        bytes.extend_from_slice(&self.signature);
        bytes
    }

    /// Reads the bytes of the wire.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut reader = Reader(bytes);
        let grant = Self::read(&mut reader)?;
        reader.end()?;
        Ok(grant)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, FrameError> {
        Ok(Self {
            owner: reader.array()?,
            role: Role::from_code(reader.u8()?).ok_or(FrameError::BadValue)?,
            expiry: reader.u64()?,
            signature: reader.array()?,
        })
    }
}

/// What a commit says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitData {
    /// Nothing more than what its proposals say: a join, an update, the Remove of somebody who left.
    Plain,
    /// It removes members by the right of this grant, and the link gets this generation.
    Kick {
        /// The next generation of the link.
        generation: u16,
        /// Why the committer may.
        grant: Grant,
    },
    /// It closes the meeting to newcomers, or opens it again.
    Lock {
        /// Whether nobody new may come in.
        locked: bool,
        /// Why the committer may.
        grant: Grant,
    },
    /// It adds members, in the order of its Add proposals.
    Adds {
        /// The generation of the link under which the MACs were made.
        generation: u16,
        /// One MAC for each Add.
        macs: Vec<[u8; 32]>,
    },
}

impl CommitData {
    /// The bytes of `authenticated_data`.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        match self {
            Self::Plain => bytes.push(0),
            Self::Kick { generation, grant } => {
                bytes.push(1);
                bytes.extend_from_slice(&generation.to_be_bytes());
                bytes.extend_from_slice(&grant.encode());
            }
            Self::Lock { locked, grant } => {
                bytes.push(2);
                bytes.push(u8::from(*locked));
                bytes.extend_from_slice(&grant.encode());
            }
            Self::Adds { generation, macs } => {
                bytes.push(3);
                bytes.extend_from_slice(&generation.to_be_bytes());
                // More than ADDS_MAX are never made, and never read back.
                bytes.push(u8::try_from(macs.len()).unwrap_or(u8::MAX));
                for mac in macs {
                    bytes.extend_from_slice(mac);
                }
            }
        }
        bytes
    }

    /// Reads `authenticated_data`.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut reader = Reader(bytes);
        if reader.u8()? != VERSION {
            return Err(FrameError::BadValue);
        }
        let data = match reader.u8()? {
            0 => Self::Plain,
            1 => Self::Kick {
                generation: reader.u16()?,
                grant: Grant::read(&mut reader)?,
            },
            2 => Self::Lock {
                locked: match reader.u8()? {
                    0 => false,
                    1 => true,
                    _ => return Err(FrameError::BadValue),
                },
                grant: Grant::read(&mut reader)?,
            },
            3 => {
                let generation = reader.u16()?;
                let count = usize::from(reader.u8()?);
                if count == 0 || count > ADDS_MAX {
                    return Err(FrameError::BadValue);
                }
                let macs = (0..count).map(|_| reader.array()).collect::<Result<_, _>>()?;
                Self::Adds { generation, macs }
            }
            _ => return Err(FrameError::BadValue),
        };
        reader.end()?;
        Ok(data)
    }
}
