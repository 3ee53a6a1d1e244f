//! One preview process: fed with its assignment, read line by line, ended in every case.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use millrace_wire::link::{PreviewAssignment, PreviewLine};
use millrace_wire::preview::{PreviewEvent, PreviewProgress};
use millrace_wire::sql::{Diagnostic, Severity};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout};
use tokio_util::sync::CancellationToken;

use super::buffer::Buffer;
use super::is_last;
use crate::child;
use crate::parameter::{Filled, masked_diagnostic};

/// A preview that nobody reads ends after this.
const UNREAD: Duration = Duration::from_secs(10);
/// Beyond its own time limit: for starting, planning and leaving.
const GRACE: Duration = Duration::from_secs(15);
/// One line holds one batch of rows.
const LONGEST_LINE: u64 = 16 * 1024 * 1024;

pub(super) struct Job {
    pub(super) program: PathBuf,
    pub(super) folder: PathBuf,
    /// Places in the text of the assignment are told as places of what was written.
    pub(super) script: Filled,
    pub(super) assignment: PreviewAssignment,
    pub(super) buffer: Arc<Buffer>,
    pub(super) cancel: CancellationToken,
}

/// Runs to the end; the buffer has its last event then.
pub(super) async fn run(job: Job) {
    let began = Instant::now();
    let spawned = child::spawn(&job.program, "preview", &job.folder, &job.assignment).await;
    let outcome = match spawned {
        Ok(mut process) => {
            let outcome = follow(&job, &mut process, began).await;
            // Also in the good case: a process that has said its last word is not needed any more.
            let _ = process.kill().await;
            outcome
        }
        Err(cause) => Outcome::Failed(format!("The preview could not be started: {cause}.")),
    };
    let last = match outcome {
        Outcome::Said => return,
        Outcome::Ended(reason) => {
            PreviewEvent::End { reason: reason.to_owned(), progress: progress(&job.buffer, began) }
        }
        Outcome::Failed(message) => PreviewEvent::Failed { diagnostic: diagnostic(message) },
    };
    job.buffer.push(&last);
}

enum Outcome {
    /// The process has said its last event itself.
    Said,
    Ended(&'static str),
    Failed(String),
}

async fn follow(job: &Job, process: &mut Child, began: Instant) -> Outcome {
    let (Some(output), Some(errors)) = (process.stdout.take(), process.stderr.take()) else {
        return Outcome::Failed("The preview has no output.".to_owned());
    };
    let said = child::last_words(errors);
    let limit = Duration::from_secs(u64::from(job.assignment.max_seconds)) + GRACE;
    let outcome = tokio::select! {
        outcome = read(job, output) => outcome,
        () = tokio::time::sleep(limit) => Some(Outcome::Ended("time limit")),
        () = unread(&job.buffer) => Some(Outcome::Ended("nobody reads it")),
        () = job.cancel.cancelled() => Some(Outcome::Ended("cancelled")),
    };
    if let Some(outcome) = outcome {
        return outcome;
    }
    let how = child::unexpected_end(process, said, began).await;
    Outcome::Failed(format!("The preview ended unexpectedly {how}."))
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
        match serde_json::from_slice::<PreviewLine>(&line) {
            Ok(PreviewLine::Started { columns, note }) => job.buffer.plan(columns, note),
            Ok(PreviewLine::Event(event)) => {
                let event = as_written(job, event);
                let last = is_last(&event);
                if !job.buffer.push(&event) {
                    return Some(Outcome::Ended("size limit"));
                }
                if last {
                    return Some(Outcome::Said);
                }
            }
            Err(cause) => {
                tracing::warn!(%cause, "a preview wrote a line that cannot be read");
                return Some(Outcome::Failed("The preview wrote something that cannot be read.".to_owned()));
            }
        }
    }
}

fn as_written(job: &Job, event: PreviewEvent) -> PreviewEvent {
    match event {
        PreviewEvent::Failed { diagnostic } => {
            let diagnostic = masked_diagnostic(job.script.diagnostic(diagnostic), &job.assignment.secrets);
            PreviewEvent::Failed { diagnostic }
        }
        other => other,
    }
}

async fn unread(buffer: &Buffer) {
    while buffer.unread_for() < UNREAD {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn progress(buffer: &Buffer, began: Instant) -> PreviewProgress {
    let elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let last = buffer.progress();
    let unknown = PreviewProgress { elapsed_ms, records_read: 0, rows: 0, waiting_for: String::new() };
    PreviewProgress { elapsed_ms, ..last.unwrap_or(unknown) }
}

fn diagnostic(message: String) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        code: "preview".to_owned(),
        message,
        hint: None,
        span: None,
        replacement: None,
    }
}
