//! Who is calling, as far as the guard found out. Handlers take these as arguments.

use millrace_wire::ids::{TeamId, TokenId, UserId};
use millrace_wire::organisation::Organisation;
use millrace_wire::team::Role;

use super::sight::{Scoped, Sight, Standing};

/// How the caller proved who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// A browser session; holds the hash of its id.
    Session(String),
    /// An API token, good for one team only, and there for no more than `scope`.
    Token { token: TokenId, team: TeamId, scope: Role },
}

impl Via {
    /// The role that counts, of a person whose own one is `role`.
    pub fn limit(&self, role: Role) -> Role {
        match self {
            Via::Session(_) => role,
            Via::Token { scope, .. } => role.min(*scope),
        }
    }

    pub const fn as_str(&self) -> &'static str {
        match self {
            Via::Session(_) => "session",
            Via::Token { .. } => "token",
        }
    }
}

/// A signed-in user.
#[derive(Clone, Debug)]
pub struct Caller {
    pub user: UserId,
    pub name: String,
    pub email: String,
    pub administrator: bool,
    pub via: Via,
}

/// Somebody whose right to the route was checked: a member of the team in the path, or, on the routes of a single job
/// or table, somebody to whom that one was opened.
///
/// Every query for an object of the team takes `team` along: what belongs to another team is not found. Queries for
/// jobs and tables take [`TeamCaller::sight`], so that what is hidden from the caller is not found either.
#[derive(Clone, Debug)]
pub struct TeamCaller {
    pub caller: Caller,
    pub team: TeamId,
    pub slug: String,
    /// `None`: no member.
    pub role: Option<Role>,
    /// To the job or table in the path.
    pub standing: Option<Standing>,
}

impl TeamCaller {
    pub fn sight(&self) -> Sight {
        let token = match self.caller.via {
            Via::Session(_) => None,
            Via::Token { team, scope, .. } => Some(Scoped { team, scope }),
        };
        Sight::person(self.team, self.caller.user, self.role, token)
    }
}

/// Somebody whose right to a route of an organisation was checked. What the role lets one do there says nothing of
/// what is in its teams.
#[derive(Clone, Debug)]
pub struct OrganisationCaller {
    pub caller: Caller,
    /// As the caller sees it.
    pub organisation: Organisation,
}
