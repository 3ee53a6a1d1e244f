//! Who belongs to the team with which role, the API tokens of the person, where test runs may write, and what was done.

mod approval_setting;
mod audit;
mod audit_entry;
mod decide_dialog;
mod members;
mod requests;
mod sandbox;
mod sandbox_dialog;
mod sandbox_objects;
mod shared;
mod start_requests;
mod token_dialog;
mod tokens;

use leptos::prelude::*;
use millrace_wire::team::Role;

use crate::address::use_address;
use crate::i18n::{
    access as text, catalogue as catalogue_text, permissions as permission_text, sandbox as sandbox_text,
};
use crate::inbox::use_inbox;
use crate::rights::{Right, may};
use crate::route::{AccessTab, Route, TeamRoute};
use crate::ui::page_head::PageHead;
use crate::ui::tabs::{Tab, Tabs};

#[component]
pub fn AccessPage(team: String) -> impl IntoView {
    let route = use_address().route();
    let tab = Memo::new(move |_| match route.get() {
        Route::Team(_, TeamRoute::Access(tab)) => tab,
        _ => AccessTab::Members,
    });
    let own = team.clone();
    // Owners alone may read it: for others it is not there.
    let owns = may(Right::Own);
    let to_decide = use_inbox().to_decide();
    let tabs = Signal::derive(move || {
        AccessTab::ALL
            .iter()
            .filter(|known| **known != AccessTab::Audit || owns.get())
            .map(|known| Tab {
                label: match known {
                    AccessTab::Members => text::members(),
                    AccessTab::Requests => catalogue_text::requests(),
                    AccessTab::Shared => permission_text::shared_with_us(),
                    AccessTab::Tokens => text::tokens(),
                    AccessTab::Sandbox => sandbox_text::targets(),
                    AccessTab::Audit => text::audit(),
                }
                .to_owned(),
                href: TeamRoute::Access(*known).of(&own).href(),
                count: (*known == AccessTab::Requests && to_decide.get() > 0).then(|| to_decide.get().to_string()),
                bad: false,
                current: tab.get() == *known,
            })
            .collect::<Vec<_>>()
    });
    view! {
        <PageHead title=text::title().to_owned()/>
        <Tabs label=text::title() tabs/>
        <div class="page">
            {move || match tab.get() {
                AccessTab::Members => view! { <members::MembersTab team=team.clone()/> }.into_any(),
                AccessTab::Requests => view! { <requests::RequestsTab/> }.into_any(),
                AccessTab::Shared => view! { <shared::SharedTab team=team.clone()/> }.into_any(),
                AccessTab::Tokens => view! { <tokens::TokensTab team=team.clone()/> }.into_any(),
                AccessTab::Sandbox => view! { <sandbox::SandboxTab team=team.clone()/> }.into_any(),
                AccessTab::Audit => view! { <audit::AuditTab team=team.clone()/> }.into_any(),
            }}
        </div>
    }
    .into_any()
}

pub(super) fn role_words(role: Role) -> &'static str {
    match role {
        Role::Viewer => text::role_viewer(),
        Role::Developer => text::role_developer(),
        Role::Operator => text::role_operator(),
        Role::Owner => text::role_owner(),
    }
}
