//! Members without media, who come into the group all at once: what a crowd's arrival costs everybody else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use protocol::client::{ClientMessage, Hello, Leave, Ping, ServerMessage, VERSION};
use protocol::limits::PING_INTERVAL_MS;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

use crate::error::MemberError;
use crate::keys::{Access, Keys};
use crate::limits::{SECONDS_MAX, STORM_MEMBERS_MAX, STORM_TIMEOUT};
use crate::signaling::{Heard, Signaling};
use crate::target::Target;

/// What makes a storm.
#[derive(Clone)]
pub struct Storm {
    /// The server.
    pub target: Target,
    /// Room, gate and secret.
    pub access: Access,
    /// Whether the room is made first.
    pub creates: bool,
    /// How many members.
    pub members: usize,
    /// How long they stay.
    pub seconds: u64,
    /// How long they stay at most once everybody knows everybody.
    pub settle: Option<u64>,
}

/// How often a member that knows everybody looks whether all others do, too.
const SETTLED_LOOK: Duration = Duration::from_millis(100);

/// How many know everybody.
struct Settled {
    members: usize,
    count: AtomicUsize,
    stay: Option<Duration>,
}

impl Settled {
    fn is_over(&self) -> bool {
        self.stay.is_some() && self.count.load(Ordering::Relaxed) >= self.members
    }
}

/// What a storm counted.
#[derive(Debug, Clone, Default, Serialize)]
pub struct StormReport {
    /// When each member was in the group, in milliseconds since all began, sorted.
    pub entered_after_ms: Vec<u64>,
    /// Members of the group that the last one saw.
    pub members: usize,
    /// The epoch at the end.
    pub epoch: u64,
    /// Names of others that the one who knew fewest had opened.
    pub names_min: usize,
    /// Alarms of all members together.
    pub alarms: u64,
    /// Why members ended before their time.
    pub ended: Vec<String>,
}

struct One {
    entered: Option<Duration>,
    members: usize,
    epoch: u64,
    names: usize,
    alarms: u64,
    ended: Option<String>,
}

impl Storm {
    /// Lets the members in, all at once, waits, and lets them leave.
    pub async fn run(self) -> Result<StormReport, MemberError> {
        if self.members == 0
            || self.members > STORM_MEMBERS_MAX
            || self.seconds == 0
            || self.seconds > SECONDS_MAX
        {
            return Err(MemberError::Target(format!(
                "{} members for {} seconds: at most {STORM_MEMBERS_MAX} and {SECONDS_MAX}",
                self.members, self.seconds
            )));
        }
        if self.creates {
            Signaling::create(&self.target, &self.access).await?;
        }
        let start = Instant::now();
        let end = start + Duration::from_secs(self.seconds);
        let settled = Arc::new(Settled {
            members: self.members,
            count: AtomicUsize::new(0),
            stay: self.settle.map(Duration::from_secs),
        });
        let mut tasks = JoinSet::new();
        for number in 1..=self.members {
            let (target, access, settled) = (self.target.clone(), self.access.clone(), Arc::clone(&settled));
            tasks.spawn(async move {
                let mut random =
                    ChaCha20Rng::try_from_os_rng().map_err(|_| MemberError::Encryption("no randomness"))?;
                let mut keys = Keys::new(&access, &mut random);
                let name = format!("Guest {number}");
                let mut entered = None;
                let outcome = live(
                    &target,
                    &access,
                    &mut keys,
                    &name,
                    (start, end),
                    &settled,
                    &mut entered,
                )
                .await;
                Ok::<One, MemberError>(One {
                    entered,
                    members: keys.members(),
                    epoch: keys.epoch().unwrap_or_default(),
                    names: keys.names().count(),
                    alarms: keys.alarms().map(|(_, count)| count).sum(),
                    ended: outcome.err().map(|error| error.to_string()),
                })
            });
        }
        let mut report = StormReport {
            names_min: usize::MAX,
            ..StormReport::default()
        };
        while let Some(one) = tasks.join_next().await {
            let one = one.map_err(|_| MemberError::Protocol("a member panicked"))??;
            let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            report.entered_after_ms.extend(one.entered.map(millis));
            report.members = report.members.max(one.members);
            report.epoch = report.epoch.max(one.epoch);
            report.names_min = report.names_min.min(one.names);
            report.alarms += one.alarms;
            report.ended.extend(one.ended);
        }
        report.entered_after_ms.sort_unstable();
        Ok(report)
    }
}

async fn live(
    target: &Target,
    access: &Access,
    keys: &mut Keys,
    name: &str,
    (start, mut end): (Instant, Instant),
    settled: &Settled,
    entered: &mut Option<Duration>,
) -> Result<(), MemberError> {
    let mut signaling = timeout(STORM_TIMEOUT, Signaling::connect(target))
        .await
        .map_err(|_| MemberError::Timeout("connecting"))??;
    let hello = Hello {
        version: VERSION,
        room: access.room(),
        gate: access.gate(),
        media: false,
    };
    signaling.say(&ClientMessage::Hello(hello)).await?;
    let ServerMessage::Joined(joined) = signaling.hear_message().await? else {
        return Err(MemberError::Protocol("no answer to hello"));
    };
    keys.enter(joined.seat.number(), name, false);
    let ping = Duration::from_millis(u64::from(PING_INTERVAL_MS));
    let mut next_ping = Instant::now() + ping;
    let (mut knows_all, mut is_over) = (false, false);
    loop {
        while let Some(bytes) = keys.poll_message() {
            signaling.say_frame(bytes).await?;
        }
        if entered.is_none() && keys.epoch().is_some() {
            *entered = Some(start.elapsed());
        }
        let mut wake = keys.poll_timeout().unwrap_or(end).min(end).min(next_ping);
        if knows_all && !is_over && settled.stay.is_some() {
            wake = wake.min(Instant::now() + SETTLED_LOOK);
        }
        tokio::select! {
            heard = signaling.hear() => {
                if let Heard::Frame(bytes) = heard? {
                    keys.handle_message(&bytes);
                }
            }
            () = sleep_until(wake.into()) => {}
        }
        keys.handle_timeout();
        let now = Instant::now();
        if !knows_all && keys.names().count() + 1 >= settled.members {
            knows_all = true;
            settled.count.fetch_add(1, Ordering::Relaxed);
        }
        if !is_over && settled.is_over() {
            is_over = true;
            end = end.min(now + settled.stay.unwrap_or_default());
        }
        if now >= next_ping {
            next_ping = now + ping;
            signaling.say(&ClientMessage::Ping(Ping {})).await?;
        }
        if now >= end {
            return signaling.say(&ClientMessage::Leave(Leave {})).await;
        }
    }
}

impl StormReport {
    /// Whether everybody came in, knows everybody, and nothing was alarming.
    pub fn is_good(&self, members: usize) -> bool {
        self.entered_after_ms.len() == members
            && self.names_min + 1 >= members
            && self.alarms == 0
            && self.ended.is_empty()
    }

    /// The numbers in a few lines.
    pub fn table(&self) -> String {
        let at = |share: usize| {
            let last = self.entered_after_ms.len().saturating_sub(1);
            self.entered_after_ms
                .get(last * share / 100)
                .copied()
                .unwrap_or_default()
        };
        format!(
            "{} members came in: half within {} ms, all within {} ms; epoch {}, {} in the group, {} alarms, {} ended early",
            self.entered_after_ms.len(),
            at(50),
            at(100),
            self.epoch,
            self.members,
            self.alarms,
            self.ended.len()
        )
    }
}
