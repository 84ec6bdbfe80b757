//! `/healthz` and `/readyz`: is the process alive, and should it get new calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;

/// Whether new calls are welcome.
#[derive(Debug, Clone, Default)]
pub(crate) struct Readiness {
    stopping: Arc<AtomicBool>,
}

impl Readiness {
    /// From now on `/readyz` says no.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    fn status(&self) -> (StatusCode, &'static str) {
        if self.stopping.load(Ordering::Relaxed) {
            (StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
        } else {
            (StatusCode::OK, "ready\n")
        }
    }
}

/// The routes of both.
pub(crate) fn routes(readiness: Readiness) -> Router {
    Router::new()
        .route("/healthz", get(async || "alive\n"))
        .route(
            "/readyz",
            get(async |State(readiness): State<Readiness>| readiness.status()),
        )
        .with_state(readiness)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopping_server_wants_no_new_calls() {
        let readiness = Readiness::default();
        assert_eq!(readiness.status().0, StatusCode::OK);
        readiness.clone().stop();
        assert_eq!(readiness.status().0, StatusCode::SERVICE_UNAVAILABLE);
    }
}
