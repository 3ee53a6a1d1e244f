//! Signing in at the provider that the server is configured with: which of our users somebody is who comes back.

use std::net::IpAddr;

use millrace_wire::ids::UserId;
use millrace_wire::session::SignOnRefusal;

use super::account::{self, Opened};
use super::{check, organisation};
use crate::access::secret::{hash_token, random_token};
use crate::access::sign_on::{Person, SignOn};
use crate::clock;
use crate::error::{Code, Error, Result};
use crate::state::App;
use crate::store;
use crate::store::sign_on::Attempt;
use crate::store::user::UserRow;
use crate::transact;

/// As long as somebody may take to type a password and find a second factor.
pub const ATTEMPT_MS: i64 = 10 * 60 * 1000;

/// Where the browser goes, and what it has to bring back beside the state.
pub struct Leaving {
    pub url: String,
    pub cookie: String,
}

/// Somebody who is signed in, and where they wanted to go.
pub struct Returned {
    pub opened: Opened,
    pub next_path: String,
}

/// What the sign-in page is told, and the error for trail and log.
pub struct Refused {
    pub why: SignOnRefusal,
    pub error: Error,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let why = match error.code() {
            Code::TooManyRequests => SignOnRefusal::TooMany,
            _ => SignOnRefusal::Failed,
        };
        Refused { why, error }
    }
}

fn refused(why: SignOnRefusal, error: Error) -> Refused {
    Refused { why, error }
}

fn provider(app: &App) -> Result<&SignOn> {
    app.sign_on.as_ref().ok_or_else(|| Error::not_allowed("This server is connected to no sign-in provider."))
}

/// `next`: a path of the console to come back to.
pub async fn begin(app: &App, next: Option<String>, address: IpAddr) -> Result<Leaving, Refused> {
    let provider = provider(app)?;
    app.limits.sign_on(address)?;
    let begun = provider.begin().await.map_err(|error| refused(SignOnRefusal::Unreachable, error))?;
    let cookie = random_token();
    let attempt = Attempt {
        verifier: app.keys.seal(&verifier_place(&begun.state), &begun.verifier)?,
        state_hash: hash_token(&begun.state),
        browser_hash: hash_token(&cookie),
        nonce: begun.nonce,
        next_path: next.filter(|path| is_own_path(path)).unwrap_or_else(|| "/".to_owned()),
        expires_at: clock::now_ms() + ATTEMPT_MS,
    };
    store::sign_on::insert_attempt(&app.store, &attempt).await?;
    Ok(Leaving { url: begun.url, cookie })
}

/// `cookie`: what the browser got when it left; without it somebody else's sign-in is being handed over.
pub async fn finish(
    app: &App,
    state: &str,
    code: String,
    cookie: Option<&str>,
    address: IpAddr,
) -> Result<Returned, Refused> {
    let provider = provider(app)?;
    app.limits.sign_on(address)?;
    let unknown = || {
        let message = "This sign-in was not begun in this browser, or it took too long.";
        refused(SignOnRefusal::Expired, Error::bad_request(message))
    };
    let (state_hash, browser_hash) = (hash_token(state), hash_token(cookie.ok_or_else(unknown)?));
    let now = clock::now_ms();
    let attempt = transact!(app.store, tx => {
        store::sign_on::take_attempt(tx, &state_hash, &browser_hash, now).await
    })?;
    let attempt = attempt.ok_or_else(unknown)?;
    let verifier = app.keys.open(&verifier_place(state), &attempt.verifier)?;
    let person = provider.finish(code, attempt.nonce, verifier).await;
    let person = person.map_err(|error| refused(SignOnRefusal::NotConfirmed, error))?;
    let user = user_of(app, &person, provider.creates_users()).await?;
    Ok(Returned { opened: account::open_session(app, &user).await?, next_path: attempt.next_path })
}

fn verifier_place(state: &str) -> String {
    format!("sign_on/{}", hash_token(state))
}

/// Only paths of our own pages: the address bar must not be led elsewhere after a sign-in. Browsers drop tabs and line
/// breaks from an address and read a backslash as a slash, so `/<tab>/example.org` is another host to them.
fn is_own_path(path: &str) -> bool {
    let plain = !path.contains('\\') && !path.chars().any(char::is_control);
    plain && path.starts_with('/') && !path.starts_with("//") && path.len() <= 1000
}

/// Known by the provider's subject; the first time by a verified e-mail address, or as somebody new.
pub async fn user_of(app: &App, person: &Person, creates: bool) -> Result<UserRow, Refused> {
    let now = clock::now_ms();
    let no = |why, message: &str| Ok(Err(refused(why, Error::not_allowed(message))));
    let user = transact!(app.store, tx => {
        if let Some(user) = store::sign_on::user_of(tx, &person.issuer, &person.subject).await? {
            return Ok(Ok(user));
        }
        let Some(email) = person.email.as_deref() else {
            return no(SignOnRefusal::NoEmail, "The provider gave no verified e-mail address.");
        };
        let user = match store::user::by_email_in(tx, email).await? {
            // The provider tells them apart: the address was given to somebody new there.
            Some(user) if store::sign_on::is_linked(tx, &person.issuer, user.id).await? => {
                return no(SignOnRefusal::OtherPerson, "This e-mail address belongs to the account of another person.");
            }
            Some(user) => user,
            None if creates => {
                let user = new_user(email, person.name.as_deref(), now)?;
                store::user::insert(tx, &user).await?;
                store::organisation_member::join(tx, organisation::DEFAULT, user.id, now).await?;
                user
            }
            None => return no(SignOnRefusal::NoAccount, "There is no account for this e-mail address here."),
        };
        store::sign_on::link(tx, &person.issuer, &person.subject, user.id, now).await?;
        Ok(Ok(user))
    })??;
    if user.disabled {
        return Err(refused(SignOnRefusal::SwitchedOff, Error::not_allowed("This account is switched off.")));
    }
    Ok(user)
}

/// Without a password, and in no team until an owner adds them.
fn new_user(email: &str, name: Option<&str>, now: i64) -> Result<UserRow> {
    check::email("email", email)?;
    let name = name.map(str::trim).filter(|name| check::display_name("name", name).is_ok());
    let before_at = email.split('@').next().unwrap_or(email);
    Ok(UserRow {
        id: UserId(clock::new_id()),
        name: name.unwrap_or(before_at).to_owned(),
        email: email.to_lowercase(),
        password_hash: String::new(),
        administrator: false,
        disabled: false,
        created_at: now,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn one_comes_back_to_our_own_pages_only() {
        assert!(is_own_path("/t/demo/tables?q=logs"));
        for bad in ["//example.org", "https://example.org", "/\\example.org", "", "/a\r\nSet-Cookie: x=1"] {
            assert!(!is_own_path(bad), "{bad:?}");
        }
        for bad in ["/\t/example.org", "/\n/example.org", "/\u{0}/example.org", "/\t\\example.org"] {
            assert!(!is_own_path(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_new_user_has_a_name_in_any_case() {
        assert_eq!(new_user("Anna@example.org", None, 0).unwrap().name, "Anna");
        assert_eq!(new_user("anna@example.org", Some(" Anna B. "), 0).unwrap().name, "Anna B.");
        assert_eq!(new_user("anna@example.org", Some("two\nlines"), 0).unwrap().name, "anna");
        assert_eq!(new_user("ANNA@example.org", None, 0).unwrap().email, "anna@example.org");
    }
}
