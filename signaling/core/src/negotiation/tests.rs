use protocol::bytes::{DeflatedSdp, ResumeToken, Sealed};
use protocol::client::{
    Joined, OfferMessage, OfferedTransport, Participant, Presence, Resumed, ServerMessage, SlotBinding,
    Switch, TransportState,
};
use protocol::ids::{Mid, Rid, Seat};
use protocol::limits::{MEDIA_MEMBERS_MAX, MESSAGE_BYTES_MAX, SDP_BYTES_MAX, SEALED_BYTES_MAX};
use protocol::media::{Extension, Media, SLOTS_OF_MEDIUM_MAX, SourceKind};
use protocol::sfu::{PeerConnection, Repair, SfuInfo};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

use super::*;
use crate::limits::{SDP_LINES_MAX, TCP_CANDIDATES_MAX};

const CHROMIUM: &str = include_str!("../../fixtures/answers/chromium.sdp");
const CHROMIUM_NO_TRACKS: &str = include_str!("../../fixtures/answers/chromium-no-tracks.sdp");
const CHROMIUM_INACTIVE: &str = include_str!("../../fixtures/answers/chromium-inactive.sdp");
const CHROMIUM_BEFORE: &str = include_str!("../../fixtures/answers/chromium-before-growth.sdp");
const CHROMIUM_GROWN: &str = include_str!("../../fixtures/answers/chromium-grown.sdp");
const FIREFOX_BEFORE: &str = include_str!("../../fixtures/answers/firefox-before-growth.sdp");
const FIREFOX_GROWN: &str = include_str!("../../fixtures/answers/firefox-grown.sdp");
const FIREFOX: &str = include_str!("../../fixtures/answers/firefox.sdp");
const FIREFOX_NO_TRACKS: &str = include_str!("../../fixtures/answers/firefox-no-tracks.sdp");
const FIREFOX_ORPHANS: &str = include_str!("../../fixtures/answers/firefox-orphan-feedback.sdp");

/// One change to a real answer, and why it is refused then.
const FAULTS: &[(&str, &str, AnswerReason)] = &[
    ("v=0", "v=1", AnswerReason::NotSdp),
    ("s=-", "s", AnswerReason::BadLine),
    ("s=-", "s=\u{7}", AnswerReason::BadLine),
    (
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "m=audio nine UDP/TLS/RTP/SAVPF 111",
        AnswerReason::BadLine,
    ),
    (
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "m=audio 9 RTP/AVP 111",
        AnswerReason::OtherLines,
    ),
    (
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "m=audio 9 UDP/TLS/RTP/SAVPF",
        AnswerReason::PayloadType,
    ),
    (
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "m=audio 9 UDP/TLS/RTP/SAVPF 96",
        AnswerReason::PayloadType,
    ),
    (
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "m=audio 9 UDP/TLS/RTP/SAVPF 100",
        AnswerReason::PayloadType,
    ),
    (
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111 111",
        AnswerReason::PayloadType,
    ),
    (
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "m=audio 9 UDP/TLS/RTP/SAVPF 300",
        AnswerReason::BadLine,
    ),
    ("m=audio 9", "m=video 9", AnswerReason::OtherLines),
    ("m=audio 9", "m=text 9", AnswerReason::OtherLines),
    ("a=mid:m", "a=mid:x", AnswerReason::OtherLines),
    ("a=mid:m", "a=mid:m\r\na=mid:c", AnswerReason::BadLine),
    ("a=mid:m\r\n", "", AnswerReason::OtherLines),
    (
        "a=rtpmap:111 opus",
        "a=rtpmap:111 PCMU",
        AnswerReason::PayloadType,
    ),
    (
        "a=rtpmap:100 VP8/90000",
        "a=rtpmap:100",
        AnswerReason::PayloadType,
    ),
    (
        "a=rtpmap:103 rtx/90000",
        "a=rtpmap:103 VP8/90000",
        AnswerReason::PayloadType,
    ),
    (
        "a=fmtp:103 apt=100",
        "a=fmtp:103 apt=101",
        AnswerReason::PayloadType,
    ),
    (
        "a=fmtp:103 apt=100",
        "a=fmtp:103 apt=x",
        AnswerReason::PayloadType,
    ),
    (
        "a=fmtp:103 apt=100",
        "a=fmtp:100 apt=100",
        AnswerReason::PayloadType,
    ),
    (
        "SAVPF 100 101 102 103 104 105",
        "SAVPF 103 104 105",
        AnswerReason::PayloadType,
    ),
    (
        "a=mid:c\r\n",
        "a=mid:c\r\na=ssrc-group:FID 1\r\n",
        AnswerReason::Ssrc,
    ),
    (
        "a=mid:c\r\n",
        "a=mid:c\r\na=ssrc-group:FID 1 x\r\n",
        AnswerReason::Ssrc,
    ),
    ("BUNDLE m c", "BUNDLE m", AnswerReason::NotBundled),
    ("a=group:BUNDLE", "a=group:LS", AnswerReason::NotBundled),
    ("a=rtcp-mux\r\n", "", AnswerReason::NoRtcpMux),
    ("a=sendonly", "a=recvonly", AnswerReason::Direction),
    ("a=sendonly", "a=sendrecv", AnswerReason::Direction),
    ("a=sendonly\r\n", "", AnswerReason::Direction),
    ("a=recvonly", "a=sendonly", AnswerReason::Direction),
    ("a=setup:active", "a=setup:passive", AnswerReason::Setup),
    ("a=setup:active", "a=setup:holdconn", AnswerReason::Setup),
    ("a=extmap:1 urn", "a=extmap:7 urn", AnswerReason::Extension),
    (
        "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid",
        "a=extmap:1 urn:x",
        AnswerReason::Extension,
    ),
    ("a=extmap:1 urn", "a=extmap:4 urn", AnswerReason::Extension),
    (
        "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid",
        "a=extmap:1",
        AnswerReason::Extension,
    ),
    ("a=rid:l send", "a=rid:l recv", AnswerReason::Rid),
    ("a=rid:l send", "a=rid:l-1 send", AnswerReason::Rid),
    ("a=rid:l send\r\n", "", AnswerReason::Rid),
    ("send l;m;h", "send l;m;q", AnswerReason::Rid),
    ("send l;m;h", "send l;m;l", AnswerReason::Rid),
    ("send l;m;h", "recv l;m;h", AnswerReason::Rid),
    ("send l;m;h", "send ;", AnswerReason::Rid),
    ("a=ssrc:", "a=ssrc:x", AnswerReason::Ssrc),
    ("a=ssrc:", "a=ssrc:9", AnswerReason::Ssrc),
];

#[test]
fn the_offer_is_the_one_that_browsers_answered() {
    assert_eq!(offer().sdp(&sfu()), include_str!("../../fixtures/offer.sdp"));
}

#[test]
fn the_deflated_offer_inflates_to_the_offer() {
    let deflated = offer().deflated(&sfu()).unwrap();
    assert_eq!(deflated.inflate().unwrap().as_str(), offer().sdp(&sfu()));
    assert!(
        deflated.as_bytes().len() < 1_500,
        "{} bytes",
        deflated.as_bytes().len()
    );
}

#[test]
fn no_two_offers_share_credentials_or_ssrcs() {
    let mut rng = ChaCha12Rng::seed_from_u64(1);
    let pool = Pool::for_others(MEDIA_MEMBERS_MAX);
    let (one, other) = (Offer::new(1, pool, &mut rng), Offer::new(1, pool, &mut rng));
    assert_ne!(one.local_ice.ufrag, other.local_ice.ufrag);
    assert_ne!(one.local_ice.pwd, other.local_ice.pwd);
    assert!(one.local_ice.ufrag.len() >= 8 && one.local_ice.pwd.len() >= 24);
    let ssrcs = |offer: &Offer| -> std::collections::BTreeSet<u32> {
        let slots = offer.lines.iter().filter_map(|line| match line.role {
            Role::Slot {
                ssrc,
                retransmission_ssrc,
                ..
            } => Some([Some(ssrc), retransmission_ssrc]),
            Role::Publish(_) => None,
        });
        slots.flatten().flatten().collect()
    };
    assert_eq!(ssrcs(&one).len(), 23 + 2 * 23);
    assert!(ssrcs(&one).is_disjoint(&ssrcs(&other)));
}

#[test]
fn answers_of_real_browsers_are_accepted_whole() {
    for (name, answer) in [
        ("chromium", CHROMIUM),
        ("chromium without tracks", CHROMIUM_NO_TRACKS),
        ("firefox", FIREFOX),
        ("firefox without tracks", FIREFOX_NO_TRACKS),
        ("firefox with orphan feedback", FIREFOX_ORPHANS),
    ] {
        let connection = accepts(name, answer);
        assert_eq!(connection.local_ice, offer().local_ice, "{name}");
        let kinds: Vec<_> = connection
            .publications
            .iter()
            .map(|publication| publication.kind)
            .collect();
        assert_eq!(kinds, [SourceKind::Microphone, SourceKind::Camera], "{name}");
        let rids: Vec<&str> = connection.publications[1].rids.iter().map(Rid::as_str).collect();
        assert_eq!(rids, ["l", "m", "h"], "{name}");
        let slots = |media| connection.slots.iter().filter(|slot| slot.media == media).count();
        assert_eq!((slots(Media::Audio), slots(Media::Video)), (4, 9), "{name}");
        let extensions: Vec<Extension> = connection.extensions.iter().map(|(_, it)| *it).collect();
        let wanted = [
            Extension::Mid,
            Extension::RtpStreamId,
            Extension::RepairedRtpStreamId,
            Extension::AudioLevel,
            Extension::TransportSequenceNumber,
        ];
        assert_eq!(extensions, wanted, "{name}");
    }
}

#[test]
fn details_of_real_answers_arrive() {
    let chromium = accepts("chromium", CHROMIUM);
    assert_eq!(chromium.remote_ice.ufrag, value(CHROMIUM, "a=ice-ufrag:"));
    assert_eq!(chromium.remote_ice.pwd, value(CHROMIUM, "a=ice-pwd:"));
    let hex: Vec<String> = chromium
        .remote_fingerprint
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    assert_eq!(hex.join(":"), value(CHROMIUM, "a=fingerprint:sha-256 "));
    assert_eq!(chromium.publications[0].ssrcs.len(), 1);
    assert!(
        chromium.publications[1].ssrcs.is_empty(),
        "Chromium names no SSRC for layers"
    );
    assert_eq!(chromium.publications[1].payload_types, [100, 101, 102]);

    let firefox = accepts("firefox", FIREFOX);
    assert_eq!(firefox.publications[1].ssrcs.len(), 6);

    let orphans = accepts("firefox with orphan feedback", FIREFOX_ORPHANS);
    assert!(FIREFOX_ORPHANS.contains("m=video 9 UDP/TLS/RTP/SAVPF 100\r\n"));
    assert!(FIREFOX_ORPHANS.contains("a=rtcp-fb:102 nack pli"));
    assert_eq!(orphans.publications[1].payload_types, [100]);
    assert_eq!(orphans.slots[4].payload_types, [100]);
    assert_eq!(orphans.slots[5].payload_types, [100, 101, 102]);
}

#[test]
fn both_browsers_take_retransmission_of_video_and_leave_audio_as_it_is() {
    for (name, answer) in [("chromium", CHROMIUM), ("firefox", FIREFOX)] {
        let connection = accepts(name, answer);
        let [microphone, camera] = &connection.publications[..] else {
            panic!("two publications")
        };
        assert_eq!(microphone.repair, Repair::None, "{name}");
        let Repair::Retransmit(pairs) = &camera.repair else {
            panic!("{name} takes retransmissions")
        };
        assert_eq!(pairs.len(), if name == "firefox" { 3 } else { 0 }, "{name}");
        for slot in &connection.slots {
            let offered = offer().lines.into_iter().find(|line| line.mid == slot.mid);
            let Some(Role::Slot {
                retransmission_ssrc, ..
            }) = offered.map(|line| line.role)
            else {
                panic!("a slot of the offer")
            };
            let expected = retransmission_ssrc.map_or(Repair::None, Repair::Retransmit);
            assert_eq!(slot.repair, expected, "{name}");
        }
    }
    let orphans = accepts("firefox with orphan feedback", FIREFOX_ORPHANS);
    assert_eq!(
        orphans.publications[1].repair,
        Repair::None,
        "retransmission went with the preferences, NACK alone is half of it"
    );
}

#[test]
fn audio_is_repeated_where_the_answer_asks_for_it() {
    let asks = CHROMIUM.replacen(
        "a=rtcp-fb:111 transport-cc\r\n",
        "a=rtcp-fb:111 nack\r\na=rtcp-fb:111 transport-cc\r\n",
        2,
    );
    let connection = accepts("chromium with NACK for audio", &asks);
    assert_eq!(connection.publications[0].repair, Repair::Repeat);
    assert_eq!(connection.slots[0].repair, Repair::Repeat);
    assert_eq!(connection.slots[1].repair, Repair::None);
    let every = CHROMIUM.replacen("a=rtcp-fb:111 transport-cc\r\n", "a=rtcp-fb:* nack\r\n", 1);
    assert_eq!(
        accepts("for every payload type", &every).publications[0].repair,
        Repair::Repeat
    );
}

#[test]
fn one_half_of_retransmission_is_none() {
    for (from, to) in [
        ("a=rtcp-fb:100 nack\r\n", ""),
        ("a=fmtp:104 apt=101\r\n", ""),
        (" 103 104 105\r\n", " 103 104\r\n"),
    ] {
        let answer = CHROMIUM.replacen(from, to, 1);
        assert_ne!(answer, CHROMIUM, "{from} is there");
        let connection = accepts(from, &answer);
        assert_eq!(connection.publications[1].repair, Repair::None, "{from}");
        assert_eq!(
            connection.publications[1].payload_types,
            [100, 101, 102],
            "{from}"
        );
    }
}

#[test]
fn an_inactive_or_rejected_line_is_left_out() {
    let inactive = accepts("chromium inactive", CHROMIUM_INACTIVE);
    assert!(inactive.publications.is_empty());
    assert_eq!(inactive.slots.len(), 13);

    let rejected = CHROMIUM
        .replacen("m=audio 9", "m=audio 0", 2)
        .replacen("m=audio 0", "m=audio 9", 1);
    let rejected = rejected.replacen("BUNDLE m c a0 a1", "BUNDLE m c a1", 1);
    let connection = accepts("slot a0 rejected", &rejected);
    assert_eq!(connection.slots.len(), 12);
    assert_eq!(connection.slots[0].mid, Mid::new("a1").unwrap());
}

#[test]
fn line_ends_without_carriage_return_are_tolerated() {
    assert_eq!(
        accepts("LF", &CHROMIUM.replace("\r\n", "\n")),
        accepts("CR LF", CHROMIUM)
    );
}

#[test]
fn session_level_credentials_are_as_good_as_those_of_each_line() {
    let mut lines: Vec<&str> = CHROMIUM.lines().collect();
    let shared = ["a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=setup:"];
    let is_shared = |line: &&str| shared.iter().any(|prefix| line.starts_with(prefix));
    let found: Vec<&str> = lines.iter().copied().filter(is_shared).take(4).collect();
    lines.retain(|line| !is_shared(line));
    for line in found {
        lines.insert(4, line);
    }
    assert_eq!(
        accepts("session level", &(lines.join("\r\n") + "\r\n")),
        accepts("as it was", CHROMIUM)
    );
}

#[test]
fn transport_attributes_may_stand_in_the_first_line_of_the_bundle_only() {
    let (first, rest) = CHROMIUM.split_at(CHROMIUM.find("m=video").unwrap());
    let shared = ["a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=setup:"];
    let rest = rest
        .lines()
        .filter(|line| !shared.iter().any(|prefix| line.starts_with(prefix)));
    let answer = format!("{first}{}\r\n", rest.collect::<Vec<_>>().join("\r\n"));
    assert_eq!(
        accepts("first line only", &answer),
        accepts("as it was", CHROMIUM)
    );
}

#[test]
fn one_layer_or_none_is_a_single_stream_or_a_shorter_list() {
    let shorter = CHROMIUM
        .replace("a=rid:h send\r\n", "")
        .replace("send l;m;h", "send l;~m");
    let rids = |answer: &str| accepts("layers", answer).publications[1].rids.clone();
    assert_eq!(rids(&shorter), [Rid::new("l").unwrap(), Rid::new("m").unwrap()]);
    let without = CHROMIUM.replace("a=simulcast:send l;m;h\r\n", "");
    assert!(rids(&without).is_empty());
}

#[test]
fn every_fault_is_refused_for_its_reason() {
    for (from, to, reason) in FAULTS {
        let answer = CHROMIUM.replacen(from, to, 1);
        assert_ne!(answer, CHROMIUM, "{from} is there");
        assert_eq!(refused(&answer).reason, *reason, "{from} becomes {to}");
    }
}

#[test]
fn credentials_that_differ_between_lines_are_refused() {
    for (prefix, other, reason) in [
        ("a=ice-ufrag:", "abcd", AnswerReason::Ice),
        ("a=ice-pwd:", "0123456789012345678901", AnswerReason::Ice),
        (
            "a=fingerprint:sha-256 ",
            &["00"; 32].join(":"),
            AnswerReason::Fingerprint,
        ),
        ("a=setup:", "passive", AnswerReason::Setup),
    ] {
        let old = format!("{prefix}{}", value(CHROMIUM, prefix));
        let other_in_first = CHROMIUM.replacen(&old, &format!("{prefix}{other}"), 1);
        assert_eq!(refused(&other_in_first).reason, reason, "{prefix}");
        let missing = CHROMIUM.replace(&format!("{old}\r\n"), "");
        assert_eq!(refused(&missing).reason, reason, "{prefix}");
    }
}

#[test]
fn malformed_credentials_are_refused() {
    for (prefix, bad, reason) in [
        ("a=ice-ufrag:", "abc", AnswerReason::Ice),
        ("a=ice-ufrag:", "ab cd", AnswerReason::Ice),
        ("a=ice-pwd:", "short", AnswerReason::Ice),
        ("a=fingerprint:sha-256 ", "AB:CD", AnswerReason::Fingerprint),
        (
            "a=fingerprint:sha-256 ",
            &["0"; 32].join(":"),
            AnswerReason::Fingerprint,
        ),
        (
            "a=fingerprint:sha-256 ",
            &["+1"; 32].join(":"),
            AnswerReason::Fingerprint,
        ),
        (
            "a=fingerprint:sha-256 ",
            &["00"; 33].join(":"),
            AnswerReason::Fingerprint,
        ),
    ] {
        let answer = CHROMIUM.replace(
            &format!("{prefix}{}", value(CHROMIUM, prefix)),
            &format!("{prefix}{bad}"),
        );
        assert_eq!(refused(&answer).reason, reason, "{prefix}{bad}");
    }
    let sha1 = CHROMIUM.replace("a=fingerprint:sha-256", "a=fingerprint:sha-1");
    assert_eq!(refused(&sha1).reason, AnswerReason::Fingerprint);
}

#[test]
fn an_ssrc_of_our_own_slots_cannot_be_claimed() {
    let Some(OfferedLine {
        role: Role::Slot { ssrc, .. },
        ..
    }) = offer().lines.last().copied()
    else {
        panic!("the last line is a slot");
    };
    let mine = value(CHROMIUM, "a=ssrc:");
    let claimed = CHROMIUM.replace(mine.split(' ').next().unwrap(), &ssrc.to_string());
    assert_eq!(refused(&claimed).reason, AnswerReason::Ssrc);
    let paired = CHROMIUM.replacen(
        "a=mid:c\r\n",
        &format!("a=mid:c\r\na=ssrc-group:FID 9 {ssrc}\r\n"),
        1,
    );
    assert_eq!(refused(&paired).reason, AnswerReason::Ssrc);
}

#[test]
fn every_bound_of_an_answer_is_kept() {
    let attributes = |line: &str, count| {
        CHROMIUM.replacen("a=mid:m\r\n", &format!("a=mid:m\r\n{}", line.repeat(count)), 1)
    };
    assert_eq!(
        refused(&"x".repeat(SDP_BYTES_MAX + 1)).reason,
        AnswerReason::TooLarge
    );
    assert_eq!(
        refused(&attributes("a=x\r\n", 4_000)).reason,
        AnswerReason::TooLarge
    );
    assert_eq!(
        refused(&attributes(&format!("a={}\r\n", "x".repeat(1_000)), 1)).reason,
        AnswerReason::TooLarge
    );
    let ssrcs: String = (0..40).map(|number| format!("a=ssrc:{number} x\r\n")).collect();
    assert_eq!(refused(&attributes(&ssrcs, 1)).reason, AnswerReason::TooLarge);
    let sections = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n".repeat(65);
    assert_eq!(
        refused(&format!("v=0\r\n{sections}")).reason,
        AnswerReason::TooLarge
    );
    assert_eq!(refused("").reason, AnswerReason::NotSdp);
}

#[test]
fn another_number_of_lines_than_offered_is_refused() {
    let cut = &CHROMIUM[..CHROMIUM.rfind("m=video").unwrap()];
    assert_eq!(refused(cut).reason, AnswerReason::OtherLines);
    assert_eq!(
        refused(&format!("{CHROMIUM}m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n")).reason,
        AnswerReason::OtherLines
    );
}

#[test]
fn a_refusal_says_where_and_holds_no_secret() {
    let answer = CHROMIUM.replacen("a=extmap:1 urn", "a=extmap:9 urn", 1);
    assert_eq!(
        refused(&answer).to_string(),
        "extension: extension that was not offered under this id, m-line m, line 8"
    );
    let bad_pwd = CHROMIUM.replace(&value(CHROMIUM, "a=ice-pwd:"), "se cret");
    assert!(!refused(&bad_pwd).to_string().contains("cret"));
}

#[test]
fn a_grown_offer_keeps_its_lines_and_adds_the_others_behind_them() {
    let (before, after) = (offer(), grown_offer());
    assert_eq!(before.lines[..], after.lines[..before.lines.len()]);
    assert_eq!(after.lines.len(), 48);
    assert_eq!(before.local_ice, after.local_ice);
    let (before, after) = (before.sdp(&sfu()), after.sdp(&sfu()));
    let session = |sdp: &str| value(sdp, "o=- ").split(' ').next().unwrap().to_owned();
    assert_eq!(session(&before), session(&after));
    assert!(
        after.contains(" 2 IN IP4 127.0.0.1\r\n"),
        "the version is the number"
    );
    let behind_bundle = |sdp: &str| sdp[sdp.find("a=extmap-allow-mixed").unwrap()..].to_owned();
    assert!(behind_bundle(&after).starts_with(&behind_bundle(&before)));
}

#[test]
fn audio_and_video_of_one_number_are_one_stream() {
    let sdp = grown_offer().sdp(&sfu());
    for number in 0..SLOTS_OF_MEDIUM_MAX {
        for medium in ["a", "v"] {
            let line = format!("a=msid:s{number} {medium}{number}\r\n");
            assert_eq!(sdp.matches(&line).count(), 1, "{line}");
        }
    }
}

#[test]
fn an_answer_to_more_slots_adds_them_and_nothing_else() {
    let agreed = accepts("first", CHROMIUM);
    let slots = accept_again(&grown_offer(), &agreed, &grown(CHROMIUM)).unwrap();
    let mids: Vec<&str> = slots.iter().map(|slot| slot.mid.as_str()).collect();
    assert_eq!(mids.len(), 2 * SLOTS_OF_MEDIUM_MAX - 13);
    assert_eq!((mids[0], mids[mids.len() - 1]), ("a4", "v22"));

    let none = accept_again(&offer(), &agreed, CHROMIUM).unwrap();
    assert!(none.is_empty(), "an answer to the same lines adds none");
    let reordered = CHROMIUM.replacen("SAVPF 100 101 102", "SAVPF 102 101 100", 1);
    let none = accept_again(&offer(), &agreed, &reordered).unwrap();
    assert!(none.is_empty(), "another order is another wish");
}

#[test]
fn real_browsers_grow_to_the_slots_of_a_full_room() {
    for (name, before, after) in [
        ("chromium", CHROMIUM_BEFORE, CHROMIUM_GROWN),
        ("firefox", FIREFOX_BEFORE, FIREFOX_GROWN),
    ] {
        let agreed = accepts(name, before);
        let slots = accept_again(&grown_offer(), &agreed, after).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(slots.len(), 2 * SLOTS_OF_MEDIUM_MAX - 13, "{name}");
    }
}

#[test]
fn an_answer_that_changes_what_was_agreed_is_refused() {
    let agreed = accepts("first", CHROMIUM);
    let zeros = ["00"; 32].join(":");
    for (prefix, other, reason) in [
        ("a=ice-ufrag:", "abcd", AnswerReason::Ice),
        ("a=ice-pwd:", "0123456789012345678901", AnswerReason::Ice),
        (
            "a=fingerprint:sha-256 ",
            zeros.as_str(),
            AnswerReason::Fingerprint,
        ),
    ] {
        let old = format!("{prefix}{}", value(CHROMIUM, prefix));
        let answer = grown(&CHROMIUM.replace(&old, &format!("{prefix}{other}")));
        let error = accept_again(&grown_offer(), &agreed, &answer).unwrap_err();
        assert_eq!(error.reason, reason, "{prefix}");
    }
    for (from, to) in [
        ("a=sendonly", "a=inactive"),
        ("a=recvonly", "a=inactive"),
        ("a=simulcast:send l;m;h\r\n", ""),
        ("SAVPF 100 101 102", "SAVPF 100"),
    ] {
        let answer = grown(&CHROMIUM.replacen(from, to, 1));
        let error = accept_again(&grown_offer(), &agreed, &answer).unwrap_err();
        assert_eq!(error.reason, AnswerReason::Changed, "{from} becomes {to}");
        assert!(error.mid.is_some());
    }
    let inactive = accepts("inactive", CHROMIUM_INACTIVE);
    let mine = value(CHROMIUM_INACTIVE, "a=ice-ufrag:");
    let answer = CHROMIUM_INACTIVE.replacen("a=inactive", "a=sendonly", 1);
    let error = accept_again(&offer(), &inactive, &answer).unwrap_err();
    assert_eq!(error.reason, AnswerReason::Changed, "{mine} begins to send");
}

#[test]
fn everything_of_a_full_room_fits_into_a_message() {
    let offer = grown_offer();
    let deflated = offer.deflated(&sfu()).unwrap();
    let sealed = Sealed::new(vec![0xA5; SEALED_BYTES_MAX]).unwrap();
    let participants = (0..MEDIA_MEMBERS_MAX - 1).map(|number| Participant {
        seat: Seat::new(1_000 + u16::try_from(number).unwrap()).unwrap(),
        microphone: Switch::Off,
        camera: Switch::Off,
        presence: Presence::Here,
        sealed: Some(sealed.clone()),
    });
    let slots: Vec<SlotBinding> = offer.lines[2..]
        .iter()
        .map(|line| SlotBinding {
            mid: line.mid,
            seat: Seat::new(1_023).ok(),
            source: Some(SourceKind::Microphone),
        })
        .collect();
    let joined = ServerMessage::Joined(Joined {
        seat: Seat::FIRST,
        participants: participants.clone().collect(),
        slots: slots.clone(),
        negotiation: u32::MAX,
        offer: Some(deflated.clone()),
        token: ResumeToken::from_bytes([7; 32]),
        tcp_candidates: vec!["x".repeat(100); TCP_CANDIDATES_MAX],
    });
    let resumed = ServerMessage::Resumed(Resumed {
        seat: Seat::FIRST,
        participants: participants.collect(),
        slots: slots.clone(),
        transport: TransportState::Connected,
    });
    let offered = ServerMessage::Offer(OfferMessage {
        negotiation: u32::MAX,
        transport: OfferedTransport::Kept,
        slots,
        offer: deflated.clone(),
    });
    for message in [joined, resumed, offered] {
        let json = message.encode();
        assert!(json.len() < MESSAGE_BYTES_MAX * 3 / 4, "{} bytes", json.len());
        assert_eq!(ServerMessage::decode(json.as_bytes()), Ok(message));
    }
    assert!(offer.sdp(&sfu()).len() < SDP_BYTES_MAX / 2);
    let answer = grown(CHROMIUM);
    assert!(answer.lines().count() < SDP_LINES_MAX / 2);
    let answer = DeflatedSdp::deflate(&answer).unwrap().as_bytes().len();
    assert!(answer < MESSAGE_BYTES_MAX / 8, "{answer} bytes");
}

/// The next offer for the same transport, with the slots of a full room.
fn grown_offer() -> Offer {
    let mut offer = offer();
    let pool = Pool::for_others(MEDIA_MEMBERS_MAX - 1);
    offer.grow(2, pool, &mut ChaCha12Rng::seed_from_u64(8));
    offer
}

/// The answer to it of the browser that gave this answer to the first: its new lines are like its old ones.
fn grown(answer: &str) -> String {
    let like = |mid: &str| {
        let section = answer
            .split("m=")
            .find(|section| section.contains(&format!("a=mid:{mid}\r\n")));
        format!("m={}", section.expect("a line of this name"))
    };
    let (audio, video) = (like("a1"), like("v1"));
    let mut grown = answer.to_owned();
    let mut bundle = value(answer, "a=group:BUNDLE");
    for line in &grown_offer().lines[offer().lines.len()..] {
        let mid = format!("a=mid:{}\r\n", line.mid);
        grown.push_str(&match line.media {
            Media::Audio => audio.replace("a=mid:a1\r\n", &mid),
            Media::Video => video.replace("a=mid:v1\r\n", &mid),
        });
        bundle = format!("{bundle} {}", line.mid);
    }
    let old = value(answer, "a=group:BUNDLE");
    grown.replacen(&old, &bundle, 1)
}

fn offer() -> Offer {
    Offer::new(1, Pool::for_others(0), &mut ChaCha12Rng::seed_from_u64(7))
}

fn sfu() -> SfuInfo {
    let candidates = vec![
        "127.0.0.1:8080".parse().unwrap(),
        "[2001:db8::1]:8080".parse().unwrap(),
    ];
    SfuInfo {
        fingerprint: [0xAB; 32],
        candidates,
        tcp_candidates: Vec::new(),
    }
}

fn accepts(name: &str, answer: &str) -> PeerConnection {
    accept(&offer(), answer).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn refused(answer: &str) -> AnswerError {
    accept(&offer(), answer).expect_err("an answer with a fault")
}

/// What stands behind the first occurrence of a prefix, up to the end of its line.
fn value(answer: &str, prefix: &str) -> String {
    let line = answer
        .lines()
        .find(|line| line.starts_with(prefix))
        .expect("a line with this prefix");
    line[prefix.len()..].to_owned()
}
