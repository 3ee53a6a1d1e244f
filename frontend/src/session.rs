//! Who is signed in, and which team is open.

use leptos::prelude::*;
use millrace_wire::organisation::{Organisation, OrganisationRole};
use millrace_wire::session::{Membership, Session};
use millrace_wire::team::Role;

use crate::address::use_address;
use crate::api;
use crate::route::{Route, TeamRoute};

/// Remembers the team that was open last, for the next visit.
const LAST_TEAM: &str = "millrace.team";

#[derive(Clone, Copy)]
pub struct SessionState {
    pub current: RwSignal<Option<Session>>,
    team: Memo<Option<String>>,
}

impl SessionState {
    pub fn provide() -> SessionState {
        let route = use_address().route();
        let team = Memo::new(move |_| match route.get() {
            Route::Team(team, _) => Some(team),
            _ => None,
        });
        let state = SessionState { current: RwSignal::new(None), team };
        Effect::new(move |_| {
            if let Some(team) = state.team.get().filter(|team| state.membership_of(team).is_some()) {
                crate::theme::remember(LAST_TEAM, &team);
            }
        });
        provide_context(state);
        state
    }

    /// The team of the address; where the address has none, or one that merely opened something to the person, the one
    /// open last, else the first.
    pub fn team(&self) -> Signal<String> {
        let this = *self;
        Signal::derive(move || this.own_team(this.team.get()))
    }

    /// As [`SessionState::team`], read once.
    pub fn team_now(&self) -> String {
        let named = self.team.get_untracked();
        untrack(|| self.own_team(named))
    }

    fn own_team(&self, named: Option<String>) -> String {
        named.filter(|team| !self.is_guest_of(team)).or_else(|| self.usual_team()).unwrap_or_default()
    }

    /// In the team of the address.
    pub fn role(&self) -> Signal<Option<Role>> {
        let this = *self;
        let team = self.team();
        Signal::derive(move || {
            let team = this.team.get().unwrap_or_else(|| team.get());
            this.membership_of(&team).map(|membership| membership.role)
        })
    }

    /// No member, but something of the team is open to the person.
    pub fn is_guest_of(&self, team: &str) -> bool {
        self.current.with(|session| {
            session.as_ref().is_some_and(|session| session.guest_of.iter().any(|known| known.slug == team))
        })
    }

    pub fn membership_of(&self, team: &str) -> Option<Membership> {
        self.current.with(|session| {
            session.as_ref().and_then(|session| session.teams.iter().find(|known| known.slug == team).cloned())
        })
    }

    /// Organisations in which the person makes teams.
    pub fn owned_organisations(&self) -> Vec<Organisation> {
        self.current.with(|session| {
            let all = session.iter().flat_map(|session| session.organisations.iter());
            all.filter(|organisation| organisation.role == OrganisationRole::Owner).cloned().collect()
        })
    }

    /// Asks anew who is signed in and where they belong.
    pub async fn refresh(&self) {
        if let Ok(found) = api::get::<Session>("/session").await {
            let _ = self.current.try_set(Some(found));
        }
    }

    /// Where to go when nothing was asked for.
    pub fn start(&self) -> Route {
        match untrack(|| self.usual_team()) {
            Some(team) => TeamRoute::Overview.of(&team),
            None => Route::Settings,
        }
    }

    fn usual_team(&self) -> Option<String> {
        let remembered = crate::theme::recall(LAST_TEAM).filter(|team| self.membership_of(team).is_some());
        remembered.or_else(|| {
            self.current.with(|session| {
                session.as_ref().and_then(|session| session.teams.first().map(|team| team.slug.clone()))
            })
        })
    }
}

pub fn use_session() -> SessionState {
    expect_context::<SessionState>()
}
