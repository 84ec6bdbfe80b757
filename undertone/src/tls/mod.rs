//! HTTPS: a certificate and its key, read from files and read again when they change.
//!
//! - [`pair`]: both files, read and found to belong together.
//! - [`watcher`]: when a new pair takes the place of the old one.
//! - [`certificates`]: the pair that counts now, for whoever accepts connections.

mod certificates;
mod pair;
mod watcher;

pub(crate) use certificates::{Certificates, CertificatesError, Offer};
pub(crate) use pair::{Contents, Pair, is_key_open};
