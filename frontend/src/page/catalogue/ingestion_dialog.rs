//! Asks a team to take in a source that is in no table yet.

use leptos::prelude::*;
use millrace_wire::request::{AskForIngestion, IngestionSource};

use crate::api::{self, Failure};
use crate::i18n::{catalogue as text, words};
use crate::session::use_session;
use crate::ui::button::{Button, Kind};
use crate::ui::dialog::Dialog;
use crate::ui::failure::FailureNote;
use crate::ui::text_area::TextArea;
use crate::ui::text_field::TextField;
use crate::ui::toast::use_toasts;

const FIELDS: &[&str] = &["team", "kind", "address", "table", "purpose"];

#[component]
pub(super) fn IngestionDialog(open: RwSignal<bool>) -> impl IntoView {
    let session = use_session();
    let team = RwSignal::new(session.team_now());
    let fields = [(); 4].map(|()| RwSignal::new(String::new()));
    let [kind, place, table, purpose] = fields;
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let toasts = use_toasts();
    Effect::new(move |_| {
        if open.get() {
            for field in fields {
                field.set(String::new());
            }
            failure.set(None);
        }
    });
    let send = Callback::new(move |()| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        failure.set(None);
        let body = AskForIngestion {
            team: team.get_untracked().trim().to_owned(),
            source: IngestionSource {
                kind: kind.get_untracked(),
                address: place.get_untracked(),
                table: table.get_untracked(),
                purpose: purpose.get_untracked(),
            },
        };
        leptos::task::spawn_local(async move {
            match api::post_only("/ingestion-requests", &body).await {
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
            <Button kind=Kind::Primary busy=busy on_press=send>{text::ask_ingestion()}</Button>
        }
    };
    view! {
        <Dialog open title=text::ask_ingestion_title().to_owned() foot=foot>
            <form class="form" on:submit=move |event| { event.prevent_default(); send.run(()); } novalidate>
                <TextField label=text::of_team().to_owned() value=team error=at("team")/>
                <TextField label=text::source_kind().to_owned() value=kind help=text::source_kind_help().to_owned() error=at("kind")/>
                <TextField label=text::source_address().to_owned() value=place error=at("address")/>
                <TextField label=text::source_table().to_owned() value=table error=at("table")/>
                <TextArea label=text::purpose().to_owned() value=purpose error=at("purpose")/>
                {move || other().map(|failure| view! { <FailureNote failure/> })}
                <button type="submit" hidden></button>
            </form>
        </Dialog>
    }
    .into_any()
}
