//! Teams, members and roles.

use crate::ids::{TeamId, UserId};
use crate::macros::{wire, wire_words};
use crate::organisation::OrganisationRef;

wire_words! {
    /// Each role may do all that the one before it may.
    pub enum Role {
        /// Sees everything of the team, changes nothing.
        Viewer = "viewer",
        /// Edits tables, connections and drafts; validates and previews.
        Developer = "developer",
        /// Starts, stops and restarts jobs.
        Operator = "operator",
        /// Members, roles, deletion of the team.
        Owner = "owner",
    }
}

wire! {
    pub struct Team {
        pub id: TeamId,
        pub slug: String,
        pub name: String,
        pub organisation: OrganisationRef,
        pub members: u64,
        pub created_at: i64,
    }

    pub struct NewTeam {
        pub slug: String,
        pub name: String,
        /// Short name of its organisation. Left out: the only one in which the caller makes teams; for administrators
        /// the first one of the server.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub organisation: Option<String>,
    }

    pub struct Member {
        pub user: UserId,
        pub name: String,
        pub email: String,
        pub role: Role,
        pub since: i64,
    }

    /// `PUT /teams/{team}/members`: adds by e-mail, or changes the role.
    pub struct SetMember {
        pub email: String,
        pub role: Role,
        /// Only when no user with that e-mail exists yet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub new_user: Option<NewUser>,
    }

    pub struct NewUser {
        pub name: String,
        pub password: String,
    }
}
