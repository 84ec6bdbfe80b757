//! Tells systemd how the server is, where systemd runs it and asks (`Type=notify`). Elsewhere it tells nobody.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{MissedTickBehavior, interval};

use crate::health::Health;

/// What the end takes beyond the drain: closing, and a machine that is busy.
const END_TIME: Duration = Duration::from_secs(15);

/// Everything is open.
pub(crate) fn ready() {
    notify(&[NotifyState::Ready]);
}

/// The server ends, after a drain of at most `drain`; systemd shall not kill it before.
pub(crate) fn stopping(drain: Duration) {
    // The library's own word for it ends at 71 minutes.
    let time = format!("EXTEND_TIMEOUT_USEC={}", (drain + END_TIME).as_micros());
    notify(&[NotifyState::Stopping, NotifyState::Custom(&time)]);
}

/// Says as often as systemd asks for (`WatchdogSec=`) that the server lives, while every part of it does. Where
/// nobody asks it ends at once.
pub(crate) async fn watchdog(health: Health) {
    let Some(time) = sd_notify::watchdog_enabled().filter(|time| !time.is_zero()) else {
        return;
    };
    let mut ticks = interval(time / 2);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if health.is_alive() {
            notify(&[NotifyState::Watchdog]);
        }
    }
}

fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(kind = ?error.kind(), "the service manager could not be told");
    }
}
