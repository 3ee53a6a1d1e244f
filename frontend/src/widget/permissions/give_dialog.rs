//! Gives a person or a team a right.

use leptos::prelude::*;
use millrace_wire::access::{Level, NewGrant, Permissions};

use super::Shared;
use super::words::{level_may, level_word};
use crate::api::{self, Failure};
use crate::i18n::{permissions as text, words};
use crate::ui::button::{Button, Kind};
use crate::ui::dialog::Dialog;
use crate::ui::failure::FailureNote;
use crate::ui::select_field::SelectField;
use crate::ui::text_field::TextField;
use crate::ui::toast::use_toasts;

const FIELDS: &[&str] = &["email", "team"];
const PERSON: &str = "person";

#[component]
pub(super) fn GiveDialog(open: RwSignal<bool>, shared: Shared) -> impl IntoView {
    let to = RwSignal::new(PERSON.to_owned());
    let who = RwSignal::new(String::new());
    let level = RwSignal::new(Level::Read.as_str().to_owned());
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let toasts = use_toasts();
    Effect::new(move |_| {
        if open.get() {
            who.set(String::new());
            failure.set(None);
        }
    });
    let is_person = Memo::new(move |_| to.with(|to| to == PERSON));
    let save = Callback::new(move |()| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        failure.set(None);
        let name = who.get_untracked().trim().to_owned();
        let shown = name.clone();
        let level = level.get_untracked().parse().unwrap_or(Level::Read);
        let (email, team) = if is_person.get_untracked() { (Some(name), None) } else { (None, Some(name)) };
        let (path, body) = (shared.path("grants"), NewGrant { level, email, team });
        leptos::task::spawn_local(async move {
            match api::put::<Permissions>(&path, &body).await {
                Ok(changed) => {
                    toasts.good(text::given(&shown));
                    let _ = open.try_set(false);
                    shared.permissions.set(changed);
                }
                Err(refusal) => drop(failure.try_set(Some(refusal))),
            }
            let _ = busy.try_set(false);
        });
    });
    let error = Signal::derive(move || {
        failure
            .with(|failure| failure.as_ref().and_then(|failure| FIELDS.iter().find_map(|name| failure.at_field(name))))
    });
    let other = move || failure.get().filter(|failure| !failure.is_only_at(FIELDS));
    let levels: Vec<(String, String)> = Level::ALL
        .iter()
        .map(|level| (level.as_str().to_owned(), format!("{}: {}", level_word(*level), level_may(shared.kind, *level))))
        .collect();
    let levels = StoredValue::new(levels);
    let kinds =
        vec![(PERSON.to_owned(), text::to_person().to_owned()), ("team".to_owned(), text::to_team().to_owned())];
    let kinds = StoredValue::new(kinds);
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::Primary busy=busy on_press=save>{text::add()}</Button>
        }
    };
    view! {
        <Dialog open title=text::add().to_owned() foot=foot>
            <form class="form" on:submit=move |event| { event.prevent_default(); save.run(()); } novalidate>
                <SelectField label=text::to_whom().to_owned() value=to options=kinds.get_value()/>
                {move || if is_person.get() {
                    view! { <TextField label=text::email().to_owned() value=who kind="email" autofocus=true error=error/> }.into_any()
                } else {
                    view! { <TextField label=text::team().to_owned() value=who help=text::team_help().to_owned() autofocus=true error=error/> }.into_any()
                }}
                <SelectField label=text::level().to_owned() value=level options=levels.get_value()/>
                {move || other().map(|failure| view! { <FailureNote failure/> })}
                <button type="submit" hidden></button>
            </form>
        </Dialog>
    }
    .into_any()
}
