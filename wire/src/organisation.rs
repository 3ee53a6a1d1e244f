//! Organisations: who sees of each other that they are there.

use crate::ids::{OrganisationId, UserId};
use crate::macros::{wire, wire_words};
use crate::team::NewUser;

wire_words! {
    /// Each role may do all that the one before it may.
    pub enum OrganisationRole {
        /// Sees which teams there are, and what they list in the catalogue.
        Member = "member",
        /// Makes teams, decides who belongs to the organisation. Does not see, by that, what is in a team.
        Owner = "owner",
    }
}

wire! {
    pub struct Organisation {
        pub id: OrganisationId,
        pub slug: String,
        pub name: String,
        pub teams: u64,
        pub created_at: i64,
        /// The caller's; an administrator of the server counts as an owner of all.
        pub role: OrganisationRole,
    }

    pub struct NewOrganisation {
        pub slug: String,
        pub name: String,
    }

    /// `PATCH /organisations/{organisation}`
    pub struct OrganisationChange {
        pub name: String,
    }

    /// As a team names the organisation it belongs to.
    pub struct OrganisationRef {
        pub slug: String,
        pub name: String,
    }

    pub struct OrganisationTeam {
        pub slug: String,
        pub name: String,
        pub members: u64,
        /// Names of those who own it.
        pub owners: Vec<String>,
        pub created_at: i64,
    }

    pub struct OrganisationMember {
        pub user: UserId,
        pub name: String,
        pub email: String,
        pub role: OrganisationRole,
        pub since: i64,
        /// Short names of the organisation's teams that they are in.
        pub teams: Vec<String>,
    }

    /// `PUT /organisations/{organisation}/members`: takes in by e-mail, or changes the role.
    pub struct SetOrganisationMember {
        pub email: String,
        pub role: OrganisationRole,
        /// Only when no user with that e-mail exists yet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub new_user: Option<NewUser>,
    }

    /// `PUT /organisations/{organisation}/teams/{team}/owners`: of a member of the organisation.
    pub struct NameTeamOwner {
        pub email: String,
    }

    /// What `PUT /organisations/{organisation}/teams/{team}` did.
    pub struct TeamTaken {
        pub team: String,
        /// Where it was before.
        pub from: OrganisationRef,
        /// Grants that would have crossed the border between the two.
        pub withdrawn_grants: u64,
    }
}
