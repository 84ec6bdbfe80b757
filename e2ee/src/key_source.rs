//! Where SFrame base keys come from.

use crate::key_id::KeyId;
use crate::secret::BaseKey;

/// Gives the base key of a key id. Interim keys implement it now; the MLS
/// group takes their place and nothing else changes.
pub trait KeySource {
    /// The base key, or `None` while there is none for this participant and epoch.
    fn base_key(&self, key_id: KeyId) -> Option<BaseKey>;
}
