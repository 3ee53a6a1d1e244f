//! One process of a test run: fed with its assignment, read line by line, ended in every case.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use millrace_wire::link::TestRunAssignment;
use millrace_wire::test_run::{TestRunEvent, TestRunProgress, TestRunState};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout};
use tokio_util::sync::CancellationToken;

use super::buffer::{Buffer, is_last};
use super::diagnostic;
use crate::child;
use crate::parameter::{Filled, masked_diagnostic};

/// Beyond its own time limit: for starting, planning and leaving.
const GRACE: Duration = Duration::from_secs(15);
/// Where it writes outside: for making the objects, and for the last rows.
const GRACE_OUTSIDE: Duration = Duration::from_secs(45);
/// One line holds one batch of rows.
const LONGEST_LINE: u64 = 16 * 1024 * 1024;

pub(super) struct Job {
    pub(super) program: PathBuf,
    pub(super) folder: PathBuf,
    /// Places in the text of the assignment are told as places of what was written.
    pub(super) script: Filled,
    pub(super) assignment: TestRunAssignment,
    pub(super) buffer: Arc<Buffer>,
    pub(super) cancel: CancellationToken,
}

/// Runs to the end; the buffer has its last event then. Tells how it ended.
pub(super) async fn run(job: Job) -> (TestRunState, String) {
    let began = Instant::now();
    let spawned = child::spawn(&job.program, "test-run", &job.folder, &job.assignment).await;
    let outcome = match spawned {
        Ok(mut process) => {
            let outcome = follow(&job, &mut process, began).await;
            // Also in the good case: a process that has said its last word is not needed any more.
            let _ = process.kill().await;
            outcome
        }
        Err(cause) => Outcome::Failed(format!("The test run could not be started: {cause}.")),
    };
    match outcome {
        Outcome::Said(event) => ended_as(&event),
        Outcome::Ended(reason) => {
            let event = TestRunEvent::End { reason: reason.to_owned(), progress: progress(&job.buffer, began) };
            job.buffer.push(&event);
            ended_as(&event)
        }
        Outcome::Failed(message) => {
            let event = TestRunEvent::Failed { diagnostic: diagnostic(message) };
            job.buffer.push(&event);
            ended_as(&event)
        }
    }
}

fn ended_as(event: &TestRunEvent) -> (TestRunState, String) {
    match event {
        TestRunEvent::End { reason, .. } if reason == "cancelled" => (TestRunState::Cancelled, reason.clone()),
        TestRunEvent::End { reason, .. } => (TestRunState::Finished, reason.clone()),
        TestRunEvent::Failed { diagnostic } => (TestRunState::Failed, diagnostic.message.clone()),
        _ => (TestRunState::Failed, String::new()),
    }
}

enum Outcome {
    /// The process has said its last event itself.
    Said(Box<TestRunEvent>),
    Ended(&'static str),
    Failed(String),
}

async fn follow(job: &Job, process: &mut Child, began: Instant) -> Outcome {
    let (Some(output), Some(errors)) = (process.stdout.take(), process.stderr.take()) else {
        return Outcome::Failed("The test run has no output.".to_owned());
    };
    let said = child::last_words(errors);
    let outside = if job.assignment.targets.is_empty() { Duration::ZERO } else { GRACE_OUTSIDE };
    let limit = Duration::from_secs(u64::from(job.assignment.max_seconds)) + GRACE + outside;
    let outcome = tokio::select! {
        outcome = read(job, output) => outcome,
        () = tokio::time::sleep(limit) => Some(Outcome::Ended("time limit")),
        () = job.cancel.cancelled() => Some(Outcome::Ended("cancelled")),
    };
    if let Some(outcome) = outcome {
        return outcome;
    }
    let how = child::unexpected_end(process, said, began).await;
    Outcome::Failed(format!("The test run ended unexpectedly {how}."))
}

/// `None` when the output ended without a last event.
async fn read(job: &Job, output: ChildStdout) -> Option<Outcome> {
    let mut reader = BufReader::new(output);
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = (&mut reader).take(LONGEST_LINE).read_until(b'\n', &mut line).await.unwrap_or(0);
        if length == 0 {
            return None;
        }
        match serde_json::from_slice::<TestRunEvent>(&line) {
            Ok(event) => {
                let event = as_written(job, event);
                job.buffer.push(&event);
                if is_last(&event) {
                    return Some(Outcome::Said(Box::new(event)));
                }
            }
            Err(cause) => {
                tracing::warn!(%cause, "a test run wrote a line that cannot be read");
                return Some(Outcome::Failed("The test run wrote something that cannot be read.".to_owned()));
            }
        }
    }
}

fn as_written(job: &Job, event: TestRunEvent) -> TestRunEvent {
    match event {
        TestRunEvent::Failed { diagnostic } => {
            let diagnostic = masked_diagnostic(job.script.diagnostic(diagnostic), &job.assignment.secrets);
            TestRunEvent::Failed { diagnostic }
        }
        other => other,
    }
}

fn progress(buffer: &Buffer, began: Instant) -> TestRunProgress {
    let (outcome, _) = buffer.content();
    TestRunProgress {
        elapsed_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        records_read: outcome.records_read,
        changes: outcome.sinks.iter().map(|sink| sink.changes).collect(),
        waiting_for: String::new(),
    }
}
