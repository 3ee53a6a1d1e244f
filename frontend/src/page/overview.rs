//! The team at a glance: jobs by state, lag with the worst first, what happened lately. A new team sees what to do
//! first instead.

mod begin;
mod events;
mod figures;
mod lag;

use std::time::Duration;

use leptos::prelude::*;
use millrace_wire::live::LiveEvent;
use millrace_wire::overview::{Overview, OverviewEvent};

use crate::api;
use crate::format::number::counted;
use crate::i18n::overview as text;
use crate::live::use_live;
use crate::load::{Loaded, load};
use crate::rights::{Right, refusal};
use crate::route::TeamRoute;
use crate::ui::button::Kind;
use crate::ui::icon::Icon;
use crate::ui::link_button::LinkButton;
use crate::ui::page_head::PageHead;
use crate::ui::skeleton::Shape;

/// Sums and order are asked for again at most this often; single figures change as they come.
const REFRESH: Duration = Duration::from_secs(3);
const EVENTS_SHOWN: usize = 14;

#[component]
pub fn OverviewPage(team: String) -> impl IntoView {
    let path = api::path::team(&team, "overview");
    let live = use_live();
    let overview = load(
        || (),
        move |()| {
            let path = path.clone();
            async move {
                let mut overview = api::get::<Overview>(&path).await?;
                overview.latest = overview.latest.into_iter().map(|job| live.up_to_date(job)).collect();
                Ok(overview)
            }
        },
    );
    follow(overview);
    let editor = TeamRoute::Editor(None).of(&team).href();
    let counts = move || {
        overview.with(|overview| {
            let jobs = counted(overview.jobs, "job", "jobs");
            text::counts(jobs, counted(overview.tables, "table", "tables"))
        })
    };
    let empty = Memo::new(move |_| overview.with(|overview| overview.jobs == 0));
    let is_empty = move || empty.get() == Some(true);
    view! {
        <PageHead
            title=text::title().to_owned()
            beside=move || view! { <span class="subtle">{counts}</span> }
            actions=move || {
                let href = editor.clone();
                view! {
                    {move || (!is_empty()).then(|| view! {
                        <LinkButton kind=Kind::Primary small=true icon=Icon::Plus href=href.clone() reason=refusal(Right::Edit)>
                            {text::new_job()}
                        </LinkButton>
                    })}
                }
            }
        />
        <div class="page">
            {overview.show(Shape::Page, move |overview| {
                let team = team.clone();
                (move || if is_empty() {
                    view! { <begin::Begin team=team.clone() overview/> }.into_any()
                } else {
                    view! {
                        <figures::KeyFigures team=team.clone() overview/>
                        <div class="columns overview-top">
                            <lag::LagPanel team=team.clone() overview/>
                            <events::EventsPanel team=team.clone() overview/>
                        </div>
                    }
                    .into_any()
                })
                .into_any()
            })}
        </div>
    }
    .into_any()
}

/// Keeps the page true by what the server tells: single jobs and events at once, the rest soon.
fn follow(overview: Loaded<Overview>) {
    let due = StoredValue::new(false);
    let reload_soon = move || {
        if due.try_get_value() == Some(false) {
            due.set_value(true);
            set_timeout(
                move || {
                    if due.try_set_value(false).is_none() {
                        overview.reload();
                    }
                },
                REFRESH,
            );
        }
    };
    use_live().on(move |event| match event {
        LiveEvent::Job { job, desired, current } => {
            let known =
                overview.value().try_with_untracked(|overview| {
                    overview.as_ref().and_then(|overview| {
                        overview.latest.iter().find(|row| row.id == *job).map(|row| {
                            row.current.as_ref().map(|run| run.state) == current.as_ref().map(|run| run.state)
                        })
                    })
                });
            overview.update(|overview| {
                if let Some(row) = overview.latest.iter_mut().find(|row| row.id == *job) {
                    row.desired = *desired;
                    row.current.clone_from(current);
                }
            });
            // A state that changed moves the counters, so they are asked for at once.
            if known.flatten() == Some(false) { overview.reload() } else { reload_soon() }
        }
        LiveEvent::RunEvent { job, event } => overview.update(|overview| {
            let name = overview.latest.iter().find(|row| row.id == *job).map(|row| row.name.clone());
            let name = name
                .or_else(|| overview.events.iter().find(|known| known.job == *job).map(|known| known.job_name.clone()));
            match name {
                Some(job_name) => {
                    overview.events.insert(0, OverviewEvent { job: *job, job_name, event: event.clone() });
                    overview.events.truncate(EVENTS_SHOWN);
                }
                None => reload_soon(),
            }
        }),
        LiveEvent::JobsChanged { .. } | LiveEvent::TablesChanged { .. } | LiveEvent::ConnectionsChanged => {
            reload_soon()
        }
        LiveEvent::Reset => overview.reload(),
        LiveEvent::FunctionsChanged { .. }
        | LiveEvent::VariablesChanged
        | LiveEvent::SnippetsChanged
        | LiveEvent::PreviewKept
        | LiveEvent::Metrics { .. }
        | LiveEvent::Broker { .. } => {}
    });
}
