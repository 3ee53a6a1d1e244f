//! The start dialog: latest state, a savepoint, or none with a time to read from.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::ids::JobId;
use millrace_wire::job::{Job, Start, StartFrom, StartOptions};
use millrace_wire::report::DeploymentReport;
use millrace_wire::run::{RestoreKind, RestorePoint};

use super::guarantee::GuaranteeNote;
use crate::api::{self, Failure};
use crate::clock::{from_local_field, local, now};
use crate::format::age::{age, between};
use crate::format::bytes::bytes;
use crate::i18n::{deployment, job_actions as text, words};
use crate::load::load;
use crate::route::{JobTab, TeamRoute};
use crate::ui::button::{Button, Kind};
use crate::ui::dialog::Dialog;
use crate::ui::failure::FailureNote;
use crate::ui::icon::Icon;
use crate::ui::select_field::SelectField;
use crate::ui::skeleton::{Shape, Skeleton};
use crate::ui::text_field::TextField;
use crate::widget::deployment::Report;

/// Which job the dialog is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    pub id: JobId,
    pub name: String,
    /// The newest version, if any.
    pub version: Option<u32>,
    pub draft_differs: bool,
}

impl Target {
    pub fn of(job: &Job) -> Target {
        Target {
            id: job.id,
            name: job.name.clone(),
            version: job.latest_version.as_ref().map(|version| version.number),
            draft_differs: job.draft.differs,
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
    let shown = RwSignal::new(false);
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
        shown.set(false);
        let path = path("start-options");
        spawn_local(async move {
            match api::get::<StartOptions>(&path).await {
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

    let start = Callback::new(move |()| {
        let choice = from.get_untracked();
        let body = Start {
            version: None,
            from: choice,
            savepoint: (choice == StartFrom::Savepoint).then(|| savepoint.get_untracked().parse().ok()).flatten(),
            at_ms: (choice == StartFrom::Fresh).then(|| from_local_field(&at.get_untracked())).flatten(),
        };
        let path = path("start");
        busy.set(true);
        failure.set(None);
        spawn_local(async move {
            let answer = api::post::<Job>(&path, &body).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(job) => {
                    let _ = open.try_set(false);
                    on_started.run(job);
                }
                Err(reason) => {
                    let _ = failure.try_set(Some(reason));
                }
            }
        });
    });
    let not_ready = Signal::derive(move || options.with(Option::is_none).then(|| words::loading().to_owned()));
    let title = Signal::derive(move || {
        target.with(|target| target.as_ref().map(|target| text::start_title(&target.name)).unwrap_or_default())
    });
    let foot = move || {
        view! {
            <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
            <Button kind=Kind::Primary icon=Icon::Play busy reason=not_ready on_press=start>{text::start()}</Button>
        }
        .into_any()
    };
    view! {
        <Dialog open title foot=foot class="dialog-start">
            <p class="muted">{move || target.with(|target| target.as_ref().map(version_note))}</p>
            {move || match options.get() {
                None if failure.with(Option::is_none) => view! { <Skeleton shape=Shape::Lines(4)/> }.into_any(),
                None => ().into_any(),
                Some(found) => choices(found, from, savepoint, at),
            }}
            {move || options.with(Option::is_some).then(|| view! {
                <Changes team=team.get_value() target shown from savepoint/>
            })}
            {move || failure.get().map(|failure| view! { <FailureNote failure/> })}
        </Dialog>
    }
    .into_any()
}

/// The step before the start: what it would change, keep, lose and read again, for the choice as it stands.
#[component]
fn Changes(
    team: String,
    target: Signal<Option<Target>>,
    shown: RwSignal<bool>,
    from: RwSignal<StartFrom>,
    savepoint: RwSignal<String>,
) -> impl IntoView {
    let team = StoredValue::new(team);
    let choice = Memo::new(move |_| {
        let from = from.get();
        (from, if from == StartFrom::Savepoint { savepoint.get() } else { String::new() })
    });
    let id = move || target.with(|target| target.as_ref().map(|target| target.id));
    let report = load(
        move || shown.get().then(|| choice.get()),
        move |choice| async move {
            let (Some((from, savepoint)), Some(id)) = (choice, untrack(id)) else { return Ok(None) };
            let path = team.with_value(|team| api::path::team(team, &format!("jobs/{id}/report")));
            let path = api::path::with_query(&path, &[("from", from.as_str()), ("savepoint", &savepoint)]);
            api::get::<DeploymentReport>(&path).await.map(Some)
        },
    );
    let href = Signal::derive(move || {
        let id = id()?;
        Some(TeamRoute::Job(id, JobTab::Report).of(&team.get_value()).href())
    });
    view! {
        <p class="row">
            <Button small=true pressed=shown on_press=move |()| shown.update(|shown| *shown = !*shown)>
                {move || if shown.get() { deployment::hide() } else { deployment::step() }}
            </Button>
            <a class="link" href=move || href.get()>{deployment::own_page()}</a>
        </p>
        {move || shown.get().then(|| report.show(Shape::Lines(6), move |report| (move || {
            report.get().map(|report| view! { <Report team=team.get_value() report/> })
        }).into_any()))}
    }
    .into_any()
}

fn version_note(target: &Target) -> String {
    match target.version {
        None => text::first_version().to_owned(),
        Some(number) if target.draft_differs => text::freezes(number + 1),
        Some(number) => text::starts_version(number),
    }
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
