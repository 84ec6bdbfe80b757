//! What lies behind the port: where each kind of connection is let in.

use std::net::TcpStream;
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;

use crate::tls::Offer;

/// Takes a connection of media. Must not block.
pub(crate) type TakeMedia = Arc<dyn Fn(TcpStream) + Send + Sync>;

/// Where connections go.
#[derive(Clone)]
pub(crate) struct Doors {
    /// Everything that the page's origin answers.
    pub(crate) routes: Router,
    /// With it, routes are for TLS only.
    pub(crate) tls: Option<Offer>,
    /// Takes media, where the port is for media at all.
    pub(crate) media: Option<TakeMedia>,
}

/// Answers plain HTTP where the page is on HTTPS. A redirect would hide that the first request went in clear.
pub(super) fn https_only() -> Router {
    sentence("This port speaks HTTPS: put https:// in front of the address.\n")
}

/// Answers HTTP on an address that is there for media.
pub(super) fn media_only() -> Router {
    sentence(
        "This address of the server is for sound and picture only, so there is no page here: browsers give camera and \
         microphone to HTTPS and to localhost alone. On the machine of the server open http://localhost with this \
         port; for other machines the server needs a certificate (docs/operations.md).\n",
    )
}

fn sentence(words: &'static str) -> Router {
    Router::new().fallback(move || async move { (StatusCode::BAD_REQUEST, words) })
}
