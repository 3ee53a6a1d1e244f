//! One test run in sight: started or opened, followed while it runs.

use leptos::prelude::*;
use leptos::task::spawn_local;
use millrace_wire::ids::TestRunId;
use millrace_wire::test_run::{StartTestRun, TestRun, TestRunEvent, TestRunState};

use crate::api::stream::{Stream, StreamEvent};
use crate::api::{self, Failure};

/// How often rows are asked for while they come.
const PAUSE_MS: u32 = 700;
/// The end is told before it is stored.
const TRIES: u32 = 20;

#[derive(Clone, Copy)]
pub struct TestRunWatch {
    team: StoredValue<String>,
    pub run: RwSignal<Option<TestRun>>,
    pub failure: RwSignal<Option<Failure>>,
    pub busy: RwSignal<bool>,
    pub waiting_for: RwSignal<String>,
    /// Goes up when there may be more rows.
    pub fresh: RwSignal<u32>,
    pausing: StoredValue<bool>,
    /// How many were asked for: an answer that another one was asked for after is dropped.
    asked: StoredValue<u32>,
    stream: StoredValue<Option<Stream>, LocalStorage>,
}

impl TestRunWatch {
    pub fn new(team: &str) -> TestRunWatch {
        let watch = TestRunWatch {
            team: StoredValue::new(team.to_owned()),
            run: RwSignal::new(None),
            failure: RwSignal::new(None),
            busy: RwSignal::new(false),
            waiting_for: RwSignal::new(String::new()),
            fresh: RwSignal::new(0),
            pausing: StoredValue::new(false),
            asked: StoredValue::new(0),
            stream: StoredValue::new_local(None),
        };
        on_cleanup(move || watch.close_stream());
        watch
    }

    pub fn is_running(&self) -> bool {
        self.run.with(|run| run.as_ref().is_some_and(|run| run.summary.state == TestRunState::Running))
    }

    fn id(&self) -> Option<TestRunId> {
        self.run.with_untracked(|run| run.as_ref().map(|run| run.summary.id))
    }

    fn path(&self, tail: &str) -> String {
        self.team.with_value(|team| api::path::team(team, &format!("test-runs{tail}")))
    }

    pub(super) fn start(&self, body: StartTestRun) {
        let (watch, path) = (*self, self.path(""));
        self.run.set(None);
        self.failure.set(None);
        self.busy.set(true);
        let number = self.next();
        spawn_local(async move {
            let answer = api::post::<TestRun>(&path, &body).await;
            let _ = watch.busy.try_set(false);
            if !watch.is_newest(number) {
                return;
            }
            match answer {
                Ok(run) => watch.follow(run),
                Err(failure) => {
                    let _ = watch.failure.try_set(Some(failure));
                }
            }
        });
    }

    /// One of the history.
    pub(super) fn open(&self, id: TestRunId) {
        let (watch, path) = (*self, self.path(&format!("/{id}")));
        self.failure.set(None);
        let number = self.next();
        spawn_local(async move {
            let answer = api::get::<TestRun>(&path).await;
            if !watch.is_newest(number) {
                return;
            }
            match answer {
                Ok(run) => watch.follow(run),
                Err(failure) => {
                    let _ = watch.failure.try_set(Some(failure));
                }
            }
        });
    }

    fn next(&self) -> u32 {
        let number = self.asked.try_get_value().unwrap_or_default().wrapping_add(1);
        let _ = self.asked.try_set_value(number);
        number
    }

    fn is_newest(&self, number: u32) -> bool {
        self.asked.try_get_value() == Some(number)
    }

    fn follow(&self, run: TestRun) {
        let (watch, id) = (*self, run.summary.id);
        // Left meanwhile.
        let Some(path) = self.team.try_with_value(|team| api::path::team(team, &format!("test-runs/{id}/events")))
        else {
            return;
        };
        let running = run.summary.state == TestRunState::Running;
        self.close_stream();
        let _ = self.waiting_for.try_set(String::new());
        let _ = self.run.try_set(Some(run));
        if !running {
            return;
        }
        let stream = Stream::open(&path, move |event| match event {
            StreamEvent::Open { .. } => {}
            StreamEvent::Message(message) => match serde_json::from_str::<TestRunEvent>(&message) {
                Ok(event) => watch.hear(event),
                Err(error) => leptos::logging::error!("cannot read an event of a test run: {error}"),
            },
            StreamEvent::Lost => watch.settle(),
        });
        let _ = self.stream.try_set_value(Some(stream));
    }

    fn hear(&self, event: TestRunEvent) {
        match event {
            // Between the worker and the server.
            TestRunEvent::Settled { .. } => {}
            TestRunEvent::Planned { sinks, sources } => self.change(|run| {
                run.summary.sinks = sinks;
                run.sources = sources;
            }),
            TestRunEvent::Rows { .. } => self.more(),
            TestRunEvent::Inputs { rows } => self.change(|run| run.inputs = rows),
            TestRunEvent::Progress { progress } => {
                let _ = self.waiting_for.try_set(progress.waiting_for);
                self.change(|run| {
                    run.summary.records_read = progress.records_read;
                    for (sink, changes) in run.summary.sinks.iter_mut().zip(&progress.changes) {
                        sink.changes = *changes;
                    }
                });
            }
            TestRunEvent::End { .. } | TestRunEvent::Failed { .. } => self.settle(),
        }
    }

    fn change(&self, change: impl FnOnce(&mut TestRun)) {
        let _ = self.run.try_update(|run| run.as_mut().map(change));
    }

    /// Rows came; they are asked for after a pause.
    fn more(&self) {
        let watch = *self;
        if self.pausing.try_get_value() != Some(false) {
            return;
        }
        self.pausing.set_value(true);
        spawn_local(async move {
            gloo_timers::future::TimeoutFuture::new(PAUSE_MS).await;
            let _ = watch.pausing.try_set_value(false);
            let _ = watch.fresh.try_update(|fresh| *fresh += 1);
        });
    }

    /// Asks how it ended.
    fn settle(&self) {
        let watch = *self;
        self.close_stream();
        let Some(id) = self.id() else { return };
        let path = self.path(&format!("/{id}"));
        spawn_local(async move {
            for _ in 0..TRIES {
                let answer = api::get::<TestRun>(&path).await;
                if watch.run.try_with_untracked(|run| run.as_ref().map(|run| run.summary.id)) != Some(Some(id)) {
                    return;
                }
                if let Ok(run) = answer
                    && run.summary.state != TestRunState::Running
                {
                    let _ = watch.waiting_for.try_set(String::new());
                    let _ = watch.run.try_set(Some(run));
                    let _ = watch.fresh.try_update(|fresh| *fresh += 1);
                    return;
                }
                gloo_timers::future::TimeoutFuture::new(PAUSE_MS / 2).await;
            }
        });
    }

    /// On the server; what came is kept.
    pub(super) fn cancel(&self) {
        let Some(id) = self.id() else { return };
        let path = self.path(&format!("/{id}"));
        spawn_local(async move {
            // It may have ended by itself a moment ago; the stream says how it ended.
            let _ = api::delete(&path).await;
        });
    }

    /// Closed at the next turn, since this may run inside one of its own handlers.
    fn close_stream(&self) {
        let stream = self.stream.try_update_value(Option::take).flatten();
        spawn_local(async move { drop(stream) });
    }
}
