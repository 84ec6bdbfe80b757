//! `/healthz` and `/readyz`: do the parts run, and are new calls welcome.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;

/// What both routes answer from.
#[derive(Clone)]
pub(crate) struct Health {
    stopping: Arc<AtomicBool>,
    parts_run: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl Health {
    /// `parts_run` says whether every part of the server still runs.
    pub(crate) fn new(parts_run: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self {
            stopping: Arc::default(),
            parts_run: Arc::new(parts_run),
        }
    }

    /// From now on `/readyz` says no.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether every part of the server runs.
    pub(crate) fn is_alive(&self) -> bool {
        (self.parts_run)()
    }

    fn health(&self) -> (StatusCode, &'static str) {
        if self.is_alive() {
            (StatusCode::OK, "alive\n")
        } else {
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "a part of the server has ended; restart it\n",
            )
        }
    }

    fn readiness(&self) -> (StatusCode, &'static str) {
        if self.stopping.load(Ordering::Relaxed) {
            return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
        }
        match self.health() {
            (StatusCode::OK, _) => (StatusCode::OK, "ready\n"),
            broken => broken,
        }
    }
}

/// The routes of both.
pub(crate) fn routes(health: Health) -> Router {
    Router::new()
        .route(
            "/healthz",
            get(async |State(health): State<Health>| health.health()),
        )
        .route(
            "/readyz",
            get(async |State(health): State<Health>| health.readiness()),
        )
        .with_state(health)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopping_server_is_healthy_and_wants_no_new_calls() {
        let health = Health::new(|| true);
        assert_eq!(health.readiness().0, StatusCode::OK);
        health.clone().stop();
        assert_eq!(health.readiness().0, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(health.health().0, StatusCode::OK);
    }

    #[test]
    fn a_server_that_lost_a_part_is_neither_healthy_nor_ready() {
        let health = Health::new(|| false);
        assert_eq!(health.health().0, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(health.readiness().0, StatusCode::SERVICE_UNAVAILABLE);
    }
}
