//! RTP and RTCP wire formats whose payload stays sealed.
//!
//! Pure functions from bytes to types and back: no clock, no socket, no
//! allocation on the road of a media packet. All input may be hostile; a
//! parser answers with a value that cannot be invalid, or with a reason.
//!
//! - [`packet`]: reading an RTP packet; [`write`](mod@write): writing its header
//! - [`extension`]: header extensions, one-byte and two-byte form
//! - [`payload`]: [`SealedPayload`], which can be measured and copied, not read
//! - [`descriptor`]: what VP8, VP9 and AV1 say in clear about a frame
//! - [`rtcp`]: reports and feedback, both ways
//! - [`seq`]: arithmetic of numbers that wrap; [`ntp`]: time as RTCP writes it
//! - [`ids`], [`units`], [`error`]: the words the rest is written in

// Without `alloc` the compiler sees to it that nothing here allocates.
#![cfg_attr(not(test), no_std)]

mod bytes;

pub mod descriptor;
pub mod error;
pub mod extension;
pub mod ids;
pub mod ntp;
pub mod packet;
pub mod payload;
pub mod rtcp;
pub mod seq;
pub mod units;
pub mod write;

#[cfg(test)]
mod testing;

pub use descriptor::{Codec, Descriptor, DescriptorRewrite, PictureId, Vp8Rewrite, Vp9Rewrite};
pub use error::{BufferTooSmall, DescriptorError, RtcpError, RtpError};
pub use extension::{AudioLevel, Extension, ExtensionMap, Extensions};
pub use ids::{Mid, PayloadType, Rid, Ssrc};
pub use ntp::NtpTime;
pub use packet::{RtpHeader, RtpPacket};
pub use payload::SealedPayload;
pub use rtcp::{RtcpPacket, RtcpWriter};
pub use units::{Bitrate, DataSize};
pub use write::write_header;
