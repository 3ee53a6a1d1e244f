//! One attempt: plan, restore, run, report.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};
use millrace_wire::graph::DeliveryGuarantee;
use millrace_wire::job::StopMode;
use millrace_wire::link::{Assignment, Command, Failure, Report, WorkerState};

use super::choose::{Chosen, by_commits, by_files};
use super::diagnostic::failure_of_error;
use super::figures;
use super::outbox::Outbox;
use super::plan_assignment::{Planned, plan_assignment};
use crate::checkpoint::{CheckpointStore, Verdict, compatibility};
use crate::error::{EngineError, Result};
use crate::format::bad_record_queue::BadRecordQueue;
use crate::local::BATCH_ROWS;
use crate::plan::dataflow::{Dataflow, NodeKind};
use crate::runtime::{Outcome, Run, RunEvent, RunHandle, RunOptions, node_entries, process_figures};
use crate::state::StateOptions;

const REPORT_FIGURES: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(100);
const TELL_BAD_RECORDS: Duration = Duration::from_millis(500);
/// Of bad records in one report: in base64 far below the largest frame.
const BAD_RECORD_BYTES: usize = 1 << 20;

/// Runs the assignment to its end and returns the state that is reported last.
pub(super) fn execute(
    assignment: &Assignment,
    outbox: &Arc<Outbox>,
    commands: &Receiver<Command>,
    runtime: tokio::runtime::Handle,
) -> WorkerState {
    let step = |step: &str| outbox.report(Report::State(WorkerState::Starting { step: step.to_owned() }));
    step("planning");
    let result = plan_assignment(assignment, runtime).and_then(|planned| {
        step("restoring");
        let failed = |error: EngineError| {
            tracing::error!(code = error.code, detail = error.detail.as_deref().unwrap_or(""), "{}", error.message);
            failure_of_error(&error)
        };
        attempt(assignment, &planned, outbox, commands).map_err(failed)
    });
    match result {
        Ok(Outcome::Finished) => WorkerState::Finished,
        Ok(Outcome::Stopped { savepoint }) => WorkerState::Stopped { savepoint },
        Err(failure) => WorkerState::Failed { failure },
    }
}

fn attempt(
    assignment: &Assignment,
    planned: &Planned,
    outbox: &Arc<Outbox>,
    commands: &Receiver<Command>,
) -> Result<Outcome> {
    let store = CheckpointStore::open(&assignment.checkpoint_root)?;
    open_committers(&planned.dataflow)?;
    let by_files = by_files(&store, assignment)?;
    let decided = by_commits(planned.committers.as_ref(), &store, assignment, by_files)?;
    let restored_from = decided.chosen.as_ref().map(|chosen| chosen.manifest.number);
    let run = build(assignment, planned, &store, decided.chosen.as_ref(), decided.last_committed)?;
    let handle = run.handle();
    let events = run.events();
    let running = WorkerState::Running {
        graph: planned.dataflow.to_wire(),
        guarantee: planned.dataflow.guarantee.clone(),
        restored_from,
    };
    std::thread::scope(|scope| {
        let (ended, over) = crossbeam_channel::bounded::<()>(0);
        scope.spawn({
            let (outbox, handle) = (Arc::clone(outbox), handle.clone());
            let limit = assignment.settings.memory_limit_mb << 20;
            let bad_records = Arc::clone(&planned.bad_records);
            move || watch(&outbox, &handle, &events, &bad_records, &over, limit)
        });
        let (done, told) = crossbeam_channel::bounded::<()>(0);
        scope.spawn({
            let (outbox, handle) = (Arc::clone(outbox), handle.clone());
            move || obey(commands, &handle, &outbox, &told)
        });
        outbox.report(Report::State(running));
        tracing::info!(checkpoint = restored_from, "the job runs");
        let outcome = run.run();
        drop((ended, done));
        outcome
    })
}

/// Sinks announce their committers when a writer is opened. That has to happen before it is known what is restored, so
/// these writers get nothing and are dropped.
fn open_committers(dataflow: &Dataflow) -> Result<()> {
    for node in &dataflow.nodes {
        if let NodeKind::Sink { sink, .. } = &node.kind
            && sink.guarantee().level == DeliveryGuarantee::ExactlyOnce
        {
            drop(sink.writer(0, node.parallelism as usize, Vec::new()).map_err(|error| error.in_operator(&node.id))?);
        }
    }
    Ok(())
}

fn build(
    assignment: &Assignment,
    planned: &Planned,
    store: &CheckpointStore,
    chosen: Option<&Chosen>,
    last_committed: Option<u64>,
) -> Result<Run> {
    if let Some(chosen) = chosen {
        for entry in compatibility(&chosen.manifest, &node_entries(&planned.dataflow)) {
            match entry.verdict {
                Verdict::Kept => {}
                Verdict::New => tracing::info!(operator = entry.name, "{} starts without state", entry.kind),
                Verdict::Dropped => {
                    tracing::warn!(operator = entry.name, "{} is gone; its state is left behind", entry.kind)
                }
                Verdict::Incompatible { why } => {
                    let message = format!("{} {} cannot take over its state: {why}.", entry.kind, entry.name);
                    return Err(EngineError::user("state_incompatible", message));
                }
            }
        }
    }
    let newest = store.list()?.first().map_or(0, |(number, _)| *number);
    let assigned = assignment.restore.as_ref().map_or(0, |restore| restore.number);
    let restored = chosen.map(|chosen| chosen.restored.clone());
    Run::new(
        &planned.dataflow,
        RunOptions {
            store: Some(store.clone()),
            run: assignment.run.to_string(),
            kept: (assignment.settings.checkpoints_kept as usize).max(2),
            committers: Arc::clone(&planned.committers) as Arc<_>,
            next_checkpoint: newest.max(assigned).max(last_committed.unwrap_or(0)) + 1,
            restored,
            batch_rows: BATCH_ROWS,
            state: StateOptions::within(assignment.settings.memory_limit_mb << 20),
        },
    )
}

/// Figures, checkpoints, bad records and the memory limit, until the run is over.
fn watch(
    outbox: &Outbox,
    handle: &RunHandle,
    events: &Receiver<RunEvent>,
    bad_records: &BadRecordQueue,
    over: &Receiver<()>,
    memory_limit: u64,
) {
    let mut since = std::time::Instant::now();
    let mut told = since;
    loop {
        let last = !matches!(over.recv_timeout(LOOK), Err(RecvTimeoutError::Timeout));
        for event in events.try_iter() {
            outbox.report(match event {
                RunEvent::CheckpointDone(done) => Report::CheckpointDone(done),
                RunEvent::CheckpointFailed { number, reason } => Report::CheckpointFailed { number, reason },
            });
        }
        if last || told.elapsed() >= TELL_BAD_RECORDS {
            told = std::time::Instant::now();
            // While the server is away the queue fills, and counts what it cannot hold.
            while (last || outbox.takes_bad_records())
                && let Some(report) = bad_records.take(BAD_RECORD_BYTES)
            {
                outbox.report(Report::BadRecords(report));
            }
        }
        if last || since.elapsed() >= REPORT_FIGURES {
            since = std::time::Instant::now();
            let process = process_figures();
            if let Some(hub) = handle.metrics() {
                let report = figures::report(&hub, process, chrono::Utc::now().timestamp_millis());
                if memory_limit > 0 && process.memory_bytes > memory_limit {
                    handle.fail(over_memory(&report, process.memory_bytes, memory_limit));
                }
                outbox.report(Report::Metrics(report));
            }
        }
        if last {
            return;
        }
    }
}

fn over_memory(report: &millrace_wire::metric::MetricReport, used: u64, limit: u64) -> EngineError {
    let largest = report.operators.iter().max_by_key(|operator| operator.state_bytes);
    let mb = |bytes: u64| bytes >> 20;
    let whose = largest.map_or_else(String::new, |operator| {
        format!(
            " The largest state is {} MB in {} rows, in operator {}.",
            mb(operator.state_bytes),
            operator.state_rows,
            operator.node
        )
    });
    let message = format!("The run needs {} MB of memory and may use {} MB.{whose}", mb(used), mb(limit));
    let error = EngineError::user("memory_limit", message);
    match largest {
        Some(operator) => error.in_operator(&operator.node),
        None => error,
    }
}

/// Passes commands on to the run.
fn obey(commands: &Receiver<Command>, handle: &RunHandle, outbox: &Outbox, over: &Receiver<()>) {
    loop {
        crossbeam_channel::select! {
            recv(over) -> _ => return,
            recv(commands) -> command => match command {
                Ok(Command::Checkpoint) => handle.checkpoint(),
                Ok(Command::Savepoint) => handle.savepoint(),
                Ok(Command::Stop { mode }) => {
                    outbox.report(Report::State(WorkerState::Stopping { mode }));
                    handle.stop(mode);
                }
                Ok(_) => {}
                // Whoever gave the commands is gone: so is the reason to run.
                Err(_) => {
                    handle.stop(StopMode::Cancel);
                    return;
                }
            },
        }
    }
}

/// For a worker that could not even start.
pub(super) fn failure(code: &str, message: &str) -> Failure {
    Failure { code: code.to_owned(), message: message.to_owned(), retry: true, operator: None }
}
