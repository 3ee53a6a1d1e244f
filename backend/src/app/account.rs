//! First run, sign-in, sessions.

use std::net::IpAddr;

use millrace_wire::ids::{TeamId, UserId};
use millrace_wire::session::{FirstRun, Session, SetupStatus, SignIn, User};
use millrace_wire::team::Role;

use super::{check, organisation, team};
use crate::access::identity::{Caller, Via};
use crate::access::password::Passwords;
use crate::access::secret::{hash_token, random_token};
use crate::clock;
use crate::error::{Error, Result};
use crate::state::App;
use crate::store::user::UserRow;
use crate::store::{self, installation, is_unique_violation};
use crate::transact;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
pub const SESSION_MS: i64 = 30 * DAY_MS;
const SESSION_IDLE_MS: i64 = 7 * DAY_MS;
/// The time of last use is written at most this often.
const TOUCH_MS: i64 = 5 * 60 * 1000;

pub const DEMO_EMAIL: &str = "demo@millrace.invalid";
pub const DEMO_TEAM: &str = "demo";

/// A new session: the cookie's value and what the browser is told.
pub struct Opened {
    pub cookie: String,
    pub session: Session,
}

/// `cookie`: what the request carried, if anything.
pub async fn setup_status(app: &App, cookie: Option<&str>) -> Result<SetupStatus> {
    let exists = store::user::administrator_exists(&app.store).await?;
    let signed_in = match cookie {
        Some(cookie) => caller_of_cookie(app, cookie).await?.is_some(),
        None => false,
    };
    Ok(SetupStatus {
        signed_in,
        needs_administrator: !exists && !app.config.demo,
        demo: app.config.demo,
        provider: app.sign_on.as_ref().map(|provider| provider.name().to_owned()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// While there is no administrator: makes a new one-time token, which the caller prints. Older ones stop to work.
pub async fn prepare_first_run(app: &App) -> Result<Option<String>> {
    if store::user::administrator_exists(&app.store).await? {
        return Ok(None);
    }
    let token = random_token();
    let hash = hash_token(&token);
    transact!(app.store, tx => {
        installation::set(tx, installation::FIRST_RUN_TOKEN, &hash).await?;
        Ok(())
    })?;
    Ok(Some(token))
}

/// Makes the administrator, and a first team that they own.
pub async fn first_run(app: &App, request: FirstRun, address: IpAddr) -> Result<Opened> {
    app.limits.sign_in(address, &request.email)?;
    check::display_name("name", &request.name)?;
    check::email("email", &request.email)?;
    Passwords::check_strength("password", &request.password, &request.email)?;
    let presented = hash_token(request.token.trim());
    let wrong_token = || {
        Error::field("token", "This is not the token of the last start.")
            .hint("It stands in the server's log, and works once.")
    };
    if installation::get(&app.store, installation::FIRST_RUN_TOKEN).await?.as_deref() != Some(presented.as_str()) {
        return Err(wrong_token());
    }
    let now = clock::now_ms();
    let user = UserRow {
        id: UserId(clock::new_id()),
        name: request.name.trim().to_owned(),
        email: request.email.to_lowercase(),
        password_hash: app.passwords.hash(request.password).await?,
        administrator: true,
        disabled: false,
        created_at: now,
    };
    let first_team = team::new_team("main", "Main", now);
    let taken = transact!(app.store, tx => {
        if !installation::take(tx, installation::FIRST_RUN_TOKEN, &presented).await? {
            return Ok(false);
        }
        if store::user::by_email_in(tx, &user.email).await?.is_some() {
            return Err(Error::name_taken("email", "A user with this e-mail address exists."));
        }
        store::user::insert(tx, &user).await?;
        team::insert_with_basics(tx, &first_team, &user.name).await?;
        store::team::set_member(tx, first_team.id, user.id, Role::Owner, now).await?;
        Ok(true)
    })?;
    if !taken {
        return Err(wrong_token());
    }
    tracing::info!(user.id = %user.id, "the administrator was created");
    open_session(app, &user).await
}

pub async fn sign_in(app: &App, request: SignIn, address: IpAddr) -> Result<Opened> {
    app.limits.sign_in(address, &request.email)?;
    let user = store::user::by_email(&app.store, &request.email).await?;
    let hash = user.as_ref().filter(|user| !user.disabled).map(|user| user.password_hash.clone());
    let right = app.passwords.verify(request.password, hash).await?;
    match user {
        Some(user) if right => open_session(app, &user).await,
        // The same words whether the user exists or not.
        _ => Err(Error::new(
            crate::error::Code::NotSignedIn,
            millrace_wire::error::ErrorDomain::User,
            millrace_wire::error::Retry::AfterChange,
            "The e-mail address or the password is wrong.",
        )),
    }
}

/// In demo mode anybody may sign in as the demo user.
pub async fn demo_sign_in(app: &App, address: IpAddr) -> Result<Opened> {
    if !app.config.demo {
        return Err(Error::not_allowed("Demo mode is off."));
    }
    app.limits.demo_sign_in(address)?;
    let user = store::user::by_email(&app.store, DEMO_EMAIL)
        .await?
        .ok_or_else(|| Error::unavailable("The demo user is not there yet."))?;
    open_session(app, &user).await
}

pub(super) async fn open_session(app: &App, user: &UserRow) -> Result<Opened> {
    let cookie = random_token();
    let hash = hash_token(&cookie);
    let now = clock::now_ms();
    transact!(app.store, tx => {
        store::session::insert(tx, &hash, user.id, now, now + SESSION_MS).await
    })?;
    let caller = Caller {
        user: user.id,
        name: user.name.clone(),
        email: user.email.clone(),
        administrator: user.administrator,
        via: Via::Session(hash),
    };
    Ok(Opened { cookie, session: session(app, &caller).await? })
}

/// Who is behind a cookie's value, if it still counts.
pub async fn caller_of_cookie(app: &App, cookie: &str) -> Result<Option<Caller>> {
    let hash = hash_token(cookie);
    let now = clock::now_ms();
    let Some(found) = store::session::find(&app.store, &hash, now, now - SESSION_IDLE_MS).await? else {
        return Ok(None);
    };
    if found.last_used_at < now - TOUCH_MS {
        store::session::touch(&app.store, &hash, now).await?;
    }
    Ok(Some(Caller {
        user: found.user,
        name: found.name,
        email: found.email,
        administrator: found.administrator,
        via: Via::Session(hash),
    }))
}

pub async fn sign_out(app: &App, caller: &Caller) -> Result<()> {
    match &caller.via {
        Via::Session(hash) => store::session::delete(&app.store, hash).await,
        Via::Token { .. } => Err(Error::not_allowed("A token is not signed out, it is revoked.")),
    }
}

pub async fn session(app: &App, caller: &Caller) -> Result<Session> {
    let mut teams = store::team::memberships(&app.store, caller.user).await?;
    if let Via::Token { team, .. } = &caller.via {
        teams.retain(|membership| membership.team == *team);
    }
    for membership in &mut teams {
        membership.role = caller.via.limit(membership.role);
    }
    let token = match &caller.via {
        Via::Token { team, .. } => Some(*team),
        Via::Session(_) => None,
    };
    Ok(Session {
        user: User {
            id: caller.user,
            name: caller.name.clone(),
            email: caller.email.clone(),
            administrator: caller.administrator,
        },
        teams,
        organisations: organisation::list(app, caller).await?,
        guest_of: store::grant::guest_of(&app.store, caller.user, token).await?,
        demo: app.config.demo,
        broker: app.broker.borrow().clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// In demo mode: the demo user and the team it owns. Says which team.
pub async fn ensure_demo(app: &App) -> Result<TeamId> {
    if let Some(team) = store::team::by_slug(&app.store, DEMO_TEAM).await? {
        return Ok(team.id);
    }
    let now = clock::now_ms();
    let user = UserRow {
        id: UserId(clock::new_id()),
        name: "Demo".to_owned(),
        email: DEMO_EMAIL.to_owned(),
        password_hash: String::new(),
        administrator: false,
        disabled: false,
        created_at: now,
    };
    let demo_team = team::new_team(DEMO_TEAM, "Demo", now);
    transact!(app.store, tx => {
        let id = match store::user::by_email_in(tx, DEMO_EMAIL).await? {
            Some(existing) => existing.id,
            None => {
                store::user::insert(tx, &user).await?;
                user.id
            }
        };
        team::insert_with_basics(tx, &demo_team, "Millrace").await?;
        store::team::set_member(tx, demo_team.id, id, Role::Owner, now).await
    })?;
    Ok(demo_team.id)
}

/// Housekeeping, called now and then.
pub async fn forget_old_sessions(app: &App) -> Result<u64> {
    let now = clock::now_ms();
    store::sign_on::delete_expired(&app.store, now).await?;
    store::session::delete_expired(&app.store, now, now - SESSION_IDLE_MS).await
}

/// A unique index was hit by somebody who was faster.
pub(super) fn taken_or(error: Error, field: &str, message: &str) -> Error {
    let unique = is_unique_violation(&error);
    if unique { Error::name_taken(field, message) } else { error }
}
