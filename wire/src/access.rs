//! Permissions on single jobs and tables.

use crate::ids::{GrantId, UserId};
use crate::macros::{wire, wire_words};
use crate::team::Role;

wire_words! {
    /// What a grant allows. Each level may do all that the one before it may.
    pub enum Level {
        /// See it: page, logs, figures, versions; for a table also rows, and its use as a source.
        Read = "read",
        /// Job: edit the draft, save versions, start and stop. Table: its use as a target, too.
        Write = "write",
        /// All, also deletion and permissions.
        Manage = "manage",
    }

    pub enum ObjectKind {
        Job = "job",
        Table = "table",
    }
}

wire! {
    /// How an object stands open, and what the caller may do with it.
    pub struct ObjectAccess {
        pub restricted: bool,
        /// Somebody was given a grant.
        pub shared: bool,
        /// Change it.
        pub edit: bool,
        /// Job: start and stop. Table: write into it.
        pub operate: bool,
        /// Delete it, say who may what.
        pub manage: bool,
    }

    /// `GET …/permissions` of a job or a table.
    pub struct Permissions {
        pub restricted: bool,
        /// In the catalogue of the organisation; tables only.
        pub listed: bool,
        /// The caller may change this.
        pub manage: bool,
        pub entries: Vec<Permission>,
    }

    /// One person or team, and why they may what they may.
    pub struct Permission {
        pub grantee: Grantee,
        pub level: Level,
        pub because: Because,
    }

    pub struct NewGrant {
        pub level: Level,
        /// E-mail address of a person; or `team`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub email: Option<String>,
        /// Short name of a team.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub team: Option<String>,
    }

    /// `PATCH …/permissions`; what is absent stays.
    pub struct PermissionsChange {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub restricted: Option<bool>,
        /// Tables only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub listed: Option<bool>,
    }

    /// `GET /teams/{team}/shared`: what other teams opened to this team, or to the caller.
    pub struct SharedObject {
        pub kind: ObjectKind,
        pub id: String,
        /// Of a table `database.table`.
        pub name: String,
        pub description: String,
        /// Whose it is.
        pub team_slug: String,
        pub team_name: String,
        pub level: Level,
        /// To the caller rather than to the team.
        pub personal: bool,
    }
}

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Grantee {
    Person { user: UserId, name: String, email: String },
    Team { slug: String, name: String },
}

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Because {
    /// A member of the team.
    Role {
        role: Role,
    },
    /// The object is theirs; what they may do goes by their role.
    Owner {
        role: Role,
    },
    Grant {
        grant: GrantId,
        by: String,
        at: i64,
    },
}
