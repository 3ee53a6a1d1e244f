//! Sets a sandbox target, or moves one.

use leptos::prelude::*;
use millrace_wire::connection::{Connection, ConnectionKind};
use millrace_wire::sandbox_target::{SandboxKind, SandboxTarget, SandboxTargetDraft};

use super::sandbox::subject;
use crate::api::{self, Failure};
use crate::i18n::{sandbox as text, words};
use crate::load::{Loaded, load_all};
use crate::ui::button::{Button, Kind};
use crate::ui::dialog::Dialog;
use crate::ui::failure::FailureNote;
use crate::ui::select_field::SelectField;
use crate::ui::text_field::TextField;
use crate::ui::toast::use_toasts;

#[derive(Clone, PartialEq)]
pub(super) enum Editing {
    New,
    Known(SandboxTarget),
}

const FIELDS: &[&str] = &["connection", "place"];
/// The choice that is no connection.
const FILES: &str = "files";

#[component]
pub(super) fn SandboxDialog(
    team: String,
    editing: RwSignal<Option<Editing>>,
    targets: Loaded<Vec<SandboxTarget>>,
) -> impl IntoView {
    let toasts = use_toasts();
    let connections = load_all::<Connection>(api::path::team(&team, "connections"));
    let team = StoredValue::new(team);
    let open = RwSignal::new(false);
    let (of, place) = (RwSignal::new(FILES.to_owned()), RwSignal::new(String::new()));
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    Effect::new(move |_| {
        let Some(target) = editing.get() else { return };
        failure.set(None);
        match target {
            Editing::New => {
                of.set(FILES.to_owned());
                place.set(String::new());
            }
            Editing::Known(target) => {
                of.set(target.connection.map_or_else(|| FILES.to_owned(), |id| id.to_string()));
                place.set(target.place);
            }
        }
        open.set(true);
    });
    Effect::new(move |_| {
        if !open.get() {
            editing.set(None);
        }
    });
    let is_new = Memo::new(move |_| !matches!(editing.get(), Some(Editing::Known(_))));
    let title = Signal::derive(move || match editing.get() {
        Some(Editing::Known(target)) => text::edit_title(subject(&target)),
        _ => text::new_title().to_owned(),
    });
    let choices = Signal::derive(move || {
        let writable = |connection: &&Connection| {
            matches!(connection.kind, ConnectionKind::Kafka | ConnectionKind::Postgresql | ConnectionKind::Mysql)
        };
        let found = connections
            .with(|all| {
                let chosen = all.iter().filter(writable);
                chosen.map(|connection| (connection.id.to_string(), connection.name.clone())).collect::<Vec<_>>()
            })
            .unwrap_or_default();
        std::iter::once((FILES.to_owned(), text::files().to_owned())).chain(found).collect::<Vec<_>>()
    });
    let kind = Memo::new(move |_| {
        let of = of.get();
        let chosen =
            |all: &Vec<Connection>| all.iter().find(|known| known.id.to_string() == of).map(|known| known.kind);
        match connections.with(chosen).flatten() {
            Some(ConnectionKind::Postgresql | ConnectionKind::Mysql) => SandboxKind::Schema,
            Some(_) => SandboxKind::TopicPrefix,
            None => SandboxKind::Folder,
        }
    });
    let label = Signal::derive(move || {
        match kind.get() {
            SandboxKind::TopicPrefix => text::prefix(),
            SandboxKind::Schema => text::schema(),
            SandboxKind::Folder => text::folder(),
        }
        .to_owned()
    });
    let help = Signal::derive(move || {
        let help = match kind.get() {
            SandboxKind::TopicPrefix => text::prefix_help(),
            SandboxKind::Schema => text::schema_help(),
            SandboxKind::Folder => text::folder_help(),
        };
        Some(help.to_owned())
    });
    let save = Callback::new(move |()| {
        if busy.get_untracked() {
            return;
        }
        let Some(was) = editing.get_untracked() else { return };
        let body = SandboxTargetDraft {
            connection: of.with_untracked(|of| of.parse().ok()),
            place: place.get_untracked().trim().to_owned(),
        };
        busy.set(true);
        failure.set(None);
        let base = team.with_value(|team| api::path::team(team, "sandbox-targets"));
        leptos::task::spawn_local(async move {
            let answer = match was {
                Editing::New => api::post::<SandboxTarget>(&base, &body).await,
                Editing::Known(known) => api::put::<SandboxTarget>(&format!("{base}/{}", known.id), &body).await,
            };
            let _ = busy.try_set(false);
            match answer {
                Ok(target) => {
                    toasts.good(text::saved(subject(&target)));
                    let _ = open.try_set(false);
                    targets.reload();
                }
                Err(refusal) => {
                    let _ = failure.try_set(Some(refusal));
                }
            }
        });
    });
    let at = move |field: &'static str| {
        Signal::derive(move || failure.with(|failure| failure.as_ref().and_then(|failure| failure.at_field(field))))
    };
    let other = move || failure.get().filter(|failure| !failure.is_only_at(FIELDS));
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::Primary busy on_press=save>{words::save()}</Button>
        }
        .into_any()
    };
    let fixed = Signal::derive(move || !is_new.get());
    view! {
        <Dialog open title foot=foot>
            <form class="form" on:submit=move |event| { event.prevent_default(); save.run(()); } novalidate>
                <SelectField label=text::of().to_owned() value=of options=choices disabled=fixed help=text::of_help().to_owned() error=at("connection")/>
                <TextField label=label value=place code=true help=help error=at("place")/>
                {move || other().map(|failure| view! { <FailureNote failure/> })}
                <button type="submit" hidden></button>
            </form>
        </Dialog>
    }
    .into_any()
}
