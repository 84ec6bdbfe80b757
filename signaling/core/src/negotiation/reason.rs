//! Why an answer cannot be used.

use std::fmt;

use protocol::ids::Mid;

/// The kinds of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnswerReason {
    /// Too many bytes, lines, m-lines or entries in one m-line.
    TooLarge,
    /// A line that no SDP has, or a line that says the same thing twice in two ways.
    BadLine,
    /// The first line is not `v=0`.
    NotSdp,
    /// The m-lines are not those of the offer, in number, order, name or medium.
    OtherLines,
    /// `a=ice-ufrag` or `a=ice-pwd` is missing, malformed, or not the same for all m-lines.
    Ice,
    /// `a=fingerprint:sha-256` is missing, malformed, or not the same for all m-lines.
    Fingerprint,
    /// `a=setup` is not `active`: the page has to start DTLS.
    Setup,
    /// An m-line is used but outside the BUNDLE group.
    NotBundled,
    /// An m-line is used without `a=rtcp-mux`.
    NoRtcpMux,
    /// A direction that does not answer ours.
    Direction,
    /// A payload type that was not offered, that means another codec, or none at all.
    PayloadType,
    /// A header extension that was not offered under this id.
    Extension,
    /// A simulcast layer that was not offered, or layers that do not fit together.
    Rid,
    /// An SSRC that is malformed or claimed twice.
    Ssrc,
    /// A line of a living transport that is not as it was agreed.
    Changed,
}

impl AnswerReason {
    /// All reasons.
    pub const ALL: [Self; 15] = [
        Self::TooLarge,
        Self::BadLine,
        Self::NotSdp,
        Self::OtherLines,
        Self::Ice,
        Self::Fingerprint,
        Self::Setup,
        Self::NotBundled,
        Self::NoRtcpMux,
        Self::Direction,
        Self::PayloadType,
        Self::Extension,
        Self::Rid,
        Self::Ssrc,
        Self::Changed,
    ];

    /// The reason as metrics and error details write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::BadLine => "bad_line",
            Self::NotSdp => "not_sdp",
            Self::OtherLines => "other_lines",
            Self::Ice => "ice",
            Self::Fingerprint => "fingerprint",
            Self::Setup => "setup",
            Self::NotBundled => "not_bundled",
            Self::NoRtcpMux => "no_rtcp_mux",
            Self::Direction => "direction",
            Self::PayloadType => "payload_type",
            Self::Extension => "extension",
            Self::Rid => "rid",
            Self::Ssrc => "ssrc",
            Self::Changed => "changed",
        }
    }
}

/// A refused answer: why, and where. It holds nothing of the answer's text but the name of an m-line of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerError {
    /// Why.
    pub reason: AnswerReason,
    /// More about it, in words.
    pub detail: &'static str,
    /// The line of the answer, from 1, where a single line is at fault.
    pub line: Option<usize>,
    /// The m-line of the offer, where a single one is concerned.
    pub mid: Option<Mid>,
}

impl AnswerError {
    /// An error of the whole answer.
    pub(crate) const fn new(reason: AnswerReason, detail: &'static str) -> Self {
        Self {
            reason,
            detail,
            line: None,
            mid: None,
        }
    }

    /// An error of one line.
    pub(crate) const fn at(reason: AnswerReason, detail: &'static str, line: usize) -> Self {
        Self {
            reason,
            detail,
            line: Some(line),
            mid: None,
        }
    }

    /// The same error, said of one m-line.
    pub(crate) fn of(self, mid: Mid) -> Self {
        Self {
            mid: Some(mid),
            ..self
        }
    }
}

impl fmt::Display for AnswerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.reason.as_str(), self.detail)?;
        if let Some(mid) = self.mid {
            write!(formatter, ", m-line {mid}")?;
        }
        if let Some(line) = self.line {
            write!(formatter, ", line {line}")?;
        }
        Ok(())
    }
}

impl std::error::Error for AnswerError {}
