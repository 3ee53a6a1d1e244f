//! `/session/sign-on`: to the provider and back. A browser walks these addresses, so they answer with redirects; what
//! went wrong is said on the sign-in page.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use millrace_wire::session::SignOnRefusal;
use serde::Deserialize;

use super::extract::Query;
use super::guard::ClientAddress;
use super::session::{self, Cookie};
use crate::access::audit::Change;
use crate::app::sign_on::{self, Refused};
use crate::error::{Error, Result};
use crate::state::App;

#[derive(Deserialize)]
pub(super) struct BeginQuery {
    next: Option<String>,
}

/// What a provider sends along, in either case.
#[derive(Deserialize)]
pub(super) struct BackQuery {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

pub(super) async fn begin(
    State(app): State<Arc<App>>,
    ClientAddress(address): ClientAddress,
    Query(query): Query<BeginQuery>,
) -> Response {
    match sign_on::begin(&app, query.next, address).await {
        Ok(leaving) => {
            let seconds = sign_on::ATTEMPT_MS / 1000;
            let cookie = session::set_cookie(Cookie::SignOn, app.config.is_https(), &leaving.cookie, seconds);
            redirect(&leaving.url, cookie.into_iter())
        }
        Err(refused) => to_sign_in(refused),
    }
}

pub(super) async fn back(
    State(app): State<Arc<App>>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    Query(query): Query<BackQuery>,
) -> Response {
    let https = app.config.is_https();
    let cookie = session::cookie(Cookie::SignOn, &headers, https);
    match finish(&app, query, cookie.as_deref(), address).await {
        Ok(returned) => {
            let opened = &returned.opened;
            let signed_in = Change(serde_json::json!({ "signed_in": opened.session.user.email, "by": "provider" }));
            let cookies = [
                session::set_cookie(Cookie::Session, https, &opened.cookie, session::SESSION_SECONDS),
                session::set_cookie(Cookie::SignOn, https, "", 0),
            ];
            (Extension(signed_in), redirect(&returned.next_path, cookies.into_iter().flatten())).into_response()
        }
        Err(refused) => to_sign_in(refused),
    }
}

async fn finish(
    app: &App,
    query: BackQuery,
    cookie: Option<&str>,
    address: std::net::IpAddr,
) -> Result<sign_on::Returned, Refused> {
    if let Some(error) = query.error {
        let said: String = query.error_description.unwrap_or(error).chars().take(200).collect();
        let error = Error::not_allowed("The provider refused.").because(anyhow::anyhow!("the provider said: {said}"));
        return Err(Refused { why: SignOnRefusal::Declined, error });
    }
    let missing =
        || Refused { why: SignOnRefusal::NotConfirmed, error: Error::bad_request("The provider sent no code back.") };
    let (code, state) = (query.code.ok_or_else(missing)?, query.state.ok_or_else(missing)?);
    sign_on::finish(app, &state, code, cookie, address).await
}

/// The sign-in page says it; the trail and the log get it as any other refusal.
fn to_sign_in(refused: Refused) -> Response {
    let mut response = redirect(&format!("/sign-in?refused={}", refused.why), std::iter::empty());
    *response.extensions_mut() = refused.error.into_response().extensions().clone();
    response
}

fn redirect(to: &str, cookies: impl Iterator<Item = HeaderValue>) -> Response {
    let Ok(location) = HeaderValue::from_str(to) else {
        return Error::internal(anyhow::anyhow!("an address that is no header value")).into_response();
    };
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(header::LOCATION, location);
    cookies.for_each(|cookie| {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    });
    response
}
