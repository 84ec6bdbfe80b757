//! Datagrams before and at SRTP: nothing panics, noise is refused, and what was sealed is opened.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use ::transport::{
    Certificate, DatagramKind, Deframer, FrameTooLong, IceCredentials, Path, Received, Role, SrtpKeys,
    SrtpProfile, Transport, TransportConfig, classify,
    srtp::{Protection, Protector, Unprotector},
    stun::{self as plain, PLAIN_RESPONSE_MAX, TransactionId},
};

/// The input is datagrams, each behind its length in two bytes. They come from a checked address to a server that
/// waits for a handshake, so that they reach ICE, DTLS and the door of SRTP.
pub fn demux(mut data: &[u8]) {
    let (mut server, now) = (checked_server(), start_of_time());
    while let Some((len, rest)) = data.split_first_chunk::<2>() {
        let (datagram, rest) = rest.split_at(rest.len().min(usize::from(u16::from_be_bytes(*len))));
        data = rest;
        let received = server.handle_datagram(path(), &mut datagram.to_vec(), now);
        match classify(datagram) {
            DatagramKind::Unknown | DatagramKind::Rtp | DatagramKind::Rtcp => assert!(received.is_err()),
            DatagramKind::Stun | DatagramKind::Dtls => {
                assert!(matches!(received, Ok(Received::Nothing) | Err(_)))
            }
        }
        assert!(
            !server.is_connected(),
            "no input has the key of the announced certificate"
        );
        while server.poll_transmit().is_some() {}
    }
}

/// The input is the size of the pieces in two bytes, then what comes on a TCP connection: the pieces make no difference
/// to the frames.
pub fn framing(data: &[u8]) {
    let Some((piece, stream)) = data.split_first_chunk::<2>() else {
        return;
    };
    let piece = usize::from(u16::from_be_bytes(*piece)).max(1);
    assert_eq!(deframed(stream, piece), deframed(stream, 1));
}

/// The frames of a stream that comes in pieces of this size, and whether it ended in one that is too long.
fn deframed(mut stream: &[u8], piece: usize) -> (Vec<Vec<u8>>, bool) {
    let mut deframer = Deframer::default();
    let mut frames = Vec::new();
    while !stream.is_empty() {
        let space = deframer.space();
        let len = piece.min(space.len()).min(stream.len());
        assert!(len > 0, "a stream never stands still");
        let (now, later) = stream.split_at(len);
        space[..len].copy_from_slice(now);
        stream = later;
        deframer.filled(len);
        loop {
            match deframer.next_frame() {
                Ok(Some(frame)) => frames.push(frame.to_vec()),
                Ok(None) => break,
                Err(FrameTooLong) => return (frames, true),
            }
        }
    }
    (frames, false)
}

/// The input is a STUN message.
pub fn stun(data: &[u8]) {
    let ufrag = plain::username_local_ufrag(data);
    assert!(ufrag.is_none_or(|ufrag| ufrag.is_ascii() && !ufrag.contains(':')));
    let mut out = [0; PLAIN_RESPONSE_MAX];
    if let Some(transaction) = plain::parse_plain_binding_request(data) {
        assert_eq!(ufrag, None);
        let len = plain::plain_binding_response(transaction, remote(), &mut out);
        assert_eq!(
            plain::parse_plain_binding_response(&out[..len], transaction),
            Some(remote())
        );
    }
    let transaction: TransactionId = data
        .get(8..20)
        .and_then(|bytes| bytes.try_into().ok())
        .unwrap_or_default();
    if let Some(address) = plain::parse_plain_binding_response(data, transaction) {
        let len = plain::plain_binding_response(transaction, address, &mut out);
        assert_eq!(
            plain::parse_plain_binding_response(&out[..len], transaction),
            Some(address)
        );
    }
}

/// The input is a profile in one byte, then a packet: nobody sealed it, so it does not open; sealed it does.
pub fn srtp_unprotect(data: &[u8]) {
    let Some((profile, packet)) = data.split_first() else {
        return;
    };
    let profile = match profile % 3 {
        0 => SrtpProfile::Aes128CmHmacSha1_80,
        1 => SrtpProfile::AeadAes128Gcm,
        _ => SrtpProfile::AeadAes256Gcm,
    };
    let master = vec![7; profile.key_len() + profile.salt_len()];
    let keys = SrtpKeys::new(profile, &master, &master).expect("the lengths are those of the profile");
    let (mut protector, mut unprotector) = (Protector::new(&keys), Unprotector::new(&keys));
    assert!(unprotector.unprotect_rtp(&mut packet.to_vec()).is_err());
    assert!(unprotector.unprotect_rtcp(&mut packet.to_vec()).is_err());

    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + Protection::RTP_OVERHEAD_MAX, 0);
    if let Ok(len) = protector.protect_rtp(&mut buffer, packet.len()) {
        assert_eq!(unprotector.unprotect_rtp(&mut buffer[..len]), Ok(packet.len()));
        assert_eq!(buffer[..packet.len()], *packet);
    }
    buffer[..packet.len()].copy_from_slice(packet);
    buffer.resize(packet.len() + Protection::RTCP_OVERHEAD_MAX, 0);
    if let Ok(len) = protector.protect_rtcp(&mut buffer, packet.len()) {
        assert_eq!(unprotector.unprotect_rtcp(&mut buffer[..len]), Ok(packet.len()));
        assert_eq!(buffer[..packet.len()], *packet);
    }
}

/// A server that has seen an authenticated check from `remote`.
fn checked_server() -> Transport {
    static CERTIFICATE: OnceLock<Arc<Certificate>> = OnceLock::new();
    let certificate =
        CERTIFICATE.get_or_init(|| Arc::new(Certificate::generate().expect("there is randomness")));
    let ice = |ufrag: &str| IceCredentials::new(ufrag, "passwordpasswordpassword").expect("well formed");
    let transport = |role, local_ice, remote_ice, local, remote| {
        let config = TransportConfig {
            role,
            local_ice: ice(local_ice),
            remote_ice: ice(remote_ice),
            remote_fingerprint: [0; 32],
            certificate: Arc::clone(certificate),
            local_addresses: vec![local],
            local_tcp_addresses: vec![],
            remote_addresses: vec![remote],
            remote_tcp_addresses: vec![],
        };
        Transport::new(config, start_of_time()).expect("the addresses can carry media")
    };
    let mut server = transport(Role::Server, "server", "client", local(), remote());
    let mut client = transport(Role::Client, "client", "server", remote(), local());
    let mut check = client.poll_transmit().expect("a client begins with a check");
    server
        .handle_datagram(path(), &mut check.payload, start_of_time())
        .expect("the check is authentic");
    server
}

/// One instant for all runs: what a transport does depends on nothing but differences.
fn start_of_time() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now)
}

/// As the server sees it.
fn path() -> Path {
    Path::udp(local(), remote())
}

fn local() -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], 8080))
}

fn remote() -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 2], 50_000))
}
