//! What members counted, as lines, as a table and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

/// Everything that one member counted. Times are in milliseconds since the member began to join.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MemberReport {
    /// The name that it announced.
    pub name: String,
    /// Its seat in the room.
    pub seat: Option<u16>,
    /// When it was in the room.
    pub joined_after_ms: Option<u64>,
    /// When media could flow.
    pub connected_after_ms: Option<u64>,
    /// When the first frame of somebody else was opened.
    pub first_frame_after_ms: Option<u64>,
    /// Why it ended before it was told to.
    pub ended: Option<String>,
    /// Whose names it could open.
    pub names: Vec<String>,
    /// Offers that it answered.
    pub offers: u32,
    /// What it sent and received.
    #[serde(flatten)]
    pub media: MediaReport,
}

/// What one member sent and received.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MediaReport {
    /// RTP packets sent for the first time.
    pub packets_sent: u64,
    /// Packets sent again, because somebody missed them.
    pub packets_sent_again: u64,
    /// Key frames that others asked for.
    pub key_frames_asked: u64,
    /// RTP packets received.
    pub packets_received: u64,
    /// Packets that came after they were asked for again.
    pub packets_repaired: u64,
    /// Packets that never came.
    pub packets_lost: u64,
    /// Requests for missing packets.
    pub nacks_sent: u64,
    /// Requests for key frames.
    pub key_frame_requests_sent: u64,
    /// Frames of sound that were opened.
    pub audio_frames_opened: u64,
    /// Frames of pictures that were opened.
    pub video_frames_opened: u64,
    /// Microphones and cameras of others of which a frame was opened.
    pub tracks_opened: u64,
    /// Opened pictures that a decoder could not have shown, because it waited for a key frame.
    pub video_frames_undecodable: u64,
    /// Frames whose sender had not announced itself yet.
    pub frames_waiting_for_key: u64,
    /// Frames that were not opened, by reason.
    pub failures: BTreeMap<&'static str, u64>,
    /// Longest time between two opened frames of one microphone.
    pub worst_audio_gap_ms: u64,
    /// Longest time between two opened frames of one camera.
    pub worst_video_gap_ms: u64,
}

impl MediaReport {
    /// Counts a frame or a packet that could not be used.
    pub fn fail(&mut self, reason: &'static str) {
        *self.failures.entry(reason).or_default() += 1;
    }

    /// All frames that were opened.
    pub fn frames_opened(&self) -> u64 {
        self.audio_frames_opened + self.video_frames_opened
    }
}

impl MemberReport {
    /// Whether it connected, stayed, and nothing that came failed to be opened once its key was known.
    pub fn is_good(&self) -> bool {
        self.connected_after_ms.is_some() && self.ended.is_none() && self.media.failures.is_empty()
    }
}

/// What a crowd counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CrowdReport {
    /// Its members, in the order in which they came.
    pub members: Vec<MemberReport>,
}

impl CrowdReport {
    /// Whether every member is good.
    pub fn is_good(&self) -> bool {
        self.members.iter().all(MemberReport::is_good)
    }

    fn sum(&self, count: impl Fn(&MediaReport) -> u64) -> u64 {
        self.members.iter().map(|member| count(&member.media)).sum()
    }

    fn failures(&self) -> u64 {
        self.sum(|media| media.failures.values().sum())
    }

    /// One line about the second that has just passed.
    pub fn line(&self, before: &Self, elapsed: Duration) -> String {
        let connected = self
            .members
            .iter()
            .filter(|member| member.connected_after_ms.is_some() && member.ended.is_none());
        let grown = |count: fn(&MediaReport) -> u64| self.sum(count).saturating_sub(before.sum(count));
        format!(
            "{:>4} s  connected {:>2}/{}  packets out {:>5} in {:>6}  frames opened {:>6}  lost {:>4}  failures {}",
            elapsed.as_secs(),
            connected.count(),
            self.members.len(),
            grown(|media| media.packets_sent),
            grown(|media| media.packets_received),
            grown(MediaReport::frames_opened),
            grown(|media| media.packets_lost),
            self.failures(),
        )
    }

    /// The table at the end.
    pub fn table(&self) -> String {
        let mut text = String::from(
            "member      joined connected first frame     sent received repaired   lost    audio    video  \
             gap a/v (ms)  failures\n",
        );
        for member in &self.members {
            let media = &member.media;
            let time = |ms: Option<u64>| ms.map_or("never".to_owned(), |ms| format!("{ms} ms"));
            let failures: Vec<String> = media
                .failures
                .iter()
                .map(|(reason, count)| format!("{reason} {count}"))
                .chain(member.ended.clone())
                .collect();
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{:<9} {:>8} {:>9} {:>11} {:>8} {:>8} {:>8} {:>6} {:>8} {:>8}  {:>5}/{:<6}  {}",
                member.name,
                time(member.joined_after_ms),
                time(member.connected_after_ms),
                time(member.first_frame_after_ms),
                media.packets_sent,
                media.packets_received,
                media.packets_repaired,
                media.packets_lost,
                media.audio_frames_opened,
                media.video_frames_opened,
                media.worst_audio_gap_ms,
                media.worst_video_gap_ms,
                if failures.is_empty() {
                    "none".to_owned()
                } else {
                    failures.join(", ")
                },
            );
        }
        let good = self.members.iter().filter(|member| member.is_good()).count();
        let _ = writeln!(
            text,
            "{good} of {} members had no failure; {} frames opened, {} failures, {} before their key.",
            self.members.len(),
            self.sum(MediaReport::frames_opened),
            self.failures(),
            self.sum(|media| media.frames_waiting_for_key),
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_good_only_if_everybody_connected_and_nothing_failed() {
        let good = MemberReport {
            connected_after_ms: Some(1),
            ..MemberReport::default()
        };
        let mut failing = good.clone();
        failing.media.fail("tampered");
        let gone = MemberReport {
            ended: Some("the server closed the connection".to_owned()),
            ..good.clone()
        };
        for (members, expected) in [
            (vec![good.clone(), good.clone()], true),
            (vec![good.clone(), failing], false),
            (vec![good.clone(), gone], false),
            (vec![good, MemberReport::default()], false),
        ] {
            assert_eq!(CrowdReport { members }.is_good(), expected);
        }
    }

    #[test]
    fn line_tells_what_has_grown() {
        let mut before = CrowdReport {
            members: vec![MemberReport::default()],
        };
        before.members[0].media.packets_sent = 10;
        let mut now = before.clone();
        now.members[0].media.packets_sent = 17;
        let line = now.line(&before, Duration::from_secs(3));
        assert!(line.contains("3 s") && line.contains("out     7"), "{line}");
    }
}
