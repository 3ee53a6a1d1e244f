//! Stands before every route: finds out who calls, applies the route's rule, and keeps what the rule says is audited.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, OriginalUri, RawPathParams, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use millrace_wire::access::Level;
use millrace_wire::ids::{JobId, TableId, TeamId};
use millrace_wire::organisation::OrganisationRole;
use millrace_wire::team::Role;
use tracing::Instrument as _;

use super::problem::{Outcome, REQUEST_ID, request_id};
use super::session::cookie_of;
use super::{idempotency, origin};
use crate::access::audit::{Change, Entry};
use crate::access::identity::{Caller, OrganisationCaller, TeamCaller, Via};
use crate::access::policy::{Audit, Rule, Who};
use crate::access::secret::hash_token;
use crate::access::sight::{Object, Sight};
use crate::app::{account, organisation, token};
use crate::clock;
use crate::error::{Error, Result};
use crate::peer;
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

/// Why the guard lets somebody not pass, and whether that is a refusal to keep or merely nothing there.
struct Turned {
    error: Error,
    refused: bool,
}

impl From<Error> for Turned {
    fn from(error: Error) -> Turned {
        Turned { error, refused: true }
    }
}

/// The parts of the path that rights depend on.
struct Asked {
    slug: Option<String>,
    organisation: Option<String>,
    /// `None` too where the text is no id.
    object: Option<Object>,
}

impl Asked {
    fn read(params: &RawPathParams) -> Asked {
        let param = |wanted: &str| params.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value);
        let job = param("job").and_then(|id| id.parse::<JobId>().ok()).map(Object::Job);
        let table = param("table").and_then(|id| id.parse::<TableId>().ok()).map(Object::Table);
        let organisation = param("organisation").map(str::to_owned);
        Asked { slug: param("team").map(str::to_owned), organisation, object: job.or(table) }
    }
}

pub async fn guard(State(gate): State<Gate>, params: RawPathParams, mut request: Request, next: Next) -> Response {
    let asked = Asked::read(&params);
    let address = client_address(&request);
    request.extensions_mut().insert(ClientAddress(address));

    let mut entry = Entry {
        at: clock::now_ms(),
        via: "none".to_owned(),
        team_slug: asked.slug.clone().unwrap_or_default(),
        action: format!("{} {}", gate.rule.method, gate.rule.path),
        object: asked_path(&request),
        address: address.to_string(),
        request_id: request_id(),
        ..Entry::default()
    };

    let admitted = admit(&gate, asked, &mut request, &mut entry).await;
    if gate.rule.audit != Audit::Always {
        return handle(gate, admitted, request, entry, next).await;
    }
    // To its end, also when the caller hangs up in between: what was begun is done and kept.
    let handling = REQUEST_ID.scope(request_id(), handle(gate, admitted, request, entry, next));
    let handled = tokio::spawn(handling.in_current_span()).await;
    handled.unwrap_or_else(|cause| Error::internal(cause).into_response())
}

/// Answers the call, and keeps it in the trail.
async fn handle(
    gate: Gate,
    admitted: std::result::Result<(), Turned>,
    request: Request,
    mut entry: Entry,
    next: Next,
) -> Response {
    let mut response = match admitted {
        Ok(()) => idempotency::answer(&gate.app, request, next).await,
        Err(turned) => {
            let mut response = turned.error.into_response();
            if turned.refused {
                response.extensions_mut().insert(Refused);
            }
            response
        }
    };
    if gate.rule.method != "GET" || gate.rule.audit == Audit::Always {
        gate.app.answers.changed();
    }

    if is_audited(gate.rule.audit, &response) {
        entry.status = response.status().as_u16();
        entry.outcome = match response.extensions().get::<Outcome>() {
            Some(Outcome(code)) => code.as_str().to_owned(),
            None => outcome_of(response.status()).to_owned(),
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

/// Where no error says more. A redirect is done: those who sign in at a provider are led on.
fn outcome_of(status: StatusCode) -> &'static str {
    if status.is_client_error() || status.is_server_error() { "refused" } else { "done" }
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
async fn admit(gate: &Gate, asked: Asked, request: &mut Request, entry: &mut Entry) -> std::result::Result<(), Turned> {
    let app = &gate.app;
    let who = gate.rule.who;
    if who == Who::Nobody {
        return Err(Error::not_allowed("This is not open to anybody.").into());
    }
    if who == Who::Worker {
        return Ok(());
    }
    if who == Who::Server {
        let proof = bearer_of(request.headers());
        let proves = proof.is_some_and(|proof| hash_token(&proof) == hash_token(&peer::bearer(&app.keys)));
        return if proves { Ok(()) } else { Err(Error::not_found("page").into()) };
    }
    if who == Who::Machine {
        return if is_from_here(request) { Ok(()) } else { Err(Error::not_found("page").into()) };
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
        Who::Public | Who::Worker | Who::Machine | Who::Server | Who::Nobody => {}
        // One that only reads in its team asks for nothing elsewhere, either.
        Who::SignedIn if gate.rule.method != "GET" => needs(&caller, Role::Developer, caller.via.limit(Role::Owner))?,
        Who::SignedIn => {}
        Who::InPerson => in_person(&caller)?,
        Who::Administrator => {
            in_person(&caller)?;
            if !caller.administrator {
                return Err(Error::not_allowed("Only an administrator of the server may do this.").into());
            }
        }
        Who::Organisation(least) => {
            let standing = in_organisation(app, &caller, asked.organisation, least).await?;
            request.extensions_mut().insert(standing);
        }
        Who::Team(least) => {
            let member = standing_in(app, &caller, asked.slug).await?;
            let role = member.role.ok_or_else(|| Error::not_found("team"))?;
            needs(&caller, least, role)?;
            request.extensions_mut().insert(member);
        }
        Who::Job(level, role) | Who::Table(level, role) => {
            let caller = standing_in(app, &caller, asked.slug).await?;
            let caller = for_object(app, caller, asked.object, level, role).await?;
            request.extensions_mut().insert(caller);
        }
    }
    request.extensions_mut().insert(caller);
    Ok(())
}

/// Who the caller is in the team of the path: perhaps nobody.
async fn standing_in(app: &App, caller: &Caller, slug: Option<String>) -> Result<TeamCaller> {
    let slug = slug.ok_or_else(|| Error::not_found("team"))?;
    let found = store::team::membership_or_none(&app.store, &slug, caller.user).await?;
    let (team, role): (TeamId, Option<Role>) = found.ok_or_else(|| Error::not_found("team"))?;
    let elsewhere = matches!(&caller.via, Via::Token { team: good_for, .. } if *good_for != team);
    let role = role.filter(|_| !elsewhere).map(|role| caller.via.limit(role));
    Ok(TeamCaller { caller: caller.clone(), team, slug, role, standing: None })
}

async fn in_organisation(
    app: &App,
    caller: &Caller,
    slug: Option<String>,
    least: OrganisationRole,
) -> Result<OrganisationCaller> {
    let slug = slug.ok_or_else(|| Error::not_found("organisation"))?;
    let found = organisation::standing(app, caller, &slug).await?;
    let organisation = found.ok_or_else(|| Error::not_found("organisation"))?;
    if organisation.role < least {
        let yours = organisation.role;
        return Err(Error::not_allowed(format!("This needs the role {least} of the organisation; yours is {yours}.")));
    }
    Ok(OrganisationCaller { caller: caller.clone(), organisation })
}

/// `role`: what counts of the caller's.
fn needs(caller: &Caller, least: Role, role: Role) -> Result<()> {
    if role < least {
        return Err(lacks_role(caller, least, role));
    }
    Ok(())
}

fn lacks_role(caller: &Caller, least: Role, role: Role) -> Error {
    let whose = match caller.via {
        Via::Token { scope, .. } if scope == role => "that of the token",
        Via::Token { .. } | Via::Session(_) => "yours",
    };
    Error::not_allowed(format!("This needs the role {least}; {whose} is {role}."))
}

/// What is hidden answers as what is not there does: before anything else of the request is looked at.
async fn for_object(
    app: &App,
    caller: TeamCaller,
    object: Option<Object>,
    level: Level,
    least: Role,
) -> std::result::Result<TeamCaller, Turned> {
    let sight: Sight = caller.sight();
    let standing = match object {
        Some(object) => store::grant::standing(&app.store, &sight, object).await?,
        None => None,
    };
    let seen = standing.filter(crate::access::sight::Standing::sees);
    match (seen, caller.role) {
        (Some(seen), _) if seen.may(level, least) => Ok(TeamCaller { standing: seen.into(), ..caller }),
        (Some(seen), role) => {
            let error = match (seen.grant, role) {
                _ if seen.scope < least => lacks_role(&caller.caller, least, seen.scope),
                (Some(grant), _) => Error::not_allowed(format!("This needs the right '{level}'; yours is '{grant}'.")),
                (None, Some(role)) => lacks_role(&caller.caller, least, role),
                (None, None) => Error::not_allowed("This needs a right that you do not have."),
            };
            Err(error.into())
        }
        (None, None) => Err(Error::not_found("team").into()),
        (None, Some(role)) => {
            needs(&caller.caller, least, role)?;
            let word = object.map_or("object", Object::word);
            Err(Turned { error: Error::not_found(word), refused: standing.is_some() })
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_led_on_is_not_refused() {
        for (status, outcome) in [
            (StatusCode::SEE_OTHER, "done"),
            (StatusCode::NO_CONTENT, "done"),
            (StatusCode::FORBIDDEN, "refused"),
            (StatusCode::INTERNAL_SERVER_ERROR, "refused"),
        ] {
            assert_eq!(outcome_of(status), outcome, "{status}");
        }
    }
}
