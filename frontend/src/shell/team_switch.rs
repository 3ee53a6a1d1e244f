//! Which team is open, and the way to another one.

use leptos::prelude::*;

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
        session.current.with(|session| {
            session
                .iter()
                .flat_map(|session| session.teams.iter())
                .map(|known| {
                    let icon = (known.slug == team.get()).then_some(Icon::Check);
                    MenuItem::go(known.name.clone(), icon, TeamRoute::Overview.of(&known.slug).href())
                })
                .collect::<Vec<_>>()
        })
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
