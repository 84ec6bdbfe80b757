//! The tap at the core's edge, which only the blindness test builds.

#![cfg(feature = "capture")]
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod common;

use std::sync::{Arc, Mutex};

use common::{Lab, Outgoing};
use sfu_core::{Direction, SourceKind};

#[test]
fn the_tap_sees_what_comes_in_and_what_goes_out_without_srtp() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut lab = Lab::new(1);
    let tap = seen.clone();
    lab.sfu.set_tap(Box::new(move |direction, packet: &[u8]| {
        tap.lock().unwrap().push((direction, packet.to_vec()));
    }));
    let (alice, bob) = (lab.join(1), lab.join(2));
    lab.bind(bob, "a0", Some((alice, SourceKind::Microphone)));
    lab.send(alice, &Outgoing::audio(11, 1, b"sealed by alice"));
    lab.send_rtcp(bob, |writer| writer.pli(rtp::Ssrc(1), rtp::Ssrc(2)).unwrap());
    let seen = seen.lock().unwrap();
    let directions: Vec<Direction> = seen.iter().map(|(direction, _)| *direction).collect();
    assert_eq!(directions, [Direction::In, Direction::Out, Direction::In]);
    assert!(
        seen[..2]
            .iter()
            .all(|(_, packet)| packet.ends_with(b"sealed by alice"))
    );
}
