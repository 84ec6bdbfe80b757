//! The life of the server: open every socket, start the parts, say so, wait for the end, end cleanly.

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::map_response;
use axum::routing::get;
use prometheus::Registry;
use protocol::sfu::{SfuBusy, SfuCommand, SfuEvent};
use sfu_server::SfuHandle;
use signaling_server::{SfuLink, SignalingServer};
use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;

use crate::cli::Settings;
use crate::error::{Purpose, StartError};
use crate::health::{self, Health};
use crate::listeners::Listeners;
use crate::signals::Signals;
use crate::{addresses, headers, media, metrics, page};

/// How long `/readyz` says no before the sockets close, so that whoever asks it may notice.
const NOTICE_TIME: Duration = Duration::from_millis(500);

/// Tries to find a number that is free for both TCP and UDP, when any will do.
const FREE_PORT_TRIES: usize = 16;

/// Runs the server until SIGINT or SIGTERM.
pub(crate) async fn serve(settings: Settings) -> Result<(), StartError> {
    let mut signals = Signals::listen()?;
    let metrics_address = settings.metrics_address;
    let metrics = Listeners::bind(Purpose::Metrics, &[metrics_address.ip()], metrics_address.port()).await?;
    let (http, sfu, events) = open(&settings).await?;
    let link = Arc::new(Link(sfu.clone()));
    let signaling = SignalingServer::start(sfu.info().clone(), link, events)
        .map_err(|error| StartError::Internal(error.to_string()))?;
    let registry = registry(&sfu, &signaling)
        .map_err(|error| StartError::Internal(format!("the metrics cannot be made: {error}")))?;
    let health = Health::new({
        let (sfu, signaling) = (sfu.clone(), signaling.clone());
        move || sfu.is_running() && signaling.is_running()
    });

    let greeting = greeting(&http, SocketAddr::new(metrics_address.ip(), metrics.port()));
    let (stop, stopped) = watch::channel(false);
    let serving = [
        tokio::spawn(http.serve(routes(health.clone(), &signaling), stopped.clone())),
        tokio::spawn(metrics.serve(metrics::routes(registry), stopped)),
    ];
    greet(&sfu, &greeting).await;

    tracing::info!(version = env!("CARGO_PKG_VERSION"), "started");
    signals.wait().await;
    tracing::info!("stopping");
    health.stop();
    tokio::join!(signaling.stop(), tokio::time::sleep(NOTICE_TIME));
    // An error means that both listeners have ended already.
    let _ = stop.send(true);
    for task in serving {
        let _ = task.await;
    }
    sfu.stop();
    tracing::info!("stopped");
    Ok(())
}

/// Brings the commands of signaling to the media server.
struct Link(SfuHandle);

impl SfuLink for Link {
    fn send(&self, command: SfuCommand) -> Result<(), SfuBusy> {
        self.0.send(command)
    }
}

fn registry(sfu: &SfuHandle, signaling: &SignalingServer) -> Result<Registry, prometheus::Error> {
    let registry = Registry::new();
    sfu.register_metrics(&registry)?;
    signaling.register_metrics(&registry)?;
    Ok(registry)
}

/// Opens one number for TCP and UDP.
async fn open(settings: &Settings) -> Result<(Listeners, SfuHandle, Receiver<SfuEvent>), StartError> {
    let media_addresses = addresses::media(&settings.media_addresses);
    let mut tries = if settings.port == 0 { FREE_PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        match open_once(settings, &media_addresses).await {
            Err(error) if tries > 0 && media::is_port_in_use(&error) => {}
            result => return result,
        }
    }
}

async fn open_once(
    settings: &Settings,
    media_addresses: &[IpAddr],
) -> Result<(Listeners, SfuHandle, Receiver<SfuEvent>), StartError> {
    let http = Listeners::bind(Purpose::Http, &settings.http_addresses, settings.port).await?;
    let (sfu, events) = media::start(media_addresses, http.port())?;
    Ok((http, sfu, events))
}

/// Everything that the page's port answers.
fn routes(health: Health, signaling: &SignalingServer) -> Router {
    Router::new()
        .route("/", get(page::index))
        .route("/r/{room}", get(page::index))
        .route("/assets/{name}", get(page::asset))
        .merge(health::routes(health))
        .merge(signaling.router())
        .fallback(page::not_found)
        .layer(map_response(headers::add))
}

/// The lines that say where everything is. Scripts read them.
fn greeting(http: &Listeners, metrics: SocketAddr) -> String {
    format!(
        "Metrics: http://{metrics}/metrics\nUndertone is ready: http://localhost:{}",
        http.port()
    )
}

/// Asks our own media addresses whether they answer, and greets on standard output.
async fn greet(sfu: &SfuHandle, greeting: &str) {
    let asking = sfu.clone();
    let checks = tokio::task::spawn_blocking(move || asking.self_check())
        .await
        .unwrap_or_default();
    let mut out = io::stdout().lock();
    // Nobody reads: no reason to end.
    for check in &checks {
        let _ = writeln!(out, "{}", media::in_words(check));
    }
    let _ = writeln!(out, "{greeting}");
    let _ = out.flush();
}
