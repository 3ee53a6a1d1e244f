//! The organisations that the person belongs to; administrators make others.

use leptos::prelude::*;
use millrace_wire::organisation::{NewOrganisation, Organisation};

use crate::address::use_address;
use crate::api::{self, Failure};
use crate::format::text::slug;
use crate::i18n::{organisation as text, words};
use crate::route::{OrganisationTab, Route};
use crate::session::use_session;
use crate::ui::badge::Badge;
use crate::ui::button::{Button, Kind};
use crate::ui::dialog::Dialog;
use crate::ui::facts::{Fact, Facts};
use crate::ui::failure::FailureNote;
use crate::ui::icon::Icon;
use crate::ui::panel::Panel;
use crate::ui::text_field::TextField;
use crate::ui::toast::use_toasts;

#[component]
pub(super) fn OrganisationsPanel() -> impl IntoView {
    let session = use_session();
    let making = RwSignal::new(false);
    let administers = Memo::new(move |_| {
        session.current.with(|session| session.as_ref().is_some_and(|session| session.user.administrator))
    });
    let all = Memo::new(move |_| {
        session
            .current
            .with(|session| session.as_ref().map(|session| session.organisations.clone()).unwrap_or_default())
    });
    view! {
        <Panel title=text::organisations().to_owned() note=text::organisations_note().to_owned() end=move || view! {
            {move || administers.get().then(|| view! {
                <Button small=true icon=Icon::Plus on_press=move |()| making.set(true)>{text::new_organisation()}</Button>
            })}
        }>
            {move || if all.with(Vec::is_empty) {
                view! { <p class="muted">{text::none()}</p> }.into_any()
            } else {
                view! { <Facts from_start=true>{all.get().into_iter().map(one).collect_view()}</Facts> }.into_any()
            }}
        </Panel>
        <NewOrganisationDialog open=making/>
    }
    .into_any()
}

fn one(organisation: Organisation) -> AnyView {
    let href = Route::Organisation(organisation.slug, OrganisationTab::Teams).href();
    let teams = match organisation.teams {
        1 => text::one_team().to_owned(),
        count => text::teams_count(count),
    };
    view! {
        <Fact name=organisation.name.clone()>
            <span class="row">
                <a class="link" href=href>{teams}</a>
                <Badge>{organisation.role.as_str()}</Badge>
            </span>
        </Fact>
    }
    .into_any()
}

#[component]
fn NewOrganisationDialog(open: RwSignal<bool>) -> impl IntoView {
    let (session, toasts, pages) = (use_session(), use_toasts(), use_address());
    let name = RwSignal::new(String::new());
    let address = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    Effect::new(move |_| {
        if open.get() {
            name.set(String::new());
            address.set(String::new());
            failure.set(None);
        }
    });
    // The address follows the name until somebody writes one of their own.
    Effect::new(move |before: Option<String>| {
        let now = slug(&name.get());
        if address.with_untracked(|address| address.is_empty() || Some(address) == before.as_ref()) {
            address.set(now.clone());
        }
        now
    });
    let save = Callback::new(move |()| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        failure.set(None);
        let body = NewOrganisation {
            slug: address.get_untracked().trim().to_owned(),
            name: name.get_untracked().trim().to_owned(),
        };
        leptos::task::spawn_local(async move {
            match api::post::<Organisation>("/organisations", &body).await {
                Ok(made) => {
                    session.refresh().await;
                    let _ = open.try_set(false);
                    toasts.good(text::made(&made.name));
                    pages.go(&Route::Organisation(made.slug, OrganisationTab::Teams));
                }
                Err(refusal) => {
                    let _ = failure.try_set(Some(refusal));
                }
            }
            let _ = busy.try_set(false);
        });
    });
    let at = move |field: &'static str| {
        Signal::derive(move || failure.with(|failure| failure.as_ref().and_then(|failure| failure.at_field(field))))
    };
    let other = move || failure.get().filter(|failure| !failure.is_only_at(&["name", "slug"]));
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::Primary busy=busy on_press=save>{words::create()}</Button>
        }
    };
    view! {
        <Dialog open title=text::new_organisation().to_owned() foot=foot>
            <form class="form" on:submit=move |event| { event.prevent_default(); save.run(()); } novalidate>
                <TextField label=text::name().to_owned() value=name autofocus=true error=at("name")/>
                <TextField label=text::slug().to_owned() value=address code=true
                    help=text::slug_help().to_owned() error=at("slug")/>
                {move || other().map(|failure| view! { <FailureNote failure/> })}
                <button type="submit" hidden></button>
            </form>
        </Dialog>
    }
    .into_any()
}
