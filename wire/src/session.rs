//! Sign-in, first run, and who is signed in.

use crate::ids::{TeamId, UserId};
use crate::macros::wire;
use crate::team::Role;

wire! {
    /// `GET /setup`: asked by the sign-in page before anything else.
    pub struct SetupStatus {
        /// No administrator exists yet; the one-time token in the server's log is asked for.
        pub needs_administrator: bool,
        /// Demo mode is on: anybody may sign in as the demo user.
        pub demo: bool,
        pub version: String,
        /// The cookie of the request is a session that lasts, so `GET /session` will answer.
        #[serde(default)]
        pub signed_in: bool,
    }

    /// `POST /setup`
    pub struct FirstRun {
        pub token: String,
        pub name: String,
        pub email: String,
        pub password: String,
    }

    /// `POST /session`
    pub struct SignIn {
        pub email: String,
        pub password: String,
    }

    /// `GET /session`
    pub struct Session {
        pub user: User,
        pub teams: Vec<Membership>,
        pub demo: bool,
        /// Where the server's data goes and what it guarantees; shown in the status corner.
        pub broker: BrokerStatus,
        pub version: String,
    }

    pub struct User {
        pub id: UserId,
        pub name: String,
        pub email: String,
        pub administrator: bool,
    }

    pub struct Membership {
        pub team: TeamId,
        /// Short name in URLs: `/t/<slug>/…`.
        pub slug: String,
        pub name: String,
        pub role: Role,
    }

    pub struct BrokerStatus {
        /// True while the built-in demo broker serves; it has no transactions.
        pub demo: bool,
        pub bootstrap: String,
        pub up: bool,
        /// One sentence for people, for example on the delivery guarantee.
        pub note: String,
    }
}
