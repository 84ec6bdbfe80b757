//! Starting, asking, measuring and stopping the server.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod common;

use std::net::UdpSocket;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use common::{Client, PATIENCE, loopback, options, start, value};
use prometheus::Registry;
use protocol::ids::PeerId;
use protocol::sfu::{PeerClosedReason, SfuBusy, SfuCommand, SfuEvent};
use sfu_server::limits::{COMMANDS_MAX, MEDIA_ADDRESSES_MAX};
use sfu_server::{SfuServer, StartError};

#[test]
fn a_port_in_use_is_named_with_its_remedy() {
    let taken = UdpSocket::bind((loopback(), 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let options = options(vec![loopback()], port);
    let error = SfuServer::start(options, Box::new(|_| {})).unwrap_err();
    assert!(matches!(error, StartError::PortInUse(_)));
    let words = error.to_string();
    assert!(words.contains(&format!("UDP port {port} of 127.0.0.1 is in use")) && words.contains("--port"));
}

#[test]
fn addresses_that_cannot_work_are_refused_with_the_setting() {
    let cases = [
        (vec![], "there is no address"),
        (vec!["0.0.0.0"], "names no single interface"),
        (vec!["::"], "names no single interface"),
        (vec!["192.0.2.1"], "is not an address of this machine"),
        (vec!["127.0.0.1"; MEDIA_ADDRESSES_MAX + 1], "is the most"),
    ];
    for (addresses, words) in cases {
        let media_addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        let options = options(media_addresses, 0);
        let error = SfuServer::start(options, Box::new(|_| {}))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(words) && error.contains("--media-address"),
            "{error}"
        );
    }
}

#[test]
fn every_media_address_answers_the_self_check_on_one_port_until_the_server_ends() {
    let media_addresses = vec![loopback(), "127.0.0.2".parse().unwrap()];
    let options = options(media_addresses, 0);
    let server = SfuServer::start(options, Box::new(|_| {})).unwrap();
    let candidates = &server.info().candidates;
    assert_eq!(candidates[0].port(), candidates[1].port());
    let checks = server.self_check();
    assert_eq!(checks.len(), 2);
    assert!(checks.iter().all(|check| check.is_answered));
    assert!(server.is_running());
    server.stop();
    assert!(!server.is_running());
    assert!(server.self_check().iter().all(|check| !check.is_answered));
    assert_eq!(
        server.send(SfuCommand::RemovePeer { peer: PeerId(1) }),
        Err(SfuBusy)
    );
}

#[test]
fn a_port_is_free_again_after_the_last_handle_is_gone() {
    let (server, _events) = start();
    let port = server.info().candidates[0].port();
    drop(server);
    let options = options(vec![loopback()], port);
    SfuServer::start(options, Box::new(|_| {})).unwrap();
}

#[test]
fn a_full_mailbox_refuses_and_what_cannot_be_mapped_is_closed() {
    let (entered_sender, entered) = channel();
    let (release, released) = channel::<()>();
    let released = Mutex::new(released);
    let on_event = Box::new(move |event| {
        // The worker stands still while the test holds this.
        let _ = entered_sender.send(event);
        let _ = released.lock().unwrap().recv();
    });
    let options = options(vec![loopback()], 0);
    let server = SfuServer::start(options, on_event).unwrap();
    let (_, mut connection) = Client::new(1, server.info());
    connection.local_ice.ufrag = "no".to_owned();
    server
        .send(SfuCommand::AddPeer {
            peer: PeerId(1),
            connection,
        })
        .unwrap();
    let reason = PeerClosedReason::Overload;
    assert_eq!(
        entered.recv_timeout(PATIENCE),
        Ok(SfuEvent::PeerClosed {
            peer: PeerId(1),
            reason
        })
    );
    let remove = || server.send(SfuCommand::RemovePeer { peer: PeerId(1) });
    for _ in 0..COMMANDS_MAX {
        remove().unwrap();
    }
    assert_eq!(remove(), Err(SfuBusy));
    drop(release);
    let end = Instant::now() + PATIENCE;
    while remove() == Err(SfuBusy) {
        assert!(Instant::now() < end, "the mailbox is emptied again");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn metrics_count_by_reason_and_name_nobody() {
    let (server, _events) = start();
    let registry = Registry::new();
    server.register_metrics(&registry).unwrap();
    assert!(
        server.register_metrics(&registry).is_err(),
        "the same metrics twice are a mistake"
    );
    let stranger = UdpSocket::bind((loopback(), 0)).unwrap();
    stranger
        .send_to(b"\xffgarbage", server.info().candidates[0])
        .unwrap();
    server.self_check();
    let end = Instant::now() + PATIENCE;
    while value(&registry, "undertone_sfu_drops_total", Some("datagram_unknown")) < 1.0
        || value(&registry, "undertone_sfu_self_checks_answered_total", None) < 1.0
    {
        assert!(Instant::now() < end, "the counters follow");
        std::thread::sleep(Duration::from_millis(20));
    }
    for family in registry.gather() {
        assert!(family.name().starts_with("undertone_sfu_"));
        let labels = family.get_metric().iter().flat_map(|metric| metric.get_label());
        assert!(labels.map(|label| label.name()).all(|label| label == "reason"));
    }
}
