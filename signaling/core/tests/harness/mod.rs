//! A world around the rooms for tests: virtual time, fixed seed, pages that believe what they are told, and an SFU
//! that remembers its orders.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::bytes::{DeflatedSdp, Gate, GateHash, Sealed};
use protocol::client::{
    Announce, Answer, ClientMessage, Create, ErrorCode, ErrorMessage, Hello, Joined, Leave, MediaState, Ping,
    ServerMessage, Switch, TransportState, VERSION,
};
use protocol::ids::{Mid, PeerId, RoomId, Seat};
use protocol::media::SourceKind;
use protocol::sfu::{SfuCommand, SfuInfo};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use sha2::{Digest, Sha256};
use signaling_core::{Config, ConnectionId, Origin, Outgoing, Signaling};

/// A real answer; every page of these tests gives it.
pub(crate) const ANSWER: &str = include_str!("../../fixtures/answers/chromium.sdp");

/// What a page knows of another participant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) media: MediaState,
    pub(crate) sealed: Option<Sealed>,
}

/// A page, as far as the server's messages make it.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) inbox: Vec<ServerMessage>,
    pub(crate) closed: bool,
    pub(crate) seat: Option<Seat>,
    pub(crate) negotiation: u32,
    pub(crate) roster: BTreeMap<Seat, Known>,
    pub(crate) slots: BTreeMap<Mid, (Seat, SourceKind)>,
    pub(crate) transport: Option<TransportState>,
    pub(crate) error: Option<ErrorMessage>,
}

/// What the SFU was ordered: for each peer, what lies in its slots.
#[derive(Debug, Default)]
pub(crate) struct Sfu {
    pub(crate) peers: BTreeMap<PeerId, BTreeMap<Mid, (PeerId, SourceKind)>>,
    pub(crate) last_added: Option<PeerId>,
}

pub(crate) struct World {
    pub(crate) signaling: Signaling,
    pub(crate) now: Duration,
    pub(crate) rng: ChaCha12Rng,
    pub(crate) pages: BTreeMap<ConnectionId, Page>,
    pub(crate) sfu: Sfu,
    next: u64,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let sfu = SfuInfo {
            fingerprint: [0xAB; 32],
            candidates: vec!["127.0.0.1:8080".parse().unwrap()],
            tcp_candidates: Vec::new(),
        };
        Self {
            signaling: Signaling::new(Config { sfu }),
            now: Duration::from_secs(1_000),
            rng: ChaCha12Rng::seed_from_u64(seed),
            pages: BTreeMap::new(),
            sfu: Sfu::default(),
            next: 0,
        }
    }

    /// Opens a connection from an address of its own.
    pub(crate) fn open(&mut self) -> ConnectionId {
        let number = u32::try_from(self.next).unwrap().to_be_bytes();
        self.open_from([10, number[1], number[2], number[3]])
    }

    pub(crate) fn open_from(&mut self, address: [u8; 4]) -> ConnectionId {
        let connection = ConnectionId(self.next);
        self.next += 1;
        self.pages.insert(connection, Page::default());
        self.signaling.handle_opened(
            connection,
            Origin::from(std::net::IpAddr::from(address)),
            self.now,
        );
        self.deliver();
        connection
    }

    pub(crate) fn say(&mut self, connection: ConnectionId, message: &ClientMessage) {
        self.say_text(connection, message.encode().as_bytes());
    }

    pub(crate) fn say_text(&mut self, connection: ConnectionId, json: &[u8]) {
        self.signaling
            .handle_message(connection, json, self.now, &mut self.rng);
        self.deliver();
    }

    pub(crate) fn drop_connection(&mut self, connection: ConnectionId) {
        self.pages.get_mut(&connection).unwrap().closed = true;
        self.signaling.handle_closed(connection, self.now);
        self.deliver();
    }

    /// Lets time pass, in the steps that the rooms ask for.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(next) = self.signaling.poll_timeout().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.signaling.handle_timeout(self.now);
            self.deliver();
        }
        self.now = end;
    }

    /// Hands everything that waits to the pages and the SFU.
    pub(crate) fn deliver(&mut self) {
        while let Some(outgoing) = self.signaling.poll_outgoing() {
            match outgoing {
                Outgoing::Send(connection, message) => {
                    let page = self
                        .pages
                        .get_mut(&connection)
                        .expect("a message to a known page");
                    assert!(!page.closed, "a message to a page that is gone: {message:?}");
                    page.receive(message);
                }
                Outgoing::Close(connection) => {
                    let page = self.pages.get_mut(&connection).expect("a known page is closed");
                    assert!(!page.closed, "a page is closed once");
                    page.closed = true;
                }
            }
        }
        while let Some(command) = self.signaling.poll_sfu_command() {
            self.sfu.obey(command);
        }
    }

    pub(crate) fn page(&self, connection: ConnectionId) -> &Page {
        &self.pages[&connection]
    }

    /// The messages that came since the last look.
    pub(crate) fn news(&mut self, connection: ConnectionId) -> Vec<ServerMessage> {
        std::mem::take(&mut self.pages.get_mut(&connection).unwrap().inbox)
    }

    /// The error that ended a connection.
    pub(crate) fn error(&self, connection: ConnectionId) -> Option<ErrorCode> {
        let page = self.page(connection);
        assert_eq!(
            page.error.is_some(),
            page.closed && page.error.is_some(),
            "an error closes"
        );
        page.error.as_ref().map(|error| error.code)
    }

    /// A room with this many members whose answers are in.
    pub(crate) fn room_with(&mut self, number: u8, members: usize) -> Vec<ConnectionId> {
        (0..members)
            .map(|member| {
                let connection = self.open();
                if member == 0 {
                    self.say(connection, &create(number));
                }
                self.say(connection, &hello(number));
                assert_eq!(self.error(connection), None);
                self.answer(connection);
                connection
            })
            .collect()
    }

    pub(crate) fn answer(&mut self, connection: ConnectionId) {
        let negotiation = self.page(connection).negotiation;
        self.say(connection, &answer(negotiation, ANSWER));
    }

    /// The peer that the latest answer made.
    pub(crate) fn last_peer(&self) -> PeerId {
        self.sfu.last_added.expect("an answer came in")
    }
}

impl Page {
    fn receive(&mut self, message: ServerMessage) {
        assert!(
            self.error.is_none(),
            "an error is the last message, then came {message:?}"
        );
        match message.clone() {
            ServerMessage::Created(_) | ServerMessage::Pong(_) => {}
            ServerMessage::Joined(joined) => self.join(joined),
            ServerMessage::ParticipantJoined(joined) => {
                let known = Known {
                    media: MediaState::OFF,
                    sealed: None,
                };
                assert_eq!(
                    self.roster.insert(joined.seat, known),
                    None,
                    "a seat is taken once"
                );
            }
            ServerMessage::ParticipantLeft(left) => {
                assert!(self.roster.remove(&left.seat).is_some(), "who leaves was there");
            }
            ServerMessage::Announced(announced) => {
                self.roster
                    .get_mut(&announced.seat)
                    .expect("of a participant")
                    .sealed = Some(announced.sealed);
            }
            ServerMessage::Media(media) => {
                self.roster.get_mut(&media.seat).expect("of a participant").media = MediaState {
                    microphone: media.microphone,
                    camera: media.camera,
                };
            }
            ServerMessage::Slots(slots) => {
                for slot in slots.slots {
                    match slot.seat.zip(slot.source) {
                        Some(source) => self.slots.insert(slot.mid, source),
                        None => self.slots.remove(&slot.mid),
                    };
                }
            }
            ServerMessage::Transport(transport) => self.transport = Some(transport.state),
            ServerMessage::Resumed(_)
            | ServerMessage::Offer(_)
            | ServerMessage::Presence(_)
            | ServerMessage::Stopping(_) => panic!("nothing says this yet: {message:?}"),
            ServerMessage::Error(error) => self.error = Some(error),
        }
        self.inbox.push(message);
    }

    fn join(&mut self, joined: Joined) {
        assert_eq!(self.seat, None, "a page joins once");
        self.seat = Some(joined.seat);
        self.negotiation = joined.negotiation;
        assert_eq!(joined.slots.len(), 13);
        for participant in joined.participants {
            let media = MediaState {
                microphone: participant.microphone,
                camera: participant.camera,
            };
            self.roster.insert(
                participant.seat,
                Known {
                    media,
                    sealed: participant.sealed,
                },
            );
        }
    }
}

impl Sfu {
    fn obey(&mut self, command: SfuCommand) {
        match command {
            SfuCommand::AddPeer { peer, .. } => {
                assert_eq!(
                    self.peers.insert(peer, BTreeMap::new()),
                    None,
                    "a peer is added once"
                );
                assert!(self.last_added < Some(peer), "a peer's name is never used again");
                self.last_added = Some(peer);
            }
            SfuCommand::Bind {
                subscriber,
                slot,
                source,
            } => {
                let slots = self
                    .peers
                    .get_mut(&subscriber)
                    .expect("a subscriber that is there");
                match source {
                    Some(source) => slots.insert(slot, source),
                    None => slots.remove(&slot),
                };
            }
            SfuCommand::AddSlots { .. } => panic!("nothing orders this yet"),
            SfuCommand::RemovePeer { peer } => {
                assert!(self.peers.remove(&peer).is_some(), "a peer that is there");
            }
        }
    }
}

pub(crate) fn room(number: u8) -> RoomId {
    RoomId::from_bytes([number; 16])
}

pub(crate) fn gate(number: u8) -> Gate {
    Gate::from_bytes([number; 32])
}

pub(crate) fn create(number: u8) -> ClientMessage {
    let gate_hash = GateHash::from_bytes(Sha256::digest(gate(number).as_bytes()).into());
    ClientMessage::Create(Create {
        version: VERSION,
        room: room(number),
        gate_hash,
    })
}

pub(crate) fn hello(number: u8) -> ClientMessage {
    hello_with(number, gate(number))
}

pub(crate) fn hello_with(number: u8, gate: Gate) -> ClientMessage {
    ClientMessage::Hello(Hello {
        version: VERSION,
        room: room(number),
        gate,
    })
}

pub(crate) fn answer(negotiation: u32, sdp: &str) -> ClientMessage {
    ClientMessage::Answer(Answer {
        negotiation,
        sdp: DeflatedSdp::deflate(sdp).unwrap(),
    })
}

pub(crate) fn announce(byte: u8) -> ClientMessage {
    ClientMessage::Announce(Announce { sealed: sealed(byte) })
}

pub(crate) fn sealed(byte: u8) -> Sealed {
    Sealed::new(vec![byte; 100]).unwrap()
}

pub(crate) fn media(microphone: bool, camera: bool) -> ClientMessage {
    let switch = |on| if on { Switch::On } else { Switch::Off };
    ClientMessage::Media(MediaState {
        microphone: switch(microphone),
        camera: switch(camera),
    })
}

pub(crate) const PING: ClientMessage = ClientMessage::Ping(Ping {});
pub(crate) const LEAVE: ClientMessage = ClientMessage::Leave(Leave {});
