//! Name, description, tags; savepoints by schedule; run settings to read; deletion with its consequences.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::job::{Job, JobChange};
use millrace_wire::job_life::{DependentTable, Dependents};

use super::context::use_job;
use super::savepoint_schedule::SavepointSchedule;
use crate::address::use_address;
use crate::api::{self, Failure};
use crate::format::number::counted;
use crate::i18n::{job as text, words};
use crate::rights::{Right, refusal};
use crate::route::TeamRoute;
use crate::ui::button::{Button, Kind};
use crate::ui::confirm::Confirm;
use crate::ui::facts::{Fact, Facts};
use crate::ui::failure::FailureNote;
use crate::ui::icon::Icon;
use crate::ui::panel::Panel;
use crate::ui::text_area::TextArea;
use crate::ui::text_field::TextField;
use crate::ui::toast::use_toasts;
use crate::widget::job_actions::delete_refusal;
use crate::widget::job_settings::rows;

#[component]
pub(super) fn Settings() -> impl IntoView {
    view! {
        <div class="page columns columns-rail">
            <div><About/><SavepointSchedule/><Delete/></div>
            <aside class="rail"><RunSettings/></aside>
        </div>
    }
    .into_any()
}

#[component]
fn About() -> impl IntoView {
    let context = use_job();
    let toasts = use_toasts();
    let first = context.job.value().get_untracked();
    let part = |read: fn(&Job) -> String| RwSignal::new(first.as_ref().map(read).unwrap_or_default());
    let name = part(|job| job.name.clone());
    let description = part(|job| job.description.clone());
    let tags = part(|job| job.tags.join(", "));
    let folder = part(|job| job.folder.clone());
    let failure = RwSignal::new(None::<Failure>);
    let busy = RwSignal::new(false);
    let may = refusal(Right::Edit);
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let change = JobChange {
            name: Some(name.get_untracked().trim().to_owned()),
            description: Some(description.get_untracked()),
            tags: Some(split_tags(&tags.get_untracked())),
            folder: Some(folder.get_untracked()),
            kind: None,
        };
        let path = context.own_path();
        busy.set(true);
        spawn_local(async move {
            let answer = api::patch::<Job>(&path, &change).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(job) => {
                    let _ = failure.try_set(None);
                    context.set(job);
                    toasts.good(text::saved());
                }
                Err(reason) => {
                    let _ = failure.try_set(Some(reason));
                }
            }
        });
    };
    let at = move |field: &'static str| {
        Signal::derive(move || failure.with(|failure| failure.as_ref().and_then(|failure| failure.at_field(field))))
    };
    view! {
        <Panel title=text::about().to_owned()>
            <form class="job-about" on:submit=submit>
                <TextField label=text::name().to_owned() value=name error=at("name")/>
                <TextArea label=text::description().to_owned() value=description is_optional=true error=at("description")/>
                <TextField label=text::tags().to_owned() value=tags is_optional=true help=text::tags_help().to_owned() error=at("tags")/>
                <TextField label=text::folder().to_owned() value=folder is_optional=true help=text::folder_help().to_owned() error=at("folder")/>
                {move || failure.get().filter(|failure| !failure.is_only_at(&["name", "description", "tags", "folder"]))
                    .map(|failure| view! { <FailureNote failure/> })}
                <div class="row"><Button kind=Kind::Primary submits=true busy reason=may>{words::save()}</Button></div>
            </form>
        </Panel>
    }
    .into_any()
}

fn split_tags(text: &str) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for tag in text.split([',', '\n']).map(str::trim).filter(|tag| !tag.is_empty()) {
        if !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_owned());
        }
    }
    tags
}

#[component]
fn RunSettings() -> impl IntoView {
    let context = use_job();
    view! {
        <Panel title=text::run_settings().to_owned()>
            <p class="muted rail-note">{text::run_settings_note()}" "{text::change_in_editor()}</p>
            {move || context.job.with(|job| rows(&job.draft.settings)).map(|rows| view! {
                <Facts>
                    {rows.into_iter().map(|(name, value)| view! { <Fact name>{value}</Fact> }).collect_view()}
                </Facts>
            })}
        </Panel>
    }
    .into_any()
}

#[component]
fn Delete() -> impl IntoView {
    let context = use_job();
    let address = use_address();
    let toasts = use_toasts();
    let open = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<String>);
    let may = refusal(Right::Manage);
    let reason = Signal::derive(move || may.get().or_else(|| delete_refusal(context.state()).map(str::to_owned)));
    let name = Signal::derive(move || context.job.with(|job| job.name.clone()));
    let title = Signal::derive(move || text::delete_title(name.get().unwrap_or_default()));
    // What would stand still without it, asked for when somebody means to delete.
    let dependents = RwSignal::new(None::<Dependents>);
    Effect::new(move |_| {
        if !open.get() {
            return;
        }
        dependents.set(None);
        let path = context.path("dependents");
        spawn_local(async move {
            if let Ok(found) = api::get::<Dependents>(&path).await {
                let _ = dependents.try_set(Some(found));
            }
        });
    });
    let consequences = Signal::derive(move || {
        let what = context.job.with(|job| {
            text::delete_what(
                counted(job.versions, text::version_one(), text::version_many()),
                counted(job.savepoints, text::savepoint_one(), text::savepoint_many()),
                counted(job.runs, text::run_one(), text::run_many()),
            )
        });
        let mut lines: Vec<String> = what.into_iter().chain([text::delete_tables().to_owned()]).collect();
        dependents.with(|found| lines.extend(found.iter().flat_map(|found| &found.tables).map(in_words)));
        lines
    });
    let confirm = Callback::new(move |()| {
        let path = context.own_path();
        busy.set(true);
        spawn_local(async move {
            let answer = api::delete(&path).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(()) => {
                    toasts.good(text::deleted(name.get_untracked().unwrap_or_default()));
                    address.go(&TeamRoute::Jobs.of(&context.team.get_value()));
                }
                Err(failure) => {
                    let _ = error.try_set(Some(failure.sentence()));
                }
            }
        });
    });
    view! {
        <Panel title=text::delete().to_owned()>
            <div class="job-delete">
                <p class="muted">{text::delete_tables()}</p>
                <Button kind=Kind::DangerQuiet icon=Icon::Trash reason on_press=move |()| { error.set(None); open.set(true) }>{text::delete_job()}</Button>
            </div>
        </Panel>
        <Confirm open title consequences action=words::delete() busy error on_confirm=confirm/>
    }
    .into_any()
}

/// A table that nobody else writes, and who reads it.
fn in_words(table: &DependentTable) -> String {
    if table.readers.is_empty() {
        return text::delete_only_writer(&table.table);
    }
    let readers: Vec<&str> = table.readers.iter().map(|job| job.name.as_str()).collect();
    text::delete_readers(&table.table, readers.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_split_and_named_once() {
        assert_eq!(split_tags(" feeds, ads ,,feeds\nlate"), ["feeds", "ads", "late"]);
        assert!(split_tags(" , ").is_empty());
    }
}
