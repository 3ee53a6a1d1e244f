//! One thread per task.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, select};

use super::coordinator::Outcome;
use super::event::TaskEvent;
use super::run::Run;
use super::splits::SplitBoard;
use super::task::{Progress, Task};
use crate::connector::Source;
use crate::error::{EngineError, Result};

/// How long a task waits for work before it looks around.
const WAIT: Duration = Duration::from_millis(50);
/// How often the coordinator looks at the clock.
const TICK: Duration = Duration::from_millis(20);
/// How long threads have to end when the run is over.
const LEAVE: Duration = Duration::from_secs(10);
/// How often sources are asked for new splits.
const DISCOVER: Duration = Duration::from_secs(2);

pub(super) fn drive(run: Run) -> Result<Outcome> {
    let Run { constructed, mut coordinator, events, requests, .. } = run;
    // Every thread holds one end; when all are gone, the other end tells.
    let (alive, gone) = bounded::<()>(0);
    let (stop_discovery, stopped) = bounded::<()>(0);
    for (source, board) in constructed.discover {
        let stopped = stopped.clone();
        spawn("discover", &alive, move || discover(source.as_ref(), &board, &stopped))?;
    }
    for task in constructed.tasks {
        let name = task.name.clone();
        spawn(&name, &alive, move || work(task))?;
    }
    let result = loop {
        select! {
            recv(events) -> event => if let Ok(event) = event && let Err(error) = coordinator.event(event) { break Err(error) },
            recv(requests) -> request => if let Ok(request) = request && let Err(error) = coordinator.request(request) { break Err(error) },
            default(TICK) => {}
        }
        if let Err(error) = coordinator.tick() {
            break Err(error);
        }
        if let Some(outcome) = coordinator.outcome() {
            break Ok(outcome.clone());
        }
    };
    drop(stop_discovery);
    if !matches!(result, Ok(Outcome::Finished)) {
        coordinator.cancel_tasks();
        let abort = coordinator.abort();
        spawn("abort", &alive, abort)?;
    }
    drop(alive);
    // A thread that is stuck in a client library must not hide how the run ended.
    if let Err(crossbeam_channel::RecvTimeoutError::Timeout) = gone.recv_timeout(LEAVE) {
        tracing::warn!("some threads of the run do not end; they are left behind");
    }
    result
}

fn work(mut task: Task) {
    let events = task.events.clone();
    let result = catch_unwind(AssertUnwindSafe(|| {
        loop {
            match task.step(WAIT) {
                Ok(Progress::Closed) => return Ok(()),
                Ok(_) => {}
                Err(error) => return Err(error),
            }
        }
    }));
    let error = match result {
        Ok(Ok(())) => return,
        Ok(Err(error)) if error.code == "cancelled" => return,
        Ok(Err(error)) => error,
        Err(panic) => {
            let what =
                panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
            EngineError::internal("A part of the dataflow stopped unexpectedly.").with_detail(what.unwrap_or("panic"))
        }
    };
    let _ = events.send(TaskEvent::Failed { error });
}

/// Looks for new partitions and files. A failure is no reason to stop: the reader itself will notice when it matters.
fn discover(source: &dyn Source, board: &Arc<SplitBoard>, stopped: &Receiver<()>) {
    while let Err(crossbeam_channel::RecvTimeoutError::Timeout) = stopped.recv_timeout(DISCOVER) {
        match source.splits() {
            Ok(splits) => board.add(splits),
            Err(error) => tracing::warn!(reason = %error, "new partitions or files could not be looked for"),
        }
    }
}

fn spawn(name: &str, alive: &Sender<()>, work: impl FnOnce() + Send + 'static) -> Result<()> {
    let alive = alive.clone();
    let work = move || {
        work();
        drop(alive);
    };
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    spawned
        .map(|_| ())
        .map_err(|error| EngineError::external("no_thread", "No thread could be started.").with_detail(error))
}
