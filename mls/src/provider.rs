//! The provider that is handed to every call of OpenMLS.

use openmls_traits::OpenMlsProvider;
use openmls_traits::random::OpenMlsRand;

use crate::crypto::Crypto;
use crate::storage::Storage;

/// Suite, randomness and storage of one member or of one delivery service. What lay in its storage is wiped when it
/// is dropped.
#[derive(Debug)]
pub struct Provider {
    crypto: Crypto,
    storage: Storage,
}

impl Provider {
    /// A provider whose randomness all comes from this seed: draw it from the operating system, and use it once.
    pub fn new(seed: [u8; 32]) -> Self {
        Self {
            crypto: Crypto::new(seed),
            storage: Storage::default(),
        }
    }
}

impl OpenMlsProvider for Provider {
    type CryptoProvider = Crypto;
    type RandProvider = Crypto;
    type StorageProvider = Storage;

    fn storage(&self) -> &Storage {
        &self.storage
    }

    fn crypto(&self) -> &Crypto {
        &self.crypto
    }

    fn rand(&self) -> &Crypto {
        &self.crypto
    }
}

impl OpenMlsRand for Crypto {
    type Error = std::convert::Infallible;

    fn random_array<const N: usize>(&self) -> Result<[u8; N], Self::Error> {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        Ok(bytes)
    }

    fn random_vec(&self, length: usize) -> Result<Vec<u8>, Self::Error> {
        let mut bytes = vec![0; length];
        self.fill(&mut bytes);
        Ok(bytes)
    }
}
