//! ICE, behind a small trait of our own.

use std::fmt;

use zeroize::Zeroizing;

use crate::error::SetupError;
use crate::limits;

/// One side's ICE credentials: `a=ice-ufrag` and `a=ice-pwd`.
#[derive(Clone, PartialEq, Eq)]
pub struct IceCredentials {
    ufrag: String,
    password: Zeroizing<String>,
}

impl IceCredentials {
    /// Checks and takes credentials. Ours must come from a cryptographic random generator.
    ///
    /// Fails when one of them is shorter or longer than the grammar allows (4 and 22 to 256 characters), or holds
    /// a character other than letters, digits, `+` and `/`; browsers refuse those too, so base64url will not do.
    ///
    /// Source: RFC 8839 section 5.4.
    pub fn new(ufrag: &str, password: &str) -> Result<Self, SetupError> {
        let well_formed = |value: &str, len_min: usize| {
            (len_min..=limits::ICE_CREDENTIAL_MAX).contains(&value.len())
                && value
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
        };
        if !well_formed(ufrag, 4) || !well_formed(password, 22) {
            return Err(SetupError::Credentials);
        }
        Ok(Self {
            ufrag: ufrag.to_owned(),
            password: Zeroizing::new(password.to_owned()),
        })
    }

    /// The user name fragment, which says to whom a check belongs.
    pub fn ufrag(&self) -> &str {
        &self.ufrag
    }

    /// The password, a secret between the two sides and signaling.
    pub fn password(&self) -> &str {
        &self.password
    }
}

impl fmt::Debug for IceCredentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("IceCredentials").finish_non_exhaustive()
    }
}
