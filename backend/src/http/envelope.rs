//! What is around every request: an id, one log line, security headers, and an answer even when a handler panics.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;

use super::problem::REQUEST_ID;
use crate::clock;
use crate::error::Error;
use crate::state::App;

pub const REQUEST_ID_HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The editor's highlighting writes style elements; scripts come from our files only, and WASM may be compiled.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
    style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; \
    worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The outermost layer.
pub async fn envelope(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let request_id = clock::new_id().simple().to_string();
    let method = request.method().clone();
    // Without the query: it may hold what people search for.
    let path = request.uri().path().to_owned();
    let started = Instant::now();
    let answer = REQUEST_ID.scope(request_id.clone(), async move {
        match AssertUnwindSafe(next.run(request)).catch_unwind().await {
            Ok(response) => response,
            Err(panic) => Error::internal(anyhow::anyhow!("panic: {}", panic_text(panic.as_ref()))).into_response(),
        }
    });
    let mut response = answer.await;
    set_headers(response.headers_mut(), app.config.is_https());
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(REQUEST_ID_HEADER, value);
    }
    let ms = started.elapsed().as_millis();
    tracing::debug!(request.id = %request_id, status = response.status().as_u16(), ms, "{method} {path}");
    response
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}

fn set_headers(headers: &mut HeaderMap, https: bool) {
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if https {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    // Answers of the API are nobody's to keep; assets say otherwise themselves.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}
