//! Why bytes are refused: small enums, one counter per variant.

use thiserror::Error;

/// Why a datagram is not an RTP packet we forward.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, Ord, PartialEq, PartialOrd)]
pub enum RtpError {
    /// Shorter than the fixed header of 12 bytes (RFC 3550 section 5.1).
    #[error("shorter than an RTP header")]
    TooShort,
    /// The version field is not 2.
    #[error("not RTP version 2")]
    WrongVersion,
    /// The CSRC list runs past the end.
    #[error("CSRC list runs past the end")]
    CsrcOverrun,
    /// The header extension block, or an element in it, runs past its end.
    #[error("header extension runs past its end")]
    ExtensionOverrun,
    /// An element that we negotiated holds something it cannot hold.
    #[error("header extension element is malformed")]
    ExtensionMalformed,
    /// The padding count is zero or larger than what follows the header.
    #[error("padding count is impossible")]
    PaddingInvalid,
}

impl RtpError {
    /// Every variant, for those who keep one counter each.
    pub const ALL: [Self; 6] = [
        Self::TooShort,
        Self::WrongVersion,
        Self::CsrcOverrun,
        Self::ExtensionOverrun,
        Self::ExtensionMalformed,
        Self::PaddingInvalid,
    ];

    /// The variant's name as a metric label.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::TooShort => "rtp_too_short",
            Self::WrongVersion => "rtp_wrong_version",
            Self::CsrcOverrun => "rtp_csrc_overrun",
            Self::ExtensionOverrun => "rtp_extension_overrun",
            Self::ExtensionMalformed => "rtp_extension_malformed",
            Self::PaddingInvalid => "rtp_padding_invalid",
        }
    }
}

/// Why a payload's codec descriptor cannot be read or rewritten.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, Ord, PartialEq, PartialOrd)]
pub enum DescriptorError {
    /// The payload ends inside the descriptor, or where its first media byte should be.
    #[error("payload ends inside its descriptor")]
    Truncated,
    /// The fields contradict each other or the codec's RTP specification.
    #[error("descriptor contradicts itself")]
    Malformed,
    /// The output slice is shorter than the payload with its new descriptor.
    #[error("output is too small for the payload")]
    BufferTooSmall,
}

impl DescriptorError {
    /// Every variant, for those who keep one counter each.
    pub const ALL: [Self; 3] = [Self::Truncated, Self::Malformed, Self::BufferTooSmall];

    /// The variant's name as a metric label.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Truncated => "descriptor_truncated",
            Self::Malformed => "descriptor_malformed",
            Self::BufferTooSmall => "descriptor_buffer_too_small",
        }
    }
}

/// Why a datagram, or one packet of it, is not RTCP that we act on.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, Ord, PartialEq, PartialOrd)]
pub enum RtcpError {
    /// Shorter than a header, or than the length that its header gives.
    #[error("RTCP packet runs past the end")]
    Truncated,
    /// The version field is not 2.
    #[error("not RTCP version 2")]
    WrongVersion,
    /// The padding count is zero or larger than the packet.
    #[error("RTCP padding count is impossible")]
    PaddingInvalid,
    /// The packet's type and its contents do not fit together.
    #[error("RTCP packet contradicts itself")]
    Malformed,
    /// More packets in one datagram, or more statuses in one feedback, than we read.
    #[error("RTCP datagram asks for too much work")]
    TooMany,
}

impl RtcpError {
    /// Every variant, for those who keep one counter each.
    pub const ALL: [Self; 5] = [
        Self::Truncated,
        Self::WrongVersion,
        Self::PaddingInvalid,
        Self::Malformed,
        Self::TooMany,
    ];

    /// The variant's name as a metric label.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Truncated => "rtcp_truncated",
            Self::WrongVersion => "rtcp_wrong_version",
            Self::PaddingInvalid => "rtcp_padding_invalid",
            Self::Malformed => "rtcp_malformed",
            Self::TooMany => "rtcp_too_many",
        }
    }
}

/// What was to be written does not fit in the slice that was given.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("output is too small")]
pub struct BufferTooSmall;
