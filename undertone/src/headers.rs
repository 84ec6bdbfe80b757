//! The headers that every answer carries.

use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::map_response;
use axum::response::Response;

/// What the page may load and run: its own files, nothing from elsewhere, no script that was made from text.
///
/// `'wasm-unsafe-eval'` lets the group member, which is WebAssembly, be compiled, and nothing else.
///
/// `media-src blob:` and `img-src data:` are for what the page makes itself.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data:; media-src 'self' blob:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
    trusted-types undertone";

/// The room is in the path, so no address leaves with a link (`Referrer-Policy`); the page shares its process
/// with nobody (COOP, COEP, CORP) and only it may use camera and microphone.
const HEADERS: &[(&str, &str)] = &[
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(self), microphone=(self)"),
];

/// HTTPS only for this host, for 90 days from each visit (RFC 6797). Not for its subdomains, which are not ours.
const STRICT_TRANSPORT_SECURITY: (&str, &str) = ("strict-transport-security", "max-age=7776000");

/// The port on which a server speaks for its whole host. Strict transport security counts for a host with all its
/// ports, so it is not ours to ask for from any other.
const HTTPS_PORT: u16 = 443;

/// Adds them to an answer.
pub(crate) async fn add(mut response: Response) -> Response {
    insert(response.headers_mut());
    response
}

/// Adds the header that keeps browsers on HTTPS, where that is ours to ask for.
pub(crate) fn with_strict_transport(routes: Router, is_tls: bool, port: u16) -> Router {
    if !is_tls || port != HTTPS_PORT {
        return routes;
    }
    let (name, value) = STRICT_TRANSPORT_SECURITY;
    routes.layer(map_response(async move |mut response: Response| {
        let headers = response.headers_mut();
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        response
    }))
}

fn insert(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use tower_service::Service;

    use super::*;

    #[test]
    fn the_policy_names_no_other_origin_and_nothing_unsafe() {
        let mut headers = HeaderMap::new();
        insert(&mut headers);
        assert_eq!(headers.len(), HEADERS.len());
        // Compiling WebAssembly is all that is allowed beside the page's own files.
        let policy = CONTENT_SECURITY_POLICY.replace("'wasm-unsafe-eval'", "");
        assert!(!policy.contains("http") && !policy.contains("unsafe"));
        assert!(
            !CONTENT_SECURITY_POLICY.contains("  "),
            "the line breaks left spaces"
        );
    }

    #[tokio::test]
    async fn browsers_are_kept_on_https_by_a_server_that_has_the_port_of_https() {
        for (is_tls, port, is_strict) in [(true, 443, true), (true, 8080, false), (false, 443, false)] {
            let mut routes = with_strict_transport(Router::new(), is_tls, port);
            let request = axum::http::Request::new(axum::body::Body::empty());
            let answer = routes.call(request).await.expect("an answer");
            let name = STRICT_TRANSPORT_SECURITY.0;
            assert_eq!(answer.headers().contains_key(name), is_strict, "{is_tls} {port}");
        }
    }
}
