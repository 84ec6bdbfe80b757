//! The group member for browsers: `e2ee::group::Member` behind wasm-bindgen, run in a worker.
//!
//! Times are milliseconds since any moment that the worker chooses. Bytes that cannot be read and calls that cannot be
//! answered give errors as texts; a panic is a `RuntimeError`, after which the worker is discarded.
#![cfg(target_arch = "wasm32")]

mod events;
mod keys;
mod member;

pub use keys::Keys;
pub use member::GroupMember;
