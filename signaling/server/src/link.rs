//! The way to the SFU.

use protocol::sfu::{SfuBusy, SfuCommand};

/// Takes commands for the SFU. Events come back through the channel given to
/// [`SignalingServer::start`](crate::SignalingServer::start).
pub trait SfuLink: Send + Sync + 'static {
    /// Hands over a command, without waiting.
    ///
    /// A command that fails was not taken: it is offered again, before all later ones.
    fn send(&self, command: SfuCommand) -> Result<(), SfuBusy>;
}
