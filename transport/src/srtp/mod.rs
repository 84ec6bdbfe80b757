//! SRTP and SRTCP: RFC 3711 with AES_CM_128_HMAC_SHA1_80, RFC 7714 with AES-GCM.
//!
//! `session` opens and seals packets in place; it finds the packet's index (`index`), asks whether it was seen
//! (`replay`), and gives the bytes to a `cipher` whose keys come from `derivation`.
//!
//! Master keys, session keys and what RustCrypto expands from them are overwritten when dropped. What ring expands is
//! not: it offers no way.

mod cipher;
mod contexts;
mod derivation;
mod error;
mod header;
mod index;
mod profile;
mod replay;
mod session;
#[cfg(test)]
mod testing;

pub use error::SrtpError;
pub use profile::{SrtpKeys, SrtpKeysError, SrtpProfile};
pub use session::{Protection, Protector, Tag, Unprotector};
