//! Name, state, wanted beside observed, guarantee, and what can be done now.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::approval::ApprovalNeed;
use millrace_wire::job::{CurrentRun, Job};
use millrace_wire::run::RunState;

use super::approval::ApprovalNote;
use super::context::use_job;
use crate::api;
use crate::clock::{local, use_clock};
use crate::format::{age, number};
use crate::i18n::{approvals, job as text, job_actions as actions};
use crate::load::load;
use crate::rights::{Right, refusal};
use crate::route::{JobTab, TeamRoute};
use crate::ui::button::{Button, Kind};
use crate::ui::callout::{Callout, Notice};
use crate::ui::icon::Icon;
use crate::ui::link_button::LinkButton;
use crate::ui::page_head::PageHead;
use crate::ui::state_badge::StateBadge;
use crate::ui::toast::use_toasts;
use crate::widget::job_actions::{
    StartDialog, StopDialog, Target, guarantee_word, savepoint_refusal, start_refusal, stop_refusal,
};
use crate::widget::permissions::badges;

#[component]
pub(super) fn Head() -> impl IntoView {
    let context = use_job();
    let team = context.team.get_value();
    let job = context.job;
    let name = Signal::derive(move || job.with(|job| job.name.clone()).unwrap_or_default());
    let steps = vec![(text::jobs().to_owned(), TeamRoute::Jobs.of(&team).href())];
    let editor = TeamRoute::Editor(Some(context.id)).of(&team).href();

    let starts = RwSignal::new(false);
    let stops = RwSignal::new(false);
    let target = Signal::derive(move || job.with(Target::of));
    let state = Signal::derive(move || context.state());
    let may = refusal(Right::Operate);
    let reason = move |refuse: fn(Option<RunState>) -> Option<&'static str>| {
        Signal::derive(move || may.get().or_else(|| refuse(state.get()).map(str::to_owned)))
    };
    let (cannot_stop, cannot_save) = (reason(stop_refusal), reason(savepoint_refusal));
    // What runs can be asked for as well: a new version is approved before the old one is stopped.
    let asks = asks_while_running(state);
    let cannot_start = Signal::derive(move || {
        may.get().or_else(|| start_refusal(state.get()).filter(|_| !asks.get()).map(str::to_owned))
    });
    let start_label = move || if asks.get() { approvals::ask_dialog() } else { actions::start_dialog() };
    let toasts = use_toasts();
    let saving = RwSignal::new(false);
    let take_savepoint = Callback::new(move |()| {
        let path = context.path("savepoints");
        saving.set(true);
        spawn_local(async move {
            let answer = api::send_only(&path).await;
            let _ = saving.try_set(false);
            match answer {
                Ok(()) => toasts.good(actions::savepoint_asked()),
                Err(failure) => toasts.bad(failure.error.message.clone(), failure.error.hint.unwrap_or_default()),
            }
        });
    });
    let changed = Callback::new(move |changed: Job| context.set(changed));

    let beside = move || {
        view! {
            {move || job.with(state_of).map(|(state, at)| view! { <StateBadge state at pill=true/> })}
            <span class="subtle">{move || job.with(wanted)}</span>
            {move || job.with(|job| badges(&job.access))}
        }
        .into_any()
    };
    let note_team = team.clone();
    let note = move || {
        let team = note_team.clone();
        view! { {move || job.with(|job| facts(job, &team))} }.into_any()
    };
    let action_editor = editor.clone();
    let buttons = move || {
        let editor = action_editor.clone();
        view! {
            <Button small=true icon=Icon::Play reason=cannot_start on_press=move |()| starts.set(true)>{start_label}</Button>
            <Button small=true icon=Icon::Stop reason=cannot_stop on_press=move |()| stops.set(true)>{actions::stop_dialog()}</Button>
            <Button small=true icon=Icon::Save reason=cannot_save busy=saving on_press=take_savepoint>{actions::savepoint()}</Button>
            <LinkButton small=true kind=Kind::Primary icon=Icon::Editor href=editor>{text::edit_sql()}</LinkButton>
        }
        .into_any()
    };
    view! {
        <PageHead title=name steps beside=beside note=note actions=buttons/>
        <Trouble/>
        <ApprovalNote/>
        <StartDialog team=team.clone() open=starts target on_started=changed/>
        <StopDialog team=team.clone() open=stops target on_stopped=changed/>
    }
    .into_any()
}

/// The job runs, and what a start would start now is not approved.
fn asks_while_running(state: Signal<Option<RunState>>) -> Memo<bool> {
    let context = use_job();
    let runs = Memo::new(move |_| matches!(state.get(), Some(RunState::Running | RunState::Recovering)));
    let revision = Memo::new(move |_| context.job.with(|job| job.draft.revision));
    let need = load(
        move || runs.get().then(|| revision.get()),
        move |asked| {
            let path = context.path("approvals/needed");
            async move {
                if asked.is_none() {
                    return Ok(None);
                }
                api::get::<ApprovalNeed>(&path).await.map(Some)
            }
        },
    );
    Effect::new(move |before: Option<()>| {
        context.changes.track();
        if before.is_some() {
            need.reload();
        }
    });
    let asks = |need: &ApprovalNeed| need.required && need.approved.is_none();
    Memo::new(move |_| runs.get() && need.with(|need| need.as_ref().is_some_and(asks)).unwrap_or(false))
}

/// The word of the state and the time its age counts from.
fn state_of(job: &Job) -> (String, Option<i64>) {
    match &job.current {
        None => ("draft".to_owned(), None),
        Some(current) if current.stale => ("stale".to_owned(), current.last_seen_at),
        Some(current) => {
            let seen = matches!(current.state, RunState::Running).then_some(current.last_seen_at).flatten();
            (current.state.as_str().to_owned(), Some(seen.unwrap_or(current.since)))
        }
    }
}

fn wanted(job: &Job) -> String {
    match &job.current {
        None => text::never_ran().to_owned(),
        Some(current) => text::wanted(job.desired, local(current.since).minutes()),
    }
}

fn facts(job: &Job, team: &str) -> AnyView {
    let versions = TeamRoute::Job(job.id, JobTab::Versions).of(team).href();
    let owner = text::owner(&job.owner);
    let tasks = number::counted(u64::from(job.draft.settings.parallelism), text::task(), text::task_many());
    let Some(current) = &job.current else {
        return view! { {tasks}", "{owner}". "{text::not_deployed()} }.into_any();
    };
    let guarantee = current.guarantee.as_ref().map(|guarantee| {
        let reason = guarantee.reason.clone();
        view! { ", "<span class="medium" title=reason>{guarantee_word(guarantee.level).to_lowercase()}</span> }
    });
    let restarts = (current.restarts > 0).then(|| {
        let count = number::counted(u64::from(current.restarts), text::restart(), text::restart_many());
        view! { ", "{text::restarts(count)} }
    });
    let differs = job.draft.differs.then(|| job.latest_version.as_ref().map(|version| version.number)).flatten();
    let compare = format!("{versions}?from={}&to=draft", current.version);
    view! {
        {text::run_of(current.number)}<a class="link" href=versions>{text::version_name(current.version)}</a>", "
        {tasks}{guarantee}", "{owner}{restarts}". "
        {differs.map(|version| view! {
            <span class="change-text">{text::differs(version)}</span>" "<a class="link" href=compare>{text::see_difference()}</a>
        })}
    }
    .into_any()
}

/// What is wrong now, in words, under the head; nothing while all is well.
#[component]
fn Trouble() -> impl IntoView {
    let context = use_job();
    let clock = use_clock();
    let current = Memo::new(move |_| context.job.with(|job| job.current.clone()).flatten());
    let kind = Memo::new(move |_| current.with(|current| current.as_ref().and_then(trouble)));
    let seen = move || {
        let at = current.with(|current| current.as_ref().and_then(|current| current.last_seen_at));
        text::stale_body(at.map_or_else(|| "?".to_owned(), |at| age::age(age::between(at, clock.get()))))
    };
    let reason =
        move || current.with(|current| current.as_ref().map(|current| current.reason.clone())).unwrap_or_default();
    view! {
        <div class="job-trouble" role="status">
            {move || kind.get().map(|kind| match kind {
                Trouble::Recovering => view! {
                    <Callout notice=Notice::Warn title=text::recovering_title()>
                        <p>{move || text::recovering_body(reason())}</p>
                    </Callout>
                }.into_any(),
                Trouble::Failed => view! {
                    <Callout notice=Notice::Bad title=text::failed_title()><p>{reason}</p></Callout>
                }.into_any(),
                Trouble::Stale => view! {
                    <Callout notice=Notice::Warn title=text::stale_title()><p>{seen}</p></Callout>
                }.into_any(),
            })}
        </div>
    }
    .into_any()
}

#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    Recovering,
    Failed,
    Stale,
}

fn trouble(current: &CurrentRun) -> Option<Trouble> {
    match current.state {
        RunState::Failed => Some(Trouble::Failed),
        RunState::Recovering => Some(Trouble::Recovering),
        _ if current.stale => Some(Trouble::Stale),
        _ => None,
    }
}
