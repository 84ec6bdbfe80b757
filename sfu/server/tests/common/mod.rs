//! Native browsers over real sockets: ICE controlling, DTLS client, given sealed payloads.

#![allow(dead_code, reason = "each test file uses a part of this")]

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use prometheus::Registry;
use protocol::ids::{Mid, PeerId};
use protocol::media::{CAMERA_MID, Codec, Extension, MICROPHONE_MID, Media, SourceKind};
use protocol::sfu::{
    IceCredentials, PeerConnection, Publication, Repair, SfuCommand, SfuEvent, SfuInfo, Slot,
};
use rtp::{ExtensionMap, Extensions, PayloadType, RtpHeader, RtpPacket, Ssrc, write_header};
use sfu_server::{SfuHandle, SfuOptions, SfuServer};
use socket2::{Domain, Socket, Type};
use transport::{
    Certificate, Deframer, Path, Received, Role, Transport, TransportConfig, TransportEvent, frame_header,
};

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

/// The same, with an offered TCP address, whose connections are handed over as the accept loop of the process does.
pub(crate) fn start_with_tcp() -> (SfuHandle, Receiver<SfuEvent>) {
    let (sender, events) = channel();
    let on_event = Box::new(move |event| {
        let _ = sender.send(event);
    });
    let listener = TcpListener::bind((loopback(), 0)).unwrap();
    let options = SfuOptions {
        tcp_addresses: vec![listener.local_addr().unwrap()],
        ..options(vec![loopback()], 0)
    };
    let server = SfuServer::start(options, on_event).unwrap();
    let handle = server.clone();
    // It ends with the process of the test.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A refusal is counted.
            let _ = handle.take_tcp(stream);
        }
    });
    (server, events)
}

/// Without a tap.
pub(crate) fn options(media_addresses: Vec<IpAddr>, port: u16) -> SfuOptions {
    SfuOptions {
        media_addresses,
        port,
        tcp_addresses: Vec::new(),
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
    line: Line,
    transport: Transport,
    pub(crate) is_connected: bool,
    pub(crate) is_closed: bool,
    transport_sequence: u16,
    pub(crate) media: Vec<Forwarded>,
    /// SSRCs for which a key frame was asked.
    pub(crate) key_frame_requests: Vec<u32>,
    pub(crate) feedback_received: usize,
}

/// What carries a browser's datagrams.
enum Line {
    Udp(UdpSocket),
    Tcp(TcpStream, Box<Deframer>),
}

impl Line {
    fn tcp(server: SocketAddr) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        // Small, so that who does not read is soon felt.
        socket.set_recv_buffer_size(16_384).unwrap();
        socket.connect(&server.into()).unwrap();
        let stream = TcpStream::from(socket);
        stream.set_nodelay(true).unwrap();
        Self::Tcp(stream, Box::default())
    }

    fn local(&self) -> SocketAddr {
        match self {
            Self::Udp(socket) => socket.local_addr().unwrap(),
            Self::Tcp(stream, _) => stream.local_addr().unwrap(),
        }
    }

    /// Sends a datagram. A connection that is over takes nothing.
    fn send(&mut self, datagram: &[u8], remote: SocketAddr) {
        match self {
            Self::Udp(socket) => {
                socket.send_to(datagram, remote).unwrap();
            }
            Self::Tcp(stream, _) => {
                let mut frame = frame_header(datagram.len()).unwrap().to_vec();
                frame.extend(datagram);
                let _ = stream.write_all(&frame);
            }
        }
    }

    /// Waits this long for datagrams; with their path.
    fn receive(&mut self, patience: Duration) -> Vec<(Path, Vec<u8>)> {
        let local = self.local();
        let mut datagrams = Vec::new();
        match self {
            Self::Udp(socket) => {
                let mut datagram = [0; 2_048];
                socket.set_read_timeout(Some(patience)).unwrap();
                if let Ok((len, from)) = socket.recv_from(&mut datagram) {
                    datagrams.push((Path::udp(local, from), datagram[..len].to_vec()));
                }
            }
            Self::Tcp(stream, deframer) => {
                stream.set_read_timeout(Some(patience)).unwrap();
                let Ok(remote) = stream.peer_addr() else {
                    return datagrams;
                };
                deframer_filled(stream, deframer);
                while let Some(frame) = deframer.next_frame().unwrap() {
                    datagrams.push((Path::tcp(local, remote), frame.to_vec()));
                }
            }
        }
        datagrams
    }
}

fn deframer_filled(stream: &mut TcpStream, deframer: &mut Deframer) {
    if let Ok(len) = stream.read(deframer.space()) {
        deframer.filled(len);
    }
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
        Self::on(Line::Udp(UdpSocket::bind((loopback(), 0)).unwrap()), number, info)
    }

    fn on(line: Line, number: u64, info: &SfuInfo) -> (Self, PeerConnection) {
        let certificate = Arc::new(Certificate::generate().unwrap());
        let is_tcp = matches!(line, Line::Tcp(..));
        let over = |wanted, addresses: &[SocketAddr]| match is_tcp == wanted {
            true => addresses.to_vec(),
            false => Vec::new(),
        };
        let local = [line.local()];
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
            local_addresses: over(false, &local),
            local_tcp_addresses: over(true, &local),
            remote_addresses: over(false, &info.candidates),
            remote_tcp_addresses: over(true, &info.tcp_candidates),
        };
        let client = Self {
            peer: PeerId(number),
            line,
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
        Self::admitted(server, Self::new(number, server.info()))
    }

    /// The same, over TCP alone.
    pub(crate) fn join_over_tcp(server: &SfuHandle, number: u64) -> Self {
        let line = Line::tcp(server.info().tcp_candidates[0]);
        Self::admitted(server, Self::on(line, number, server.info()))
    }

    fn admitted(server: &SfuHandle, (client, connection): (Self, PeerConnection)) -> Self {
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
            for (path, mut datagram) in self.line.receive(left.min(Duration::from_millis(5))) {
                self.take(path, &mut datagram);
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
        let path = self.transport.destination().unwrap();
        self.line.send(&buffer[..len], path.remote);
    }

    fn flush(&mut self) {
        while let Some(transmit) = self.transport.poll_transmit() {
            self.line.send(&transmit.payload, transmit.path.remote);
        }
        while let Some(event) = self.transport.poll_event() {
            match event {
                TransportEvent::Connected { .. } => self.is_connected = true,
                TransportEvent::Closed(_) => self.is_closed = true,
            }
        }
    }

    fn take(&mut self, path: Path, datagram: &mut [u8]) {
        match self.transport.handle_datagram(path, datagram, Instant::now()) {
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

/// The value of a counter or gauge, of one reason or without reasons.
pub(crate) fn value(registry: &Registry, name: &str, reason: Option<&str>) -> f64 {
    let families = registry.gather();
    let family = families.iter().find(|family| family.name() == name).unwrap();
    let metric = family.get_metric().iter().find(|metric| {
        reason.is_none_or(|reason| metric.get_label().iter().any(|label| label.value() == reason))
    });
    let metric = metric.unwrap();
    metric.get_counter().get_value() + metric.get_gauge().get_value()
}
