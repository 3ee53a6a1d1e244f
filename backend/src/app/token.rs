//! API tokens: for programs, for one team, with a scope, for a time.

use millrace_wire::ids::TokenId;
use millrace_wire::token::{ApiToken, IssuedApiToken, NewApiToken};

use super::check;
use crate::access::identity::{Caller, Via};
use crate::clock;
use crate::error::{Error, Result};
use crate::state::App;
use crate::store;
use crate::transact;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const LONGEST_DAYS: u32 = 366;
const TOUCH_MS: i64 = 60 * 1000;

pub async fn list(app: &App, caller: &Caller) -> Result<Vec<ApiToken>> {
    store::token::list(&app.store, caller.user).await
}

/// The answer is the only one that ever holds the token.
pub async fn issue(app: &App, caller: &Caller, request: NewApiToken) -> Result<IssuedApiToken> {
    check::display_name("name", &request.name)?;
    if !(1..=LONGEST_DAYS).contains(&request.expires_in_days) {
        return Err(Error::field("expires_in_days", format!("Choose 1 to {LONGEST_DAYS} days.")));
    }
    let teams = store::team::memberships(&app.store, caller.user).await?;
    let Some(membership) = teams.iter().find(|membership| membership.team == request.team) else {
        return Err(Error::field("team", "You are not a member of such a team."));
    };
    let scope = request.scope.unwrap_or(membership.role);
    if scope > membership.role {
        let message = format!("Your role in this team is {}; a token cannot do more.", membership.role);
        return Err(Error::field("scope", message));
    }
    let now = clock::now_ms();
    let token = ApiToken {
        id: TokenId(clock::new_id()),
        name: request.name.trim().to_owned(),
        team: request.team,
        scope,
        created_at: now,
        expires_at: now + i64::from(request.expires_in_days) * DAY_MS,
        last_used_at: None,
    };
    let secret = app.tokens.issue(caller.user, token.id, token.team, now, token.expires_at)?;
    transact!(app.store, tx => { store::token::insert(tx, caller.user, &token).await })?;
    Ok(IssuedApiToken { token, secret })
}

pub async fn revoke(app: &App, caller: &Caller, token: TokenId) -> Result<()> {
    if store::token::revoke(&app.store, token, caller.user, clock::now_ms()).await? {
        return Ok(());
    }
    Err(Error::not_found("token"))
}

/// Who is behind a bearer token, if it still counts.
pub async fn caller_of_token(app: &App, secret: &str) -> Result<Option<Caller>> {
    let Some(claims) = app.tokens.read(secret) else { return Ok(None) };
    let now = clock::now_ms();
    let Some(found) = store::token::find(&app.store, claims.jti, claims.sub, now).await? else { return Ok(None) };
    if found.team != claims.team {
        return Ok(None);
    }
    if found.last_used_at.is_none_or(|at| at < now - TOUCH_MS) {
        store::token::touch(&app.store, claims.jti, now).await?;
    }
    Ok(Some(Caller {
        user: found.user,
        name: found.name,
        email: found.email,
        administrator: found.administrator,
        via: Via::Token { token: claims.jti, team: claims.team, scope: found.scope },
    }))
}
