//! The delivery service of one room's MLS group (RFC 9750): it orders commits and relays messages, and holds no
//! secret.
//!
//! [`Delivery`] sees the public half of the group only. It takes the first valid commit of each epoch, and because it
//! cannot check a PSK it merges the commit when another member has done so. ADR 0009 says why.
//!
//! - `state`: the group, its members and what waits
//! - `check`: which commit is taken
//! - `joining`: who wants to come in, one by one or in batches
//! - `ordering`: commits, from their arrival to their end
//! - `leaving`: those who are gone, and the server's proposals to remove them
//! - `relaying`: application messages, and what somebody has missed
//! - [`key`]: what the server signs those proposals with

mod check;
mod joining;
pub mod key;
mod leaving;
mod ordering;
mod relaying;
mod state;

pub use key::DeliveryKey;
pub use state::{Action, Delivery};
