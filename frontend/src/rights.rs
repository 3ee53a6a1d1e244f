//! What the person may do in the open team. The server decides; this only says so before the click.

use leptos::prelude::*;
use millrace_wire::access::ObjectAccess;
use millrace_wire::team::Role;

use crate::i18n::rights as text;
use crate::session::use_session;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Tables, connections, drafts, previews.
    Edit,
    /// Start, stop, savepoints, deletion of jobs.
    Operate,
    /// Deletion of a job or table, its permissions.
    Manage,
    /// Members and roles.
    Own,
}

impl Right {
    pub const fn least_role(self) -> Role {
        match self {
            Right::Edit => Role::Developer,
            Right::Operate | Right::Manage => Role::Operator,
            Right::Own => Role::Owner,
        }
    }

    pub fn is_in(self, role: Option<Role>) -> bool {
        role.is_some_and(|role| role >= self.least_role())
    }
}

/// What the person may do with the one job or table that a page shows: grants and restrictions count there.
#[derive(Clone, Copy)]
pub struct OfObject(pub Signal<Option<ObjectAccess>>);

impl Right {
    const fn is_given(self, access: &ObjectAccess) -> bool {
        match self {
            Right::Edit => access.edit,
            Right::Operate => access.operate,
            Right::Manage => access.manage,
            Right::Own => false,
        }
    }
}

/// Why the person may not; `None` when they may. For the `reason` of a button.
pub fn refusal(right: Right) -> Signal<Option<String>> {
    let role = use_session().role();
    let object = use_context::<OfObject>();
    Signal::derive(move || {
        let by_role = right.is_in(role.get());
        let needs_role = || text::needs_role(right.least_role().as_str());
        // The context of a page that was left can still be found; its signal is gone.
        match object.and_then(|object| object.0.try_get().flatten()) {
            None => (!by_role).then(needs_role),
            Some(access) if right.is_given(&access) => None,
            Some(_) if by_role || role.get().is_none() => Some(text::needs_right().to_owned()),
            Some(_) => Some(needs_role()),
        }
    })
}

/// For what is hidden rather than disabled.
pub fn may(right: Right) -> Signal<bool> {
    let role = use_session().role();
    Signal::derive(move || right.is_in(role.get()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_what_the_one_before_may() {
        assert!(!Right::Edit.is_in(None));
        assert!(!Right::Edit.is_in(Some(Role::Viewer)));
        assert!(Right::Edit.is_in(Some(Role::Developer)));
        assert!(!Right::Operate.is_in(Some(Role::Developer)));
        assert!(Right::Operate.is_in(Some(Role::Owner)));
        assert!(!Right::Own.is_in(Some(Role::Operator)));
    }
}
