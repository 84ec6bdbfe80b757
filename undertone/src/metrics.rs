//! `/metrics` for Prometheus, on a listener of its own: numbers are for the operator, not for participants.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::{Encoder, Registry, TextEncoder};

use crate::health::{self, Health};
use crate::page;

/// The routes of the metrics listener: numbers, and health for whoever watches the process.
pub(crate) fn routes(registry: Registry, health: Health) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .with_state(Arc::new(registry))
        .merge(health::routes(health))
        .fallback(page::not_found)
}

async fn metrics(State(registry): State<Arc<Registry>>) -> Response {
    let encoder = TextEncoder::new();
    let mut text = Vec::new();
    match encoder.encode(&registry.gather(), &mut text) {
        Ok(()) => ([(CONTENT_TYPE, encoder.format_type().to_owned())], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics could not be written down");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
