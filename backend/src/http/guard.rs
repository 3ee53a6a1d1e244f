//! Stands before every route: finds out who calls, applies the route's rule, and keeps what the rule says is audited.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, OriginalUri, RawPathParams, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::{Outcome, request_id};
use super::session::cookie_of;
use super::{idempotency, origin};
use crate::access::audit::{Change, Entry};
use crate::access::identity::{Caller, TeamCaller, Via};
use crate::access::policy::{Audit, Rule, Who};
use crate::app::{account, token};
use crate::clock;
use crate::error::{Error, Result};
use crate::state::App;
use crate::store;

/// One route's rule with what is needed to apply it.
#[derive(Clone)]
pub struct Gate {
    pub app: Arc<App>,
    pub rule: &'static Rule,
}

/// Where the request came from; what rate limits and the audit trail go by.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

/// Set on refusals by the guard itself, so that a 404 of a foreign team is told from one of a missing object.
#[derive(Clone, Copy)]
struct Refused;

pub async fn guard(State(gate): State<Gate>, params: RawPathParams, mut request: Request, next: Next) -> Response {
    let slug = params.iter().find(|(name, _)| *name == "team").map(|(_, value)| value.to_owned());
    let address = client_address(&request);
    request.extensions_mut().insert(ClientAddress(address));

    let mut entry = Entry {
        at: clock::now_ms(),
        via: "none".to_owned(),
        team_slug: slug.clone().unwrap_or_default(),
        action: format!("{} {}", gate.rule.method, gate.rule.path),
        object: asked_path(&request),
        address: address.to_string(),
        request_id: request_id(),
        ..Entry::default()
    };

    let admitted = admit(&gate, slug, &mut request, &mut entry).await;
    let mut response = match admitted {
        Ok(()) => idempotency::answer(&gate.app, request, next).await,
        Err(error) => {
            let mut response = error.into_response();
            response.extensions_mut().insert(Refused);
            response
        }
    };

    if is_audited(gate.rule.audit, &response) {
        entry.status = response.status().as_u16();
        entry.outcome = match response.extensions().get::<Outcome>() {
            Some(Outcome(code)) => code.as_str().to_owned(),
            None if response.status().is_success() => "done".to_owned(),
            None => "refused".to_owned(),
        };
        if let Some(Change(change)) = response.extensions_mut().remove::<Change>() {
            entry.detail = change.to_string();
        }
        if let Err(error) = store::audit::append(&gate.app.store, &entry).await {
            // What cannot be kept is not confirmed.
            return Error::unavailable("This could not be written to the audit trail.").because(error).into_response();
        }
    }
    response
}

fn is_audited(audit: Audit, response: &Response) -> bool {
    match audit {
        Audit::Always => true,
        Audit::Never => false,
        Audit::Refusals => {
            let refused = matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
            refused || response.extensions().get::<Refused>().is_some()
        }
    }
}

/// Applies the rule; leaves the caller in the request for the handler, and in the entry for the trail.
async fn admit(gate: &Gate, slug: Option<String>, request: &mut Request, entry: &mut Entry) -> Result<()> {
    let app = &gate.app;
    let who = gate.rule.who;
    if who == Who::Nobody {
        return Err(Error::not_allowed("This is not open to anybody."));
    }
    if who == Who::Worker {
        return Ok(());
    }
    if who == Who::Machine {
        return if is_from_here(request) { Ok(()) } else { Err(Error::not_found("page")) };
    }

    let bearer = bearer_of(request.headers());
    if bearer.is_none() {
        origin::check(&app.config, request.method(), request.headers())?;
    }
    if who == Who::Public {
        return Ok(());
    }

    let caller = match (bearer, cookie_of(request.headers(), app.config.is_https())) {
        (Some(secret), _) => token::caller_of_token(app, &secret).await?,
        (None, Some(cookie)) => account::caller_of_cookie(app, &cookie).await?,
        (None, None) => None,
    };
    let caller = caller.ok_or_else(Error::not_signed_in)?;
    entry.user_id = caller.user.to_string();
    entry.user_email = caller.email.clone();
    entry.via = caller.via.as_str().to_owned();

    match who {
        Who::Public | Who::Worker | Who::Machine | Who::Nobody | Who::SignedIn => {}
        Who::InPerson => in_person(&caller)?,
        Who::Administrator => {
            in_person(&caller)?;
            if !caller.administrator {
                return Err(Error::not_allowed("Only an administrator of the server may do this."));
            }
        }
        Who::Team(least) => {
            let slug = slug.ok_or_else(|| Error::not_found("team"))?;
            let found = store::team::membership(&app.store, &slug, caller.user).await?;
            let (team, role) = found.ok_or_else(|| Error::not_found("team"))?;
            if matches!(&caller.via, Via::Token { team: good_for, .. } if *good_for != team) {
                return Err(Error::not_found("team"));
            }
            let limited = caller.via.limit(role);
            if limited < least {
                let whose = if limited < role { "that of the token" } else { "yours" };
                return Err(Error::not_allowed(format!("This needs the role {least}; {whose} is {limited}.")));
            }
            let role = limited;
            request.extensions_mut().insert(TeamCaller { caller: caller.clone(), team, slug, role });
        }
    }
    request.extensions_mut().insert(caller);
    Ok(())
}

fn in_person(caller: &Caller) -> Result<()> {
    match caller.via {
        Via::Session(_) => Ok(()),
        Via::Token { .. } => Err(Error::not_allowed("An API token cannot do this; sign in.")),
    }
}

fn bearer_of(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim().to_owned())
}

/// As it was sent; the router below `/api/v1` sees the rest only.
fn asked_path(request: &Request) -> String {
    let original = request.extensions().get::<OriginalUri>();
    original.map_or_else(|| request.uri().path(), |OriginalUri(uri)| uri.path()).to_owned()
}

/// A proxy on this machine forwards for others: it says so, and is not from here then.
fn is_from_here(request: &Request) -> bool {
    let forwarded = ["x-forwarded-for", "forwarded"].iter().any(|name| request.headers().contains_key(*name));
    !forwarded && client_address(request).is_loopback()
}

/// Without a peer (a request made inside the process) it is the unspecified address.
fn client_address(request: &Request) -> IpAddr {
    request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(address)| address.ip())
}
