//! Members without a browser in a meeting of the real program: what they open, and what they do not.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../serve/server.rs"]
#[allow(dead_code, reason = "the other tests use all of it")]
mod server;

use std::time::{Duration, Instant};

use loadtest::media::{SessionSettings, Voice};
use loadtest::signaling::Signaling;
use loadtest::{Access, MeetingLink, Member, MemberReport, MemberSettings, Target};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use server::Server;
use tokio::time::timeout;

/// Longest wait for anything; a loaded machine is slow, not wrong.
const PATIENCE: Duration = Duration::from_secs(20);

/// Half a second of one microphone.
const SOUND_THAT_FLOWS: u64 = 25;

#[tokio::test(flavor = "multi_thread")]
async fn three_members_hear_and_see_each_other_and_one_without_the_secret_opens_nothing() {
    let server = Server::start();
    let meeting = Meeting::new(&server, 1).await;
    let mut members: Vec<Member> = (0..3)
        .map(|number| meeting.join(number, &meeting.access))
        .collect();
    for member in &mut members {
        // Microphone and camera of each of the two others.
        wait(member, |report| report.media.tracks_opened == 4).await;
        let opened = member.report().media.audio_frames_opened;
        wait(member, |report| {
            report.media.audio_frames_opened > opened + SOUND_THAT_FLOWS
        })
        .await;
        assert_eq!(member.report().names.len(), 2);
        assert!(member.report().is_good(), "{:?}", member.report());
    }

    let stranger = Access::new(&link(&server, 2), None);
    let mut deaf = meeting.join(3, &meeting.access.with_secret_of(&stranger));
    wait(&mut deaf, |report| report.ended.is_some()).await;
    let report = deaf.report();
    assert!(report.ended.as_ref().unwrap().contains("refused"), "{report:?}");
    assert_eq!(report.media.frames_opened(), 0, "{report:?}");
    assert!(report.names.is_empty());
    for member in &mut members {
        // Everybody inside noticed, and talks on.
        wait(member, |report| report.media.failures.contains_key("wrong_psk")).await;
        let opened = member.report().media.audio_frames_opened;
        wait(member, |report| {
            report.media.audio_frames_opened > opened + SOUND_THAT_FLOWS
        })
        .await;
    }

    let first = members.remove(0).leave().await;
    assert!(first.media.video_frames_opened > 0 && first.media.video_frames_undecodable == 0);
    for member in &mut members {
        wait(member, |report| report.names.len() == 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_with_another_link_is_not_let_in() {
    let server = Server::start();
    let meeting = Meeting::new(&server, 1).await;
    let mut other = link(&server, 2);
    other.room = link(&server, 1).room;
    let mut member = meeting.join(0, &Access::new(&other, None));
    wait(&mut member, |report| report.ended.is_some()).await;
    let report = member.report();
    assert!(report.ended.unwrap().contains("refused"));
    assert_eq!(report.joined_after_ms, None);
}

struct Meeting {
    target: Target,
    access: Access,
    start: Instant,
}

impl Meeting {
    async fn new(server: &Server, seed: u64) -> Self {
        let link = link(server, seed);
        let target = Target::parse(&link.server, false).unwrap();
        let access = Access::new(&link, None);
        Signaling::create(&target, &access).await.unwrap();
        Self {
            target,
            access,
            start: Instant::now(),
        }
    }

    fn join(&self, number: u32, access: &Access) -> Member {
        Member::join(MemberSettings {
            target: self.target.clone(),
            access: access.clone(),
            name: format!("Member {number}"),
            session: SessionSettings {
                fps: 10,
                voice: Voice {
                    start: self.start,
                    number,
                    of: 3,
                },
                asks_again: true,
                ntp_at_start: Duration::from_secs(1),
            },
        })
    }
}

fn link(server: &Server, seed: u64) -> MeetingLink {
    let mut random = ChaCha20Rng::seed_from_u64(seed);
    MeetingLink::draw(&format!("http://localhost:{}", server.port), &mut random)
}

async fn wait(member: &mut Member, is_true: impl FnMut(&MemberReport) -> bool) {
    let waited = timeout(PATIENCE, member.wait_for(is_true)).await;
    assert_eq!(waited, Ok(true), "{:?}", member.report());
}
