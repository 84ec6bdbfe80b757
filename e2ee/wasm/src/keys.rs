//! What link and password open.

use e2ee::fragment::Fragment;
use e2ee::secret::RoomSecret;
use wasm_bindgen::prelude::{JsError, wasm_bindgen};
use zeroize::Zeroizing;

/// The secret of a room, and what is derived from it for the server.
#[wasm_bindgen]
pub struct Keys {
    pub(crate) fragment: Fragment,
    pub(crate) password: Option<Zeroizing<String>>,
    pub(crate) secret: RoomSecret,
}

#[wasm_bindgen]
impl Keys {
    /// Derives the room's secret. With a password it takes 64 MiB and about a second.
    #[wasm_bindgen(constructor)]
    pub fn new(fragment: &str, password: Option<String>) -> Result<Self, JsError> {
        let fragment = Fragment::parse(fragment)?;
        let password = password.map(Zeroizing::new);
        let secret = match &password {
            Some(password) => RoomSecret::from_link_and_password(&fragment.link, password),
            None => RoomSecret::from_link(&fragment.link),
        };
        Ok(Self {
            fragment,
            password,
            secret,
        })
    }

    /// What the server asks for at the door: 32 bytes.
    pub fn gate(&self) -> Vec<u8> {
        self.secret.gate().as_bytes().to_vec()
    }

    /// SHA-256 of it.
    pub fn gate_hash(&self) -> Vec<u8> {
        self.secret.gate().hash().to_vec()
    }
}
