//! The one canonical set of payload types, header extension ids and m-lines.
//!
//! The server offers these numbers to every page and takes no others, so a forwarded packet keeps its payload
//! type and its extension ids, and only SSRC, sequence number and time are rewritten.

use crate::limits::MEDIA_MEMBERS_MAX;

/// What a source of a participant captures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// The microphone, sent on the m-line [`MICROPHONE_MID`].
    Microphone,
    /// The camera, sent on the m-line [`CAMERA_MID`].
    Camera,
}

impl SourceKind {
    /// The medium that carries this source.
    pub const fn media(self) -> Media {
        match self {
            Self::Microphone => Media::Audio,
            Self::Camera => Media::Video,
        }
    }

    /// The number of the track in the key id of its frames.
    pub const fn track(self) -> u8 {
        match self {
            Self::Microphone => 0,
            Self::Camera => 1,
        }
    }

    /// The m-line on which a page sends this source.
    pub const fn mid(self) -> &'static str {
        match self {
            Self::Microphone => MICROPHONE_MID,
            Self::Camera => CAMERA_MID,
        }
    }
}

/// The two media of RTP that we carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Media {
    /// `m=audio`
    Audio,
    /// `m=video`
    Video,
}

/// The m-line on which a page sends its microphone.
pub const MICROPHONE_MID: &str = "m";
/// The m-line on which a page sends its camera.
pub const CAMERA_MID: &str = "c";
/// Slots of one medium at most, mids `a0` to `a22` and `v0` to `v22`: one for each other member of a full room.
pub const SLOTS_OF_MEDIUM_MAX: usize = MEDIA_MEMBERS_MAX - 1;
/// The simulcast layers of a camera, smallest first: browsers scale down by 4, 2, 1 in this order.
pub const CAMERA_RIDS: [&str; 3] = ["l", "m", "h"];

/// What `a=rtpmap` writes for a retransmission payload type: its encoding name and the clock rate of video in Hz.
pub const RETRANSMISSION_RTPMAP: &str = "rtx/90000";

/// A codec with its canonical payload type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// Opus, RFC 7587.
    Opus,
    /// VP8, RFC 7741.
    Vp8,
    /// VP9 profile 0, RFC 9628.
    Vp9,
    /// AV1, <https://aomediacodec.github.io/av1-rtp-spec/>.
    Av1,
}

impl Codec {
    /// All codecs, in the order of the offer.
    pub const ALL: [Self; 4] = [Self::Opus, Self::Vp8, Self::Vp9, Self::Av1];
    /// The codecs of audio lines.
    pub const AUDIO: [Self; 1] = [Self::Opus];
    /// The codecs of video lines, most wanted first.
    pub const VIDEO: [Self; 3] = [Self::Vp8, Self::Vp9, Self::Av1];

    /// The payload type that means this codec everywhere.
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Opus => 111,
            Self::Vp8 => 100,
            Self::Vp9 => 101,
            Self::Av1 => 102,
        }
    }

    /// The codec of a payload type, unless it is none of ours.
    pub fn from_payload_type(payload_type: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|codec| codec.payload_type() == payload_type)
    }

    /// The payload type under which packets of this codec are sent again (RFC 4588); none for audio, whose lost
    /// packets are sent again as they were.
    pub const fn retransmission_payload_type(self) -> Option<u8> {
        match self {
            Self::Opus => None,
            Self::Vp8 => Some(103),
            Self::Vp9 => Some(104),
            Self::Av1 => Some(105),
        }
    }

    /// The codec whose packets are sent again under this payload type.
    pub fn from_retransmission_payload_type(payload_type: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|codec| codec.retransmission_payload_type() == Some(payload_type))
    }

    /// The codecs of a medium, most wanted first.
    pub const fn of(media: Media) -> &'static [Self] {
        match media {
            Media::Audio => &Self::AUDIO,
            Media::Video => &Self::VIDEO,
        }
    }

    /// The encoding name, clock rate in Hz and channels as `a=rtpmap` writes them.
    pub const fn rtpmap(self) -> &'static str {
        match self {
            Self::Opus => "opus/48000/2",
            Self::Vp8 => "VP8/90000",
            Self::Vp9 => "VP9/90000",
            Self::Av1 => "AV1/90000",
        }
    }

    /// The format parameters as `a=fmtp` writes them, if the codec has any.
    pub const fn fmtp(self) -> Option<&'static str> {
        match self {
            Self::Opus => Some("minptime=10;useinbandfec=1"),
            Self::Vp9 => Some("profile-id=0"),
            Self::Vp8 | Self::Av1 => None,
        }
    }

    /// The feedback that we offer for this codec, as `a=rtcp-fb` writes it.
    pub const fn feedback(self) -> &'static [&'static str] {
        match self {
            Self::Opus => &["nack", "transport-cc"],
            Self::Vp8 | Self::Vp9 | Self::Av1 => &["ccm fir", "nack", "nack pli", "transport-cc"],
        }
    }
}

/// An RTP header extension with its canonical id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Extension {
    /// The m-line of a packet, RFC 8843.
    Mid,
    /// The simulcast layer of a packet, RFC 8852.
    RtpStreamId,
    /// The layer that a retransmission repairs, RFC 8852.
    RepairedRtpStreamId,
    /// The loudness of an audio packet, RFC 6464.
    AudioLevel,
    /// The transport-wide sequence number, draft-holmer-rmcat-transport-wide-cc-extensions-01.
    TransportSequenceNumber,
    /// The AV1 dependency descriptor; its id is kept, it is not offered yet.
    DependencyDescriptor,
}

impl Extension {
    /// All extensions, in the order of their ids.
    pub const ALL: [Self; 6] = [
        Self::Mid,
        Self::RtpStreamId,
        Self::RepairedRtpStreamId,
        Self::AudioLevel,
        Self::TransportSequenceNumber,
        Self::DependencyDescriptor,
    ];

    /// The id that means this extension on every m-line.
    pub const fn id(self) -> u8 {
        match self {
            Self::Mid => 1,
            Self::RtpStreamId => 2,
            Self::RepairedRtpStreamId => 3,
            Self::AudioLevel => 4,
            Self::TransportSequenceNumber => 5,
            Self::DependencyDescriptor => 6,
        }
    }

    /// The extension of an id, unless it is none of ours.
    pub fn from_id(id: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|extension| extension.id() == id)
    }

    /// The URI that names the extension in `a=extmap`.
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Mid => "urn:ietf:params:rtp-hdrext:sdes:mid",
            Self::RtpStreamId => "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
            Self::RepairedRtpStreamId => "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
            Self::AudioLevel => "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            Self::TransportSequenceNumber => {
                "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
            }
            Self::DependencyDescriptor => {
                "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
            }
        }
    }

    /// What an audio line offers.
    pub const AUDIO: [Self; 3] = [Self::Mid, Self::AudioLevel, Self::TransportSequenceNumber];
    /// What a video line offers.
    pub const VIDEO: [Self; 2] = [Self::Mid, Self::TransportSequenceNumber];
    /// What the line of the camera offers: its layers are told apart by their stream id, their retransmissions by
    /// the stream id that they repair.
    pub const CAMERA: [Self; 4] = [
        Self::Mid,
        Self::RtpStreamId,
        Self::RepairedRtpStreamId,
        Self::TransportSequenceNumber,
    ];
}
