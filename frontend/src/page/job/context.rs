//! What all tabs of a job's page share: the job, kept up to date by live events, and the newest figures.

use std::collections::HashMap;

use leptos::prelude::*;
use millrace_wire::ids::JobId;
use millrace_wire::job::Job;
use millrace_wire::live::LiveEvent;
use millrace_wire::metric::MetricReport;
use millrace_wire::run::{RunEvent, RunEventKind, RunState};

use crate::api;
use crate::live::{Live, use_live};
use crate::load::{Loaded, load};
use crate::rights::OfObject;
use crate::widget::dag::{Figures, figures};

#[derive(Clone, Copy)]
pub(super) struct JobContext {
    pub(super) team: StoredValue<String>,
    pub(super) id: JobId,
    pub(super) job: Loaded<Job>,
    /// The newest report; none before the first or while the job does not run.
    pub(super) report: RwSignal<Option<MetricReport>>,
    pub(super) figures: RwSignal<Figures>,
    /// Events that came while the page is open, newest first.
    pub(super) fresh_events: RwSignal<Vec<RunEvent>>,
    /// Goes up with each event that may have changed lists: runs, savepoints, versions.
    pub(super) changes: RwSignal<u32>,
    live: Live,
}

/// Events kept of those that arrive live; the list below loads the others.
const FRESH: usize = 200;

impl JobContext {
    pub(super) fn provide(team: &str, id: JobId) -> JobContext {
        let path = api::path::team(team, &format!("jobs/{id}"));
        let job_path = path.clone();
        let live = use_live();
        let context = JobContext {
            team: StoredValue::new(team.to_owned()),
            id,
            job: load(
                || (),
                move |()| {
                    let path = job_path.clone();
                    async move { api::get::<Job>(&path).await.map(|job| live.up_to_date(job)) }
                },
            ),
            report: RwSignal::new(None),
            figures: RwSignal::new(HashMap::new()),
            fresh_events: RwSignal::new(Vec::new()),
            changes: RwSignal::new(0),
            live,
        };
        provide_context(context);
        provide_context(OfObject(Signal::derive(move || context.job.with(|job| job.access.clone()))));

        // The newest report before the page was opened; asked for only where there is one.
        let figures_path = format!("{path}/figures");
        let measured = Memo::new(move |_| {
            let figures = |job: &Job| job.current.as_ref().is_some_and(|current| current.figures.is_some());
            context.job.with(figures).unwrap_or(false)
        });
        Effect::new(move |asked: Option<bool>| {
            let (asked, measured) = (asked.unwrap_or(false), measured.get());
            if measured && !asked {
                let path = figures_path.clone();
                leptos::task::spawn_local(async move {
                    if let Ok(report) = api::get::<MetricReport>(&path).await {
                        context.take(report);
                    }
                });
            }
            asked || measured
        });
        live.on(move |event| context.hear(event));
        context
    }

    pub(super) fn path(&self, tail: &str) -> String {
        let id = self.id;
        self.team.with_value(|team| api::path::team(team, &format!("jobs/{id}/{tail}")))
    }

    pub(super) fn own_path(&self) -> String {
        let id = self.id;
        self.team.with_value(|team| api::path::team(team, &format!("jobs/{id}")))
    }

    /// Takes in the job as a change of it answered.
    pub(super) fn set(&self, job: Job) {
        self.job.set(self.live.up_to_date(job));
    }

    pub(super) fn state(&self) -> Option<RunState> {
        self.job.with(|job| job.current.as_ref().map(|current| current.state)).flatten()
    }

    fn hear(&self, event: &LiveEvent) {
        match event {
            LiveEvent::Job { job, desired, current } if *job == self.id => {
                let before = self.job.value().with_untracked(|job| {
                    job.as_ref().and_then(|job| job.current.as_ref()).map(|current| (current.run, current.state))
                });
                let after = current.as_ref().map(|current| (current.run, current.state));
                self.job.update(|job| {
                    job.desired = *desired;
                    job.current.clone_from(current);
                });
                if before != after {
                    if before.map(|(run, _)| run) != after.map(|(run, _)| run) {
                        self.report.set(None);
                        self.figures.set(HashMap::new());
                        // A start may have made a version.
                        self.job.reload();
                    }
                    self.changes.update(|count| *count = count.wrapping_add(1));
                }
            }
            LiveEvent::Metrics { job, report } if *job == self.id => self.take(report.clone()),
            LiveEvent::RunEvent { job, event } if *job == self.id => {
                self.fresh_events.update(|events| {
                    events.insert(0, event.clone());
                    events.truncate(FRESH);
                });
                if event.kind == RunEventKind::Savepoint {
                    // One more to count on its tab.
                    self.job.reload();
                }
                self.changes.update(|count| *count = count.wrapping_add(1));
            }
            LiveEvent::JobsChanged { job } if *job == self.id => self.job.reload(),
            LiveEvent::Reset => {
                self.job.reload();
                self.changes.update(|count| *count = count.wrapping_add(1));
            }
            _ => {}
        }
    }

    fn take(&self, report: MetricReport) {
        let _ = self.report.try_update(|old| {
            let newer = old.as_ref().is_none_or(|old| report.at > old.at);
            if newer {
                let _ = self.figures.try_set(figures(old.as_ref(), &report));
                *old = Some(report);
            }
        });
    }
}

pub(super) fn use_job() -> JobContext {
    expect_context::<JobContext>()
}
