//! Why the server rejects what a member sent, and why a member refuses a commit.

macro_rules! reasons {
    ($(#[$documentation:meta])* $name:ident { $($(#[$what:meta])* $variant:ident = $code:literal, $word:literal;)* }) => {
        $(#[$documentation])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$what])* $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The byte on the wire.
            pub const fn code(self) -> u8 {
                match self { $(Self::$variant => $code,)* }
            }

            /// Reads the byte of the wire.
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }

            /// The word in metrics and in the page's statistics.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

reasons! {
    /// Why the server does not take a frame of a member.
    RejectReason {
        /// Another commit won this epoch: process it, wait, try again.
        Stale = 1, "stale";
        /// It is no valid commit of this group.
        Invalid = 2, "invalid";
        /// No member was ready for it in time: try again.
        Unconfirmed = 3, "unconfirmed";
        /// Members refused it; the connection closes.
        Refused = 4, "refused";
        /// The sender has no right to it: a remove or a lock without the owner's grant.
        Forbidden = 5, "forbidden";
        /// The meeting is locked.
        Locked = 6, "locked";
        /// The group has all its members.
        Full = 7, "full";
        /// The commits since that epoch are no longer kept: resync.
        Gone = 8, "gone";
        /// The uploaded group is not one that this server can serve.
        ForeignGroup = 9, "foreign_group";
        /// Not at this point of the conversation.
        OutOfOrder = 10, "out_of_order";
        /// Larger than the limit.
        TooLarge = 11, "too_large";
    }
}

reasons! {
    /// Why a member does not merge a commit, or does not enter a group, although the library would.
    RefusalReason {
        /// It cannot be decoded, or its cryptography does not hold.
        Invalid = 1, "invalid";
        /// An external commit without the room's PSK, or with another number of PSKs than one.
        NoPsk = 2, "no_psk";
        /// The PSK is that of an earlier generation of the link.
        OldPsk = 3, "old_psk";
        /// The PSK is not ours: the confirmation tag differs.
        WrongPsk = 4, "wrong_psk";
        /// A Welcome without exactly our PSK.
        WelcomeWithoutPsk = 5, "welcome_without_psk";
        /// An Add that comes from outside the group.
        ExternalAdd = 6, "external_add";
        /// An Add whose KeyPackage has no MAC of somebody who knows the room's secret.
        BadMac = 7, "bad_mac";
        /// An external commit that removes somebody else than its own earlier leaf.
        RemovesStranger = 8, "removes_stranger";
        /// A Remove by a member whose leaf has no grant.
        NoGrant = 9, "no_grant";
        /// A Remove by a member that does not say that it is a kick, or a kick that removes nobody.
        UnnamedRemove = 10, "unnamed_remove";
        /// A kick that does not lead to the next generation of the link.
        WrongGeneration = 11, "wrong_generation";
        /// ReInit, GroupContextExtensions, or a proposal that we do not know.
        ForbiddenProposal = 12, "forbidden_proposal";
        /// A leaf changed its credential or its signature key.
        IdentityChanged = 13, "identity_changed";
        /// A lifetime above 90 days.
        Lifetime = 14, "lifetime";
        /// A member id that is in the group already.
        DuplicateMember = 15, "duplicate_member";
        /// A leaf index above 1,023.
        LeafIndex = 16, "leaf_index";
        /// Somebody comes in although the meeting is locked.
        Locked = 17, "locked";
        /// Another group than the one we are in.
        OtherGroup = 18, "other_group";
        /// An epoch below our own.
        OldEpoch = 19, "old_epoch";
        /// The authenticated data cannot be read.
        BadCommitData = 20, "bad_commit_data";
        /// A credential that is not a member id of 16 bytes.
        BadCredential = 21, "bad_credential";
        /// The group's settings are not those of this protocol: suite, extensions, capabilities, external senders.
        BadGroup = 22, "bad_group";
    }
}
