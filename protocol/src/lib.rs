//! The messages that the parts of Undertone say to each other, and nothing else.
//!
//! - [`client`]: browser and signaling, JSON over a WebSocket; TypeScript reads the same shapes from
//!   `web/src/protocol/generated.ts`, and both sides read the golden files in `protocol/fixtures`.
//! - [`sfu`]: signaling and SFU, plain types inside one process.
//! - [`group`]: members and the delivery service of the MLS group, binary messages on the same WebSocket.
//! - [`media`]: the one canonical set of payload types, header extension ids and lines of the offer.
//! - [`ids`] and [`bytes`]: identifiers and byte strings that cannot hold a wrong value.
//! - [`decode`]: strict JSON decoding, with a reason for every refusal.
//! - [`limits`]: the bounds that both ends of a connection have to know.
//! - [`redacted`]: the wrapper around everything that must not reach a log.

pub mod bytes;
pub mod client;
pub mod decode;
pub mod group;
pub mod ids;
pub mod limits;
pub mod media;
pub mod redacted;
pub mod sfu;

#[cfg(test)]
mod typescript;
