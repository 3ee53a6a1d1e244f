//! Makes a team; for owners of an organisation and administrators of the server.

use leptos::prelude::*;
use millrace_wire::team::{NewTeam, Team};

use crate::api::{self, Failure};
use crate::format::text::slug;
use crate::i18n::{organisation as text, words};
use crate::route::TeamRoute;
use crate::session::use_session;
use crate::ui::button::{Button, Kind};
use crate::ui::dialog::Dialog;
use crate::ui::failure::FailureNote;
use crate::ui::select_field::SelectField;
use crate::ui::text_field::TextField;
use crate::ui::toast::{Toast, use_toasts};

#[component]
pub fn NewTeamDialog(
    open: RwSignal<bool>,
    /// Short name of the organisation, where the page is of one.
    #[prop(optional, into)]
    within: Option<String>,
    #[prop(optional, into)] on_made: Option<Callback<()>>,
) -> impl IntoView {
    let session = use_session();
    let toasts = use_toasts();
    let name = RwSignal::new(String::new());
    let address = RwSignal::new(String::new());
    let organisation = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    Effect::new(move |_| {
        if open.get() {
            name.set(String::new());
            address.set(String::new());
            let first = || session.owned_organisations().first().map(|owned| owned.slug.clone()).unwrap_or_default();
            organisation.set(untrack(|| within.clone().unwrap_or_else(first)));
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
        let body = NewTeam {
            slug: address.get_untracked().trim().to_owned(),
            name: name.get_untracked().trim().to_owned(),
            organisation: Some(organisation.get_untracked()).filter(|slug| !slug.is_empty()),
        };
        leptos::task::spawn_local(async move {
            match api::post::<Team>("/teams", &body).await {
                Ok(team) => {
                    // The session lists the teams of the person; the new one is among them now.
                    session.refresh().await;
                    let _ = open.try_set(false);
                    if let Some(on_made) = on_made {
                        on_made.run(());
                    }
                    toasts.push(Toast {
                        good: true,
                        title: text::team_made(&team.name),
                        body: String::new(),
                        link: Some((team.name.clone(), TeamRoute::Overview.of(&team.slug).href())),
                    });
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
    let other = move || failure.get().filter(|failure| !failure.is_only_at(&["name", "slug", "organisation"]));
    let choice = Signal::derive(move || {
        let owned = session.owned_organisations();
        owned.into_iter().map(|owned| (owned.slug, owned.name)).collect::<Vec<_>>()
    });
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::Primary busy=busy on_press=save>{words::create()}</Button>
        }
    };
    view! {
        <Dialog open title=text::new_team().to_owned() foot=foot>
            <form class="form" on:submit=move |event| { event.prevent_default(); save.run(()); } novalidate>
                <TextField label=text::team_name().to_owned() value=name autofocus=true error=at("name")/>
                <TextField label=text::team_slug().to_owned() value=address code=true
                    help=text::team_slug_help().to_owned() error=at("slug")/>
                {move || choice.with(|choice| choice.len() > 1).then(|| view! {
                    <SelectField label=text::organisation().to_owned() value=organisation options=choice
                        error=at("organisation")/>
                })}
                {move || other().map(|failure| view! { <FailureNote failure/> })}
                <button type="submit" hidden></button>
            </form>
        </Dialog>
    }
    .into_any()
}
