//! The pair that counts now: given to whoever accepts a connection, and replaced while the server runs.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus::{IntCounterVec, IntGauge, Opts, Registry};
use rustls::ServerConfig;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::pair::{self, Contents, Pair, PairError};
use super::watcher::Watcher;
use crate::limits::TLS_POLL_INTERVAL;
use crate::settings::TlsFiles;

/// What a TLS handshake is done with, at any time the newest.
pub(crate) type Offer = watch::Receiver<Arc<ServerConfig>>;

/// Reads the files and keeps the offer new.
#[derive(Debug)]
pub(crate) struct Certificates {
    files: TlsFiles,
    watcher: Watcher,
    pair: Pair,
    offer: watch::Sender<Arc<ServerConfig>>,
    reloads: IntCounterVec,
    not_after: IntGauge,
}

impl Certificates {
    /// Reads the files for the first time.
    pub(crate) fn load(files: TlsFiles) -> Result<Self, CertificatesError> {
        let contents = Contents::read(&files)?;
        let pair = Pair::new(&contents)?;
        let reloads = IntCounterVec::new(
            Opts::new(
                "undertone_tls_reloads_total",
                "Changes of the certificate files, by outcome: taken or refused.",
            ),
            &["outcome"],
        )?;
        let not_after = IntGauge::new(
            "undertone_tls_certificate_not_after_seconds",
            "When the certificate expires, in seconds since 1970.",
        )?;
        for outcome in ["taken", "refused"] {
            reloads.with_label_values(&[outcome]);
        }
        not_after.set(unix_seconds(pair.not_after));
        Ok(Self {
            offer: watch::Sender::new(pair.config.clone()),
            watcher: Watcher::new(&contents),
            files,
            pair,
            reloads,
            not_after,
        })
    }

    /// What handshakes are done with.
    pub(crate) fn offer(&self) -> Offer {
        self.offer.subscribe()
    }

    /// The pair that counts now.
    pub(crate) fn pair(&self) -> &Pair {
        &self.pair
    }

    /// Adds the metrics `undertone_tls_*`.
    pub(crate) fn register(&self, registry: &Registry) -> Result<(), prometheus::Error> {
        registry.register(Box::new(self.reloads.clone()))?;
        registry.register(Box::new(self.not_after.clone()))
    }

    /// Looks at the files every few seconds, until nobody accepts connections any more.
    pub(crate) async fn follow(mut self) {
        self.warn();
        let mut looks = interval(TLS_POLL_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut warned = self.pair.warning(SystemTime::now());
        loop {
            tokio::select! {
                _ = looks.tick() => {}
                () = self.offer.closed() => return,
            }
            let files = self.files.clone();
            // Only a panic or the end of the runtime is an error here.
            let Ok(contents) = tokio::task::spawn_blocking(move || Contents::read(&files)).await else {
                return;
            };
            match self.watcher.look(contents) {
                Some(Ok(pair)) => self.take(pair),
                Some(Err(error)) => self.refuse(&error),
                None => {}
            }
            let warning = self.pair.warning(SystemTime::now());
            if warning != warned {
                warned = warning;
                self.warn();
            }
        }
    }

    fn take(&mut self, pair: Pair) {
        self.reloads.with_label_values(&["taken"]).inc();
        self.not_after.set(unix_seconds(pair.not_after));
        self.offer.send_replace(pair.config.clone());
        self.pair = pair;
        tracing::info!("a new certificate is served");
    }

    fn refuse(&self, error: &PairError) {
        self.reloads.with_label_values(&["refused"]).inc();
        let reason = error.to_string().replace("\n ", "");
        tracing::warn!("the new certificate files are not taken, the old ones stay in use. {reason}");
    }

    fn warn(&self) {
        if let Some(warning) = self.pair.warning(SystemTime::now()) {
            tracing::warn!("{warning}");
        }
        if pair::is_key_open(&self.files) {
            tracing::warn!(
                "tls.key: everybody on this machine may read the file; take that right away (chmod o-rwx)"
            );
        }
    }
}

/// Why the files cannot be served with, or the metrics not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CertificatesError {
    #[error(transparent)]
    Pair(#[from] PairError),
    #[error(transparent)]
    Metrics(#[from] prometheus::Error),
}

fn unix_seconds(time: SystemTime) -> i64 {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(seconds).unwrap_or(i64::MAX)
}
