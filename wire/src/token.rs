//! API tokens: JWTs that carry a user's rights, for programs.

use crate::ids::{TeamId, TokenId};
use crate::macros::wire;

wire! {
    pub struct ApiToken {
        pub id: TokenId,
        pub name: String,
        pub team: TeamId,
        pub created_at: i64,
        pub expires_at: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub last_used_at: Option<i64>,
    }

    pub struct NewApiToken {
        pub name: String,
        pub team: TeamId,
        pub expires_in_days: u32,
    }

    /// The only answer that ever holds the token itself.
    pub struct IssuedApiToken {
        pub token: ApiToken,
        pub secret: String,
    }
}
