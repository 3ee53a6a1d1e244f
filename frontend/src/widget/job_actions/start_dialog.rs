//! The start dialog: latest state, a savepoint, or none with a time to read from.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::approval::{ApprovalNeed, StartApproval};
use millrace_wire::ids::JobId;
use millrace_wire::job::{Job, Start, StartFrom, StartOptions};
use millrace_wire::report::DeploymentReport;
use millrace_wire::run::{RestoreKind, RestorePoint};

use super::approval::{ApprovalPart, Request, WhatStarts};
use super::guarantee::GuaranteeNote;
use crate::api::{self, Failure};
use crate::clock::{from_local_field, local, now};
use crate::format::age::{age, between};
use crate::format::bytes::bytes;
use crate::i18n::{approvals, deployment, job_actions as text, words};
use crate::load::load;
use crate::route::{JobTab, TeamRoute};
use crate::ui::button::{Button, Kind};
use crate::ui::dialog::Dialog;
use crate::ui::failure::FailureNote;
use crate::ui::icon::Icon;
use crate::ui::select_field::SelectField;
use crate::ui::skeleton::{Shape, Skeleton};
use crate::ui::text_field::TextField;
use crate::ui::toast::use_toasts;
use crate::widget::deployment::Report;

/// Which job the dialog is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    pub id: JobId,
    pub name: String,
    /// The newest version, if any.
    pub version: Option<u32>,
    pub draft_differs: bool,
    /// The version of the newest run, if any.
    pub ran: Option<u32>,
    pub runs: bool,
}

impl Target {
    pub fn of(job: &Job) -> Target {
        Target {
            id: job.id,
            name: job.name.clone(),
            version: job.latest_version.as_ref().map(|version| version.number),
            draft_differs: job.draft.differs,
            ran: job.current.as_ref().map(|current| current.version),
            runs: job.current.as_ref().is_some_and(|current| !current.state.is_terminal()),
        }
    }
}

#[component]
pub fn StartDialog(
    team: String,
    open: RwSignal<bool>,
    #[prop(into)] target: Signal<Option<Target>>,
    #[prop(into)] on_started: Callback<Job>,
) -> impl IntoView {
    let team = StoredValue::new(team);
    let options = RwSignal::new(None::<StartOptions>);
    let failure = RwSignal::new(None::<Failure>);
    let busy = RwSignal::new(false);
    let from = RwSignal::new(StartFrom::Latest);
    let savepoint = RwSignal::new(String::new());
    let at = RwSignal::new(String::new());
    // Empty: the draft.
    let version = RwSignal::new(String::new());
    let shown = RwSignal::new(false);
    // The version that ran last, where the draft would be another one: it may be approved already.
    let ran = RwSignal::new(None::<u32>);
    let request = Request::blank();
    let toasts = use_toasts();
    let path = move |tail: &str| {
        let id = target.get_untracked().map(|target| target.id.to_string()).unwrap_or_default();
        team.with_value(|team| api::path::team(team, &format!("jobs/{id}/{tail}")))
    };

    Effect::new(move |_| {
        if !open.get() {
            return;
        }
        options.set(None);
        failure.set(None);
        at.set(String::new());
        version.set(String::new());
        shown.set(false);
        ran.set(None);
        request.clear();
        let path = path("start-options");
        let asked = target.get_untracked().map(|target| target.id);
        spawn_local(async move {
            let answer = api::get::<StartOptions>(&path).await;
            // Another job's dialog may be open by now.
            if target.try_with_untracked(|target| target.as_ref().map(|target| target.id)) != Some(asked) {
                return;
            }
            match answer {
                Ok(found) => {
                    // Never remembers a dangerous choice: it always opens at the latest state.
                    let _ = from.try_set(if found.latest.is_some() { StartFrom::Latest } else { StartFrom::Fresh });
                    let first = found.savepoints.iter().find_map(|point| point.savepoint);
                    let _ = savepoint.try_set(first.map(|id| id.to_string()).unwrap_or_default());
                    let _ = options.try_set(Some(found));
                }
                Err(reason) => {
                    let _ = failure.try_set(Some(reason));
                }
            }
        });
    });

    let chosen = Memo::new(move |_| {
        let from = from.get();
        Start {
            version: version.with(|number| number.parse().ok()),
            from,
            savepoint: savepoint.with(|id| id.parse().ok()).filter(|_| from == StartFrom::Savepoint),
            at_ms: at.with(|at| from_local_field(at)).filter(|_| from == StartFrom::Fresh),
        }
    });
    // Most teams do not ask for approvals: nothing more is loaded there.
    let asking =
        move || open.get() && options.with(|found| found.as_ref().is_some_and(|found| found.approval_required));
    let need = load(
        move || asking().then(|| chosen.get()),
        move |chosen| async move {
            let Some(chosen) = chosen else { return Ok(None) };
            api::get::<ApprovalNeed>(&with_choice(&path("approvals/needed"), &chosen)).await.map(Some)
        },
    );
    let required = Memo::new(move |_| need.with(Clone::clone).flatten().filter(|need| need.required));
    let asks = Memo::new(move |_| required.with(|need| need.as_ref().is_some_and(|need| need.approved.is_none())));
    let runs = Signal::derive(move || target.with(|target| target.as_ref().is_some_and(|target| target.runs)));
    Effect::new(move |_| {
        let Some(Some(need)) = need.with(Clone::clone) else { return };
        if version.with_untracked(String::is_empty) {
            let last = target.with_untracked(|target| target.as_ref().and_then(|target| target.ran));
            ran.set(last.filter(|last| need.required && need.version != Some(*last)));
        }
    });

    let ask = Callback::new(move |()| {
        let body = request.of(chosen.get_untracked(), runs.get_untracked());
        let path = path("approvals");
        busy.set(true);
        failure.set(None);
        spawn_local(async move {
            let answer = api::post::<StartApproval>(&path, &body).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(_) => {
                    let _ = open.try_set(false);
                    toasts.good(approvals::asked());
                }
                Err(reason) => {
                    let _ = failure.try_set(Some(reason));
                }
            }
        });
    });
    let start = Callback::new(move |()| {
        let body = chosen.get_untracked();
        let path = path("start");
        busy.set(true);
        failure.set(None);
        spawn_local(async move {
            let answer = api::post::<Job>(&path, &body).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(job) => {
                    let _ = open.try_set(false);
                    let _ = on_started.try_run(job);
                }
                Err(reason) => {
                    let _ = failure.try_set(Some(reason));
                }
            }
        });
    });
    let loads = Signal::derive(move || {
        let unknown = asking() && need.value().with(Option::is_none) && need.failure().with(Option::is_none);
        (options.with(Option::is_none) || unknown).then(|| words::loading().to_owned())
    });
    let cannot_start =
        Signal::derive(move || loads.get().or_else(|| runs.get().then(|| text::runs_already().to_owned())));
    let cannot_ask = Signal::derive(move || {
        let open =
            required.with(|need| need.as_ref().and_then(|need| need.open.as_ref().map(|open| open.asker.clone())));
        loads.get().or_else(|| open.map(approvals::asked_already))
    });
    let title = Signal::derive(move || {
        target.with(|target| target.as_ref().map(|target| text::start_title(&target.name)).unwrap_or_default())
    });
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            {move || if asks.get() {
                view! { <Button kind=Kind::Primary busy reason=cannot_ask on_press=ask>{approvals::ask()}</Button> }.into_any()
            } else {
                view! { <Button kind=Kind::Primary icon=Icon::Play busy reason=cannot_start on_press=start>{text::start()}</Button> }.into_any()
            }}
        }
        .into_any()
    };
    let reason_problem =
        Signal::derive(move || failure.with(|failure| failure.as_ref().and_then(|failure| failure.at_field("reason"))));
    let other_problem = move || failure.get().filter(|failure| !failure.is_only_at(&["reason"]));
    view! {
        <Dialog open title foot=foot class="dialog-start">
            <p class="muted">{move || target.with(|target| version_note(target.as_ref()?, chosen.get().version))}</p>
            {move || ran.get().map(|ran| view! { <WhatStarts version ran/> })}
            {move || match options.get() {
                None if failure.with(Option::is_none) => view! { <Skeleton shape=Shape::Lines(4)/> }.into_any(),
                None => ().into_any(),
                Some(found) => choices(found, from, savepoint, at),
            }}
            {move || options.with(Option::is_some).then(|| view! {
                <Changes team=team.get_value() target shown chosen/>
            })}
            {move || required.get().map(|need| view! { <ApprovalPart need request runs problem=reason_problem/> })}
            {move || other_problem().map(|failure| view! { <FailureNote failure/> })}
        </Dialog>
    }
    .into_any()
}

/// The step before the start: what it would change, keep, lose and read again, for the choice as it stands.
#[component]
fn Changes(team: String, target: Signal<Option<Target>>, shown: RwSignal<bool>, chosen: Memo<Start>) -> impl IntoView {
    let team = StoredValue::new(team);
    let id = move || target.with(|target| target.as_ref().map(|target| target.id));
    let report = load(
        move || shown.get().then(|| chosen.get()),
        move |chosen| async move {
            let (Some(chosen), Some(id)) = (chosen, untrack(id)) else { return Ok(None) };
            let path = team.with_value(|team| api::path::team(team, &format!("jobs/{id}/report")));
            api::get::<DeploymentReport>(&with_choice(&path, &chosen)).await.map(Some)
        },
    );
    let href = Signal::derive(move || {
        let page = TeamRoute::Job(id()?, JobTab::Report).of(&team.get_value()).href();
        Some(chosen.with(|chosen| with_choice(&page, chosen)))
    });
    view! {
        <p class="row">
            <Button small=true pressed=shown on_press=move |()| shown.update(|shown| *shown = !*shown)>
                {move || if shown.get() { deployment::hide() } else { deployment::step() }}
            </Button>
            <a class="link" href=move || href.get()>{deployment::own_page()}</a>
        </p>
        {move || shown.get().then(|| report.show(Shape::Lines(6), move |report| (move || {
            report.get().zip(untrack(id)).map(|(report, job)| view! { <Report team=team.get_value() job report/> })
        }).into_any()))}
    }
    .into_any()
}

fn version_note(target: &Target, chosen: Option<u32>) -> Option<String> {
    Some(match (chosen, target.version) {
        (Some(number), _) => text::starts_version(number),
        (None, None) => text::first_version().to_owned(),
        (None, Some(number)) if target.draft_differs => text::freezes(number + 1),
        (None, Some(number)) => text::starts_version(number),
    })
}

/// The address with the choice as its query.
fn with_choice(path: &str, start: &Start) -> String {
    let text = |value: Option<String>| value.unwrap_or_default();
    let version = text(start.version.map(|number| number.to_string()));
    let savepoint = text(start.savepoint.map(|id| id.to_string()));
    let at_ms = text(start.at_ms.map(|at| at.to_string()));
    let pairs =
        [("version", version.as_str()), ("from", start.from.as_str()), ("savepoint", &savepoint), ("at_ms", &at_ms)];
    api::path::with_query(path, &pairs)
}

fn choices(
    found: StartOptions,
    from: RwSignal<StartFrom>,
    savepoint: RwSignal<String>,
    at: RwSignal<String>,
) -> AnyView {
    let latest = found.latest.clone();
    let latest_note = latest.as_ref().map_or_else(|| text::no_state().to_owned(), restore_note);
    let has_latest = latest.is_some();
    let points: Vec<RestorePoint> = found.savepoints.into_iter().filter(|point| point.savepoint.is_some()).collect();
    let has_points = !points.is_empty();
    let names: Vec<(String, String)> =
        points.iter().filter_map(|point| point.savepoint.map(|id| (id.to_string(), savepoint_choice(point)))).collect();
    let lost = Memo::new(move |_| match from.get() {
        StartFrom::Latest => latest.as_ref().map(|point| point.incompatible.clone()),
        StartFrom::Savepoint => {
            let chosen = savepoint.get();
            points
                .iter()
                .find(|point| point.savepoint.is_some_and(|id| id.to_string() == chosen))
                .map(|point| point.incompatible.clone())
        }
        StartFrom::Fresh => None,
    });
    view! {
        <fieldset class="choices">
            <legend class="visually-hidden">{text::start_from()}</legend>
            <Choice option=StartFrom::Latest chosen=from name="start-from" label=text::from_latest() note=latest_note
                disabled={!has_latest}/>
            <Choice option=StartFrom::Savepoint chosen=from name="start-from" label=text::from_savepoint()
                note=if has_points { String::new() } else { text::no_savepoints().to_owned() } disabled={!has_points}>
                <SelectField label=text::which_savepoint().to_owned() value=savepoint options=names.clone()/>
            </Choice>
            <Choice option=StartFrom::Fresh chosen=from name="start-from" label=text::from_fresh()
                note=text::from_fresh_note().to_owned() disabled=false>
                <TextField label=text::read_from().to_owned() value=at kind="datetime-local" is_optional=true
                    help=text::read_from_help().to_owned()/>
            </Choice>
        </fieldset>
        {move || lost.get().map(|lost| if lost.is_empty() {
            view! { <p class="good">{text::all_kept()}</p> }.into_any()
        } else {
            view! {
                <div class="callout callout-warn">
                    {Icon::Warn.view()}<strong>{text::not_kept()}</strong>
                    <ul>{lost.into_iter().map(|line| view! { <li>{line}</li> }).collect_view()}</ul>
                </div>
            }.into_any()
        })}
        <p class="muted"><GuaranteeNote guarantee=found.guarantee/></p>
    }
    .into_any()
}

/// One way out of several, with what it means and, where it is chosen, its own fields.
#[component]
pub(super) fn Choice<T>(
    option: T,
    chosen: RwSignal<T>,
    name: &'static str,
    label: &'static str,
    note: String,
    disabled: bool,
    #[prop(optional)] children: Option<ChildrenFn>,
) -> impl IntoView
where
    T: Copy + PartialEq + Send + Sync + 'static,
{
    let note_id = crate::ui::id::next("choice");
    let described = note_id.clone();
    let children = StoredValue::new(children);
    view! {
        <div class="choice">
            <label class="check">
                <input type="radio" name=name disabled=disabled aria-describedby=described
                    prop:checked=move || chosen.get() == option on:change=move |_| chosen.set(option)/>
                <span class="medium" class:subtle=disabled>{label}</span>
            </label>
            <p class="choice-note muted" id=note_id>{note}</p>
            {move || (chosen.get() == option && !disabled).then(|| view! {
                <div class="choice-fields">{children.with_value(|children| children.as_ref().map(|children| children()))}</div>
            })}
        </div>
    }
    .into_any()
}

fn kind_word(kind: RestoreKind) -> &'static str {
    match kind {
        RestoreKind::Checkpoint => text::checkpoint(),
        RestoreKind::Savepoint => text::savepoint(),
    }
}

fn restore_note(point: &RestorePoint) -> String {
    let taken = age(between(point.at, now()));
    text::from_latest_note(kind_word(point.kind), point.number, point.run_number, taken, bytes(point.bytes))
}

fn savepoint_choice(point: &RestorePoint) -> String {
    text::savepoint_choice(point.number, point.run_number, point.version, local(point.at).full(), bytes(point.bytes))
}
