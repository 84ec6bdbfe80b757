//! Pure rooms: who is in, who may come in, what everybody is told, and what the SFU is ordered to do.
//!
//! - [`signaling`]: the whole of it, [`Signaling`]: connections, messages, timers and events go in; messages,
//!   closings and SFU commands come out.
//! - [`session`]: one connection, and which message it may send at which stage.
//! - [`room`]: one room: members, seats, slots. A member outlives its connection and its transport.
//! - [`negotiation`]: the offer that we write and the answer that we read.
//! - [`delivery`]: the order of commits in the MLS group of a room, of which the server sees the public half.
//! - [`gate`]: who may come in. [`tries`]: how often one may fail. [`origin`]: who fails.
//! - [`outgoing`]: what leaves towards a page, and what ends its connection.
//! - [`stats`]: everything that is counted. [`limits`]: every bound.

pub mod delivery;
pub mod gate;
pub mod limits;
pub mod negotiation;
pub mod origin;
pub mod outgoing;
pub mod room;
pub mod session;
pub mod signaling;
pub mod stats;
pub mod tries;

pub use delivery::DeliveryKey;
pub use origin::Origin;
pub use outgoing::{Closing, Fault, Outgoing};
pub use session::ConnectionId;
pub use signaling::{Config, Signaling};
