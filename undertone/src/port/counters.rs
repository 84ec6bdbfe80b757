//! What came to the TCP port and what was turned away.

use prometheus::{IntCounterVec, IntGauge, Opts, Registry};

/// Why a connection was ended by us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The kernel could not give it to us, mostly because no file descriptor was left.
    AcceptFailed,
    /// Too many connections had not said anything yet.
    TooManySilent,
    /// It said nothing for too long.
    Silent,
    /// It ended before it said anything.
    LeftSilent,
    /// Its first byte is nobody's.
    UnknownProtocol,
    /// Too many connections in HTTP and TLS.
    TooManyHttp,
    /// It speaks TLS and the server has no certificate.
    TlsNotSet,
    /// The TLS handshake failed.
    TlsFailed,
    /// The TLS handshake took too long.
    TlsSlow,
    /// It speaks plain HTTP and the server speaks HTTPS.
    PlainHttp,
    /// It asks for the page on an address that is for media.
    HttpOnMediaAddress,
    /// Media on a listener that takes none.
    MediaNotTaken,
}

impl Refused {
    const ALL: [Self; 12] = [
        Self::AcceptFailed,
        Self::TooManySilent,
        Self::Silent,
        Self::LeftSilent,
        Self::UnknownProtocol,
        Self::TooManyHttp,
        Self::TlsNotSet,
        Self::TlsFailed,
        Self::TlsSlow,
        Self::PlainHttp,
        Self::HttpOnMediaAddress,
        Self::MediaNotTaken,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::AcceptFailed => "accept_failed",
            Self::TooManySilent => "too_many_silent",
            Self::Silent => "silent",
            Self::LeftSilent => "left_silent",
            Self::UnknownProtocol => "unknown_protocol",
            Self::TooManyHttp => "too_many_http",
            Self::TlsNotSet => "tls_not_set",
            Self::TlsFailed => "tls_failed",
            Self::TlsSlow => "tls_slow",
            Self::PlainHttp => "plain_http",
            Self::HttpOnMediaAddress => "http_on_media_address",
            Self::MediaNotTaken => "media_not_taken",
        }
    }
}

/// What a connection was taken as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    Media,
    Tls,
    Http,
}

impl Taken {
    const ALL: [Self; 3] = [Self::Media, Self::Tls, Self::Http];

    fn as_str(self) -> &'static str {
        match self {
            Self::Media => "media",
            Self::Tls => "tls",
            Self::Http => "http",
        }
    }
}

/// The counters of one port.
#[derive(Debug, Clone)]
pub(crate) struct Counters {
    taken: IntCounterVec,
    refused: IntCounterVec,
    /// Connections that have not said anything yet.
    pub(crate) silent: IntGauge,
    /// Connections in HTTP and TLS.
    pub(crate) http: IntGauge,
}

impl Counters {
    pub(crate) fn new() -> Result<Self, prometheus::Error> {
        let counters = Self {
            taken: IntCounterVec::new(
                Opts::new(
                    "undertone_tcp_taken_total",
                    "TCP connections, by what they speak.",
                ),
                &["protocol"],
            )?,
            refused: IntCounterVec::new(
                Opts::new(
                    "undertone_tcp_refused_total",
                    "TCP connections turned away, by reason.",
                ),
                &["reason"],
            )?,
            silent: IntGauge::new(
                "undertone_tcp_silent",
                "TCP connections that have not said anything yet.",
            )?,
            http: IntGauge::new(
                "undertone_tcp_http",
                "TCP connections in HTTP or a TLS handshake, without WebSockets.",
            )?,
        };
        for taken in Taken::ALL {
            counters.taken.with_label_values(&[taken.as_str()]);
        }
        for refused in Refused::ALL {
            counters.refused.with_label_values(&[refused.as_str()]);
        }
        Ok(counters)
    }

    /// Adds the metrics `undertone_tcp_*`.
    pub(crate) fn register(&self, registry: &Registry) -> Result<(), prometheus::Error> {
        registry.register(Box::new(self.taken.clone()))?;
        registry.register(Box::new(self.refused.clone()))?;
        registry.register(Box::new(self.silent.clone()))?;
        registry.register(Box::new(self.http.clone()))
    }

    pub(super) fn take(&self, taken: Taken) {
        self.taken.with_label_values(&[taken.as_str()]).inc();
    }

    pub(super) fn refuse(&self, refused: Refused) {
        self.refused.with_label_values(&[refused.as_str()]).inc();
    }

    #[cfg(test)]
    pub(super) fn refused(&self, refused: Refused) -> u64 {
        self.refused.with_label_values(&[refused.as_str()]).get()
    }
}
