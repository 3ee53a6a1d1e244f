//! Asks whoever manages a table for a right to it.

use leptos::prelude::*;
use millrace_wire::access::Level;
use millrace_wire::request::{AskForAccess, CatalogueEntry};

use crate::api::{self, Failure};
use crate::i18n::{catalogue as text, permissions, words};
use crate::session::use_session;
use crate::ui::button::{Button, Kind};
use crate::ui::dialog::Dialog;
use crate::ui::failure::FailureNote;
use crate::ui::select_field::SelectField;
use crate::ui::text_area::TextArea;
use crate::ui::toast::use_toasts;

const FIELDS: &[&str] = &["reason", "for_team"];

#[component]
pub(super) fn AskDialog(asking: RwSignal<Option<CatalogueEntry>>) -> impl IntoView {
    let open = RwSignal::new(false);
    let level = RwSignal::new(Level::Read.as_str().to_owned());
    // Empty: in person.
    let for_team = RwSignal::new(String::new());
    let reason = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let toasts = use_toasts();
    let session = use_session();
    Effect::new(move |_| {
        if asking.with(Option::is_some) {
            level.set(Level::Read.as_str().to_owned());
            for_team.set(String::new());
            reason.set(String::new());
            failure.set(None);
            open.set(true);
        }
    });
    Effect::new(move |_| {
        if !open.get() {
            asking.set(None);
        }
    });
    let title = Signal::derive(move || {
        let name = asking.with(|entry| entry.as_ref().map(|entry| format!("{}.{}", entry.database, entry.name)));
        text::ask_title(name.unwrap_or_default())
    });
    let teams = Signal::derive(move || {
        let mut all = vec![(String::new(), text::for_me().to_owned())];
        session.current.with(|session| {
            let teams = session.iter().flat_map(|session| session.teams.iter());
            all.extend(teams.map(|team| (team.slug.clone(), text::for_team(&team.name))));
        });
        all
    });
    let levels: Vec<(String, String)> = [
        (Level::Read, permissions::read(), permissions::read_table()),
        (Level::Write, permissions::write(), permissions::write_table()),
        (Level::Manage, permissions::manage(), permissions::manage_table()),
    ]
    .into_iter()
    .map(|(level, word, may)| (level.as_str().to_owned(), format!("{word}: {may}")))
    .collect();
    let levels = StoredValue::new(levels);
    let send = Callback::new(move |()| {
        let Some(entry) = asking.get_untracked() else { return };
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        failure.set(None);
        let body = AskForAccess {
            level: level.get_untracked().parse().unwrap_or(Level::Read),
            reason: reason.get_untracked(),
            for_team: Some(for_team.get_untracked()).filter(|team| !team.is_empty()),
        };
        let path = format!("/catalogue/{}/requests", entry.id);
        leptos::task::spawn_local(async move {
            match api::post_only(&path, &body).await {
                Ok(()) => {
                    toasts.good(text::asked());
                    let _ = open.try_set(false);
                }
                Err(refusal) => {
                    let _ = failure.try_set(Some(refusal));
                }
            }
            let _ = busy.try_set(false);
        });
    });
    let at = move |name: &'static str| {
        Signal::derive(move || failure.with(|failure| failure.as_ref().and_then(|failure| failure.at_field(name))))
    };
    let other = move || failure.get().filter(|failure| !failure.is_only_at(FIELDS));
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::Primary busy=busy on_press=send>{text::ask()}</Button>
        }
    };
    view! {
        <Dialog open title foot=foot>
            <form class="form" on:submit=move |event| { event.prevent_default(); send.run(()); } novalidate>
                <SelectField label=text::level().to_owned() value=level options=levels.get_value()/>
                <SelectField label=text::for_whom().to_owned() value=for_team options=teams error=at("for_team")/>
                <TextArea label=text::reason().to_owned() value=reason error=at("reason")/>
                {move || other().map(|failure| view! { <FailureNote failure/> })}
            </form>
        </Dialog>
    }
    .into_any()
}
