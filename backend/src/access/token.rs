//! API tokens: JWTs with one pinned algorithm. A token says who it is for; whether it still counts stands in the store.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use millrace_wire::ids::{TeamId, TokenId, UserId};
use serde::{Deserialize, Serialize};

use super::secret::Keys;
use crate::error::{Error, Result};

const ALGORITHM: Algorithm = Algorithm::HS256;
const AUDIENCE: &str = "millrace-api";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub aud: String,
    /// The user.
    pub sub: UserId,
    /// The token's own id, by which it is revoked.
    pub jti: TokenId,
    pub team: TeamId,
    /// Seconds since 1970.
    pub iat: i64,
    pub nbf: i64,
    pub exp: i64,
}

#[derive(Clone)]
pub struct TokenKeys {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl TokenKeys {
    pub fn new(keys: &Keys) -> Self {
        let secret = keys.derive("api tokens");
        let mut validation = Validation::new(ALGORITHM);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "nbf", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = 5;
        TokenKeys {
            encoding: EncodingKey::from_secret(&secret),
            decoding: DecodingKey::from_secret(&secret),
            validation,
        }
    }

    /// Times in milliseconds.
    pub fn issue(&self, user: UserId, token: TokenId, team: TeamId, now: i64, expires_at: i64) -> Result<String> {
        let (now, exp) = (now / 1000, expires_at / 1000);
        let claims = Claims { aud: AUDIENCE.to_owned(), sub: user, jti: token, team, iat: now, nbf: now, exp };
        encode(&Header::new(ALGORITHM), &claims, &self.encoding).map_err(Error::internal)
    }

    /// `None` for anything that is not a valid token of this server: why it is not helps only attackers.
    pub fn read(&self, token: &str) -> Option<Claims> {
        decode::<Claims>(token, &self.decoding, &self.validation).ok().map(|data| data.claims)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::clock;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    fn keys() -> (TokenKeys, [u8; 32]) {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_create(&folder.path().join("key")).unwrap();
        (TokenKeys::new(&keys), keys.derive("api tokens"))
    }

    fn claims(now: i64) -> Claims {
        let id = clock::new_id();
        let (aud, now) = (AUDIENCE.to_owned(), now / 1000);
        Claims { aud, sub: UserId(id), jti: TokenId(id), team: TeamId(id), iat: now, nbf: now, exp: now + 60 }
    }

    #[test]
    fn an_issued_token_reads_back() {
        let (keys, _) = keys();
        let now = clock::now_ms();
        let wanted = claims(now);
        let token = keys.issue(wanted.sub, wanted.jti, wanted.team, now, now + 60_000).unwrap();
        assert_eq!(keys.read(&token), Some(wanted));
    }

    #[test]
    fn everything_else_is_refused() {
        let (keys, secret) = keys();
        let now = clock::now_ms();
        let sign = |claims: &Claims, algorithm, secret: &[u8]| {
            encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret)).unwrap()
        };
        let good = claims(now);
        assert!(keys.read(&sign(&good, ALGORITHM, &secret)).is_some());
        assert!(keys.read(&sign(&good, ALGORITHM, b"another key")).is_none(), "foreign key");
        assert!(keys.read(&sign(&good, Algorithm::HS384, &secret)).is_none(), "another algorithm");
        assert!(keys.read(&sign(&Claims { aud: "other".into(), ..good.clone() }, ALGORITHM, &secret)).is_none(), "aud");
        let seconds = now / 1000;
        assert!(keys.read(&sign(&Claims { exp: seconds - 60, ..good.clone() }, ALGORITHM, &secret)).is_none(), "exp");
        assert!(keys.read(&sign(&Claims { nbf: seconds + 60, ..good.clone() }, ALGORITHM, &secret)).is_none(), "nbf");
        let mut incomplete = serde_json::to_value(&good).unwrap();
        incomplete.as_object_mut().unwrap().remove("nbf");
        let token = encode(&Header::new(ALGORITHM), &incomplete, &EncodingKey::from_secret(&secret)).unwrap();
        assert!(keys.read(&token).is_none(), "no nbf");
        let body = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&good).unwrap());
        let header = URL_SAFE_NO_PAD.encode(br#"{"alg":"none","typ":"JWT"}"#);
        assert!(keys.read(&format!("{header}.{body}.")).is_none(), "alg none");
        assert!(keys.read("").is_none());
    }
}
