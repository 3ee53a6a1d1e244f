//! Making a job of the scratch, and a version of the draft.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::job::{Job, NewJob, NewVersion, Version};

use super::desk::{Desk, KeepText, forget_scratch};
use crate::address::use_address;
use crate::api::{self, Failure};
use crate::format::text::sql_name;
use crate::i18n::{editor as text, words};
use crate::route::TeamRoute;
use crate::ui::button::{Button, Kind};
use crate::ui::dialog::Dialog;
use crate::ui::failure::FailureNote;
use crate::ui::text_area::TextArea;
use crate::ui::text_field::TextField;

#[component]
pub(super) fn CreateJob(desk: Desk, open: RwSignal<bool>) -> impl IntoView {
    let address = use_address();
    let name = RwSignal::new(String::new());
    let description = RwSignal::new(String::new());
    let failure = RwSignal::new(None::<Failure>);
    let busy = RwSignal::new(false);
    Effect::new(move |_| {
        if open.get() {
            failure.set(None);
            // The first table written says best what the job is for.
            let proposed = desk.validation.with_untracked(|validation| {
                validation.as_ref().and_then(|validation| validation.writes.first().map(|table| sql_name(table)))
            });
            if name.with_untracked(String::is_empty) {
                name.set(proposed.unwrap_or_default());
            }
        }
    });
    let create = Callback::new(move |()| {
        let body = NewJob {
            name: name.get_untracked().trim().to_owned(),
            description: description.get_untracked(),
            tags: Vec::new(),
            folder: String::new(),
            kind: None,
            sql: desk.sql.current(),
            settings: Some(desk.settings.get_untracked()),
        };
        let path = desk.path("jobs");
        busy.set(true);
        failure.set(None);
        spawn_local(async move {
            let answer = api::post::<Job>(&path, &body).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(job) => {
                    let team = desk.team.get_value();
                    forget_scratch(&team);
                    desk.sql.set("");
                    let _ = open.try_set(false);
                    let _ = name.try_set(String::new());
                    desk.toasts.good(text::created(&job.name));
                    address.go(&TeamRoute::Editor(Some(job.id)).of(&team));
                }
                Err(reason) => {
                    let _ = failure.try_set(Some(reason));
                }
            }
        });
    });
    let no_name =
        Signal::derive(move || name.with(|name| name.trim().is_empty()).then(|| text::name_first().to_owned()));
    let at_name =
        Signal::derive(move || failure.with(|failure| failure.as_ref().and_then(|failure| failure.at_field("name"))));
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::Primary busy reason=no_name on_press=create>{text::create()}</Button>
        }
        .into_any()
    };
    view! {
        <Dialog open title=text::create_title().to_owned() foot=foot>
            <form class="form" on:submit=move |event| {
                event.prevent_default();
                if no_name.get_untracked().is_none() && !busy.get_untracked() {
                    create.run(());
                }
            }>
                <p class="muted">{text::create_body()}</p>
                <TextField label=text::name().to_owned() value=name autofocus=true error=at_name/>
                <TextArea label=text::description().to_owned() value=description is_optional=true/>
                <button type="submit" hidden></button>
            </form>
            {move || failure.get().filter(|failure| !failure.is_only_at(&["name"])).map(|failure| view! { <FailureNote failure/> })}
        </Dialog>
    }
    .into_any()
}

#[component]
pub(super) fn SaveVersion(desk: Desk, open: RwSignal<bool>) -> impl IntoView {
    let comment = RwSignal::new(String::new());
    let failure = RwSignal::new(None::<Failure>);
    let busy = RwSignal::new(false);
    Effect::new(move |_| {
        if open.get() {
            failure.set(None);
        }
    });
    let save = Callback::new(move |()| {
        let Some(id) = desk.id else { return };
        let path = desk.path(&format!("jobs/{id}/versions"));
        busy.set(true);
        failure.set(None);
        spawn_local(async move {
            if !desk.save().await {
                let _ = busy.try_set(false);
                let _ = open.try_set(false);
                return;
            }
            let body = NewVersion { comment: comment.get_untracked() };
            let answer = api::post::<Version>(&path, &body).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(version) => {
                    let _ = open.try_set(false);
                    let _ = comment.try_set(String::new());
                    desk.toasts.good(text::version_saved(version.summary.number));
                    desk.fetch(KeepText::Yes).await;
                }
                Err(reason) => {
                    let _ = failure.try_set(Some(reason));
                }
            }
        });
    });
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::Primary busy on_press=save>{text::save_version_do()}</Button>
        }
        .into_any()
    };
    view! {
        <Dialog open title=text::save_version_title().to_owned() foot=foot>
            <form class="form" on:submit=move |event| {
                event.prevent_default();
                if !busy.get_untracked() {
                    save.run(());
                }
            }>
                <p class="muted">{text::save_version_body()}</p>
                <TextField label=text::comment().to_owned() value=comment is_optional=true autofocus=true/>
                <button type="submit" hidden></button>
            </form>
            {move || failure.get().map(|failure| view! { <FailureNote failure/> })}
        </Dialog>
    }
    .into_any()
}
