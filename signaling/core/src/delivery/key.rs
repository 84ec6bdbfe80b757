//! What the server signs its Remove proposals with.

use mls::LeafSigner;

/// An Ed25519 key pair of one server. Members name it in their group's `external_senders`, so it outlives a restart.
#[derive(Debug, Clone)]
pub struct DeliveryKey(LeafSigner);

impl DeliveryKey {
    /// The pair of this private key.
    pub fn new(private: &[u8; 32]) -> Self {
        Self(LeafSigner::new(private))
    }

    /// The public key.
    pub fn public(&self) -> [u8; 32] {
        self.0.public()
    }

    pub(super) const fn signer(&self) -> &LeafSigner {
        &self.0
    }
}
