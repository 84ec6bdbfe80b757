//! Starts the rooms, and gives the route that leads to them.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::Registry;
use protocol::sfu::{SfuEvent, SfuInfo};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use signaling_core::{Config, ConnectionId, DeliveryKey, Origin, Signaling};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use crate::actor::{Actor, Input};
use crate::connection;
use crate::limits::{CLOSE_TIMEOUT, INBOX_MAX, READ_BUFFER_BYTES, READ_BYTES_MAX, SOCKETS_MAX};
use crate::link::SfuLink;
use crate::metrics::Metrics;

/// The running rooms. Clones are the same rooms; when the last one and the last connection are gone, they end.
#[derive(Clone)]
pub struct SignalingServer {
    shared: Arc<Shared>,
}

struct Shared {
    rooms: mpsc::Sender<Input>,
    metrics: Arc<Metrics>,
    sockets: Arc<Semaphore>,
    next_connection: AtomicU64,
}

impl SignalingServer {
    /// Starts the rooms. Has to be called inside a Tokio runtime.
    ///
    /// `sfu` says where media goes, `key` signs the proposals to remove those who left, `link` takes the commands, `sfu_events` brings the reports back. Fails when
    /// the machine has no randomness to give.
    pub fn start(
        sfu: SfuInfo,
        key: DeliveryKey,
        link: Arc<dyn SfuLink>,
        sfu_events: mpsc::Receiver<SfuEvent>,
    ) -> Result<Self, StartError> {
        let rng = ChaCha20Rng::try_from_os_rng().map_err(|_| StartError::Randomness)?;
        let metrics = Arc::new(Metrics::new().map_err(StartError::Metrics)?);
        let (rooms, inbox) = mpsc::channel(INBOX_MAX);
        let started_unix = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let config = Config {
            sfu,
            key,
            started_unix,
        };
        let actor = Actor::new(Signaling::new(config), rng, link, Arc::clone(&metrics));
        tokio::spawn(actor.run(inbox, sfu_events));
        let shared = Shared {
            rooms,
            metrics,
            sockets: Arc::new(Semaphore::new(SOCKETS_MAX)),
            next_connection: AtomicU64::new(1),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// The route `GET /ws`, to be merged into a router. It has to be served with
    /// `into_make_service_with_connect_info::<SocketAddr>()`: failures are counted per address.
    pub fn router(&self) -> Router {
        Router::new().route("/ws", get(upgrade)).with_state(self.clone())
    }

    /// Adds the metrics `undertone_signaling_*` to a registry.
    pub fn register_metrics(&self, registry: &Registry) -> Result<(), prometheus::Error> {
        self.shared.metrics.register(registry)
    }

    /// Whether the rooms run.
    pub fn is_running(&self) -> bool {
        !self.shared.rooms.is_closed()
    }

    /// Lets nobody new in, tells everybody inside that the server will stop, and waits until this time is over or
    /// nobody is left, whichever comes first. Members whose line breaks may come back meanwhile.
    ///
    /// Calls go on until [`SignalingServer::stop`]. A second drain takes the place of the first, which then returns.
    pub async fn drain(&self, time: Duration) {
        let (drained, wait) = oneshot::channel();
        // Where the rooms have ended already nobody is left.
        let _ = self.shared.rooms.send(Input::Drain(time, drained)).await;
        let _ = wait.await;
    }

    /// Tells everybody that the server stops, and waits until they have heard it, two seconds at most.
    pub async fn stop(&self) {
        // Where the rooms have ended already there is nobody to tell.
        let _ = self.shared.rooms.send(Input::Stop).await;
        let everybody = u32::try_from(SOCKETS_MAX).unwrap_or(u32::MAX);
        if timeout(CLOSE_TIMEOUT, self.shared.sockets.acquire_many(everybody))
            .await
            .is_err()
        {
            tracing::info!("some pages were still connected when signaling stopped");
        }
        self.shared.sockets.close();
    }
}

impl fmt::Debug for SignalingServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SignalingServer").finish_non_exhaustive()
    }
}

/// Why the rooms cannot start.
#[derive(Debug)]
pub enum StartError {
    /// The operating system gave no random bytes.
    Randomness,
    /// The metrics could not be made.
    Metrics(prometheus::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Randomness => formatter.write_str("the operating system gives no random bytes"),
            Self::Metrics(error) => write!(formatter, "the metrics cannot be made: {error}"),
        }
    }
}

impl std::error::Error for StartError {}

async fn upgrade(
    State(server): State<SignalingServer>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let shared = &server.shared;
    let Ok(permit) = Arc::clone(&shared.sockets).try_acquire_owned() else {
        shared.metrics.sockets_refused.inc();
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let connection = ConnectionId(shared.next_connection.fetch_add(1, Ordering::Relaxed));
    let origin = Origin::from(address.ip());
    let rooms = shared.rooms.clone();
    upgrade
        .max_message_size(READ_BYTES_MAX)
        .max_frame_size(READ_BYTES_MAX)
        .read_buffer_size(READ_BUFFER_BYTES)
        .on_upgrade(move |socket| async move {
            connection::serve(socket, connection, origin, rooms).await;
            drop(permit);
        })
}
