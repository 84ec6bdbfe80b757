//! The tap of the blindness test: what crosses the core's edge, after SRTP was opened and before it is sealed.
//!
//! Without the feature `capture` there is nothing here.

/// Which way a captured packet goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From a publisher.
    In,
    /// To a subscriber.
    Out,
}

/// Is shown every decrypted RTP and RTCP packet.
#[cfg(feature = "capture")]
pub type Tap = Box<dyn FnMut(Direction, &[u8]) + Send>;

/// Where the tap sits.
#[derive(Default)]
pub(crate) struct Capture {
    #[cfg(feature = "capture")]
    pub(crate) tap: Option<Tap>,
}

impl std::fmt::Debug for Capture {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Capture")
    }
}

impl Capture {
    /// Shows a packet to the tap, if there is one.
    #[cfg(feature = "capture")]
    pub(crate) fn show(&mut self, direction: Direction, packet: &[u8]) {
        if let Some(tap) = &mut self.tap {
            tap(direction, packet);
        }
    }

    /// Does nothing.
    #[cfg(not(feature = "capture"))]
    #[inline]
    pub(crate) const fn show(&self, _direction: Direction, _packet: &[u8]) {}
}
