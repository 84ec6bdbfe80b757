//! What a member tells its host.

use zeroize::Zeroizing;

use crate::app::App;
use crate::identity::{Leaf, MemberId};
use crate::profile::Profile;
use crate::secret::{BaseKey, Gate};

/// Something that the host has to act on.
#[derive(Debug, Clone)]
pub enum Event {
    /// One is in the group, or in it anew.
    Entered {
        /// Oneself.
        member: MemberId,
    },
    /// A new epoch: open with its keys from now on.
    Epoch {
        /// Its number; key ids carry the last 8 bits.
        epoch: u64,
        /// Its SFrame base key.
        base_key: BaseKey,
        /// One's own leaf.
        leaf: Leaf,
        /// Everybody in it, oneself included, by leaf.
        members: Vec<(Leaf, MemberId)>,
    },
    /// Seal with the keys of this epoch from now on.
    Send {
        /// The epoch.
        epoch: u64,
    },
    /// Seal nothing until the next `Send`: there is an epoch that one cannot reach.
    Stop,
    /// Wipe the keys of this epoch, with their replay windows.
    Forget {
        /// The epoch.
        epoch: u64,
    },
    /// Wipe the keys of this leaf in all epochs before this one.
    ForgetLeaf {
        /// The leaf.
        leaf: Leaf,
        /// The epoch in which it is somebody else's, or nobody's.
        before: u64,
    },
    /// What a member says of itself, checked.
    Profile {
        /// What it says; its member is in the group.
        profile: Profile,
        /// Whether its grant is the owner's.
        is_owner: bool,
    },
    /// A member is no longer in the group.
    Gone {
        /// Which.
        member: MemberId,
        /// Whether it was removed by somebody, and did not leave.
        kicked: bool,
    },
    /// A member says something.
    Said {
        /// Which.
        member: MemberId,
        /// What.
        app: App,
    },
    /// The link changed: this is the fragment of the new one, and what opens the room from now on.
    Link {
        /// Behind `#`.
        fragment: Zeroizing<String>,
        /// For the server.
        gate: Gate,
    },
    /// The meeting was locked or opened again.
    Locked {
        /// Whether nobody new may come in.
        locked: bool,
    },
    /// One was removed; the group is over for this member.
    Removed,
    /// The server does not let one in: the meeting is locked or full.
    NotAdmitted {
        /// Why.
        reason: protocol::group::RejectReason,
    },
    /// The owner's key has to sign these bytes; answered by `handle_owner_signature`.
    OwnerSignature {
        /// What is signed.
        bytes: Vec<u8>,
    },
    /// Something is wrong that people should know of.
    Alarm(Alarm),
}

/// Something that people should know of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alarm {
    /// A commit or a group was refused.
    Refused(protocol::group::RefusalReason),
    /// The server knows a newer epoch and does not give it out: a removal may not have been applied.
    Withheld,
    /// Messages of this epoch do not open: others may be in another group of the same number.
    Forked,
    /// Nobody of the group that one entered has shown that it knows the room's secret.
    NobodyAnswers,
    /// A member has not been heard for a long time.
    Silent(MemberId),
    /// A silent member is heard again.
    Heard(MemberId),
}

impl Alarm {
    /// The word in statistics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused(reason) => reason.as_str(),
            Self::Withheld => "withheld",
            Self::Forked => "forked",
            Self::NobodyAnswers => "nobody_answers",
            Self::Silent(_) => "silent",
            Self::Heard(_) => "heard",
        }
    }
}
