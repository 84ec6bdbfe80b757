//! The life of the server: open every socket, start the parts, say so, wait for the end, end cleanly.

use std::io::{self, Write};
use std::net::SocketAddr;
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

use crate::error::StartError;
use crate::health::{self, Health};
use crate::port::{Counters, Doors, Listeners, Place};
use crate::settings::Settings;
use crate::signals::{End, Signals};
use crate::tls::Certificates;
use crate::{addresses, headers, media, metrics, page, service_manager, state};

/// How long `/readyz` says no before the sockets close, so that whoever asks it may notice.
const NOTICE_TIME: Duration = Duration::from_millis(500);

/// Tries to find a number that is free for both TCP and UDP, when any will do.
const FREE_PORT_TRIES: usize = 16;

/// Runs the server until SIGINT or SIGTERM.
pub(crate) async fn serve(settings: Settings) -> Result<(), StartError> {
    let mut signals = Signals::listen()?;
    let certificates = settings.tls.clone().map(Certificates::load).transpose()?;
    let metrics_address = settings.metrics_address;
    let metrics = Listeners::bind(&[Place::metrics(metrics_address.ip())], metrics_address.port())?;
    let (listeners, sfu, events) = open(&settings)?;
    let link = Arc::new(Link(sfu.clone()));
    let key = state::delivery_key(settings.state_directory.as_deref())?;
    let signaling = SignalingServer::start(sfu.info().clone(), key, link, events)
        .map_err(|error| StartError::Internal(error.to_string()))?;
    let counters = Counters::new().map_err(no_metrics)?;
    let registry = registry(&sfu, &signaling, &counters, certificates.as_ref()).map_err(no_metrics)?;
    let health = Health::new({
        let (sfu, signaling) = (sfu.clone(), signaling.clone());
        move || sfu.is_running() && signaling.is_running()
    });

    let port = listeners.port();
    let greeting = greeting(
        certificates.as_ref(),
        port,
        SocketAddr::new(metrics_address.ip(), metrics.port()),
    );
    let routes = routes(health.clone(), &signaling);
    let doors = Doors {
        routes: headers::with_strict_transport(routes, certificates.is_some(), port),
        tls: certificates.as_ref().map(Certificates::offer),
        media: Some(media::door(&sfu)),
    };
    let metrics_doors = Doors {
        routes: metrics::routes(registry, health.clone()),
        tls: None,
        media: None,
    };
    let (stop, stopped) = watch::channel(false);
    let uncounted = Counters::new().map_err(no_metrics)?;
    let serving = [
        tokio::spawn(listeners.serve(doors, counters, stopped.clone())),
        tokio::spawn(metrics.serve(metrics_doors, uncounted, stopped)),
    ];
    tokio::spawn(service_manager::watchdog(health.clone()));
    if let Some(certificates) = certificates {
        tokio::spawn(certificates.follow());
    }
    greet(&sfu, &greeting).await;

    tracing::info!(version = env!("CARGO_PKG_VERSION"), "started");
    service_manager::ready();
    let end = signals.wait().await;
    health.stop();
    drain(end, settings.drain_deadline, &signaling, &mut signals).await;
    tracing::info!("stopping");
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

/// Lets calls go on until everybody has left, the time is over, or another signal comes.
async fn drain(end: End, deadline: Duration, signaling: &SignalingServer, signals: &mut Signals) {
    let is_drained = end == End::Drain && !deadline.is_zero();
    service_manager::stopping(if is_drained { deadline } else { Duration::ZERO });
    if !is_drained {
        return;
    }
    tracing::info!(
        deadline_seconds = deadline.as_secs(),
        "draining: calls go on, new ones are not taken"
    );
    tokio::select! {
        () = signaling.drain(deadline) => {}
        _ = signals.wait() => tracing::info!("a second signal ends the drain"),
    }
}

/// Brings the commands of signaling to the media server.
struct Link(SfuHandle);

impl SfuLink for Link {
    fn send(&self, command: SfuCommand) -> Result<(), SfuBusy> {
        self.0.send(command)
    }
}

fn registry(
    sfu: &SfuHandle,
    signaling: &SignalingServer,
    counters: &Counters,
    certificates: Option<&Certificates>,
) -> Result<Registry, prometheus::Error> {
    let registry = Registry::new();
    sfu.register_metrics(&registry)?;
    signaling.register_metrics(&registry)?;
    counters.register(&registry)?;
    if let Some(certificates) = certificates {
        certificates.register(&registry)?;
    }
    Ok(registry)
}

fn no_metrics(error: prometheus::Error) -> StartError {
    StartError::Internal(format!("the metrics cannot be made: {error}"))
}

/// Opens one number for TCP and UDP.
fn open(settings: &Settings) -> Result<(Listeners, SfuHandle, Receiver<SfuEvent>), StartError> {
    let media_addresses = addresses::media(&settings.media_addresses);
    let places = Place::of_port(&settings.http_addresses, &media_addresses);
    let mut tries = if settings.port == 0 { FREE_PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        let opened = Listeners::bind(&places, settings.port).and_then(|listeners| {
            let (sfu, events) = media::start(&media_addresses, listeners.port())?;
            Ok((listeners, sfu, events))
        });
        match opened {
            Err(error) if tries > 0 && media::is_port_in_use(&error) => {}
            result => return result,
        }
    }
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
fn greeting(certificates: Option<&Certificates>, port: u16, metrics: SocketAddr) -> String {
    let link = match certificates {
        None => format!("http://localhost:{port}"),
        Some(certificates) => {
            let host = certificates.pair().host.as_deref().unwrap_or("localhost");
            // Browsers leave the port of HTTPS out.
            let port = if port == 443 {
                String::new()
            } else {
                format!(":{port}")
            };
            format!("https://{host}{port}")
        }
    };
    format!("Metrics: http://{metrics}/metrics\nUndertone is ready: {link}")
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
