//! What the server tells by itself about the open team, and whether it still does.

use std::collections::HashMap;
use std::rc::Rc;

use leptos::prelude::*;
use millrace_wire::ids::JobId;
use millrace_wire::job::{CurrentRun, DesiredState, Job, JobSummary};
use millrace_wire::live::LiveEvent;

use crate::api;
use crate::api::stream::{Stream, StreamEvent};
use crate::clock::{now, use_clock};
use crate::session::use_session;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    Connecting,
    Live,
    /// Since when nothing can be heard.
    Lost(i64),
}

type Listener = Rc<dyn Fn(&LiveEvent)>;

#[derive(Clone, Copy)]
pub struct Live {
    line: RwSignal<Line>,
    heard_at: RwSignal<i64>,
    listeners: StoredValue<Vec<(u32, Listener)>, LocalStorage>,
    next: StoredValue<u32>,
    /// How each job was last told to be. An answer that was on its way meanwhile may know less.
    runs: StoredValue<HashMap<JobId, (DesiredState, CurrentRun)>>,
}

/// What shows how a job runs.
pub trait ShowsRun {
    fn run(&mut self) -> (JobId, &mut DesiredState, &mut Option<CurrentRun>);
}

impl ShowsRun for Job {
    fn run(&mut self) -> (JobId, &mut DesiredState, &mut Option<CurrentRun>) {
        (self.id, &mut self.desired, &mut self.current)
    }
}

impl ShowsRun for JobSummary {
    fn run(&mut self) -> (JobId, &mut DesiredState, &mut Option<CurrentRun>) {
        (self.id, &mut self.desired, &mut self.current)
    }
}

/// A cut shorter than this is nobody's business.
const PATIENCE_MS: i64 = 3_000;

impl Live {
    /// Opens the stream of the team of the address, and another one when the team changes.
    pub fn provide() -> Live {
        let live = Live {
            line: RwSignal::new(Line::Connecting),
            heard_at: RwSignal::new(now()),
            listeners: StoredValue::new_local(Vec::new()),
            next: StoredValue::new(0),
            runs: StoredValue::new(HashMap::new()),
        };
        let session = use_session();
        let team = Memo::new({
            let team = session.team();
            move |_| team.get()
        });
        let stream = StoredValue::new_local(None::<Stream>);
        Effect::new(move |_| {
            let team = team.get();
            stream.set_value(None);
            if team.is_empty() {
                return;
            }
            live.line.set(Line::Connecting);
            stream.set_value(Some(Stream::open(&api::path::team(&team, "live"), move |event| live.hear(event))));
        });
        on_cleanup(move || {
            let _ = stream.try_set_value(None);
        });
        provide_context(live);
        live
    }

    pub fn line(&self) -> Signal<Line> {
        self.line.into()
    }

    pub fn heard_at(&self) -> Signal<i64> {
        self.heard_at.into()
    }

    /// True once the cut lasts long enough to be told.
    pub fn is_lost(&self) -> Signal<bool> {
        let clock = use_clock();
        let line = self.line;
        let lost = Memo::new(move |_| matches!(line.get(), Line::Lost(since) if clock.get() - since > PATIENCE_MS));
        lost.into()
    }

    /// Hears every event while the calling component lives. [`LiveEvent::Reset`] means: load what is shown again.
    pub fn on(&self, act: impl Fn(&LiveEvent) + 'static) {
        let listeners = self.listeners;
        // After sign-out the stream of the pages that are gone can still be found, and has nothing to tell.
        let Some(number) = self.next.try_get_value() else { return };
        self.next.set_value(number.wrapping_add(1));
        listeners.update_value(|all| all.push((number, Rc::new(act))));
        on_cleanup(move || {
            let _ = listeners.try_update_value(|all| all.retain(|(known, _)| *known != number));
        });
    }

    /// An answer of the server, with what was told since it was given.
    pub fn up_to_date<T: ShowsRun>(&self, mut answer: T) -> T {
        let (job, desired, current) = answer.run();
        let _ = self.runs.try_with_value(|runs| {
            if let Some((newest_desired, newest)) = runs.get(&job)
                && current.as_ref().is_none_or(|current| current.is_older_than(newest))
            {
                *desired = *newest_desired;
                *current = Some(newest.clone());
            }
        });
        answer
    }

    /// Keeps what is told of a job's run; false when it was overtaken by something newer.
    fn keep(&self, job: JobId, desired: DesiredState, current: &CurrentRun) -> bool {
        let kept = self.runs.try_update_value(|runs| {
            if runs.get(&job).is_some_and(|(_, newest)| current.is_older_than(newest)) {
                return false;
            }
            runs.insert(job, (desired, current.clone()));
            true
        });
        kept.unwrap_or(true)
    }

    fn hear(&self, event: StreamEvent) {
        match event {
            StreamEvent::Open { fresh } => {
                let was_lost = matches!(self.line.try_get_untracked(), Some(Line::Lost(_)));
                let _ = self.line.try_set(Line::Live);
                let _ = self.heard_at.try_set(now());
                if fresh && was_lost {
                    self.tell(&LiveEvent::Reset);
                }
            }
            StreamEvent::Message(text) => {
                let _ = self.heard_at.try_set(now());
                match serde_json::from_str::<LiveEvent>(&text) {
                    Ok(event) => self.tell(&event),
                    // A newer server may tell more than this console knows.
                    Err(error) => leptos::logging::warn!("cannot read a live event: {error}"),
                }
            }
            StreamEvent::Lost => {
                if !matches!(self.line.try_get_untracked(), Some(Line::Lost(_))) {
                    let _ = self.line.try_set(Line::Lost(now()));
                }
            }
        }
    }

    fn tell(&self, event: &LiveEvent) {
        if let LiveEvent::Job { job, desired, current: Some(current) } = event
            && !self.keep(*job, *desired, current)
        {
            return;
        }
        // A copy, since a listener may add or remove listeners.
        let listeners = self
            .listeners
            .try_with_value(|all| all.iter().map(|(_, listener)| Rc::clone(listener)).collect::<Vec<_>>());
        for listener in listeners.unwrap_or_default() {
            listener(event);
        }
    }
}

pub fn use_live() -> Live {
    expect_context::<Live>()
}
