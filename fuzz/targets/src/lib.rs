//! What the fuzz targets do, as plain functions.
//!
//! `cargo xtask fuzz` feeds them from a fuzzer; `tests/replay.rs` feeds them every committed file of
//! `fuzz/corpus/` on stable Rust. A function panics when what it was given broke a promise.

pub mod e2ee;
pub mod group;
pub mod rtp;
pub mod signaling;
pub mod transport;

/// One fuzz target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name of `fuzz/fuzz_targets/<name>.rs` and of `fuzz/corpus/<name>/`.
    pub name: &'static str,
    /// Takes one input; panics on a finding.
    pub run: fn(&[u8]),
}

impl Target {
    const fn new(name: &'static str, run: fn(&[u8])) -> Self {
        Self { name, run }
    }
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target::new("rtp_packet", rtp::rtp_packet),
    Target::new("header_extensions", rtp::header_extensions),
    Target::new("retransmission", rtp::retransmission),
    Target::new("rtcp", rtp::rtcp),
    Target::new("vp8_descriptor", rtp::vp8_descriptor),
    Target::new("vp9_descriptor", rtp::vp9_descriptor),
    Target::new("av1_aggregation", rtp::av1_aggregation),
    Target::new("demux", transport::demux),
    Target::new("framing", transport::framing),
    Target::new("stun", transport::stun),
    Target::new("srtp_unprotect", transport::srtp_unprotect),
    Target::new("client_message", signaling::client_message),
    Target::new("sdp_answer", signaling::sdp_answer),
    Target::new("sdp_answer_again", signaling::sdp_answer_again),
    Target::new("sframe_header", e2ee::sframe_header),
    Target::new("profile", e2ee::profile),
    Target::new("app", e2ee::app),
    Target::new("client_frame", group::client_frame),
    Target::new("server_frame", group::server_frame),
    Target::new("commit_data", group::commit_data),
];
