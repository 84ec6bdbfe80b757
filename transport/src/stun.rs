//! What we need of STUN beside ICE: whose check a datagram is, and a plain question for the self-check.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Length of a STUN header, in bytes.
pub const HEADER_LEN: usize = 20;

/// Length of a plain binding request, in bytes: a header without attributes.
pub const PLAIN_REQUEST_LEN: usize = HEADER_LEN;

/// Longest answer to a plain binding request, in bytes: header and XOR-MAPPED-ADDRESS of an IPv6 address.
pub const PLAIN_RESPONSE_MAX: usize = HEADER_LEN + 4 + 20;

/// A STUN transaction id: 96 bits that the asker chooses at random.
pub type TransactionId = [u8; 12];

const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];
const USERNAME: u16 = 0x0006;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const FAMILY_IPV4: u8 = 1;
const FAMILY_IPV6: u8 = 2;

/// Attributes from here on may be ignored by who does not know them (RFC 8489 section 14).
const COMPREHENSION_OPTIONAL: u16 = 0x8000;

/// The user name fragment of the receiver in a binding request's USERNAME ("receiver:sender").
///
/// It says which transport an unknown address belongs to. Nothing is authenticated here: the transport does it.
/// Returns `None` when this is not a binding request, is cut off, has no USERNAME, or one that is not ASCII.
///
/// Source: RFC 8445 section 7.2.2, RFC 8489 section 14.3.
pub fn username_local_ufrag(datagram: &[u8]) -> Option<&str> {
    let message = Message::parse(datagram)?;
    if message.kind != BINDING_REQUEST {
        return None;
    }
    let (_, username) = message.attributes().find(|(kind, _)| *kind == USERNAME)?;
    let username = str::from_utf8(username)
        .ok()
        .filter(|username| username.is_ascii())?;
    username
        .split_once(':')
        .map(|(local, _)| local)
        .filter(|local| !local.is_empty())
}

/// Builds a binding request without attributes.
///
/// Source: RFC 8489 section 5.
pub fn plain_binding_request(transaction: TransactionId) -> [u8; PLAIN_REQUEST_LEN] {
    let mut request = [0; PLAIN_REQUEST_LEN];
    write_header(&mut request, BINDING_REQUEST, 0, transaction);
    request
}

/// The transaction of a plain binding request, one without USERNAME, MESSAGE-INTEGRITY or anything else that would
/// have to be understood.
///
/// Returns `None` for anything else, checks of ICE included.
pub fn parse_plain_binding_request(datagram: &[u8]) -> Option<TransactionId> {
    let message = Message::parse(datagram)?;
    let is_plain = message.kind == BINDING_REQUEST
        && message
            .attributes()
            .all(|(kind, _)| kind >= COMPREHENSION_OPTIONAL);
    is_plain.then_some(message.transaction)
}

/// Writes the answer to a plain binding request, which tells the asker its address. Returns the length.
///
/// Source: RFC 8489 sections 5 and 14.2.
pub fn plain_binding_response(
    transaction: TransactionId,
    remote: SocketAddr,
    out: &mut [u8; PLAIN_RESPONSE_MAX],
) -> usize {
    let mask = address_mask(transaction);
    let mut address = [0; 16];
    let (family, address_len) = match remote.ip() {
        IpAddr::V4(ip) => {
            address[..4].copy_from_slice(&ip.octets());
            (FAMILY_IPV4, 4)
        }
        IpAddr::V6(ip) => {
            address.copy_from_slice(&ip.octets());
            (FAMILY_IPV6, 16)
        }
    };
    address
        .iter_mut()
        .zip(mask)
        .for_each(|(byte, mask)| *byte ^= mask);
    let value_len = 4 + address_len;
    write_header(out, BINDING_SUCCESS, 4 + value_len as u16, transaction);
    out[20..22].copy_from_slice(&XOR_MAPPED_ADDRESS.to_be_bytes());
    out[22..24].copy_from_slice(&(value_len as u16).to_be_bytes());
    out[24] = 0;
    out[25] = family;
    out[26..28].copy_from_slice(&(remote.port() ^ port_mask()).to_be_bytes());
    out[28..28 + address_len].copy_from_slice(&address[..address_len]);
    HEADER_LEN + 4 + value_len
}

/// The address in an answer to our plain binding request of this transaction.
///
/// Returns `None` when the datagram is no success response to it, or carries no address.
pub fn parse_plain_binding_response(datagram: &[u8], transaction: TransactionId) -> Option<SocketAddr> {
    let message = Message::parse(datagram)?;
    if message.kind != BINDING_SUCCESS || message.transaction != transaction {
        return None;
    }
    let (_, value) = message
        .attributes()
        .find(|(kind, _)| *kind == XOR_MAPPED_ADDRESS)?;
    let (&[_, family, port_high, port_low], masked) = value.split_first_chunk::<4>()?;
    let mut address = address_mask(transaction);
    let ip = match (family, masked.len()) {
        (FAMILY_IPV4, 4) | (FAMILY_IPV6, 16) => {
            address
                .iter_mut()
                .zip(masked)
                .for_each(|(byte, masked)| *byte ^= masked);
            match family {
                FAMILY_IPV4 => IpAddr::V4(Ipv4Addr::new(address[0], address[1], address[2], address[3])),
                _ => IpAddr::V6(Ipv6Addr::from(address)),
            }
        }
        _ => return None,
    };
    Some(SocketAddr::new(
        ip,
        u16::from_be_bytes([port_high, port_low]) ^ port_mask(),
    ))
}

/// A STUN message whose header is sound.
struct Message<'a> {
    kind: u16,
    transaction: TransactionId,
    attributes: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads a header. `None` when the magic cookie is wrong or the length is not that of the datagram.
    fn parse(datagram: &'a [u8]) -> Option<Self> {
        let (header, attributes) = datagram.split_first_chunk::<HEADER_LEN>()?;
        let len = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if header[4..8] != MAGIC_COOKIE || len != attributes.len() || !len.is_multiple_of(4) {
            return None;
        }
        let mut transaction = [0; 12];
        transaction.copy_from_slice(&header[8..]);
        Some(Self {
            kind: u16::from_be_bytes([header[0], header[1]]),
            transaction,
            attributes,
        })
    }

    /// Kind and value of each attribute, until one is cut off.
    fn attributes(&self) -> impl Iterator<Item = (u16, &'a [u8])> {
        let mut rest = self.attributes;
        std::iter::from_fn(move || {
            let (&[kind_high, kind_low, len_high, len_low], behind) = rest.split_first_chunk::<4>()?;
            let len = usize::from(u16::from_be_bytes([len_high, len_low]));
            let value = behind.get(..len)?;
            rest = behind.get(len.next_multiple_of(4)..).unwrap_or_default();
            Some((u16::from_be_bytes([kind_high, kind_low]), value))
        })
    }
}

fn write_header(out: &mut [u8], kind: u16, len: u16, transaction: TransactionId) {
    out[..2].copy_from_slice(&kind.to_be_bytes());
    out[2..4].copy_from_slice(&len.to_be_bytes());
    out[4..8].copy_from_slice(&MAGIC_COOKIE);
    out[8..20].copy_from_slice(&transaction);
}

fn port_mask() -> u16 {
    u16::from_be_bytes([MAGIC_COOKIE[0], MAGIC_COOKIE[1]])
}

fn address_mask(transaction: TransactionId) -> [u8; 16] {
    let mut mask = [0; 16];
    mask[..4].copy_from_slice(&MAGIC_COOKIE);
    mask[4..].copy_from_slice(&transaction);
    mask
}

#[cfg(test)]
mod tests;
