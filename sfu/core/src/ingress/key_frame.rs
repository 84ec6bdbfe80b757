//! Asks one layer for key frames, seldom enough and until one comes.

use std::time::Instant;

use crate::limits::KEY_FRAME_INTERVAL;

/// The requests to one layer.
#[derive(Debug, Clone)]
pub(crate) struct KeyFrameRequests {
    sent_at: Option<Instant>,
    is_wanted: bool,
}

impl KeyFrameRequests {
    /// Nobody needs a key frame yet.
    pub(crate) const fn new() -> Self {
        Self {
            sent_at: None,
            is_wanted: false,
        }
    }

    /// Somebody needs a key frame.
    pub(crate) const fn want(&mut self) {
        self.is_wanted = true;
    }

    /// A key frame came.
    pub(crate) const fn satisfied(&mut self) {
        self.is_wanted = false;
    }

    /// Whether a request is to be sent now; then it counts as sent.
    ///
    /// Called at every packet of the layer: a layer that sends nothing has nobody to ask.
    pub(crate) fn take_due(&mut self, now: Instant) -> bool {
        let may_send = self
            .sent_at
            .is_none_or(|sent| now.saturating_duration_since(sent) >= KEY_FRAME_INTERVAL);
        let is_due = self.is_wanted && may_send;
        if is_due {
            self.sent_at = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::start;

    #[test]
    fn many_requests_become_one_until_the_interval_is_over() {
        let mut requests = KeyFrameRequests::new();
        assert!(!requests.take_due(start()));
        requests.want();
        assert!(requests.take_due(start()));
        requests.want();
        assert!(!requests.take_due(start() + KEY_FRAME_INTERVAL - Duration::from_millis(1)));
        assert!(requests.take_due(start() + KEY_FRAME_INTERVAL));
    }

    #[test]
    fn a_request_is_repeated_until_the_key_frame_comes() {
        let mut requests = KeyFrameRequests::new();
        requests.want();
        for repetition in 0..5 {
            assert!(requests.take_due(start() + repetition * KEY_FRAME_INTERVAL));
        }
        requests.satisfied();
        assert!(!requests.take_due(start() + 100 * KEY_FRAME_INTERVAL));
    }
}
