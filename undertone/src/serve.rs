//! The life of the server: open every socket, start the parts, say so, wait for the end, end cleanly.

use std::io::{self, Write};
use std::time::Duration;

use axum::Router;
use axum::middleware::map_response;
use axum::routing::get;
use prometheus::Registry;
use tokio::sync::watch;

use crate::cli::Settings;
use crate::error::{Purpose, StartError};
use crate::health::{self, Readiness};
use crate::listeners::Listeners;
use crate::signals::Signals;
use crate::{addresses, headers, metrics, page};

/// How long `/readyz` says no before the sockets close, so that whoever asks it may notice.
const NOTICE_TIME: Duration = Duration::from_millis(500);

/// Runs the server until SIGINT or SIGTERM.
pub(crate) async fn serve(settings: Settings) -> Result<(), StartError> {
    let mut signals = Signals::listen()?;
    let registry = Registry::new();
    let metrics_address = settings.metrics_address;
    let metrics = Listeners::bind(Purpose::Metrics, &[metrics_address.ip()], metrics_address.port()).await?;
    let http = Listeners::bind(Purpose::Http, &settings.http_addresses, settings.port).await?;
    let _ = addresses::media(&settings.media_addresses);
    let readiness = Readiness::default();
    let routes = routes(readiness.clone());

    greet(&http, &metrics, metrics_address);
    let (stop, stopped) = watch::channel(false);
    let serving = [
        tokio::spawn(http.serve(routes, stopped.clone())),
        tokio::spawn(metrics.serve(metrics::routes(registry), stopped)),
    ];
    signals.wait().await;
    tracing::info!("stopping");
    readiness.stop();
    tokio::time::sleep(NOTICE_TIME).await;
    let _ = stop.send(true);
    for task in serving {
        let _ = task.await;
    }
    tracing::info!("stopped");
    Ok(())
}

/// Everything that the page's port answers.
fn routes(readiness: Readiness) -> Router {
    Router::new()
        .route("/", get(page::index))
        .route("/r/{room}", get(page::index))
        .route("/assets/{name}", get(page::asset))
        .merge(health::routes(readiness))
        .fallback(page::not_found)
        .layer(map_response(headers::add))
}

/// Tells on standard output where everything is. Scripts read these lines.
fn greet(http: &Listeners, metrics: &Listeners, metrics_address: std::net::SocketAddr) {
    let metrics_address = std::net::SocketAddr::new(metrics_address.ip(), metrics.port());
    let mut out = io::stdout().lock();
    // Nobody reads: no reason to end.
    let _ = writeln!(out, "Metrics: http://{metrics_address}/metrics");
    let _ = writeln!(out, "Undertone is ready: http://localhost:{}", http.port());
    let _ = out.flush();
}
