use std::net::SocketAddr;
use std::time::Duration;

use super::*;

#[test]
fn media_goes_where_the_peer_chose_and_was_proven_to_be() {
    let (mut paths, now) = (Paths::default(), start_of_time());
    paths.checked(path(1), now);
    paths.nominate(path(1));
    assert_eq!(paths.destination(), None);
    assert_eq!(paths.handshake(), Some(path(1)));
    paths.prove_latest();
    assert_eq!(paths.destination(), Some(path(1)));
    paths.checked(path(2), now);
    paths.prove(path(2), now);
    assert_eq!(paths.destination(), Some(path(1)), "it was not chosen");
    paths.nominate(path(3));
    paths.prove(path(3), now);
    assert_eq!(paths.destination(), Some(path(1)), "it was not checked");
    paths.nominate(path(2));
    paths.prove(path(2), now);
    assert_eq!(paths.destination(), Some(path(2)));
}

#[test]
fn a_proof_does_not_outlive_consent() {
    let (mut paths, now) = (Paths::default(), start_of_time());
    paths.checked(path(1), now);
    paths.prove_latest();
    paths.checked(path(2), now);
    paths.prove(path(2), now);
    let later = now + CONSENT_TIMEOUT;
    paths.expire(later);
    assert_eq!(paths.destination(), None);
    paths.checked(path(2), later);
    paths.expire(later);
    paths.close(path(1), later);
    assert_eq!(
        paths.destination(),
        None,
        "who comes back shows that it is the same"
    );
    paths.prove(path(2), later);
    assert_eq!(paths.destination(), Some(path(2)));
    assert_eq!(paths.consent_until(), Some(later + CONSENT_TIMEOUT));
}

#[test]
fn of_several_proven_paths_the_one_checked_last_takes_over() {
    let (mut paths, now) = (Paths::default(), start_of_time());
    for (port, second) in [(1, 0), (2, 2), (3, 1)] {
        let now = now + Duration::from_secs(second);
        paths.checked(path(port), now);
        paths.prove(path(port), now);
    }
    assert_eq!(paths.destination(), Some(path(1)));
    paths.close(path(1), now + Duration::from_secs(3));
    assert_eq!(paths.destination(), Some(path(2)));
    assert!(!paths.contains(path(1)));
}

fn path(port: u16) -> Path {
    Path::tcp(
        SocketAddr::from(([10, 0, 0, 1], 8_080)),
        SocketAddr::from(([10, 0, 0, 2], port)),
    )
}

#[expect(clippy::disallowed_methods, reason = "an instant can be made in no other way")]
fn start_of_time() -> Instant {
    Instant::now()
}
