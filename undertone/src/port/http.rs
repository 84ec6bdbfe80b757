//! HTTP/1 on one stream, until it ends or the server does.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tower_service::Service;

use crate::limits::{HEAD_TIME, HTTP_BUFFER_BYTES};

/// Serves `routes` to `peer`. Ends when the other side does, is too slow, becomes a WebSocket (which lives on by
/// itself), or the server stops and the open answer is out.
pub(super) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    routes: Router,
    mut stop: watch::Receiver<bool>,
) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        // Signaling counts failures per address, so it has to be told the address.
        request.extensions_mut().insert(ConnectInfo(peer));
        answer(routes.clone(), request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HTTP_BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    tokio::select! {
        // Errors are the peer's: broken requests, timeouts, a line that broke.
        _ = connection.as_mut() => {}
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// Ends when the server stops.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the one who could say it is gone, which is an end as well.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn answer(mut routes: Router, request: Request<Incoming>) -> Result<Response, Infallible> {
    routes.call(request.map(Body::new)).await
}
