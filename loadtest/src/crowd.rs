//! Many members of one meeting.

use std::time::{Duration, Instant, SystemTime};

use tokio::time::sleep_until;

use crate::error::MemberError;
use crate::keys::Access;
use crate::limits::{FPS_MAX, MEMBERS_MAX, SECONDS_MAX};
use crate::media::{SessionSettings, Voice};
use crate::member::{Member, MemberSettings};
use crate::report::CrowdReport;
use crate::signaling::Signaling;
use crate::target::Target;

/// From the epoch of NTP to that of Unix (RFC 868 counts the days).
const NTP_TO_UNIX: Duration = Duration::from_secs(2_208_988_800);

/// What makes a crowd.
#[derive(Clone)]
pub struct CrowdSettings {
    /// The server.
    pub target: Target,
    /// Room, gate and secret.
    pub access: Access,
    /// Whether the room is made first.
    pub creates: bool,
    /// How many members.
    pub members: usize,
    /// How long, from the first join on.
    pub seconds: u64,
    /// Pictures per second of each.
    pub fps: u32,
    /// Time between two joins.
    pub join_every: Duration,
    /// Whether they ask for missing packets.
    pub asks_again: bool,
}

/// A crowd that can be run.
pub struct Crowd {
    settings: CrowdSettings,
}

impl Crowd {
    /// Checks the settings against the bounds.
    pub fn new(settings: CrowdSettings) -> Result<Self, MemberError> {
        let bounds = [
            ("members", settings.members as u64, MEMBERS_MAX as u64),
            ("seconds", settings.seconds, SECONDS_MAX),
            ("pictures per second", settings.fps.into(), FPS_MAX.into()),
        ];
        for (what, value, max) in bounds {
            if value == 0 || value > max {
                return Err(MemberError::Target(format!(
                    "{value} {what} is not between 1 and {max}"
                )));
            }
        }
        Ok(Self { settings })
    }

    /// Lets the members join, stay and leave. `tell` hears about every second.
    pub async fn run(self, mut tell: impl FnMut(String)) -> Result<CrowdReport, MemberError> {
        let settings = self.settings;
        if settings.creates {
            Signaling::create(&settings.target, &settings.access).await?;
        }
        let start = Instant::now();
        let ntp_at_start = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
            + NTP_TO_UNIX;
        let end = start + Duration::from_secs(settings.seconds);
        let mut members: Vec<Member> = Vec::new();
        let mut next_line = start + Duration::from_secs(1);
        let mut before = CrowdReport::default();
        loop {
            let next_join = (members.len() < settings.members)
                .then(|| start + settings.join_every * members.len() as u32);
            let wake = [next_join, Some(next_line), Some(end)]
                .into_iter()
                .flatten()
                .min();
            sleep_until(wake.unwrap_or(end).into()).await;
            let now = Instant::now();
            if next_join.is_some_and(|at| at <= now) {
                let number = members.len();
                members.push(Member::join(member(&settings, number, start, ntp_at_start)));
            }
            if next_line <= now {
                next_line += Duration::from_secs(1);
                let report = reports(&members);
                tell(report.line(&before, now - start));
                before = report;
            }
            if now >= end {
                break;
            }
        }
        let mut report = CrowdReport::default();
        // Nobody leaves before everybody has counted: who stays would miss those who went.
        let last = reports(&members);
        for (member, counted) in members.into_iter().zip(last.members) {
            let left = member.leave().await;
            report
                .members
                .push(if left.ended.is_none() { counted } else { left });
        }
        Ok(report)
    }
}

fn reports(members: &[Member]) -> CrowdReport {
    CrowdReport {
        members: members.iter().map(Member::report).collect(),
    }
}

fn member(settings: &CrowdSettings, number: usize, start: Instant, ntp_at_start: Duration) -> MemberSettings {
    MemberSettings {
        target: settings.target.clone(),
        access: settings.access.clone(),
        name: format!("Member {}", number + 1),
        session: SessionSettings {
            fps: settings.fps,
            voice: Voice {
                start,
                number: number as u32,
                of: settings.members as u32,
            },
            asks_again: settings.asks_again,
            ntp_at_start,
        },
    }
}
