//! `Idempotency-Key` on calls that make or start something in a team: the same call under the same key gets the first
//! answer again, for a day, and does nothing.
//!
//! A key belongs to the caller and to the path. The same key with another body is refused, as is one whose first call is
//! still being answered. Answers of the server's own failures are not kept: the call may be made again.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::access::identity::{Caller, TeamCaller};
use crate::clock::now_ms;
use crate::error::{Code, Error, Result};
use crate::state::App;
use crate::store::idempotency::{self, Call};
use crate::transact;

pub(super) const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

const LONGEST_KEY: usize = 200;
const KEPT_MS: i64 = 24 * 3600 * 1000;
/// A call whose server has not said for so long that it is still being answered never will be: its server is gone.
const GIVEN_UP_MS: i64 = 120_000;
const STILL_ANSWERING: Duration = Duration::from_secs(30);
/// Bodies with scripts are smaller; modules have no keys.
const LARGEST: usize = 2 * 1024 * 1024;

/// Answers the request, by what the key's first call got where there was one.
pub(super) async fn answer(app: &App, request: Request, next: Next) -> Response {
    let is_json = request
        .headers()
        .get(header::CONTENT_TYPE)
        .is_none_or(|value| value.as_bytes().starts_with(b"application/json"));
    let takes_part = request.method() == Method::POST && is_json && request.extensions().get::<TeamCaller>().is_some();
    let Some(key) = request.headers().get(KEY).filter(|_| takes_part).cloned() else { return next.run(request).await };
    match answer_once(app, &key, request, next).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn answer_once(app: &App, key: &HeaderValue, request: Request, next: Next) -> Result<Response> {
    let key = key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= LONGEST_KEY);
    let key = key.ok_or_else(|| {
        Error::bad_request(format!("The header Idempotency-Key must be 1 to {LONGEST_KEY} plain characters."))
    })?;
    let caller = request.extensions().get::<Caller>().map(|caller| caller.user.to_string()).unwrap_or_default();
    let path = request.uri().path().to_owned();
    let (parts, body) = request.into_parts();
    let body = read(body).await?;
    let id = hash(&[caller.as_bytes(), path.as_bytes(), key.as_bytes()]);
    let request_hash = hash(&[parts.uri.query().unwrap_or_default().as_bytes(), &body]);
    let now = now_ms();
    let times = (now - GIVEN_UP_MS, now - KEPT_MS);
    let known = transact!(app.store, tx => { idempotency::claim(tx, &id, &request_hash, now, times).await })?;
    if let Some(call) = known {
        return replay(call, &request_hash);
    }
    let mut answering = std::pin::pin!(next.run(Request::from_parts(parts, Body::from(body))));
    let response = loop {
        match tokio::time::timeout(STILL_ANSWERING, &mut answering).await {
            Ok(response) => break response,
            Err(_) => idempotency::still_answering(&app.store, &id, now_ms()).await?,
        }
    };
    keep(app, &id, response).await
}

fn hash(parts: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn read(body: Body) -> Result<Bytes> {
    use millrace_wire::error::{ErrorDomain, Retry};
    let too_large = |_| Error::new(Code::TooLarge, ErrorDomain::User, Retry::AfterChange, "The request is too large.");
    to_bytes(body, LARGEST).await.map_err(too_large)
}

fn replay(call: Call, request_hash: &str) -> Result<Response> {
    if call.request_hash != request_hash {
        let message = "This Idempotency-Key was used for another call.";
        return Err(Error::conflict(Code::Conflict, message).hint("Make a new key for each call."));
    }
    if call.status == 0 {
        let message = "The first call with this Idempotency-Key is still being answered.";
        return Err(Error::conflict(Code::Conflict, message).hint("Ask again shortly."));
    }
    let status = StatusCode::from_u16(call.status).map_err(Error::internal)?;
    let mut response = (status, call.body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

/// What failed on our side, and what is no JSON, is not kept.
async fn keep(app: &App, id: &str, response: Response) -> Result<Response> {
    let status = response.status();
    let content = response.headers().get(header::CONTENT_TYPE);
    let keepable = content.is_none_or(|value| value.as_bytes().starts_with(b"application/json"));
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS || !keepable {
        idempotency::release(&app.store, id).await?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.map_err(Error::internal)?;
    let text = String::from_utf8_lossy(&bytes);
    if let Err(error) = idempotency::answered(&app.store, id, status.as_u16(), &text).await {
        // The call is done: its answer goes out all the same.
        tracing::warn!(%error, "an answer cannot be kept for its Idempotency-Key");
    }
    Ok(Response::from_parts(parts, Body::from(bytes)))
}
