//! The embedded web client.

use axum::body::Body;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

/// The files that `cargo xtask web` built.
#[derive(RustEmbed)]
#[folder = "../web/dist/"]
struct Files;

/// Names of files under `assets/` hold a hash of their content: they never change.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// The page itself is asked for every time, so that a new server brings its new page.
const NEVER: HeaderValue = HeaderValue::from_static("no-store");

/// The page, whatever the room: which one it is stays between the address bar and the page's script.
pub(crate) async fn index() -> Response {
    file("index.html", NEVER)
}

/// A file with a hash in its name.
pub(crate) async fn asset(Path(name): Path<String>) -> Response {
    file(&format!("assets/{name}"), FOREVER)
}

/// What every other path gives.
pub(crate) async fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "There is nothing at this address.\n").into_response()
}

fn file(path: &str, cache: HeaderValue) -> Response {
    let Some(file) = Files::get(path) else {
        return (
            StatusCode::NOT_FOUND,
            [(CACHE_CONTROL, NEVER)],
            "There is nothing at this address.\n",
        )
            .into_response();
    };
    let content_type = HeaderValue::from_static(content_type(path));
    (
        [(CONTENT_TYPE, content_type), (CACHE_CONTROL, cache)],
        Body::from(file.data),
    )
        .into_response()
}

/// The media type by the file's ending. Browsers are told not to guess, so an unknown ending is not shown.
fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_file_has_a_known_media_type_and_a_way_to_it() {
        for path in Files::iter() {
            assert_ne!(content_type(&path), "application/octet-stream", "{path}");
            assert!(
                path == "index.html" || path.starts_with("assets/"),
                "{path} has no route"
            );
        }
        assert!(Files::get("index.html").is_some());
    }
}
