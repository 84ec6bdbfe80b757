//! What we need of STUN beside ICE: whose check a datagram is, and a plain question for the self-check.

use std::net::SocketAddr;

/// Length of a STUN header, in bytes.
pub const HEADER_LEN: usize = 20;

/// Length of a plain binding request, in bytes: a header without attributes.
pub const PLAIN_REQUEST_LEN: usize = HEADER_LEN;

/// Longest answer to a plain binding request, in bytes: header and XOR-MAPPED-ADDRESS of an IPv6 address.
pub const PLAIN_RESPONSE_MAX: usize = HEADER_LEN + 4 + 20;

/// A STUN transaction id: 96 bits that the asker chooses at random.
pub type TransactionId = [u8; 12];

/// The user name fragment of the receiver in a binding request's USERNAME ("receiver:sender").
///
/// It says which transport an unknown address belongs to. Nothing is authenticated here: the transport does it.
/// Returns `None` when this is not a binding request, is cut off, has no USERNAME, or one that is not ASCII.
///
/// Source: RFC 8445 section 7.2.2, RFC 8489 section 14.3.
pub fn username_local_ufrag(_datagram: &[u8]) -> Option<&str> {
    None
}

/// Builds a binding request without attributes.
///
/// Source: RFC 8489 section 5.
pub fn plain_binding_request(_transaction: TransactionId) -> [u8; PLAIN_REQUEST_LEN] {
    [0; PLAIN_REQUEST_LEN]
}

/// The transaction of a plain binding request, one without USERNAME and MESSAGE-INTEGRITY.
///
/// Returns `None` for anything else, checks of ICE included.
pub fn parse_plain_binding_request(_datagram: &[u8]) -> Option<TransactionId> {
    None
}

/// Writes the answer to a plain binding request, which tells the asker its address. Returns the length.
///
/// Source: RFC 8489 sections 5 and 14.2.
pub fn plain_binding_response(
    _transaction: TransactionId,
    _remote: SocketAddr,
    _out: &mut [u8; PLAIN_RESPONSE_MAX],
) -> usize {
    0
}

/// The address in an answer to our plain binding request of this transaction.
///
/// Returns `None` when the datagram is no success response to it, or carries no address.
pub fn parse_plain_binding_response(_datagram: &[u8], _transaction: TransactionId) -> Option<SocketAddr> {
    None
}
