//! Accepts connections on every socket of a port until the server stops.

use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{sleep, timeout};

use super::connection::{AddressUse, Shared};
use super::counters::{Counters, Refused};
use super::doors::Doors;
use super::http;
use super::listeners::Listeners;
use crate::limits::{ACCEPT_PAUSE, CLOSE_TIME, HTTP_MAX, SILENT_MAX, UNACKNOWLEDGED_TIME};

/// How many connections may be where at once.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    silent: usize,
    http: usize,
}

impl Listeners {
    /// Serves what is behind the doors until `stop` says true, and then for as long as open answers take, within
    /// reason.
    pub(crate) async fn serve(self, doors: Doors, counters: Counters, stop: watch::Receiver<bool>) {
        let bounds = Bounds {
            silent: SILENT_MAX,
            http: HTTP_MAX,
        };
        self.serve_within(bounds, doors, counters, stop).await;
    }

    async fn serve_within(
        self,
        bounds: Bounds,
        doors: Doors,
        counters: Counters,
        mut stop: watch::Receiver<bool>,
    ) {
        let shared = Shared {
            doors,
            counters,
            silent: Arc::new(Semaphore::new(bounds.silent)),
            silent_max: bounds.silent,
            http: Arc::new(Semaphore::new(bounds.http)),
            stop: stop.clone(),
        };
        // Every connection holds a sender and sends nothing: the channel ends with the last of them.
        let (alive, mut all_gone) = mpsc::channel::<()>(1);
        let mut loops = Vec::new();
        for (socket, address_use) in self.sockets {
            let accepting = accept(socket, address_use, shared.clone(), alive.clone());
            loops.push(tokio::spawn(accepting));
        }
        drop((alive, shared));
        http::stopped(&mut stop).await;
        for accepting in loops {
            accepting.abort();
        }
        if timeout(CLOSE_TIME, all_gone.recv()).await.is_err() {
            tracing::info!("connections were still open when the server stopped");
        }
    }
}

async fn accept(socket: TcpListener, address_use: AddressUse, shared: Shared, alive: mpsc::Sender<()>) {
    loop {
        let (stream, peer) = match socket.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                shared.counters.refuse(Refused::AcceptFailed);
                tracing::warn!(kind = ?error.kind(), "a TCP connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(silence) = Arc::clone(&shared.silent).try_acquire_owned() else {
            shared.counters.refuse(Refused::TooManySilent);
            continue;
        };
        prepare(&stream);
        let alive = alive.clone();
        let connection = shared.clone().serve(stream, peer, address_use, silence);
        tokio::spawn(async move {
            connection.await;
            drop(alive);
        });
    }
}

/// Sets what makes a connection better and is no reason to refuse one where it cannot be set.
fn prepare(stream: &TcpStream) {
    // Messages of signaling are small and somebody waits for each.
    let _ = stream.set_nodelay(true);
    let _ = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(UNACKNOWLEDGED_TIME));
}

#[cfg(test)]
mod tests;
