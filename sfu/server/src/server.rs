//! Starts the worker, and the handle by which the rest of the process reaches it.

use std::fmt;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use mio::Waker;
use prometheus::Registry;
use protocol::sfu::{SfuBusy, SfuCommand, SfuInfo};
use sfu_core::{Config, Sfu};
use transport::Certificate;

use crate::error::StartError;
use crate::limits::{COMMANDS_MAX, TCP_HANDOVER_MAX};
use crate::metrics::Metrics;
use crate::outcome::TcpRefused;
use crate::self_check::{self, SelfCheck};
use crate::tcp::Accepted;
use crate::worker::{OnEvent, Parts, Worker};
use crate::{mapping, random, sockets};

/// How to start the server.
#[derive(Default)]
pub struct SfuOptions {
    /// The addresses on which media is taken, each of one interface.
    pub media_addresses: Vec<IpAddr>,
    /// The UDP port on all of them; 0 takes one that is free.
    pub port: u16,
    /// Where the process takes TCP connections, of which it hands those of media over by
    /// [`SfuHandle::take_tcp`]. Each is of one interface. Empty: media goes over UDP only.
    pub tcp_addresses: Vec<SocketAddr>,
    /// Is shown every decrypted packet.
    #[cfg(feature = "capture")]
    pub tap: Option<sfu_core::Tap>,
}

/// The media server.
#[derive(Debug)]
pub struct SfuServer;

/// Reaches a running server. The server ends with the last clone, or when one of them stops it.
#[derive(Debug, Clone)]
pub struct SfuHandle {
    link: Arc<Link>,
}

struct Link {
    commands: SyncSender<SfuCommand>,
    handover: SyncSender<Accepted>,
    waker: Waker,
    is_stopping: Arc<AtomicBool>,
    info: SfuInfo,
    metrics: Metrics,
    thread: std::sync::Mutex<Option<JoinHandle<()>>>,
}

impl SfuServer {
    /// Binds the sockets and starts the worker. `on_event` is called on the worker's thread and must not block.
    pub fn start(options: SfuOptions, on_event: OnEvent) -> Result<SfuHandle, StartError> {
        sockets::check_tcp(&options.tcp_addresses)?;
        let sockets = sockets::bind(&options.media_addresses, options.port)?;
        let candidates: Vec<SocketAddr> = sockets.iter().map(|socket| socket.local).collect();
        let certificate = Arc::new(Certificate::generate()?);
        let info = SfuInfo {
            fingerprint: certificate.fingerprint(),
            candidates: candidates.clone(),
            tcp_candidates: options.tcp_addresses.clone(),
        };
        #[cfg_attr(
            not(feature = "capture"),
            expect(unused_mut, reason = "only a tap changes it")
        )]
        let mut sfu = Sfu::new(Config {
            certificate,
            media_addresses: candidates,
            tcp_addresses: options.tcp_addresses,
            media: mapping::media_profile(),
            seed: random::seed().map_err(system("randomness"))?,
        });
        #[cfg(feature = "capture")]
        if let Some(tap) = options.tap {
            sfu.set_tap(tap);
        }
        let (sender, commands) = sync_channel(COMMANDS_MAX);
        let (handover, accepted) = sync_channel(TCP_HANDOVER_MAX);
        let is_stopping = Arc::new(AtomicBool::new(false));
        let metrics =
            Metrics::new().map_err(|error| system("metrics")(std::io::Error::other(error.to_string())))?;
        let parts = Parts {
            sfu,
            sockets,
            commands,
            accepted,
            on_event,
            metrics: metrics.clone(),
            is_stopping: is_stopping.clone(),
        };
        let (worker, waker) = Worker::new(parts).map_err(system("epoll"))?;
        let thread = std::thread::Builder::new()
            .name("sfu-0".to_owned())
            .spawn(move || worker.run())
            .map_err(system("a thread"))?;
        let thread = std::sync::Mutex::new(Some(thread));
        Ok(SfuHandle {
            link: Arc::new(Link {
                commands: sender,
                handover,
                waker,
                is_stopping,
                info,
                metrics,
                thread,
            }),
        })
    }
}

impl SfuHandle {
    /// What signaling has to know before it can write an offer.
    pub fn info(&self) -> &SfuInfo {
        &self.link.info
    }

    /// Hands a command to the worker. Never waits.
    ///
    /// Fails when [`COMMANDS_MAX`] commands wait already, or the worker has ended.
    pub fn send(&self, command: SfuCommand) -> Result<(), SfuBusy> {
        if !self.is_running() {
            return Err(SfuBusy);
        }
        self.link.commands.try_send(command).map_err(|_| SfuBusy)?;
        // The command is taken: a second one may not follow. Without the wake it waits for the worker's next turn.
        if let Err(error) = self.link.waker.wake() {
            tracing::error!(%error, "the SFU worker was not woken for a command");
        }
        Ok(())
    }

    /// Hands a TCP connection over that was accepted on one of the offered addresses and whose first bytes, still
    /// unread, are those of media (RFC 4571 framing). Never waits.
    ///
    /// Fails when [`TCP_HANDOVER_MAX`] connections wait already, the connection did not come to an offered
    /// address, or the worker has ended. The connection is closed then, and counted.
    pub fn take_tcp(&self, stream: TcpStream) -> Result<(), TcpRefused> {
        let outcome = self.hand_over(stream);
        if let Err(refused) = outcome {
            self.link.metrics.tcp_refused(refused);
        }
        outcome
    }

    fn hand_over(&self, stream: TcpStream) -> Result<(), TcpRefused> {
        let accepted = Accepted::new(stream).map_err(|_| TcpRefused::Broken)?;
        if !self.link.info.tcp_candidates.contains(&accepted.local) {
            return Err(TcpRefused::NotOffered);
        }
        self.link
            .handover
            .try_send(accepted)
            .map_err(|error| match error {
                TrySendError::Full(_) => TcpRefused::Full,
                TrySendError::Disconnected(_) => TcpRefused::Ended,
            })?;
        // Without the wake it waits for the worker's next turn.
        if let Err(error) = self.link.waker.wake() {
            tracing::error!(%error, "the SFU worker was not woken for a connection");
        }
        Ok(())
    }

    /// Asks every media address whether it answers; takes about a second for each that does not. It blocks, so
    /// call it outside of asynchronous code.
    pub fn self_check(&self) -> Vec<SelfCheck> {
        self.link
            .info
            .candidates
            .iter()
            .map(|address| self_check::check(*address))
            .collect()
    }

    /// Adds the metrics of the server (`undertone_sfu_*`) to a registry.
    pub fn register_metrics(&self, registry: &Registry) -> Result<(), prometheus::Error> {
        self.link.metrics.register(registry)
    }

    /// Whether the worker runs.
    pub fn is_running(&self) -> bool {
        let thread = self.link.thread.lock();
        thread.is_ok_and(|thread| thread.as_ref().is_some_and(|thread| !thread.is_finished()))
    }

    /// Ends the worker and waits for it. Peers are not told.
    pub fn stop(&self) {
        self.link.stop();
    }
}

impl Link {
    fn stop(&self) {
        self.is_stopping.store(true, Ordering::Release);
        if self.waker.wake().is_err() {
            tracing::error!("the media worker cannot be woken to end");
            return;
        }
        let thread = self.thread.lock().ok().and_then(|mut thread| thread.take());
        if let Some(thread) = thread
            && thread.thread().id() != std::thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!("the media worker had ended in a panic");
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Link").finish_non_exhaustive()
    }
}

impl fmt::Debug for SfuOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SfuOptions")
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

fn system(what: &'static str) -> impl Fn(std::io::Error) -> StartError {
    move |source| StartError::System { what, source }
}
