//! Which team is open, and the way to another one.

use leptos::prelude::*;
use millrace_wire::session::{Membership, Session};

use crate::i18n::shell as text;
use crate::route::TeamRoute;
use crate::session::use_session;
use crate::ui::icon::Icon;
use crate::ui::menu::{Menu, MenuItem};

#[component]
pub(super) fn TeamSwitch() -> impl IntoView {
    let session = use_session();
    let team = session.team();
    let name = Memo::new(move |_| {
        let slug = team.get();
        session.membership_of(&slug).map_or(slug, |membership| membership.name)
    });
    let items = Signal::derive(move || {
        session
            .current
            .with(|session| session.as_ref().map(|session| entries(session, &team.get())).unwrap_or_default())
    });
    let mark = move || name.get().chars().next().map(|first| first.to_uppercase().to_string());
    let label = Signal::derive(|| text::switch_team().to_owned());
    view! {
        <Menu label class="team-switch" from_start=true worded=true items>
            <span class="team-mark" aria-hidden="true">{mark}</span>
            {move || name.get()}
            {Icon::Down.small()}
        </Menu>
    }
    .into_any()
}

/// By organisation, where the teams of the person are of more than one.
fn entries(session: &Session, open: &str) -> Vec<MenuItem> {
    let entry = |team: &Membership| {
        let icon = (team.slug == open).then_some(Icon::Check);
        MenuItem::go(team.name.clone(), icon, TeamRoute::Overview.of(&team.slug).href())
    };
    let of = |slug: &str| session.teams.iter().filter(move |team| team.organisation == slug).collect::<Vec<_>>();
    let groups: Vec<(&str, Vec<&Membership>)> = session
        .organisations
        .iter()
        .map(|organisation| (organisation.name.as_str(), of(&organisation.slug)))
        .filter(|(_, teams)| !teams.is_empty())
        .collect();
    if groups.len() < 2 {
        return session.teams.iter().map(entry).collect();
    }
    let group = |(name, teams): (&str, Vec<&Membership>)| {
        std::iter::once(MenuItem::heading(name)).chain(teams.into_iter().map(entry)).collect::<Vec<_>>()
    };
    groups.into_iter().flat_map(group).collect()
}
