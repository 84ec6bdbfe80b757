//! What a browser and signaling say to each other, as JSON in WebSocket text messages.
//!
//! The order of messages, their errors and limits are described in `docs/protocol.md`.

mod code;
mod request;
mod response;

pub use code::ErrorCode;
pub use request::{Announce, Answer, ClientMessage, Create, Hello, Leave, MediaState, Ping, Resume, Switch};
pub use response::{
    Announced, Created, ErrorMessage, Joined, OfferMessage, OfferedTransport, Participant, ParticipantJoined,
    ParticipantLeft, ParticipantMedia, ParticipantPresence, Pong, Presence, Resumed, ServerMessage,
    SlotBinding, Slots, Stopping, TransportMessage, TransportState,
};

/// The version of these messages. A client that says another one is refused.
pub const VERSION: u32 = 1;
