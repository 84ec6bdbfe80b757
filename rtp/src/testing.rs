//! What the tests of this crate share.

use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed},
};

use crate::{
    extension::{AudioLevel, Extension, ExtensionMap, Extensions},
    ids::{Mid, PayloadType, Rid, Ssrc},
    packet::RtpHeader,
};

/// Fixed seed and no files: a failure repeats on every machine.
pub(crate) fn config() -> Config {
    Config {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0x756E_6465_7274_6F6E),
        ..Config::default()
    }
}

/// Ids 1 to 5.
pub(crate) fn canonical_map() -> ExtensionMap {
    (1..).zip(Extension::ALL).collect()
}

/// Any binding of ids, few of them usable in the one-byte form alone.
pub(crate) fn maps() -> impl Strategy<Value = ExtensionMap> {
    let low = proptest::collection::vec(0_u8..15, Extension::ALL.len());
    let any = proptest::collection::vec(any::<u8>(), Extension::ALL.len());
    prop_oneof![low, any].prop_map(|ids| ids.into_iter().zip(Extension::ALL).collect())
}

pub(crate) fn extensions() -> impl Strategy<Value = Extensions> {
    let level = (any::<bool>(), 0..128_u8).prop_map(|(voice, below_overload_db)| AudioLevel {
        voice,
        below_overload_db,
    });
    (
        proptest::option::of("[a-z0-9]{1,16}".prop_map(|text| Mid::new(text).unwrap())),
        proptest::option::of("[A-Za-z0-9_-]{1,16}".prop_map(|text| Rid::new(text).unwrap())),
        proptest::option::of("[A-Za-z0-9_-]{1,16}".prop_map(|text| Rid::new(text).unwrap())),
        proptest::option::of(level),
        any::<Option<u16>>(),
    )
        .prop_map(
            |(mid, rid, repaired_rid, audio_level, transport_sequence)| Extensions {
                mid,
                rid,
                repaired_rid,
                audio_level,
                transport_sequence,
            },
        )
}

pub(crate) fn headers() -> impl Strategy<Value = RtpHeader> {
    (any::<bool>(), 0..128_u8, any::<u16>(), any::<u32>(), any::<u32>()).prop_map(
        |(marker, payload_type, sequence_number, rtp_timestamp, ssrc)| RtpHeader {
            marker,
            payload_type: PayloadType::new(payload_type).unwrap(),
            sequence_number,
            rtp_timestamp,
            ssrc: Ssrc(ssrc),
        },
    )
}
