//! SRTP and SRTCP: RFC 3711 with AES_CM_128_HMAC_SHA1_80, RFC 7714 with AES-GCM.

mod error;
mod profile;
mod session;

pub use error::SrtpError;
pub use profile::{SrtpKeys, SrtpProfile};
pub use session::{Protection, Protector, Unprotector};
