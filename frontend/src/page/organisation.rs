//! An organisation: its teams, and for owners its members.

mod members;
mod rename;
mod take_team;
mod team_owner;
mod teams;

use leptos::prelude::*;
use millrace_wire::organisation::{Organisation, OrganisationRole};

use crate::address::use_address;
use crate::api::{self, Failure};
use crate::format::percent;
use crate::i18n::{organisation as text, settings, words};
use crate::load::{Loaded, load};
use crate::route::{OrganisationTab, Route};
use crate::session::use_session;
use crate::ui::badge::Badge;
use crate::ui::button::Button;
use crate::ui::confirm::Confirm;
use crate::ui::icon::Icon;
use crate::ui::page_head::PageHead;
use crate::ui::skeleton::Shape;
use crate::ui::tabs::{Tab, Tabs};
use crate::ui::toast::use_toasts;

/// `/organisations/{slug}{rest}`
fn path(slug: &str, rest: &str) -> String {
    format!("/organisations/{}{rest}", percent::encode(slug))
}

#[component]
pub fn OrganisationPage(slug: String) -> impl IntoView {
    let asked = path(&slug, "");
    let organisation = load(
        || (),
        move |()| {
            let path = asked.clone();
            async move { api::get::<Organisation>(&path).await }
        },
    );
    let steps = vec![(settings::title().to_owned(), Route::Settings.href())];
    let title = {
        let slug = slug.clone();
        Signal::derive(move || organisation.with(|found| found.name.clone()).unwrap_or_else(|| slug.clone()))
    };
    let owns = Memo::new(move |_| organisation.with(|found| found.role == OrganisationRole::Owner) == Some(true));
    let beside = move || organisation.with(|found| found.role.as_str()).map(|role| view! { <Badge>{role}</Badge> });
    let actions_slug = slug.clone();
    let renaming = RwSignal::new(false);
    let deleting = RwSignal::new(false);
    let actions = move || view! { <Actions organisation owns renaming deleting/> };
    let delete_slug = actions_slug.clone();
    view! {
        <PageHead title steps=Signal::stored(steps) beside=beside actions=actions/>
        {organisation.show(Shape::Rows(4), move |_| view! { <Parts slug=slug.clone() organisation owns/> }.into_any())}
        <rename::RenameDialog open=renaming slug=actions_slug organisation/>
        <DeleteOrganisation open=deleting slug=delete_slug title/>
    }
    .into_any()
}

#[component]
fn Actions(
    organisation: Loaded<Organisation>,
    owns: Memo<bool>,
    renaming: RwSignal<bool>,
    deleting: RwSignal<bool>,
) -> impl IntoView {
    let session = use_session();
    let administers =
        move || session.current.with(|session| session.as_ref().is_some_and(|session| session.user.administrator));
    let not_empty = Signal::derive(move || {
        let teams = organisation.with(|found| found.teams).unwrap_or(0);
        (teams > 0).then(|| text::delete_not_empty().to_owned())
    });
    view! {
        {move || owns.get().then(|| view! {
            <Button small=true on_press=move |()| renaming.set(true)>{text::rename()}</Button>
        })}
        {move || administers().then(|| view! {
            <Button small=true icon=Icon::Trash reason=not_empty on_press=move |()| deleting.set(true)>{text::delete()}</Button>
        })}
    }
    .into_any()
}

#[component]
fn Parts(slug: String, organisation: Loaded<Organisation>, owns: Memo<bool>) -> impl IntoView {
    let route = use_address().route();
    let tab = Memo::new(move |_| match route.get() {
        Route::Organisation(_, tab) => tab,
        _ => OrganisationTab::Teams,
    });
    let tabs_slug = slug.clone();
    let tabs = Signal::derive(move || {
        OrganisationTab::ALL
            .iter()
            .filter(|known| **known == OrganisationTab::Teams || owns.get())
            .map(|known| Tab {
                label: match known {
                    OrganisationTab::Teams => text::teams(),
                    OrganisationTab::Members => text::members(),
                }
                .to_owned(),
                href: Route::Organisation(tabs_slug.clone(), *known).href(),
                count: None,
                bad: false,
                current: tab.get() == *known,
            })
            .collect::<Vec<_>>()
    });
    view! {
        <Tabs label=text::organisation() tabs/>
        <div class="page">
            {move || match tab.get() {
                OrganisationTab::Teams => view! { <teams::TeamsTab slug=slug.clone() organisation owns/> }.into_any(),
                OrganisationTab::Members => view! { <members::MembersTab slug=slug.clone()/> }.into_any(),
            }}
        </div>
    }
    .into_any()
}

#[component]
fn DeleteOrganisation(open: RwSignal<bool>, slug: String, title: Signal<String>) -> impl IntoView {
    let toasts = use_toasts();
    let session = use_session();
    let address = use_address();
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let path = path(&slug, "");
    let confirm = Callback::new(move |()| {
        let path = path.clone();
        busy.set(true);
        leptos::task::spawn_local(async move {
            match api::delete(&path).await {
                Ok(()) => {
                    toasts.good(text::deleted(title.try_get_untracked().unwrap_or_default()));
                    session.refresh().await;
                    let _ = open.try_set(false);
                    address.go(&Route::Settings);
                }
                Err(refusal) => {
                    let _ = failure.try_set(Some(refusal));
                }
            }
            let _ = busy.try_set(false);
        });
    });
    view! {
        <Confirm
            open
            title=Signal::derive(move || text::delete_title(title.get()))
            action=words::delete()
            busy=busy
            error=Signal::derive(move || failure.with(|failure| failure.as_ref().map(Failure::sentence)))
            consequences=Signal::derive(|| vec![text::delete_body().to_owned()])
            on_confirm=confirm
        />
    }
    .into_any()
}
