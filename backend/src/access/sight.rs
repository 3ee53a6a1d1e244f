//! Who may see and do what with a single job or table. The one notion of it: queries for objects take a [`Sight`], the
//! guard judges by a [`Standing`].
//!
//! Members of the team that owns an object act by their role, unless it is restricted: then only its owner and the
//! team's owners do, and everybody else needs a grant. Outside of the team a grant is the only way.

use millrace_wire::access::{Level, ObjectAccess};
use millrace_wire::ids::{JobId, TableId, TeamId, UserId};
use millrace_wire::team::Role;

/// A job or a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    Job(JobId),
    Table(TableId),
}

impl Object {
    pub const fn word(self) -> &'static str {
        match self {
            Object::Job(_) => "job",
            Object::Table(_) => "table",
        }
    }

    pub fn id(self) -> uuid::Uuid {
        match self {
            Object::Job(id) => id.0,
            Object::Table(id) => id.0,
        }
    }
}

/// What an API token is good for.
#[derive(Clone, Copy, Debug)]
pub struct Scoped {
    /// Grants count that go to this team.
    pub team: TeamId,
    /// No more than what this role may.
    pub scope: Role,
}

/// Whose eyes look at the objects of a team. Every query for jobs or tables takes one along.
#[derive(Clone, Copy, Debug)]
pub struct Sight {
    /// Whose objects they are.
    pub team: TeamId,
    eyes: Eyes,
}

#[derive(Clone, Copy, Debug)]
enum Eyes {
    Platform,
    Person { user: UserId, role: Option<Role>, token: Option<Scoped> },
}

impl Sight {
    /// The server's own: sees everything of the team. Never for a request.
    pub fn platform(team: TeamId) -> Sight {
        Sight { team, eyes: Eyes::Platform }
    }

    pub fn person(team: TeamId, user: UserId, role: Option<Role>, token: Option<Scoped>) -> Sight {
        Sight { team, eyes: Eyes::Person { user, role, token } }
    }

    pub fn role(&self) -> Option<Role> {
        match self.eyes {
            Eyes::Platform => Some(Role::Owner),
            Eyes::Person { role, .. } => role,
        }
    }

    /// How far the team itself lets one look: 'all', 'member' (what is not restricted) or 'guest' (nothing).
    pub fn reach(&self) -> &'static str {
        match self.role() {
            Some(Role::Owner) => "all",
            Some(_) => "member",
            None => "guest",
        }
    }

    /// Names what these eyes see: who reads everything of a team sees the same as others who do.
    pub fn extent(&self) -> String {
        if self.reach() == "all" { format!("all of {}", self.team) } else { format!("{self:?}") }
    }

    /// Whose grants count.
    pub fn user(&self) -> Option<UserId> {
        match self.eyes {
            Eyes::Platform => None,
            Eyes::Person { user, .. } => Some(user),
        }
    }

    /// The user, where what they were given in person counts: not by a token that is good for another team.
    pub fn in_person(&self) -> Option<UserId> {
        match self.eyes {
            Eyes::Person { user, token, .. } if token.is_none_or(|token| token.team == self.team) => Some(user),
            Eyes::Platform | Eyes::Person { .. } => None,
        }
    }

    /// The user, where what other teams gave them in person counts: by no token, which is good for its team alone.
    pub fn in_person_elsewhere(&self) -> Option<UserId> {
        match self.eyes {
            Eyes::Person { user, token: None, .. } => Some(user),
            Eyes::Platform | Eyes::Person { token: Some(_), .. } => None,
        }
    }

    /// Only grants to this team count.
    pub fn token_team(&self) -> Option<TeamId> {
        match self.eyes {
            Eyes::Platform => None,
            Eyes::Person { token, .. } => token.map(|token| token.team),
        }
    }

    pub fn scope(&self) -> Role {
        match self.eyes {
            Eyes::Person { token: Some(token), .. } => token.scope,
            Eyes::Platform | Eyes::Person { token: None, .. } => Role::Owner,
        }
    }
}

/// How somebody stands to one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub role: Option<Role>,
    pub restricted: bool,
    pub owns: bool,
    pub grant: Option<Level>,
    /// Anybody has a grant.
    pub shared: bool,
    /// No more than what this role may: less than owner for an API token with a scope.
    pub scope: Role,
}

impl Standing {
    /// The role, where the object lets it count.
    fn role_here(&self) -> Option<Role> {
        self.role.filter(|role| !self.restricted || self.owns || *role == Role::Owner)
    }

    pub fn sees(&self) -> bool {
        self.role_here().is_some() || self.grant.is_some()
    }

    /// Either way is enough, within the scope of a token.
    pub fn may(&self, level: Level, role: Role) -> bool {
        self.scope >= role && self.has(level, role)
    }

    fn has(&self, level: Level, role: Role) -> bool {
        self.role_here().is_some_and(|own| own >= role) || self.grant.is_some_and(|grant| grant >= level)
    }

    pub fn of_job(&self) -> ObjectAccess {
        self.access(self.may(Level::Write, Role::Developer), self.may(Level::Write, Role::Operator))
    }

    pub fn of_table(&self) -> ObjectAccess {
        self.access(self.may(Level::Manage, Role::Developer), self.may(Level::Write, Role::Developer))
    }

    fn access(&self, edit: bool, operate: bool) -> ObjectAccess {
        let manage = self.may(Level::Manage, Role::Operator);
        ObjectAccess { restricted: self.restricted, shared: self.shared, edit, operate, manage }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(role: Option<Role>, restricted: bool, owns: bool, grant: Option<Level>) -> Standing {
        Standing { role, restricted, owns, grant, shared: grant.is_some(), scope: Role::Owner }
    }

    #[test]
    fn roles_count_until_the_object_is_restricted() {
        let (operator, viewer) = (Some(Role::Operator), Some(Role::Viewer));
        assert!(standing(operator, false, false, None).may(Level::Write, Role::Operator));
        assert!(!standing(viewer, false, false, None).may(Level::Write, Role::Developer));
        assert!(!standing(operator, true, false, None).sees());
        assert!(standing(Some(Role::Owner), true, false, None).may(Level::Manage, Role::Operator));
    }

    #[test]
    fn the_owner_of_a_restricted_object_keeps_their_role_and_no_more() {
        let owner = standing(Some(Role::Developer), true, true, None);
        assert!(owner.may(Level::Write, Role::Developer));
        assert!(!owner.may(Level::Write, Role::Operator));
        assert!(!standing(None, true, true, None).sees(), "who left the team owns nothing there");
    }

    #[test]
    fn a_grant_opens_at_its_level() {
        let guest = standing(None, false, false, Some(Level::Write));
        assert!(guest.sees() && guest.may(Level::Read, Role::Viewer) && guest.may(Level::Write, Role::Operator));
        assert!(!guest.may(Level::Manage, Role::Developer));
        assert!(!standing(None, false, false, None).sees());
        let lifted = standing(Some(Role::Viewer), false, false, Some(Level::Write));
        assert!(lifted.may(Level::Write, Role::Operator));
        let shut = standing(Some(Role::Operator), true, false, Some(Level::Read));
        assert!(shut.sees() && !shut.may(Level::Write, Role::Operator));
    }

    #[test]
    fn the_scope_of_a_token_limits_grants_as_well() {
        let guest = Standing { scope: Role::Viewer, ..standing(None, false, false, Some(Level::Manage)) };
        assert!(guest.sees() && guest.may(Level::Read, Role::Viewer));
        assert!(!guest.may(Level::Write, Role::Developer) && !guest.of_job().manage);
        let editor = Standing { scope: Role::Developer, ..guest };
        assert!(editor.may(Level::Write, Role::Developer) && !editor.may(Level::Write, Role::Operator));
    }
}
