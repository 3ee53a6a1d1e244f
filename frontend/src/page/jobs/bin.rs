//! The recycle bin: what was deleted, how long it stays, and the way back.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::job::Job;
use millrace_wire::job_life::{BinnedJob, RestoreJob};
use millrace_wire::live::LiveEvent;

use crate::api::{self, Failure};
use crate::clock::{local, now};
use crate::format::number;
use crate::i18n::{jobs as text, words};
use crate::live::use_live;
use crate::load::{Loaded, load_all};
use crate::rights::{Right, refusal};
use crate::route::{JobTab, TeamRoute};
use crate::ui::age::Ago;
use crate::ui::button::{Button, Kind};
use crate::ui::confirm::Confirm;
use crate::ui::dialog::Dialog;
use crate::ui::empty_state::EmptyState;
use crate::ui::failure::FailureNote;
use crate::ui::page_head::PageHead;
use crate::ui::skeleton::Shape;
use crate::ui::table::{Head, Table};
use crate::ui::text_field::TextField;
use crate::ui::toast::{Toast, use_toasts};

const DAY_MS: i64 = 24 * 3600 * 1000;

/// The job that a dialog is about, and which one is open.
#[derive(Clone, Copy)]
struct Asked {
    job: RwSignal<Option<BinnedJob>>,
    restores: RwSignal<bool>,
    deletes: RwSignal<bool>,
}

#[component]
pub fn BinPage(team: String) -> impl IntoView {
    let path = api::path::team(&team, "jobs/bin");
    let jobs = load_all::<BinnedJob>(path.clone());
    use_live().on(move |event| {
        if matches!(event, LiveEvent::JobsChanged { .. } | LiveEvent::Reset) {
            jobs.reload();
        }
    });
    let asked = Asked { job: RwSignal::new(None), restores: RwSignal::new(false), deletes: RwSignal::new(false) };
    let steps = vec![(text::title().to_owned(), TeamRoute::Jobs.of(&team).href())];
    view! {
        <PageHead title=text::bin().to_owned() steps=Signal::stored(steps)/>
        <div class="page job-list">
            {jobs.show(Shape::Rows(4), move |jobs| (move || {
                let jobs = jobs.get();
                if jobs.is_empty() {
                    return view! { <EmptyState title=text::bin_empty() body=text::bin_empty_body()/> }.into_any();
                }
                let heads = vec![
                    Head::text(text::column_name()),
                    Head::text(text::column_owner()),
                    Head::number(text::deleted()),
                    Head::text(text::deleted_by()),
                    Head::number(text::days_left()),
                    Head::number(text::kept_versions()).wide(),
                    Head::number(text::kept_savepoints()).wide(),
                    Head::text(text::column_actions()).silent(),
                ];
                view! {
                    <p class="muted rail-note">{text::bin_note()}</p>
                    <Table label=text::bin() heads>{jobs.into_iter().map(|job| row(job, asked)).collect_view()}</Table>
                }.into_any()
            }).into_any())}
        </div>
        <Restore team path=path.clone() asked jobs/>
        <DeleteForGood path asked jobs/>
    }
    .into_any()
}

fn row(job: BinnedJob, asked: Asked) -> AnyView {
    let may = refusal(Right::Operate);
    let days = (job.purge_at - now()).max(0) / DAY_MS;
    let ask = {
        let job = job.clone();
        move |which: RwSignal<bool>| {
            asked.job.set(Some(job.clone()));
            which.set(true);
        }
    };
    let (restore, delete) = (ask.clone(), ask);
    view! {
        <tr>
            <th scope="row">{job.name.clone()}</th>
            <td>{job.owner}</td>
            <td class="num muted" title=local(job.deleted_at).full()><Ago at=job.deleted_at/></td>
            <td>{job.deleted_by}</td>
            <td class="num" title=local(job.purge_at).full()>{number::grouped(u64::try_from(days).unwrap_or(0))}</td>
            <td class="num wide-only">{number::grouped(job.versions)}</td>
            <td class="num wide-only">{number::grouped(job.savepoints)}</td>
            <td class="num">
                <Button kind=Kind::Quiet small=true reason=may title=text::restore_named(&job.name)
                    on_press=move |()| restore(asked.restores)>{text::restore()}</Button>
                <Button kind=Kind::DangerQuiet small=true reason=may title=text::delete_for_good_named(&job.name)
                    on_press=move |()| delete(asked.deletes)>{text::delete_for_good()}</Button>
            </td>
        </tr>
    }
    .into_any()
}

#[component]
fn Restore(team: String, path: String, asked: Asked, jobs: Loaded<Vec<BinnedJob>>) -> impl IntoView {
    let toasts = use_toasts();
    let (team, path) = (StoredValue::new(team), StoredValue::new(path));
    let name = RwSignal::new(String::new());
    let failure = RwSignal::new(None::<Failure>);
    let busy = RwSignal::new(false);
    let was = move || asked.job.with(|job| job.as_ref().map(|job| job.name.clone()).unwrap_or_default());
    Effect::new(move |_| {
        if asked.restores.get() {
            name.set(untrack(was));
            failure.set(None);
        }
    });
    let restore = Callback::new(move |()| {
        let Some(id) = asked.job.with_untracked(|job| job.as_ref().map(|job| job.id)) else { return };
        let one = format!("{}/{id}/restore", path.get_value());
        let body = RestoreJob { name: Some(name.get_untracked()) };
        let slug = team.get_value();
        busy.set(true);
        failure.set(None);
        spawn_local(async move {
            let answer = api::post::<Job>(&one, &body).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(job) => {
                    let _ = asked.restores.try_set(false);
                    jobs.reload();
                    let href = TeamRoute::Job(job.id, JobTab::Overview).of(&slug).href();
                    let link = Some((text::restore_open().to_owned(), href));
                    toasts.push(Toast { good: true, title: text::restored(job.name), body: String::new(), link });
                }
                Err(reason) => {
                    let _ = failure.try_set(Some(reason));
                }
            }
        });
    });
    // With its hint, which suggests another name.
    let at_name = Signal::derive(move || {
        failure.with(|failure| failure.as_ref().filter(|failure| failure.is_only_at(&["name"])).map(Failure::sentence))
    });
    let foot = move || {
        view! {
            <Button on_press=move |()| asked.restores.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::Primary busy on_press=restore>{text::restore()}</Button>
        }
        .into_any()
    };
    view! {
        <Dialog open=asked.restores title=Signal::derive(move || text::restore_title(was())) foot=foot>
            <p class="muted">{text::restore_body()}</p>
            <TextField label=text::column_name().to_owned() value=name error=at_name/>
            {move || failure.get().filter(|failure| !failure.is_only_at(&["name"])).map(|failure| view! { <FailureNote failure/> })}
        </Dialog>
    }
    .into_any()
}

#[component]
fn DeleteForGood(path: String, asked: Asked, jobs: Loaded<Vec<BinnedJob>>) -> impl IntoView {
    let toasts = use_toasts();
    let error = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let name = Signal::derive(move || asked.job.with(|job| job.as_ref().map(|job| job.name.clone())));
    let title = Signal::derive(move || text::delete_for_good_title(name.get().unwrap_or_default()));
    let consequences = Signal::derive(|| vec![text::gone_what().to_owned(), text::gone_final().to_owned()]);
    Effect::new(move |_| {
        if asked.deletes.get() {
            error.set(None);
        }
    });
    let confirm = Callback::new(move |()| {
        let Some((id, name)) = asked.job.with_untracked(|job| job.as_ref().map(|job| (job.id, job.name.clone())))
        else {
            return;
        };
        let one = api::path::with_query(&format!("{path}/{id}"), &[("name", &name)]);
        busy.set(true);
        spawn_local(async move {
            let answer = api::delete(&one).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(()) => {
                    let _ = asked.deletes.try_set(false);
                    jobs.reload();
                    toasts.good(text::gone(name));
                }
                Err(failure) => {
                    let _ = error.try_set(Some(failure.sentence()));
                }
            }
        });
    });
    view! {
        <Confirm open=asked.deletes title consequences action=text::delete_for_good() type_name=name busy error on_confirm=confirm/>
    }
    .into_any()
}
