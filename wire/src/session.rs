//! Sign-in, first run, and who is signed in.

use crate::ids::{TeamId, UserId};
use crate::macros::{wire, wire_words};
use crate::organisation::Organisation;
use crate::team::Role;

wire_words! {
    /// Why a sign-in at a provider led back to the sign-in page. A word and no text, so that no link can put its own
    /// words there.
    pub enum SignOnRefusal {
        /// Not begun in this browser, or too long ago.
        Expired = "expired",
        /// The provider cannot be reached.
        Unreachable = "unreachable",
        /// The provider, or the person there, said no.
        Declined = "declined",
        /// What came back from the provider does not hold.
        NotConfirmed = "not_confirmed",
        /// The provider gave no verified e-mail address.
        NoEmail = "no_email",
        /// Nobody with this e-mail address has an account here.
        NoAccount = "no_account",
        /// The account with this e-mail address belongs to somebody else at the provider.
        OtherPerson = "other_person",
        /// The account is switched off.
        SwitchedOff = "switched_off",
        TooMany = "too_many",
        Failed = "failed",
    }
}

wire! {
    /// `GET /setup`: asked by the sign-in page before anything else.
    pub struct SetupStatus {
        /// No administrator exists yet; the one-time token in the server's log is asked for.
        pub needs_administrator: bool,
        /// Demo mode is on: anybody may sign in as the demo user.
        pub demo: bool,
        /// The name of the provider that people can sign in at, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub provider: Option<String>,
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
        /// Teams of which the user is no member, and that opened something to them.
        #[serde(default)]
        pub guest_of: Vec<GuestTeam>,
        #[serde(default)]
        pub organisations: Vec<Organisation>,
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
        /// Short name of the organisation it belongs to.
        #[serde(default)]
        pub organisation: String,
    }

    pub struct GuestTeam {
        pub slug: String,
        pub name: String,
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
