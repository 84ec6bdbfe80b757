//! Members of a meeting without a browser: they join by link, send sealed sound and pictures, open what they get,
//! and count.
//!
//! Only an endpoint may open media, so nothing here stands on a server crate, and no server crate stands on this.
//!
//! - [`link`]: what a meeting link says; [`target`]: which servers may be loaded at all
//! - [`keys`]: one member's end-to-end encryption
//! - [`description`]: the offer that is read, the answer that is written
//! - [`signaling`]: the WebSocket; [`media`]: ICE, DTLS, RTP and RTCP, without input or output
//! - [`member`]: one member as a task; [`crowd`]: many of them
//! - [`storm`]: members without media, who come into the group all at once
//! - [`report`]: what they counted
//! - [`fixtures`]: the picture and the sound that they send
//! - [`limits`]: every bound

pub mod crowd;
pub mod description;
pub mod error;
pub mod fixtures;
pub mod keys;
pub mod limits;
pub mod link;
pub mod media;
pub mod member;
pub mod report;
pub mod signaling;
pub mod storm;
pub mod target;

pub use crowd::{Crowd, CrowdSettings};
pub use error::MemberError;
pub use keys::Access;
pub use link::MeetingLink;
pub use member::{Member, MemberSettings};
pub use report::{CrowdReport, MemberReport};
pub use storm::{Storm, StormReport};
pub use target::Target;
