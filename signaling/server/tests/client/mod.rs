//! A server on a free port of loopback with an SFU that only remembers, and pages that talk to it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use prometheus::Registry;
use protocol::bytes::{DeflatedSdp, Gate, GateHash, ResumeToken};
use protocol::client::{
    Answer, ClientMessage, Create, ErrorCode, Hello, Joined, Resume, ServerMessage, VERSION,
};
use protocol::ids::RoomId;
use protocol::sfu::{SfuBusy, SfuCommand, SfuEvent, SfuInfo};
use sha2::{Digest, Sha256};
use signaling_server::{SfuLink, SignalingServer};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

/// How long anything may take that has to happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the kernel holds back for a page that does not read, in bytes.
const SMALL_BUFFER_BYTES: u32 = 8_192;

#[path = "../../../core/tests/harness/answer.rs"]
#[allow(dead_code, reason = "the tests of the rooms use more of it")]
mod sdp;

/// An SFU that remembers its orders, and takes none while it is busy.
#[derive(Default)]
pub(crate) struct RecordingSfu {
    commands: Mutex<Vec<SfuCommand>>,
    pub(crate) is_busy: AtomicBool,
}

impl SfuLink for RecordingSfu {
    fn send(&self, command: SfuCommand) -> Result<(), SfuBusy> {
        if self.is_busy.load(Ordering::Relaxed) {
            return Err(SfuBusy);
        }
        self.commands.lock().unwrap().push(command);
        Ok(())
    }
}

pub(crate) struct Server {
    pub(crate) signaling: SignalingServer,
    pub(crate) sfu: Arc<RecordingSfu>,
    pub(crate) sfu_events: mpsc::Sender<SfuEvent>,
    address: SocketAddr,
    registry: Registry,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let sfu = Arc::new(RecordingSfu::default());
        let info = SfuInfo {
            fingerprint: [0xAB; 32],
            candidates: vec!["127.0.0.1:8080".parse().unwrap()],
            tcp_candidates: Vec::new(),
        };
        let (sfu_events, events) = mpsc::channel(16);
        let link: Arc<dyn SfuLink> = Arc::clone(&sfu) as Arc<dyn SfuLink>;
        let signaling =
            SignalingServer::start(info, signaling_server::DeliveryKey::new(&[9; 32]), link, events).unwrap();
        let registry = Registry::new();
        signaling.register_metrics(&registry).unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        // Accepted sockets inherit it: a page that does not read is noticed after few messages.
        socket.set_send_buffer_size(SMALL_BUFFER_BYTES).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(64).unwrap();
        let address = listener.local_addr().unwrap();
        let service = signaling
            .router()
            .into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        Self {
            signaling,
            sfu,
            sfu_events,
            address,
            registry,
        }
    }

    pub(crate) async fn connect(&self) -> Page {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(SMALL_BUFFER_BYTES).unwrap();
        let stream = socket.connect(self.address).await.unwrap();
        let (socket, _) = client_async(format!("ws://{}/ws", self.address), stream)
            .await
            .unwrap();
        Page { socket }
    }

    /// A page in this room; the first one makes it.
    pub(crate) async fn join(&self, number: u8) -> (Page, Joined) {
        let mut page = self.connect().await;
        page.say(&create(number)).await;
        if matches!(page.hear().await, ServerMessage::Error(_)) {
            page = self.connect().await;
        }
        page.say(&hello(number, number)).await;
        match page.hear().await {
            ServerMessage::Joined(joined) => (page, joined),
            other => panic!("not joined but {other:?}"),
        }
    }

    /// The orders to the SFU, once there are at least this many.
    pub(crate) async fn commands(&self, count: usize) -> Vec<SfuCommand> {
        eventually(|| {
            let commands = self.sfu.commands.lock().unwrap().clone();
            (commands.len() >= count).then_some(commands)
        })
        .await
    }

    pub(crate) fn command_count(&self) -> usize {
        self.sfu.commands.lock().unwrap().len()
    }

    /// The value of a metric, with or without its label `reason`.
    pub(crate) fn metric(&self, name: &str, reason: Option<&str>) -> f64 {
        let families = self.registry.gather();
        let family = families
            .iter()
            .find(|family| family.name() == name)
            .expect("a metric of this name");
        let metric = family.get_metric().iter().find(|metric| {
            let label = metric.get_label().first().map(|label| label.value());
            label == reason
        });
        let metric = metric.expect("a metric with this reason");
        metric.get_counter().get_value() + metric.get_gauge().get_value()
    }

    /// Waits until a metric has reached a value.
    pub(crate) async fn wait_for(&self, name: &str, reason: Option<&str>, value: f64) {
        eventually(|| (self.metric(name, reason) >= value).then_some(())).await;
    }
}

async fn eventually<T>(mut condition: impl FnMut() -> Option<T>) -> T {
    let polling = async {
        loop {
            if let Some(value) = condition() {
                return value;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, polling).await.expect("it happens in time")
}

pub(crate) struct Page {
    pub(crate) socket: WebSocketStream<TcpStream>,
}

impl Page {
    pub(crate) async fn say(&mut self, message: &ClientMessage) {
        self.say_text(&message.encode()).await;
    }

    pub(crate) async fn say_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// The next text; `None` once the connection is closed.
    pub(crate) async fn hear_text(&mut self) -> Option<String> {
        loop {
            match timeout(PATIENCE, self.socket.next())
                .await
                .expect("something comes in time")
            {
                Some(Ok(Message::Text(text))) => return Some(text.to_string()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    pub(crate) async fn hear(&mut self) -> ServerMessage {
        let text = self.hear_text().await.expect("a message, not the end");
        ServerMessage::decode(text.as_bytes()).unwrap()
    }

    /// Reads on until the error that ends the connection, and sees that it does.
    pub(crate) async fn error(&mut self) -> ErrorCode {
        loop {
            if let ServerMessage::Error(error) = self.hear().await {
                assert_eq!(self.hear_text().await, None, "an error is the last message");
                return error.code;
            }
        }
    }
}

pub(crate) fn create(number: u8) -> ClientMessage {
    let gate_hash = GateHash::from_bytes(Sha256::digest([number; 32]).into());
    ClientMessage::Create(Create {
        version: VERSION,
        room: room(number),
        gate_hash,
        owner: protocol::bytes::Owner::from_bytes([0; 16]),
    })
}

pub(crate) fn hello(number: u8, gate: u8) -> ClientMessage {
    ClientMessage::Hello(Hello {
        version: VERSION,
        room: room(number),
        gate: Gate::from_bytes([gate; 32]),
        media: true,
    })
}

pub(crate) fn answer(joined: &Joined) -> ClientMessage {
    answer_offer(joined.negotiation, joined.offer.as_ref().unwrap())
}

/// The answer of a page that has one peer connection in its life.
pub(crate) fn answer_offer(negotiation: u32, offer: &DeflatedSdp) -> ClientMessage {
    let offer = offer.inflate().unwrap();
    let sdp = sdp::answer_to(offer.as_str(), &sdp::Credentials::new(1));
    ClientMessage::Answer(Answer {
        negotiation,
        sdp: DeflatedSdp::deflate(&sdp).unwrap(),
    })
}

pub(crate) fn resume(number: u8, token: &ResumeToken) -> ClientMessage {
    ClientMessage::Resume(Resume {
        version: VERSION,
        room: room(number),
        token: *token,
    })
}

fn room(number: u8) -> RoomId {
    RoomId::from_bytes([number; 16])
}
