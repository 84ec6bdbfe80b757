//! End-to-end encryption for endpoints: the room's secret, keys and SFrame.
//!
//! Nothing here reaches a server. The browser client has a twin of this crate
//! in `web/src/e2ee`; both read the files in `vectors/`, so they agree.
//!
//! - [`fragment`]: what a meeting link says behind `#`
//! - [`secret`]: the room's secret, and what is derived from it
//! - [`group`]: the MLS group of a room, as one member sees it, and what that member refuses
//! - [`profile`]: what a member says of itself, signed; [`app`]: everything that members say to each other
//! - [`grant`]: what the owner allows; [`key_package_mac`]: the proof that a newcomer knows the room's secret
//! - [`key_id`]: which participant's which track a frame belongs to
//! - [`prefix`]: the synthetic bytes that let packetizers handle sealed frames
//! - [`frame`]: sealing and opening frames, with [`replay`] protection; [`keyring`]: with the keys of a group
//! - [`codec`]: what opened bytes say about themselves

pub mod app;
mod bytes;
pub mod codec;
pub mod fragment;
#[cfg(not(target_arch = "wasm32"))]
pub mod frame;
pub mod grant;
pub mod group;
#[cfg(not(target_arch = "wasm32"))]
pub mod header;
mod hkdf;
pub mod identity;
pub mod key_id;
pub mod key_package_mac;
#[cfg(not(target_arch = "wasm32"))]
pub mod keyring;
pub mod limits;
pub mod name;
pub mod prefix;
pub mod profile;
pub mod replay;
pub mod secret;
#[cfg(test)]
mod vectors;
