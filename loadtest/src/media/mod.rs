//! The media of one member: ICE, DTLS, RTP and RTCP, without input or output.
//!
//! - `pace`: when frames are due; `outgoing`: a stream that is sent
//! - `reception`, `pictures`, `vp8`, `incoming`: a slot that is received
//! - `session`: all of them on one transport; `feedback`: its RTCP

mod feedback;
mod incoming;
mod outgoing;
mod pace;
mod pictures;
mod reception;
mod session;
mod vp8;

pub use session::{Local, Session, SessionSettings, Voice};
