//! API tokens: JWTs that carry a user's rights, or fewer, for programs.

use crate::ids::{TeamId, TokenId};
use crate::macros::wire;
use crate::team::Role;

wire! {
    pub struct ApiToken {
        pub id: TokenId,
        pub name: String,
        pub team: TeamId,
        /// What it may do at most: the lesser of this and the person's own role counts.
        pub scope: Role,
        pub created_at: i64,
        pub expires_at: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub last_used_at: Option<i64>,
    }

    pub struct NewApiToken {
        pub name: String,
        pub team: TeamId,
        /// Absent: whatever the person may.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub scope: Option<Role>,
        pub expires_in_days: u32,
    }

    /// The only answer that ever holds the token itself.
    pub struct IssuedApiToken {
        pub token: ApiToken,
        pub secret: String,
    }
}
