//! ETags of whatever is read as JSON: `If-None-Match` saves sending what the caller has already, `If-Match` on a PUT, PATCH
//! or DELETE of something that can be read at the same address refuses to overwrite what somebody else changed meanwhile.
//!
//! A tag is a hash of what was read, unless the handler knows better: a job's stands for what people set, since figures of
//! its run come with it. Two calls with `If-Match` for the same address wait for each other; with several servers those
//! of one server do.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::{ConnectInfo, OriginalUri, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;

use crate::error::{Code, Error, Result};

/// What is larger is a download, and has no tag.
const LARGEST: u64 = 16 * 1024 * 1024;
/// Of a hash: enough that two states never share a tag.
const BYTES: usize = 16;

#[derive(Clone)]
pub(super) struct Tags {
    /// The routes without this layer: asked what stands at an address now.
    reader: Router,
    changing: Arc<Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>>,
}

impl Tags {
    pub(super) fn over(reader: Router) -> Tags {
        Tags { reader, changing: Arc::default() }
    }
}

/// For a handler that gives its answer a tag of its own.
pub(super) fn of(standing: &impl serde::Serialize) -> Result<HeaderValue> {
    Ok(hash(&serde_json::to_vec(standing)?))
}

fn hash(bytes: &[u8]) -> HeaderValue {
    let digest = Sha256::digest(bytes);
    let text = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&digest[..BYTES]));
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("\"\""))
}

pub(super) async fn answer(State(tags): State<Tags>, request: Request, next: Next) -> Response {
    let changes = matches!(*request.method(), Method::PUT | Method::PATCH | Method::DELETE);
    let outcome = if request.method() == Method::GET {
        read(request, next).await
    } else if changes && request.headers().contains_key(header::IF_MATCH) {
        change(&tags, request, next).await
    } else {
        return next.run(request).await;
    };
    outcome.unwrap_or_else(|error| error.into_response())
}

async fn read(request: Request, next: Next) -> Result<Response> {
    let known: Vec<HeaderValue> = request.headers().get_all(header::IF_NONE_MATCH).iter().cloned().collect();
    let mut response = next.run(request).await;
    if response.headers().contains_key(header::ETAG) || !is_json(&response) {
        return Ok(response);
    }
    // Streams do not say how long they are.
    let Some(length) = response.body().size_hint().exact().filter(|length| *length <= LARGEST) else {
        return Ok(response);
    };
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::try_from(length).unwrap_or(usize::MAX)).await.map_err(Error::internal)?;
    let tag = hash(&bytes);
    let is_known = known.iter().any(|known| names(known, &tag, Weak::Counts));
    parts.headers.insert(header::ETAG, tag);
    response = Response::from_parts(parts, Body::from(bytes));
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(header::CONTENT_TYPE);
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    Ok(response)
}

fn is_json(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    response.status() == StatusCode::OK && kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

async fn change(tags: &Tags, request: Request, next: Next) -> Result<Response> {
    let wanted: Vec<HeaderValue> = request.headers().get_all(header::IF_MATCH).iter().cloned().collect();
    let path = request.uri().path().to_owned();
    let turn = tags.changing.lock().entry(path.clone()).or_default().clone();
    let turn_taken = turn.clone().lock_owned().await;
    let outcome = match tags.now_at(reading(&request)).await {
        Now::Tag(tag) if !wanted.iter().any(|wanted| names(wanted, &tag, Weak::CountsNot)) => Err(Error::conflict(
            Code::PreconditionFailed,
            "It was changed since it was read. Read it again, and decide anew.",
        )),
        Now::Untagged => Err(Error::bad_request("If-Match: what is changed by this call has no ETag.")),
        // Who may not read it, or where nothing is, hears from the handler.
        Now::Tag(_) | Now::Refused => Ok(next.run(request).await),
    };
    drop(turn_taken);
    let mut changing = tags.changing.lock();
    // The map's and this one.
    if Arc::strong_count(&turn) == 2 {
        changing.remove(&path);
    }
    outcome
}

/// What stands at an address.
enum Now {
    Tag(HeaderValue),
    Untagged,
    Refused,
}

impl Tags {
    async fn now_at(&self, reading: Request) -> Now {
        let Ok(response) = self.reader.clone().oneshot(reading).await;
        let status = response.status();
        if status == StatusCode::METHOD_NOT_ALLOWED {
            return Now::Untagged;
        }
        if !status.is_success() {
            return Now::Refused;
        }
        if let Some(tag) = response.headers().get(header::ETAG) {
            return Now::Tag(tag.clone());
        }
        if !is_json(&response) {
            return Now::Untagged;
        }
        match to_bytes(response.into_body(), usize::try_from(LARGEST).unwrap_or(usize::MAX)).await {
            Ok(bytes) => Now::Tag(hash(&bytes)),
            Err(_) => Now::Untagged,
        }
    }
}

/// The caller's own GET of the same address.
fn reading(request: &Request) -> Request {
    let mut reading = Request::new(Body::empty());
    *reading.uri_mut() = request.uri().path().parse().unwrap_or_default();
    *reading.headers_mut() = without_conditions(request.headers());
    // Not all of them: the path's parameters are found anew.
    if let Some(address) = request.extensions().get::<ConnectInfo<SocketAddr>>() {
        reading.extensions_mut().insert(*address);
    }
    if let Some(uri) = request.extensions().get::<OriginalUri>() {
        reading.extensions_mut().insert(uri.clone());
    }
    reading
}

fn without_conditions(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in [header::IF_MATCH, header::CONTENT_LENGTH, header::CONTENT_TYPE, header::TRANSFER_ENCODING] {
        headers.remove(name);
    }
    headers
}

#[derive(Clone, Copy, PartialEq)]
enum Weak {
    Counts,
    CountsNot,
}

/// Whether a list of tags, or `*`, names this one.
fn names(list: &HeaderValue, tag: &HeaderValue, weak: Weak) -> bool {
    let (Ok(list), Ok(tag)) = (list.to_str(), tag.to_str()) else { return false };
    list.split(',').map(str::trim).any(|named| {
        let strong = if weak == Weak::Counts { named.strip_prefix("W/").unwrap_or(named) } else { named };
        named == "*" || strong == tag
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_a_tag_and_a_star_names_all() {
        let value = HeaderValue::from_static;
        let tag = value("\"b\"");
        for (list, weak, expected) in [
            ("\"a\", \"b\"", Weak::CountsNot, true),
            ("\"a\"", Weak::CountsNot, false),
            ("*", Weak::CountsNot, true),
            ("W/\"b\"", Weak::Counts, true),
            ("W/\"b\"", Weak::CountsNot, false),
            ("", Weak::Counts, false),
        ] {
            assert_eq!(names(&value(list), &tag, weak), expected, "{list}");
        }
    }

    #[test]
    fn other_bytes_have_another_tag() {
        assert_eq!(hash(b"one"), hash(b"one"));
        assert_ne!(hash(b"one"), hash(b"two"));
    }
}
