//! What can be done with several jobs at once, and what came of it for each.

use std::collections::BTreeSet;

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::ids::JobId;
use millrace_wire::job::{Job, JobSummary, Start, StartFrom, Stop, StopMode};
use millrace_wire::run::RunState;

use crate::api::{self, Failure};
use crate::format::number::counted;
use crate::i18n::{job_actions, jobs as text, words};
use crate::rights::{Right, refusal};
use crate::ui::button::{Button, IconButton, Kind};
use crate::ui::dialog::Dialog;
use crate::ui::icon::Icon;
use crate::widget::job_actions::{start_refusal, stop_refusal};

#[derive(Clone, Copy, PartialEq)]
enum Act {
    Start,
    Stop,
}

/// Name of the job, and what came of it; `None` while the server works.
type Outcome = (JobId, String, Option<Result<(), String>>);

#[component]
pub(super) fn BulkBar(
    team: String,
    rows: Signal<Vec<JobSummary>>,
    selected: RwSignal<BTreeSet<JobId>>,
) -> impl IntoView {
    let count = Memo::new(move |_| selected.with(BTreeSet::len));
    let act = RwSignal::new(Act::Stop);
    let open = RwSignal::new(false);
    let outcomes = RwSignal::new(Vec::<Outcome>::new());
    let may = refusal(Right::Operate);
    let able = move |act: Act| {
        let refuse: fn(Option<RunState>) -> Option<&'static str> =
            if act == Act::Start { start_refusal } else { stop_refusal };
        rows.with(|rows| {
            selected.with(|selected| {
                rows.iter()
                    .filter(|row| selected.contains(&row.id))
                    .filter(|row| refuse(row.current.as_ref().map(|current| current.state)).is_none())
                    .map(|row| (row.id, row.name.clone()))
                    .collect::<Vec<(JobId, String)>>()
            })
        })
    };
    let reason = move |act: Act, words: &'static str| {
        Signal::derive(move || may.get().or_else(|| able(act).is_empty().then(|| words.to_owned())))
    };
    let ask = move |which: Act| {
        act.set(which);
        outcomes.set(Vec::new());
        open.set(true);
    };
    let team = StoredValue::new(team);
    let run = Callback::new(move |()| {
        let act = act.get_untracked();
        let jobs = untrack(|| able(act));
        outcomes.set(jobs.iter().map(|(id, name)| (*id, name.clone(), None)).collect());
        for (id, _) in jobs {
            let path = team.with_value(|team| api::path::team(team, &format!("jobs/{id}")));
            spawn_local(async move {
                let answer = send(&path, act).await.map_err(|failure| failure.sentence());
                let _ = outcomes.try_update(|outcomes| {
                    if let Some(outcome) = outcomes.iter_mut().find(|(known, ..)| *known == id) {
                        outcome.2 = Some(answer);
                    }
                });
            });
        }
    });
    let title = Signal::derive(move || {
        let names = counted(able(act.get()).len() as u64, text::job(), text::jobs());
        match (outcomes.with(Vec::is_empty), act.get()) {
            (false, _) => text::result().to_owned(),
            (true, Act::Start) => text::start_many(names),
            (true, Act::Stop) => text::stop_many(names),
        }
    });
    let foot = move || {
        view! {
            {move || if outcomes.with(Vec::is_empty) {
                let words = if act.get() == Act::Start { job_actions::start() } else { job_actions::stop() };
                view! {
                    <Button on_press=move |()| open.set(false)>{words::cancel()}</Button>
                    <Button kind=Kind::Primary on_press=run>{words}</Button>
                }.into_any()
            } else {
                view! { <Button kind=Kind::Primary on_press=move |()| open.set(false)>{words::close()}</Button> }.into_any()
            }}
        }
        .into_any()
    };
    view! {
        {move || (count.get() > 0).then(|| view! {
            <div class="bulk-bar" role="region" aria-label=move || text::selection(counted(count.get() as u64, text::job(), text::jobs()))>
                <span class="medium nowrap">{move || text::selected(count.get())}</span><span class="bulk-bar-rule"></span>
                <Button icon=Icon::Play reason=reason(Act::Start, text::none_can_start()) on_press=move |()| ask(Act::Start)>{job_actions::start_dialog()}</Button>
                <Button icon=Icon::Stop reason=reason(Act::Stop, text::none_can_stop()) on_press=move |()| ask(Act::Stop)>{job_actions::stop_dialog()}</Button>
                <span class="bulk-bar-rule"></span>
                <IconButton icon=Icon::Close label=text::clear_selection().to_owned() on_press=move |()| selected.update(BTreeSet::clear)/>
            </div>
        })}
        <Dialog open title foot=foot>
            {move || if outcomes.with(Vec::is_empty) {
                let note = if act.get() == Act::Start { text::start_many_body() } else { text::stop_many_body() };
                view! {
                    <p class="muted">{note}</p>
                    <ul class="bulk-list">{able(act.get()).into_iter().map(|(_, name)| view! { <li>{name}</li> }).collect_view()}</ul>
                }.into_any()
            } else {
                view! { <ul class="bulk-list" role="status">{move || outcomes.get().into_iter().map(|outcome| line(outcome, act.get())).collect_view()}</ul> }.into_any()
            }}
        </Dialog>
    }
    .into_any()
}

fn line((_, name, outcome): Outcome, act: Act) -> AnyView {
    let (class, words) = match outcome {
        None => ("subtle", text::result_working().to_owned()),
        Some(Ok(())) if act == Act::Start => ("good", text::result_started().to_owned()),
        Some(Ok(())) => ("good", text::result_stopped().to_owned()),
        Some(Err(reason)) => ("bad", reason),
    };
    view! { <li><span class="medium">{name}</span>" "<span class=class>{words}</span></li> }.into_any()
}

async fn send(path: &str, act: Act) -> Result<(), Failure> {
    match act {
        Act::Start => {
            let body = Start { version: None, from: StartFrom::Latest, savepoint: None, at_ms: None };
            api::post::<Job>(&format!("{path}/start"), &body).await.map(drop)
        }
        Act::Stop => {
            let body = Stop { mode: StopMode::Savepoint };
            api::post::<Job>(&format!("{path}/stop"), &body).await.map(drop)
        }
    }
}
