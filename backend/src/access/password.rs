//! Passwords: argon2id on a bounded number of blocking threads, so that a burst of sign-ins neither fills the memory
//! (19 MiB each) nor holds up other requests.

use std::sync::Arc;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

use crate::error::{Error, Result};

const AT_ONCE: usize = 2;
const LONGEST_WAIT: Duration = Duration::from_secs(10);
const SHORTEST: usize = 10;
const LONGEST: usize = 256;

/// Long enough and still among the first that an attacker tries.
const COMMON: &[&str] = &[
    "1234567890",
    "0123456789",
    "0987654321",
    "1111111111",
    "1q2w3e4r5t",
    "1qaz2wsx3edc",
    "abcdefghij",
    "administrator",
    "changeme123",
    "football123",
    "iloveyou123",
    "letmein123",
    "millrace123",
    "monkey12345",
    "passw0rd123",
    "password12",
    "password123",
    "password1234",
    "password12345",
    "passwordpassword",
    "princess123",
    "q1w2e3r4t5",
    "qwerty12345",
    "qwertyuiop",
    "qwertyuiop123",
    "sunshine123",
    "superman123",
    "welcome123",
    "welcome1234",
    "zxcvbnm123",
];

#[derive(Clone)]
pub struct Passwords {
    permits: Arc<Semaphore>,
    /// Verified when the user does not exist, so that the time of the answer does not tell.
    decoy: Arc<String>,
}

impl Passwords {
    pub async fn new() -> Result<Self> {
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        let mut passwords = Passwords { permits, decoy: Arc::default() };
        passwords.decoy = Arc::new(passwords.hash("no user has this one".to_owned()).await?);
        Ok(passwords)
    }

    /// The rules for a new password; `field` is where a form shows what is wrong.
    pub fn check_strength(field: &str, password: &str, email: &str) -> Result<()> {
        if password.chars().count() < SHORTEST {
            return Err(Error::field(field, format!("Use at least {SHORTEST} characters.")));
        }
        if password.len() > LONGEST {
            return Err(Error::field(field, format!("Use at most {LONGEST} characters.")));
        }
        let lower = password.to_lowercase();
        if COMMON.contains(&lower.as_str()) || lower == email.to_lowercase() {
            return Err(Error::field(field, "This password is easy to guess. Choose another one."));
        }
        Ok(())
    }

    /// A PHC string with a salt of its own.
    pub async fn hash(&self, password: String) -> Result<String> {
        self.run(move || {
            Argon2::default()
                .hash_password(password.as_bytes())
                .map(|hash| hash.to_string())
                .map_err(|cause| Error::internal(anyhow::anyhow!("argon2: {cause}")))
        })
        .await
    }

    /// `stored`: `None` for a user that does not exist; it takes as long and is never right.
    pub async fn verify(&self, password: String, stored: Option<String>) -> Result<bool> {
        if password.len() > LONGEST {
            return Ok(false);
        }
        let exists = stored.as_ref().is_some_and(|hash| !hash.is_empty());
        let hash = stored.filter(|hash| !hash.is_empty()).unwrap_or_else(|| self.decoy.to_string());
        let matches = self
            .run(move || {
                let parsed = PasswordHash::new(&hash)
                    .map_err(|cause| Error::internal(anyhow::anyhow!("stored password hash: {cause}")))?;
                Ok(Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok())
            })
            .await?;
        Ok(matches && exists)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let permit = tokio::time::timeout(LONGEST_WAIT, self.permits.clone().acquire_owned())
            .await
            .map_err(|_| Error::too_many_requests("Too many people sign in at once. Try again in a moment."))?
            .map_err(Error::internal)?;
        let outcome = tokio::task::spawn_blocking(move || {
            let outcome = work();
            drop(permit);
            outcome
        });
        outcome.await.map_err(Error::internal)?
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_of_an_existing_user_passes() {
        let passwords = Passwords::new().await.unwrap();
        let hash = passwords.hash("correct horse".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(passwords.verify("correct horse".into(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("wrong horse".into(), Some(hash)).await.unwrap());
        assert!(!passwords.verify("no user has this one".into(), None).await.unwrap());
        // A user without a password cannot be signed in by the decoy's.
        assert!(!passwords.verify("no user has this one".into(), Some(String::new())).await.unwrap());
    }

    #[test]
    fn weak_passwords_are_named() {
        for weak in ["short", "password123", "PASSWORD123", "anna@example.org"] {
            assert!(Passwords::check_strength("password", weak, "anna@example.org").is_err(), "{weak}");
        }
        assert!(Passwords::check_strength("password", "a long enough phrase", "anna@example.org").is_ok());
        assert!(Passwords::check_strength("password", &"é".repeat(10), "a@b.c").is_ok());
        assert!(Passwords::check_strength("password", &"x".repeat(257), "a@b.c").is_err());
    }
}
