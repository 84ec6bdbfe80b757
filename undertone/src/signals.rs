//! The signals that end the server.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::StartError;

/// Waits for SIGINT (Ctrl-C) or SIGTERM (a service manager).
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

/// How the server shall end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// SIGTERM: let calls go on for a while.
    Drain,
    /// SIGINT: now.
    AtOnce,
}

impl Signals {
    /// From now on neither ends the process by itself.
    pub(crate) fn listen() -> Result<Self, StartError> {
        let listen = |kind| signal(kind).map_err(|error| StartError::Internal(format!("signals: {error}")));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    /// Ends when one of them comes.
    pub(crate) async fn wait(&mut self) -> End {
        tokio::select! {
            _ = self.interrupt.recv() => End::AtOnce,
            _ = self.terminate.recv() => End::Drain,
        }
    }
}
