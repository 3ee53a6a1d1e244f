//! Another folder for a job, or another name for a folder with all that lies in it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::job::{Job, JobChange};
use millrace_wire::job_life::{BulkAction, BulkReport, BulkRequest, JobFilter};

use super::job_nodes::Placed;
use crate::api::{self, Failure};
use crate::format::number::counted;
use crate::i18n::{folders as text, words};
use crate::ui::button::{Button, Kind};
use crate::ui::dialog::Dialog;
use crate::ui::failure::FailureNote;
use crate::ui::text_field::TextField;
use crate::ui::toast::{Toasts, use_toasts};

/// What is moved.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Moving {
    Job(Placed),
    Folder(String),
}

impl Moving {
    fn folder(&self) -> &String {
        match self {
            Moving::Job(job) => &job.folder,
            Moving::Folder(path) => path,
        }
    }
}

#[component]
pub(super) fn MoveDialog(
    team: StoredValue<String>,
    moving: RwSignal<Option<Moving>>,
    /// Folders to choose from.
    folders: Memo<Vec<String>>,
    on_moved: Callback<String>,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let folder = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let toasts = use_toasts();
    Effect::new(move |_| {
        if let Some(what) = moving.get() {
            failure.set(None);
            folder.set(what.folder().clone());
            open.set(true);
        }
    });
    Effect::new(move |_| {
        if !open.get() {
            moving.set(None);
        }
    });
    let title = Signal::derive(move || match moving.get() {
        Some(Moving::Job(job)) => text::move_job(job.name),
        Some(Moving::Folder(path)) => text::rename_folder(path),
        None => String::new(),
    });
    let is_folder = Memo::new(move |_| moving.with(|what| matches!(what, Some(Moving::Folder(_)))));
    let act = Callback::new(move |()| {
        let Some(what) = moving.get_untracked().filter(|_| !busy.get_untracked()) else { return };
        let to = folder.get_untracked().trim().to_owned();
        busy.set(true);
        failure.set(None);
        spawn_local(async move {
            let answer = match &what {
                Moving::Job(job) => move_job(team, job, &to, toasts).await,
                Moving::Folder(from) => rename(team, from, &to, toasts).await,
            };
            let _ = busy.try_set(false);
            match answer {
                Ok(folder) => {
                    let _ = open.try_set(false);
                    on_moved.run(folder);
                }
                Err(refusal) => {
                    let _ = failure.try_set(Some(refusal));
                }
            }
        });
    });
    let at_folder =
        Signal::derive(move || failure.with(|failure| failure.as_ref().and_then(|failure| failure.at_field("folder"))));
    let other = move || failure.get().filter(|failure| !failure.is_only_at(&["folder"]));
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::Primary busy on_press=act>{move || if is_folder.get() { text::rename_do() } else { text::move_do() }}</Button>
        }
        .into_any()
    };
    view! {
        <Dialog open title foot=foot>
            <form class="form" on:submit=move |event| { event.prevent_default(); act.run(()); } novalidate>
                {move || is_folder.get().then(|| view! { <p class="muted">{text::rename_body()}</p> })}
                <TextField label=text::folder().to_owned() value=folder autofocus=true is_optional=true suggestions=folders
                    help=text::folder_help().to_owned() error=at_folder/>
                {move || other().map(|failure| view! { <FailureNote failure/> })}
                <button type="submit" hidden></button>
            </form>
        </Dialog>
    }
    .into_any()
}

/// The folder in which it lies then.
async fn move_job(team: StoredValue<String>, job: &Placed, to: &str, toasts: Toasts) -> Result<String, Failure> {
    let path = path(team, &format!("jobs/{}", job.id));
    let change = JobChange { folder: Some(to.to_owned()), ..JobChange::default() };
    let moved = api::patch::<Job>(&path, &change).await?;
    toasts.good(match moved.folder.as_str() {
        "" => text::moved_to_root(moved.name),
        folder => text::moved(&moved.name, folder),
    });
    Ok(moved.folder)
}

async fn rename(team: StoredValue<String>, from: &str, to: &str, toasts: Toasts) -> Result<String, Failure> {
    let request = BulkRequest {
        action: BulkAction::Move,
        jobs: Vec::new(),
        filter: Some(JobFilter { folder: from.to_owned(), ..JobFilter::default() }),
        tag: None,
        folder: Some(to.to_owned()),
        from_folder: Some(from.to_owned()),
        from: None,
        mode: None,
    };
    let report = api::post::<BulkReport>(&path(team, "jobs/bulk"), &request).await?;
    match report.items.into_iter().find(|item| !item.done) {
        Some(first) => {
            let count = counted(report.refused, text::one_job(), text::many_jobs());
            toasts.bad(text::some_stayed(), text::stayed(count, format!("{}: {}", first.name, first.message)));
        }
        None => toasts.good(text::renamed(from, to)),
    }
    Ok(to.to_owned())
}

fn path(team: StoredValue<String>, tail: &str) -> String {
    team.try_with_value(|team| api::path::team(team, tail)).unwrap_or_default()
}
