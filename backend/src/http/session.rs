//! `/session`: sign-in, who is signed in, sign-out; and the cookie that carries it.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use millrace_wire::session::{Session, SignIn};

use super::extract::Json;
use super::guard::ClientAddress;
use crate::access::audit::Change;
use crate::access::identity::Caller;
use crate::app::account::{self, Opened};
use crate::error::Result;
use crate::state::App;

const SECURE_COOKIE: &str = "__Host-millrace";
/// Browsers take `__Host-` from https only; on http://localhost it has no prefix.
const PLAIN_COOKIE: &str = "millrace";

pub(super) const SESSION_SECONDS: i64 = account::SESSION_MS / 1000;

/// The cookies that we set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cookie {
    Session,
    /// Binds a sign-in at a provider to the browser that began it.
    SignOn,
}

impl Cookie {
    const fn name(self, https: bool) -> &'static str {
        match (self, https) {
            (Cookie::Session, true) => SECURE_COOKIE,
            (Cookie::Session, false) => PLAIN_COOKIE,
            (Cookie::SignOn, true) => "__Host-millrace-sign-on",
            (Cookie::SignOn, false) => "millrace-sign-on",
        }
    }
}

/// The session cookie's value, if there is one.
pub(super) fn cookie_of(headers: &HeaderMap, https: bool) -> Option<String> {
    cookie(Cookie::Session, headers, https)
}

pub(super) fn cookie(which: Cookie, headers: &HeaderMap, https: bool) -> Option<String> {
    let name = which.name(https);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

pub(super) fn set_cookie(which: Cookie, https: bool, value: &str, seconds: i64) -> Option<HeaderValue> {
    let secure = if https { "; Secure" } else { "" };
    let name = which.name(https);
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&text).ok()
}

/// The answer to everything that signs somebody in.
pub(super) fn opened(app: &App, opening: Opened) -> Response {
    let signed_in = Change(serde_json::json!({ "signed_in": opening.session.user.email }));
    let mut response = (Extension(signed_in), Json(opening.session)).into_response();
    if let Some(cookie) = set_cookie(Cookie::Session, app.config.is_https(), &opening.cookie, SESSION_SECONDS) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    ClientAddress(address): ClientAddress,
    Json(request): Json<SignIn>,
) -> Response {
    let tried = Change(serde_json::json!({ "tried": request.email.chars().take(254).collect::<String>() }));
    match account::sign_in(&app, request, address).await {
        Ok(opening) => opened(&app, opening),
        Err(error) => (Extension(tried), error).into_response(),
    }
}

pub(super) async fn demo(State(app): State<Arc<App>>, ClientAddress(address): ClientAddress) -> Result<Response> {
    let opening = account::demo_sign_in(&app, address).await?;
    Ok(opened(&app, opening))
}

pub(super) async fn show(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Session>> {
    Ok(Json(account::session(&app, &caller).await?))
}

pub(super) async fn delete(State(app): State<Arc<App>>, caller: Caller) -> Result<Response> {
    account::sign_out(&app, &caller).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = set_cookie(Cookie::Session, app.config.is_https(), "", 0) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; millrace=xyz; b=2"));
        assert_eq!(cookie_of(&headers, false).as_deref(), Some("xyz"));
        assert_eq!(cookie_of(&headers, true), None, "on https the plain name does not count");
    }

    #[test]
    fn on_https_it_is_bound_to_the_host() {
        let cookie = set_cookie(Cookie::Session, true, "v", 60).unwrap();
        assert_eq!(cookie, "__Host-millrace=v; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure");
        assert!(!set_cookie(Cookie::Session, false, "v", 60).unwrap().to_str().unwrap().contains("Secure"));
    }
}
