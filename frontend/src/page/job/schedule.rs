//! When a batch job starts by itself: the expression with its next times, what happens after downtime and failures, and
//! what became of each time.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::job::{Job, JobChange, JobKind};
use millrace_wire::page::Page;
use millrace_wire::schedule::{
    CatchUp, CheckSchedule, Fire, FireOutcome, JobSchedule, Schedule as Kept, ScheduleTimes,
};

use super::context::use_job;
use crate::api::{self, Failure};
use crate::clock::local;
use crate::i18n::{schedule as text, words};
use crate::load::{Loaded, load};
use crate::rights::{Right, refusal};
use crate::route::{JobTab, TeamRoute};
use crate::ui::button::{Button, Kind};
use crate::ui::check_field::CheckField;
use crate::ui::empty_state::EmptyState;
use crate::ui::failure::FailureNote;
use crate::ui::panel::Panel;
use crate::ui::select_field::SelectField;
use crate::ui::skeleton::Shape;
use crate::ui::state_badge::StateBadge;
use crate::ui::table::{Head, Table};
use crate::ui::text_field::TextField;
use crate::ui::toast::use_toasts;

const FIELDS: [&str; 5] = ["cron", "zone", "catch_up_most", "retry_attempts", "retry_delay_ms"];
const MINUTE_MS: u64 = 60_000;

#[component]
pub(super) fn Schedule() -> impl IntoView {
    let context = use_job();
    let kind = Memo::new(move |_| context.job.with(|job| job.kind));
    let kept = load(
        || (),
        move |()| {
            let path = context.path("schedule");
            async move { api::get::<JobSchedule>(&path).await }
        },
    );
    view! {
        <div class="page job-list">
            {move || match kind.get() {
                Some(JobKind::Stream) => view! { <IsStream/> }.into_any(),
                _ => kept.show(Shape::Lines(6), move |_| view! { <Form kept/> }.into_any()),
            }}
            <Fires kept/>
        </div>
    }
    .into_any()
}

/// A stream has no schedule; here it can be made a batch job.
#[component]
fn IsStream() -> impl IntoView {
    let context = use_job();
    let may = refusal(Right::Edit);
    let failure = RwSignal::new(None::<Failure>);
    let busy = RwSignal::new(false);
    let change = move |()| {
        let body = JobChange { kind: Some(JobKind::Batch), ..JobChange::default() };
        let path = context.own_path();
        busy.set(true);
        spawn_local(async move {
            let answer = api::patch::<Job>(&path, &body).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(job) => context.set(job),
                Err(reason) => {
                    let _ = failure.try_set(Some(reason));
                }
            }
        });
    };
    view! {
        <EmptyState title=text::is_stream() body=text::is_stream_body()>
            <Button reason=may busy on_press=change>{text::make_batch()}</Button>
        </EmptyState>
        {move || failure.get().map(|failure| view! { <FailureNote failure/> })}
    }
    .into_any()
}

pub(super) fn browser_zone() -> String {
    let options = js_sys::Intl::DateTimeFormat::new(&js_sys::Array::new(), &js_sys::Object::new()).resolved_options();
    let zone = js_sys::Reflect::get(&options, &"timeZone".into()).ok().and_then(|zone| zone.as_string());
    zone.unwrap_or_else(|| "UTC".to_owned())
}

/// Of minutes, parts of which may be set by the API.
fn milliseconds(minutes: f64) -> u64 {
    (minutes.max(0.0) * MINUTE_MS as f64).round() as u64
}

#[component]
fn Form(kept: Loaded<JobSchedule>) -> impl IntoView {
    let context = use_job();
    let toasts = use_toasts();
    let may = refusal(Right::Operate);
    let first = kept.value().with_untracked(|kept| kept.as_ref().and_then(|kept| kept.schedule.clone()));
    let exists = Memo::new(move |_| kept.with(|kept| kept.schedule.is_some()) == Some(true));
    let part =
        |read: fn(&Kept) -> String, usual: &str| RwSignal::new(first.as_ref().map_or_else(|| usual.to_owned(), read));
    let cron = part(|kept| kept.cron.clone(), "0 6 * * *");
    let zone = first.as_ref().map_or_else(browser_zone, |kept| kept.zone.clone());
    let zone = RwSignal::new(zone);
    let enabled = RwSignal::new(first.as_ref().is_none_or(|kept| kept.enabled));
    let catch_up = part(|kept| kept.catch_up.to_string(), CatchUp::Once.as_str());
    let most = part(|kept| kept.catch_up_most.to_string(), "10");
    let retries = part(|kept| kept.retry_attempts.to_string(), "2");
    let delay = part(|kept| (kept.retry_delay_ms as f64 / MINUTE_MS as f64).to_string(), "5");
    let failure = RwSignal::new(None::<Failure>);
    let busy = RwSignal::new(false);
    let at = move |field: &'static str| {
        Signal::derive(move || failure.with(|failure| failure.as_ref().and_then(|failure| failure.at_field(field))))
    };
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let number = |text: RwSignal<String>| text.get_untracked().trim().parse::<u32>().unwrap_or_default();
        let body = Kept {
            cron: cron.get_untracked().trim().to_owned(),
            zone: zone.get_untracked().trim().to_owned(),
            enabled: enabled.get_untracked(),
            catch_up: catch_up.get_untracked().parse().unwrap_or(CatchUp::Skip),
            catch_up_most: number(most),
            retry_attempts: number(retries),
            retry_delay_ms: milliseconds(delay.get_untracked().trim().parse().unwrap_or_default()),
        };
        let path = context.path("schedule");
        busy.set(true);
        failure.set(None);
        spawn_local(async move {
            let answer = api::put::<JobSchedule>(&path, &body).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(saved) => {
                    kept.set(saved);
                    toasts.good(text::saved());
                }
                Err(reason) => {
                    let _ = failure.try_set(Some(reason));
                }
            }
        });
    };
    let remove = move |()| {
        let path = context.path("schedule");
        spawn_local(async move {
            match api::delete(&path).await {
                Ok(()) => {
                    kept.reload();
                    toasts.good(text::removed());
                }
                Err(reason) => {
                    let _ = failure.try_set(Some(reason));
                }
            }
        });
    };
    let choices: Vec<(String, String)> = [
        (CatchUp::Skip, text::catch_up_skip()),
        (CatchUp::Once, text::catch_up_once()),
        (CatchUp::All, text::catch_up_all()),
    ]
    .map(|(choice, words)| (choice.to_string(), words.to_owned()))
    .to_vec();
    view! {
        <Panel title=text::title().to_owned()>
            <form class="job-about" on:submit=submit>
                <CheckField label=text::enabled().to_owned() value=enabled/>
                <TextField label=text::cron().to_owned() value=cron code=true help=text::cron_help().to_owned() error=at("cron")/>
                <TextField label=text::zone().to_owned() value=zone help=text::zone_help().to_owned() error=at("zone")/>
                <Times cron zone/>
                <SelectField label=text::catch_up().to_owned() value=catch_up options=Signal::stored(choices)/>
                {move || (catch_up.with(|word| word == CatchUp::All.as_str())).then(|| view! {
                    <TextField label=text::catch_up_most().to_owned() value=most kind="number" error=at("catch_up_most")/>
                })}
                <TextField label=text::retries().to_owned() value=retries kind="number" help=text::retries_help().to_owned() error=at("retry_attempts")/>
                <TextField label=text::delay().to_owned() value=delay kind="number" error=at("retry_delay_ms")/>
                <p class="muted">{text::overlap()}" "{text::which_version()}</p>
                {move || failure.get().filter(|failure| !failure.is_only_at(&FIELDS)).map(|failure| view! { <FailureNote failure/> })}
                <div class="row">
                    <Button kind=Kind::Primary submits=true busy reason=may>{words::save()}</Button>
                    {move || exists.get().then(|| view! { <Button kind=Kind::DangerQuiet reason=may on_press=remove>{text::remove()}</Button> })}
                </div>
            </form>
        </Panel>
    }
    .into_any()
}

/// The next times of what stands in the form.
#[component]
pub(super) fn Times(cron: RwSignal<String>, zone: RwSignal<String>) -> impl IntoView {
    let context = use_job();
    let times = load(
        move || (cron.get(), zone.get()),
        move |(cron, zone)| {
            let path = context.path("schedule/check");
            let body = CheckSchedule { cron: cron.trim().to_owned(), zone: zone.trim().to_owned() };
            async move { api::post::<ScheduleTimes>(&path, &body).await }
        },
    );
    view! {
        <div role="status">
            {move || times.with(|times| {
                let next = times.next.iter().map(|at| view! { <li>{local(*at).full()}</li> }).collect_view();
                view! {
                    <p class="muted">{times.words.clone()}</p>
                    <p>{text::next_times()}</p>
                    <ol class="bulk-list" aria-label=text::next_times()>{next}</ol>
                }
            })}
            {move || times.failure().get().map(|failure| view! { <p class="bad">{failure.sentence()}</p> })}
        </div>
    }
    .into_any()
}

#[component]
fn Fires(kept: Loaded<JobSchedule>) -> impl IntoView {
    let context = use_job();
    let fires = load(
        || (),
        move |()| {
            let path = api::path::with_query(&context.path("fires"), &[("limit", "100")]);
            async move { api::get::<Page<Fire>>(&path).await }
        },
    );
    Effect::new(move |before: Option<()>| {
        context.changes.track();
        kept.value().track();
        if before.is_some() {
            fires.reload();
        }
    });
    view! {
        {fires.show(Shape::Rows(3), move |fires| (move || {
            let fires = fires.get().items;
            if fires.is_empty() {
                return ().into_any();
            }
            let heads = vec![
                Head::text(text::due()),
                Head::text(text::attempt()),
                Head::text(text::outcome()),
                Head::text(text::run()),
                Head::text(text::detail()),
            ];
            let team = context.team.get_value();
            view! {
                <Panel title=text::history().to_owned()>
                    <Table label=text::history() heads>{fires.into_iter().map(|fire| row(fire, &team, context.id)).collect_view()}</Table>
                </Panel>
            }.into_any()
        }).into_any())}
    }
    .into_any()
}

fn row(fire: Fire, team: &str, job: millrace_wire::ids::JobId) -> AnyView {
    let (word, class) = match fire.outcome {
        FireOutcome::Waiting => (text::waiting(), "muted"),
        FireOutcome::Started => (text::started(), "good"),
        FireOutcome::Skipped => (text::skipped(), "warn"),
        FireOutcome::Missed => (text::missed(), "warn"),
        FireOutcome::Refused => (text::refused(), "bad"),
    };
    let attempt = if fire.attempt == 0 { text::first().to_owned() } else { text::retry(fire.attempt) };
    let runs = TeamRoute::Job(job, JobTab::Runs).of(team).href();
    let run = fire.run.map(|number| view! { <a class="link" href=runs>{number}</a>" " });
    let state = fire.state.map(|state| view! { <StateBadge state=state.as_str().to_owned()/> });
    view! {
        <tr>
            <th scope="row">{local(fire.due_at).full()}</th>
            <td class="muted">{attempt}</td>
            <td class=class>{word}</td>
            <td>{run}{state}</td>
            <td class="muted">{fire.detail}</td>
        </tr>
    }
    .into_any()
}
