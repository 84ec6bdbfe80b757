//! DTLS, behind a small trait of our own.

use std::sync::Arc;

use crate::limits;

/// The settings of the handshake library: DTLS 1.2, RustCrypto.
pub(crate) fn configuration() -> Result<Arc<dimpl::Config>, dimpl::Error> {
    let configuration = dimpl::Config::builder()
        .with_crypto_provider(dimpl::crypto::rust_crypto::default_provider())
        .mtu(limits::DTLS_DATAGRAM_MAX)
        .flight_start_rto(limits::DTLS_FLIGHT_START_RTO)
        .flight_retries(limits::DTLS_FLIGHT_RETRIES)
        .handshake_timeout(limits::CONNECT_TIMEOUT)
        .require_client_certificate(true)
        // The address was validated by an authenticated check before the first record is looked at.
        .use_server_cookie(false)
        .build()?;
    Ok(Arc::new(configuration))
}
