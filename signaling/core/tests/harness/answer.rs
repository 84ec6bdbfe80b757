//! Answers any of our offers, as a browser with a microphone and a camera does.

/// What one peer connection of a page keeps for its whole life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) ufrag: String,
    pub(crate) pwd: String,
    pub(crate) fingerprint: String,
}

impl Credentials {
    /// Those of the peer connection of this number.
    pub(crate) fn new(number: u64) -> Self {
        Self {
            ufrag: format!("u{number:07}"),
            pwd: format!("p{number:023}"),
            fingerprint: vec![format!("{:02X}", number % 256); 32].join(":"),
        }
    }
}

/// The lines of an offer that an answer repeats.
const REPEATED: [&str; 9] = [
    "m=",
    "c=",
    "a=mid:",
    "a=rtcp-mux",
    "a=extmap:",
    "a=rtpmap:",
    "a=fmtp:",
    "a=rtcp-fb:",
    "a=group:",
];

/// The answer that accepts everything of an offer.
pub(crate) fn answer_to(offer: &str, own: &Credentials) -> String {
    let Credentials {
        ufrag,
        pwd,
        fingerprint,
    } = own;
    let mut answer = String::from("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n");
    let session = format!(
        "a=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\na=fingerprint:sha-256 {fingerprint}\r\na=setup:active\r\n"
    );
    for line in offer.lines() {
        let turned = match line {
            "a=sendonly" => "a=recvonly".to_owned(),
            "a=recvonly" => "a=sendonly".to_owned(),
            line if line.starts_with("a=rid:") => line.replace(" recv", " send"),
            line if line.starts_with("a=simulcast:") => line.replace(":recv ", ":send "),
            line if REPEATED.iter().any(|prefix| line.starts_with(prefix)) => line.to_owned(),
            _ => continue,
        };
        answer.push_str(&turned);
        answer.push_str("\r\n");
        if line.starts_with("a=group:") {
            answer.push_str(&session);
        }
    }
    answer
}

/// What stands behind the first occurrence of a prefix, up to the end of its line.
pub(crate) fn value<'a>(sdp: &'a str, prefix: &str) -> &'a str {
    let line = sdp.lines().find(|line| line.starts_with(prefix));
    &line.expect("a line with this prefix")[prefix.len()..]
}

/// The m-lines of an SDP, each with everything up to the next.
pub(crate) fn sections(sdp: &str) -> Vec<&str> {
    let starts: Vec<usize> = sdp.match_indices("\r\nm=").map(|(at, _)| at + 2).collect();
    let ends = starts.iter().copied().skip(1).chain([sdp.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(start, end)| &sdp[*start..end])
        .collect()
}
