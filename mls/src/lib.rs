//! What OpenMLS needs of us: one suite, seeded randomness, and storage in memory alone.
//!
//! Members and the delivery service use the same provider, so that a commit that one of them makes is checked by
//! the other with the same code. Nothing is ever written to a disk (RFC 9420 leaves storage to the application).
//!
//! - [`provider`]: the [`Provider`] that is handed to every call of OpenMLS
//! - [`crypto`]: suite 1 on RustCrypto, and nothing else
//! - [`storage`]: the keys that OpenMLS reads back, wiped when they go; group state is not kept
//! - [`signer`]: the signature key of one leaf

pub mod crypto;
pub mod provider;
pub mod signer;
pub mod storage;

pub use crypto::{Crypto, SUITE};
pub use openmls;
pub use openmls::prelude::tls_codec;
pub use openmls_traits;
pub use provider::Provider;
pub use signer::LeafSigner;
