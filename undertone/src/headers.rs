//! The headers that every answer carries.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;

/// What the page may load and run: its own files, nothing from elsewhere, no script that was made from text.
///
/// `media-src blob:` and `img-src data:` are for what the page makes itself.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
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

/// Adds them to an answer.
pub(crate) async fn add(mut response: Response) -> Response {
    insert(response.headers_mut());
    response
}

fn insert(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_no_other_origin_and_nothing_unsafe() {
        let mut headers = HeaderMap::new();
        insert(&mut headers);
        assert_eq!(headers.len(), HEADERS.len());
        assert!(!CONTENT_SECURITY_POLICY.contains("http") && !CONTENT_SECURITY_POLICY.contains("unsafe"));
        assert!(
            !CONTENT_SECURITY_POLICY.contains("  "),
            "the line breaks left spaces"
        );
    }
}
