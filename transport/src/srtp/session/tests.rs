use proptest::prelude::*;

use super::*;
use crate::srtp::testing::{PROFILES, keys, rtcp, rtp};

const SSRC: u32 = 0xCAFE_BABE;

#[test]
fn rtp_goes_there_and_back_in_every_profile() {
    for profile in PROFILES {
        let (mut protector, mut unprotector) = pair(profile);
        for sequence_number in 0..50 {
            let plain = rtp(SSRC, sequence_number, &[7; 40]);
            let mut sealed = seal(&mut protector, &plain).unwrap();
            assert_eq!(sealed.len(), plain.len() + profile.tag_len());
            assert_eq!(sealed[..12], plain[..12]);
            assert_ne!(sealed[12..52], plain[12..]);
            assert_eq!(unprotector.unprotect_rtp(&mut sealed), Ok(plain.len()));
            assert_eq!(sealed[..plain.len()], plain);
        }
    }
}

#[test]
fn rtcp_goes_there_and_back_in_every_profile() {
    for profile in PROFILES {
        let (mut protector, mut unprotector) = pair(profile);
        for words in 0..50 {
            let plain = rtcp(SSRC, words);
            let mut sealed = seal_rtcp(&mut protector, &plain).unwrap();
            assert_eq!(sealed.len(), plain.len() + profile.tag_len() + 4);
            assert_eq!(unprotector.unprotect_rtcp(&mut sealed), Ok(plain.len()));
            assert_eq!(sealed[..plain.len()], plain);
        }
    }
}

#[test]
fn each_direction_has_keys_of_its_own() {
    for profile in PROFILES {
        let mut protector = Protector::new(&keys(profile));
        let mut same_side = Unprotector::new(&keys(profile));
        let mut sealed = seal(&mut protector, &rtp(SSRC, 1, &[1; 9])).unwrap();
        assert_eq!(
            same_side.unprotect_rtp(&mut sealed),
            Err(SrtpError::Authentication)
        );
    }
}

#[test]
fn the_same_packet_is_sealed_again_into_the_same_bytes() {
    for profile in PROFILES {
        let (mut protector, _) = pair(profile);
        // Over the wrap of the sequence number, so that the rollover counter counts too.
        let plain: Vec<_> = (32_000..=70_000_u32)
            .map(|number| rtp(SSRC, number as u16, &number.to_be_bytes()))
            .collect();
        let sealed: Vec<_> = plain
            .iter()
            .map(|plain| seal(&mut protector, plain).unwrap())
            .collect();
        for late in [0, 1, 500] {
            let place = plain.len() - 1 - late;
            let tag = protector.tag(&sealed[place]).unwrap();
            assert_eq!(
                seal_again(&mut protector, &plain[place], &tag).unwrap(),
                sealed[place]
            );
        }
    }
}

#[test]
fn another_packet_under_a_sealed_index_never_leaves() {
    for profile in PROFILES {
        let (mut protector, _) = pair(profile);
        let plain = rtp(SSRC, 1, &[1; 40]);
        let sealed = seal(&mut protector, &plain).unwrap();
        let tag = protector.tag(&sealed).unwrap();
        for place in [1, 4, 12, 51] {
            let mut other = plain.clone();
            other[place] ^= 1;
            let len = other.len();
            other.resize(len + Protection::RTP_OVERHEAD_MAX, 0);
            let refused = protector.protect_rtp_again(&mut other, len, &tag);
            assert_eq!(refused, Err(SrtpError::Differs));
            assert!(other.iter().all(|byte| *byte == 0), "nothing of it remains");
        }
        assert_eq!(seal(&mut protector, &plain), Err(SrtpError::Replayed));
    }
}

#[test]
fn what_was_never_sealed_is_not_sealed_again() {
    for profile in PROFILES {
        let (mut protector, _) = pair(profile);
        let plain = rtp(SSRC, 3_000, &[1; 40]);
        let never = |outcome: Result<Vec<u8>, SrtpError>| assert_eq!(outcome, Err(SrtpError::NeverSealed));
        let sealed = seal(&mut protector, &plain).unwrap();
        let tag = protector.tag(&sealed).unwrap();
        never(seal_again(&mut protector, &rtp(SSRC, 3_001, &[1; 40]), &tag));
        never(seal_again(&mut protector, &rtp(SSRC, 2_999, &[1; 40]), &tag));
        never(seal_again(&mut protector, &rtp(SSRC + 1, 3_000, &[1; 40]), &tag));
        seal(
            &mut protector,
            &rtp(SSRC, 3_000 + limits::REPLAY_WINDOW_RTP as u16, &[]),
        )
        .unwrap();
        never(seal_again(&mut protector, &plain, &tag));
    }
}

#[test]
fn replayed_packets_are_refused() {
    for profile in PROFILES {
        let (mut protector, mut unprotector) = pair(profile);
        let sealed = seal(&mut protector, &rtp(SSRC, 1, &[1; 9])).unwrap();
        let sealed_rtcp = seal_rtcp(&mut protector, &rtcp(SSRC, 3)).unwrap();
        assert!(unprotector.unprotect_rtp(&mut sealed.clone()).is_ok());
        assert!(unprotector.unprotect_rtcp(&mut sealed_rtcp.clone()).is_ok());
        assert_eq!(
            unprotector.unprotect_rtp(&mut sealed.clone()),
            Err(SrtpError::Replayed)
        );
        assert_eq!(
            unprotector.unprotect_rtcp(&mut sealed_rtcp.clone()),
            Err(SrtpError::Replayed)
        );
    }
}

#[test]
fn forged_packet_does_not_block_the_authentic_one() {
    for profile in PROFILES {
        let (mut protector, mut unprotector) = pair(profile);
        let first = seal(&mut protector, &rtp(SSRC, 1, &[1; 9])).unwrap();
        assert!(unprotector.unprotect_rtp(&mut first.clone()).is_ok());
        let next = seal(&mut protector, &rtp(SSRC, 2, &[1; 9])).unwrap();
        let authentic = seal(&mut protector, &rtp(SSRC, 20_000, &[1; 9])).unwrap();
        let mut forged = authentic.clone();
        forged[14] ^= 1;
        assert_eq!(
            unprotector.unprotect_rtp(&mut forged),
            Err(SrtpError::Authentication)
        );
        assert!(
            unprotector.unprotect_rtp(&mut next.clone()).is_ok(),
            "the forged packet moved the window"
        );
        assert!(unprotector.unprotect_rtp(&mut authentic.clone()).is_ok());
    }
}

#[test]
fn every_flipped_bit_is_found() {
    for profile in PROFILES {
        let (mut protector, mut unprotector) = pair(profile);
        let sealed = seal(&mut protector, &rtp(SSRC, 1, b"words")).unwrap();
        let sealed_rtcp = seal_rtcp(&mut protector, &rtcp(SSRC, 2)).unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut forged = sealed.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(
                unprotector.unprotect_rtp(&mut forged).is_err(),
                "{profile} RTP bit {bit}"
            );
        }
        for bit in 0..sealed_rtcp.len() * 8 {
            let mut forged = sealed_rtcp.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(
                unprotector.unprotect_rtcp(&mut forged).is_err(),
                "{profile} RTCP bit {bit}"
            );
        }
    }
}

#[test]
fn every_truncation_is_refused() {
    for profile in PROFILES {
        let (mut protector, mut unprotector) = pair(profile);
        let sealed = seal(&mut protector, &rtp(SSRC, 1, &[1; 9])).unwrap();
        let sealed_rtcp = seal_rtcp(&mut protector, &rtcp(SSRC, 2)).unwrap();
        for len in 0..sealed.len() {
            assert!(unprotector.unprotect_rtp(&mut sealed[..len].to_vec()).is_err());
        }
        for len in 0..sealed_rtcp.len() {
            assert!(
                unprotector
                    .unprotect_rtcp(&mut sealed_rtcp[..len].to_vec())
                    .is_err()
            );
        }
    }
}

#[test]
fn sealing_a_sequence_number_twice_is_refused() {
    let (mut protector, _) = pair(SrtpProfile::AeadAes256Gcm);
    assert!(seal(&mut protector, &rtp(SSRC, 9, b"one")).is_ok());
    assert_eq!(
        seal(&mut protector, &rtp(SSRC, 9, b"two")),
        Err(SrtpError::Replayed)
    );
    assert!(seal(&mut protector, &rtp(SSRC, 2_000, b"far ahead")).is_ok());
    assert_eq!(
        seal(&mut protector, &rtp(SSRC, 10, b"too late")),
        Err(SrtpError::TooOld)
    );
}

#[test]
fn buffer_without_room_is_refused_and_nothing_is_used_up() {
    for profile in PROFILES {
        let (mut protector, mut unprotector) = pair(profile);
        let plain = rtp(SSRC, 1, &[1; 9]);
        for room in 0..profile.tag_len() {
            let mut buffer = plain.clone();
            buffer.resize(plain.len() + room, 0);
            assert_eq!(
                protector.protect_rtp(&mut buffer, plain.len()),
                Err(SrtpError::NoRoom)
            );
            assert_eq!(
                protector.protect_rtcp(&mut buffer, plain.len()),
                Err(SrtpError::NoRoom)
            );
        }
        assert_eq!(
            protector.protect_rtp(&mut plain.clone(), 500),
            Err(SrtpError::NoRoom)
        );
        let mut sealed = seal(&mut protector, &plain).unwrap();
        assert_eq!(unprotector.unprotect_rtp(&mut sealed), Ok(plain.len()));
    }
}

#[test]
fn one_source_too_many_is_refused() {
    let (mut protector, mut unprotector) = pair(SrtpProfile::AeadAes128Gcm);
    let (mut other_protector, _) = pair(SrtpProfile::AeadAes128Gcm);
    for ssrc in 0..limits::SSRCS_MAX as u32 {
        let mut sealed = seal(&mut protector, &rtp(ssrc, 1, b"x")).unwrap();
        assert!(unprotector.unprotect_rtp(&mut sealed).is_ok());
    }
    assert_eq!(
        seal(&mut protector, &rtp(9_999, 1, b"x")),
        Err(SrtpError::TooManySsrcs)
    );
    let mut sealed = seal(&mut other_protector, &rtp(9_999, 1, b"x")).unwrap();
    assert_eq!(
        unprotector.unprotect_rtp(&mut sealed),
        Err(SrtpError::TooManySsrcs)
    );
    let mut sealed = seal(&mut protector, &rtp(17, 2, b"x")).unwrap();
    assert!(unprotector.unprotect_rtp(&mut sealed).is_ok());
}

#[test]
fn exhausted_keys_seal_nothing() {
    let (mut protector, _) = pair(SrtpProfile::AeadAes128Gcm);
    protector.rtcp_index = RTCP_INDEX_END - 2;
    assert!(seal_rtcp(&mut protector, &rtcp(SSRC, 0)).is_ok());
    assert_eq!(
        seal_rtcp(&mut protector, &rtcp(SSRC, 0)),
        Err(SrtpError::KeyExhausted)
    );
    let mut window = ReplayWindow::new();
    window.record(INDEX_END - 1);
    protector.sent.add(SSRC, window);
    assert_eq!(
        seal(&mut protector, &rtp(SSRC, 0, b"x")),
        Err(SrtpError::KeyExhausted)
    );
}

#[test]
fn debug_output_holds_no_key() {
    let (protector, unprotector) = pair(SrtpProfile::AeadAes128Gcm);
    assert_eq!(
        format!("{protector:?}"),
        "Protector { profile: AeadAes128Gcm, .. }"
    );
    assert_eq!(
        format!("{unprotector:?}"),
        "Unprotector { profile: AeadAes128Gcm, .. }"
    );
    assert_eq!(
        format!("{:?}", keys(SrtpProfile::AeadAes128Gcm)),
        "SrtpKeys { profile: AeadAes128Gcm, .. }"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// A network that loses, delays by up to 900 packets and repeats, over several rollovers: each packet is opened
    /// exactly once, and to what was sealed.
    #[test]
    fn loss_reorder_replay_and_rollover_are_survived(
        profile in prop::sample::select(PROFILES.to_vec()),
        start in 0_u64..32_768,
        fates in prop::collection::vec((0_u8..10, 0_u64..900), 200..600),
        stride in 1_u64..300,
    ) {
        let (mut protector, mut unprotector) = pair(profile);
        // When the packet arrives, in units of sent packets, its number and its bytes.
        let mut arrivals: Vec<(u64, u64, Vec<u8>)> = Vec::new();
        for (number, (fate, delay)) in fates.iter().enumerate() {
            let index = start + number as u64 * stride;
            let sealed = seal(&mut protector, &rtp(SSRC, index as u16, &index.to_be_bytes())).unwrap();
            match fate {
                0 if number > 0 => {}
                1 => arrivals.push((index + delay, index, sealed)),
                2 => arrivals.extend([(index, index, sealed.clone()), (index + delay, index, sealed)]),
                _ => arrivals.push((index, index, sealed)),
            }
        }
        // The first packet sets the rollover counter, so it comes first.
        arrivals.sort_by_key(|(at, index, _)| if *index == start { (0, *index) } else { (*at, *index) });
        let mut opened = std::collections::BTreeSet::new();
        for (_, index, mut sealed) in arrivals {
            let outcome = unprotector.unprotect_rtp(&mut sealed);
            if opened.insert(index) {
                prop_assert_eq!(outcome, Ok(20));
                prop_assert_eq!(&sealed[12..20], &index.to_be_bytes());
            } else {
                prop_assert_eq!(outcome, Err(SrtpError::Replayed));
            }
        }
    }

    #[test]
    fn noise_is_harmless(profile in prop::sample::select(PROFILES.to_vec()), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let (mut protector, mut unprotector) = pair(profile);
        prop_assert!(unprotector.unprotect_rtp(&mut bytes.clone()).is_err());
        prop_assert!(unprotector.unprotect_rtcp(&mut bytes.clone()).is_err());
        let _ = seal(&mut protector, &bytes);
        let _ = seal_rtcp(&mut protector, &bytes);
    }
}

fn pair(profile: SrtpProfile) -> (Protector, Unprotector) {
    (
        Protector::new(&keys(profile)),
        Unprotector::new(&keys(profile).reversed()),
    )
}

fn seal_again(protector: &mut Protector, plain: &[u8], tag: &Tag) -> Result<Vec<u8>, SrtpError> {
    let mut buffer = plain.to_vec();
    buffer.resize(plain.len() + Protection::RTP_OVERHEAD_MAX, 0);
    let len = protector.protect_rtp_again(&mut buffer, plain.len(), tag)?;
    buffer.truncate(len);
    Ok(buffer)
}

fn seal(protector: &mut Protector, plain: &[u8]) -> Result<Vec<u8>, SrtpError> {
    let mut buffer = plain.to_vec();
    buffer.resize(plain.len() + Protection::RTP_OVERHEAD_MAX, 0);
    let len = protector.protect_rtp(&mut buffer, plain.len())?;
    buffer.truncate(len);
    Ok(buffer)
}

fn seal_rtcp(protector: &mut Protector, plain: &[u8]) -> Result<Vec<u8>, SrtpError> {
    let mut buffer = plain.to_vec();
    buffer.resize(plain.len() + Protection::RTCP_OVERHEAD_MAX, 0);
    let len = protector.protect_rtcp(&mut buffer, plain.len())?;
    buffer.truncate(len);
    Ok(buffer)
}
