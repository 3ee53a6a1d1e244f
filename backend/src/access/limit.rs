//! Rate limits of what is dear or guessed at: sign-in by address and by account, previews by user.

use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::clock::DefaultClock;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use millrace_wire::ids::UserId;

use crate::error::{Error, Result};

type Limiter<K> = RateLimiter<K, DashMapStateStore<K>, DefaultClock>;

pub struct Limits {
    sign_in_by_address: Limiter<IpAddr>,
    sign_in_by_account: Limiter<String>,
    demo_by_address: Limiter<IpAddr>,
    sign_on_by_address: Limiter<IpAddr>,
    previews: Limiter<UserId>,
}

const fn per_minute(count: u32) -> Quota {
    match NonZeroU32::new(count) {
        Some(count) => Quota::per_minute(count),
        None => Quota::per_minute(NonZeroU32::MIN),
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            sign_in_by_address: RateLimiter::keyed(per_minute(30)),
            sign_in_by_account: RateLimiter::keyed(per_minute(10)),
            sign_on_by_address: RateLimiter::keyed(per_minute(60)),
            demo_by_address: RateLimiter::keyed(per_minute(120)),
            previews: RateLimiter::keyed(per_minute(60)),
        }
    }
}

impl Limits {
    /// Asked before the password is looked at, for wrong and right ones alike.
    pub fn sign_in(&self, address: IpAddr, email: &str) -> Result<()> {
        let refused = || Error::too_many_requests("Too many tries to sign in. Wait a minute.");
        self.sign_in_by_address.check_key(&address).map_err(|_| refused())?;
        self.sign_in_by_account.check_key(&email.to_lowercase()).map_err(|_| refused())
    }

    pub fn demo_sign_in(&self, address: IpAddr) -> Result<()> {
        let refused = || Error::too_many_requests("Too many sign-ins from this address. Wait a minute.");
        self.demo_by_address.check_key(&address).map_err(|_| refused())
    }

    /// To the provider and back again count one each.
    pub fn sign_on(&self, address: IpAddr) -> Result<()> {
        let refused = || Error::too_many_requests("Too many sign-ins from this address. Wait a minute.");
        self.sign_on_by_address.check_key(&address).map_err(|_| refused())
    }

    pub fn preview(&self, user: UserId) -> Result<()> {
        let refused = || Error::too_many_requests("Too many previews. Wait a minute.");
        self.previews.check_key(&user).map_err(|_| refused())
    }

    /// Forgets keys that are at rest; called now and then so that the maps do not grow for ever.
    pub fn forget_idle(&self) {
        self.sign_in_by_address.retain_recent();
        self.sign_on_by_address.retain_recent();
        self.sign_in_by_account.retain_recent();
        self.demo_by_address.retain_recent();
        self.previews.retain_recent();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn an_account_is_limited_from_any_address_and_an_address_for_any_account() {
        let limits = Limits::default();
        let address = |last: u8| IpAddr::from([10, 0, 0, last]);
        for last in 0..10 {
            limits.sign_in(address(last), "Anna@example.org").unwrap();
        }
        assert!(limits.sign_in(address(99), "anna@example.org").is_err());
        limits.sign_in(address(99), "ben@example.org").unwrap();
        let limits = Limits::default();
        for account in 0..30 {
            limits.sign_in(address(1), &format!("{account}@example.org")).unwrap();
        }
        assert!(limits.sign_in(address(1), "last@example.org").is_err());
    }
}
