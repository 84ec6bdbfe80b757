//! Native browsers over real sockets: ICE controlling, DTLS client, given sealed payloads.

#![allow(dead_code, reason = "each test file uses a part of this")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use protocol::ids::{Mid, PeerId};
use protocol::media::{CAMERA_MID, Codec, Extension, MICROPHONE_MID, Media, SourceKind};
use protocol::sfu::{
    IceCredentials, PeerConnection, Publication, Repair, SfuCommand, SfuEvent, SfuInfo, Slot,
};
use rtp::{ExtensionMap, Extensions, PayloadType, RtpHeader, RtpPacket, Ssrc, write_header};
use sfu_server::{SfuHandle, SfuOptions, SfuServer};
use transport::{Certificate, Received, Role, Transport, TransportConfig, TransportEvent};

/// Longest wait for anything; a loaded machine is slow, not wrong.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const MICROPHONE_SSRC: u32 = 11;
pub(crate) const CAMERA_SSRC: u32 = 21;

/// A server on a free port of loopback, and its events.
pub(crate) fn start() -> (SfuHandle, Receiver<SfuEvent>) {
    let (sender, events) = channel();
    let on_event = Box::new(move |event| {
        // The test may be over already.
        let _ = sender.send(event);
    });
    (
        SfuServer::start(options(vec![loopback()], 0), on_event).unwrap(),
        events,
    )
}

/// Without a tap.
pub(crate) fn options(media_addresses: Vec<IpAddr>, port: u16) -> SfuOptions {
    SfuOptions {
        media_addresses,
        port,
        #[cfg(feature = "capture")]
        tap: None,
    }
}

pub(crate) fn loopback() -> IpAddr {
    Ipv4Addr::LOCALHOST.into()
}

/// One participant's browser.
pub(crate) struct Client {
    pub(crate) peer: PeerId,
    pub(crate) socket: UdpSocket,
    transport: Transport,
    pub(crate) is_connected: bool,
    pub(crate) is_closed: bool,
    transport_sequence: u16,
    pub(crate) media: Vec<Forwarded>,
    /// SSRCs for which a key frame was asked.
    pub(crate) key_frame_requests: Vec<u32>,
    pub(crate) feedback_received: usize,
}

/// A decrypted packet that came from the server.
pub(crate) struct Forwarded {
    pub(crate) ssrc: u32,
    pub(crate) sequence_number: u16,
    pub(crate) payload: Vec<u8>,
}

impl Client {
    /// A browser and the connection that signaling would negotiate for it.
    pub(crate) fn new(number: u64, info: &SfuInfo) -> (Self, PeerConnection) {
        let certificate = Arc::new(Certificate::generate().unwrap());
        let socket = UdpSocket::bind((loopback(), 0)).unwrap();
        let server_ice = credentials("server", number);
        let client_ice = credentials("client", number);
        let connection = PeerConnection {
            local_ice: server_ice.clone(),
            remote_ice: client_ice.clone(),
            remote_fingerprint: certificate.fingerprint(),
            publications: publications(),
            extensions: Extension::ALL
                .into_iter()
                .map(|extension| (extension.id(), extension))
                .collect(),
            slots: slots(number),
        };
        let ice = |credentials: &IceCredentials| {
            transport::IceCredentials::new(&credentials.ufrag, &credentials.pwd).unwrap()
        };
        let config = TransportConfig {
            role: Role::Client,
            local_ice: ice(&client_ice),
            remote_ice: ice(&server_ice),
            remote_fingerprint: info.fingerprint,
            certificate,
            local_addresses: vec![socket.local_addr().unwrap()],
            remote_addresses: info.candidates.clone(),
        };
        let client = Self {
            peer: PeerId(number),
            socket,
            transport: Transport::new(config, Instant::now()).unwrap(),
            is_connected: false,
            is_closed: false,
            transport_sequence: 0,
            media: Vec::new(),
            key_frame_requests: Vec::new(),
            feedback_received: 0,
        };
        (client, connection)
    }

    /// A browser that signaling has told the server of.
    pub(crate) fn join(server: &SfuHandle, number: u64) -> Self {
        let (client, connection) = Self::new(number, server.info());
        server
            .send(SfuCommand::AddPeer {
                peer: client.peer,
                connection,
            })
            .unwrap();
        client
    }

    /// Sends what waits and takes what came, for about this long.
    pub(crate) fn pump(&mut self, time: Duration) {
        let until = Instant::now() + time;
        loop {
            self.flush();
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            self.socket
                .set_read_timeout(Some(left.min(Duration::from_millis(5))))
                .unwrap();
            let mut datagram = [0; 2_048];
            if let Ok((len, from)) = self.socket.recv_from(&mut datagram) {
                self.take(from, &mut datagram[..len]);
            }
            if self
                .transport
                .poll_timeout()
                .is_some_and(|at| at <= Instant::now())
            {
                self.transport.handle_timeout(Instant::now());
            }
        }
    }

    /// Sends one audio packet with this sealed payload.
    pub(crate) fn send_audio(&mut self, sequence_number: u16, payload: &[u8]) {
        let timestamp = u32::from(sequence_number) * 960;
        self.send(
            Codec::Opus,
            MICROPHONE_SSRC,
            MICROPHONE_MID,
            sequence_number,
            timestamp,
            payload,
        );
    }

    /// Sends one video frame of one packet: a VP8 descriptor, the synthetic prefix, and this sealed payload.
    pub(crate) fn send_video(&mut self, sequence_number: u16, is_key: bool, payload: &[u8]) {
        let [high, low] = (sequence_number | 0x8000).to_be_bytes();
        let prefix = if is_key { 0x10 } else { 0x11 };
        let mut bytes = vec![0x90, 0xE0, high, low, 0, 0x20, prefix];
        bytes.extend_from_slice(payload);
        let timestamp = u32::from(sequence_number) * 3_000;
        self.send(
            Codec::Vp8,
            CAMERA_SSRC,
            CAMERA_MID,
            sequence_number,
            timestamp,
            &bytes,
        );
    }

    fn send(
        &mut self,
        codec: Codec,
        ssrc: u32,
        mid: &str,
        sequence_number: u16,
        rtp_timestamp: u32,
        payload: &[u8],
    ) {
        let header = RtpHeader {
            marker: true,
            payload_type: PayloadType::new(codec.payload_type()).unwrap(),
            sequence_number,
            rtp_timestamp,
            ssrc: Ssrc(ssrc),
        };
        self.transport_sequence = self.transport_sequence.wrapping_add(1);
        let extensions = Extensions {
            mid: Some(rtp::Mid::new(mid).unwrap()),
            transport_sequence: Some(self.transport_sequence),
            ..Extensions::default()
        };
        let mut buffer = [0; 1_500];
        let mut len = write_header(&mut buffer, &header, &extensions, &extension_map()).unwrap();
        buffer[len..len + payload.len()].copy_from_slice(payload);
        len += payload.len();
        let len = self.transport.protect_rtp(&mut buffer, len).unwrap();
        let (_, remote) = self.transport.destination().unwrap();
        self.socket.send_to(&buffer[..len], remote).unwrap();
    }

    fn flush(&mut self) {
        while let Some(transmit) = self.transport.poll_transmit() {
            self.socket.send_to(&transmit.payload, transmit.remote).unwrap();
        }
        while let Some(event) = self.transport.poll_event() {
            match event {
                TransportEvent::Connected { .. } => self.is_connected = true,
                TransportEvent::Closed(_) => self.is_closed = true,
            }
        }
    }

    fn take(&mut self, from: SocketAddr, datagram: &mut [u8]) {
        let local = self.socket.local_addr().unwrap();
        match self
            .transport
            .handle_datagram(local, from, datagram, Instant::now())
        {
            Ok(Received::Rtp { len }) => {
                let packet = RtpPacket::parse(&datagram[..len], &extension_map()).unwrap();
                self.media.push(Forwarded {
                    ssrc: packet.header.ssrc.0,
                    sequence_number: packet.header.sequence_number,
                    payload: datagram[packet.header_len..len].to_vec(),
                });
            }
            Ok(Received::Rtcp { len }) => {
                for packet in rtp::rtcp::packets(&datagram[..len]).flatten() {
                    match packet {
                        rtp::RtcpPacket::Pli(pli) => self.key_frame_requests.push(pli.media_ssrc.0),
                        rtp::RtcpPacket::TransportFeedback(_) => self.feedback_received += 1,
                        _ => {}
                    }
                }
            }
            Ok(Received::Nothing) | Err(_) => {}
        }
    }
}

/// Serves these browsers until something is true of them; fails when that takes too long.
pub(crate) fn until(clients: &mut [&mut Client], what: &str, is_true: impl Fn(&[&mut Client]) -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_true(clients) {
        assert!(Instant::now() < end, "this took too long: {what}");
        for client in clients.iter_mut() {
            client.pump(Duration::from_millis(5));
        }
    }
}

/// Binds a slot of one browser to a source of another.
pub(crate) fn bind(server: &SfuHandle, subscriber: PeerId, slot: &str, source: (PeerId, SourceKind)) {
    let slot = Mid::new(slot).unwrap();
    server
        .send(SfuCommand::Bind {
            subscriber,
            slot,
            source: Some(source),
        })
        .unwrap();
}

pub(crate) fn slot_ssrc(number: u64, slot: usize) -> u32 {
    0x1000 * u32::try_from(number).unwrap() + u32::try_from(slot).unwrap()
}

pub(crate) fn credentials(side: &str, number: u64) -> IceCredentials {
    IceCredentials {
        ufrag: format!("{side}{number}"),
        pwd: format!("{side}PasswordOfEnoughCharacters{number}"),
    }
}

fn publications() -> Vec<Publication> {
    let publication = |mid, kind: SourceKind, codec: Codec| Publication {
        mid: Mid::new(mid).unwrap(),
        kind,
        payload_types: vec![codec.payload_type()],
        rids: Vec::new(),
        ssrcs: Vec::new(),
        repair: Repair::None,
    };
    vec![
        publication(MICROPHONE_MID, SourceKind::Microphone, Codec::Opus),
        publication(CAMERA_MID, SourceKind::Camera, Codec::Vp8),
    ]
}

/// Slot 0 is `a0`, slot 1 is `v0`.
fn slots(number: u64) -> Vec<Slot> {
    let slot = |mid, media, codec: Codec, index| Slot {
        mid: Mid::new(mid).unwrap(),
        media,
        ssrc: slot_ssrc(number, index),
        payload_types: vec![codec.payload_type()],
        repair: Repair::None,
    };
    vec![
        slot("a0", Media::Audio, Codec::Opus, 0),
        slot("v0", Media::Video, Codec::Vp8, 1),
    ]
}

fn extension_map() -> ExtensionMap {
    [
        (Extension::Mid.id(), rtp::Extension::Mid),
        (Extension::AudioLevel.id(), rtp::Extension::AudioLevel),
        (
            Extension::TransportSequenceNumber.id(),
            rtp::Extension::TransportSequence,
        ),
    ]
    .into_iter()
    .collect()
}
