//! What an actor keeps of a worker's reports: states, restore points, figures, log lines; and what it tells browsers.

use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

use millrace_wire::ids::SavepointId;
use millrace_wire::link::{CheckpointDone, Report as WorkerReport, Restore, WorkerState};
use millrace_wire::live::LiveEvent;
use millrace_wire::log::{LogLevel, LogLine};
use millrace_wire::metric::MetricReport;
use millrace_wire::run::{RestoreKind, RunEvent, RunEventKind};

use super::actor::Actor;
use super::clear;
use super::lifecycle::Report;
use super::steps::Step;
use super::view::current_run;
use crate::clock::{new_id, now_ms};
use crate::error::Result;
use crate::log::Origin;
use crate::store::restore_point::{self, RestorePointRow};
use crate::store::{job_event, run};
use crate::transact;

/// How often totals and the time of the last report are written to the database.
const WRITE_SEEN_EVERY: Duration = Duration::from_secs(10);

impl Actor {
    pub(super) async fn report(&mut self, attempt: u32, report: WorkerReport) -> Result<()> {
        if !self.observed.heard_of(attempt, Instant::now()) {
            return Ok(());
        }
        self.heard();
        match report {
            WorkerReport::Hello(_)
            | WorkerReport::Heartbeat { .. }
            | WorkerReport::Logs { .. }
            | WorkerReport::BadRecords(_) => Ok(()),
            WorkerReport::State(state) => self.take_state(attempt, state).await,
            WorkerReport::CheckpointDone(done) => self.checkpoint_done(done).await,
            WorkerReport::CheckpointFailed { number, reason } => {
                self.event(RunEventKind::Warning, format!("Checkpoint {number} failed: {reason}")).await
            }
            WorkerReport::Metrics(report) => {
                self.figures(report).await;
                Ok(())
            }
        }
    }

    pub(super) async fn take_state(&mut self, attempt: u32, state: WorkerState) -> Result<()> {
        let report = match state {
            WorkerState::Waiting => Report::Nothing,
            WorkerState::Starting { .. } => Report::Starting,
            WorkerState::Running { graph, guarantee, restored_from } => {
                self.shared.steps.reached(Step::RunningReported).await;
                run::set_plan(&self.shared.store, self.run.id, attempt, &graph, &guarantee).await?;
                self.run.graph = Some(graph);
                self.run.guarantee = Some(guarantee);
                let was_running = *self.observed.report() == Report::Running;
                if let (Some(number), false) = (restored_from, was_running) {
                    self.note(LogLevel::Info, &format!("Restored from checkpoint {number}.")).await;
                }
                Report::Running
            }
            WorkerState::Stopping { .. } => Report::Stopping,
            WorkerState::Stopped { savepoint } => {
                let number = savepoint.as_ref().map(|done| done.number);
                if let Some(done) = savepoint {
                    self.checkpoint_done(done).await?;
                }
                Report::Stopped { savepoint: number }
            }
            WorkerState::Finished => Report::Finished,
            WorkerState::Failed { failure } => Report::Failed(failure),
        };
        self.observed.reported(attempt, report, Instant::now());
        Ok(())
    }

    async fn checkpoint_done(&mut self, done: CheckpointDone) -> Result<()> {
        let Some(path) = below(Path::new(&self.run.checkpoint_root), &done.path) else {
            self.warn(format!("Checkpoint {} lies outside of the job's folder and is not used.", done.number)).await;
            return Ok(());
        };
        let kept = self.work.as_ref().map_or(1, |work| work.version.settings.checkpoints_kept);
        let (by, scheduled) = match done.kind {
            RestoreKind::Savepoint => self.asked.taken(),
            RestoreKind::Checkpoint => (String::new(), false),
        };
        let point = RestorePointRow {
            id: SavepointId(new_id()),
            job: self.run.job,
            run: self.run.id,
            run_number: self.run.number,
            version: self.run.version_number,
            kind: done.kind,
            number: done.number,
            path: path.display().to_string(),
            bytes: done.bytes,
            ms: done.ms,
            at: done.at,
            by,
            scheduled,
        };
        let restore = Restore { path: point.path.clone(), number: done.number, kind: done.kind };
        let (store, id) = (self.shared.store.clone(), self.run.id);
        let is_new = transact!(store, tx => {
            let is_new = restore_point::insert(tx, &point).await?;
            if is_new {
                restore_point::trim_checkpoints(tx, id, kept).await?;
                run::set_restore(tx, id, &restore).await?;
            }
            Ok(is_new)
        })?;
        if !is_new {
            return Ok(());
        }
        self.run.restore = Some(restore);
        self.checkpoints_stored += 1;
        if self.checkpoints_stored == 1 {
            tokio::spawn(clear::old_checkpoints(self.shared.store.clone(), self.run.job));
        }
        self.shared.metrics.checkpoint_done(self.run.job, done.at, done.ms);
        if done.kind == RestoreKind::Savepoint {
            self.event(RunEventKind::Savepoint, format!("Savepoint {} taken.", done.number)).await?;
        }
        Ok(())
    }

    async fn figures(&mut self, report: MetricReport) {
        let attempt = (self.run.number, self.run.attempt);
        let team_slug = self.work.as_ref().map(|work| work.team_slug.clone()).unwrap_or_default();
        let job_name = self.work.as_ref().map(|work| work.job.name.clone()).unwrap_or_default();
        let recorded = self.shared.metrics.record(self.run.job, attempt, self.run.graph.as_ref(), report.clone());
        self.run.records_in = self.run.base_in + recorded.records_in;
        self.run.records_out = self.run.base_out + recorded.records_out;
        self.shared.mirror.figures(&team_slug, self.run.job, &job_name, self.run.id, &recorded.figures);
        if self.seen_written.elapsed() >= WRITE_SEEN_EVERY {
            self.write_seen().await;
        }
        self.shared.live.pass(self.run.team, &LiveEvent::Metrics { job: self.run.job, report });
        self.shared.live.pass(self.run.team, &self.as_it_is());
    }

    /// What is lost when this fails is written with the next one.
    pub(super) async fn write_seen(&mut self) {
        self.seen_written = Instant::now();
        let at = self.view.lock().heard_at.unwrap_or_else(now_ms);
        self.run.last_seen_at = Some(at);
        let (records_in, records_out) = (self.run.records_in, self.run.records_out);
        if let Err(error) = run::set_seen(&self.shared.store, self.run.id, at, records_in, records_out).await {
            tracing::warn!(run = %self.run.id, %error, "totals cannot be stored; the next ones will be");
        }
    }

    /// Writes an event down, then tells browsers.
    pub(super) async fn event(&mut self, kind: RunEventKind, message: String) -> Result<()> {
        let event = self.make_event(kind, self.run.attempt, message);
        let store = self.shared.store.clone();
        transact!(store, tx => { job_event::insert(tx, self.run.team, self.run.job, &event).await })?;
        self.publish_event(event);
        Ok(())
    }

    pub(super) fn publish_event(&self, event: RunEvent) {
        self.shared.live.publish(self.run.team, &LiveEvent::RunEvent { job: self.run.job, event: event.clone() });
        let level = match event.kind {
            RunEventKind::Error => LogLevel::Error,
            RunEventKind::Warning => LogLevel::Warn,
            _ => LogLevel::Info,
        };
        let (logs, line, id) = (self.shared.logs.clone(), self.line(level, "supervisor", event.message), self.run.id);
        self.shared.mirror.log(&line);
        tokio::spawn(async move { append(&logs, id, line.attempt, vec![line]).await });
    }

    pub(super) fn publish_job(&self) {
        self.shared.live.publish(self.run.team, &self.as_it_is());
    }

    fn as_it_is(&self) -> LiveEvent {
        let view = self.view.lock().clone();
        let current = current_run(&self.run, Some(&view), self.shared.metrics.figures(self.run.job));
        LiveEvent::Job { job: self.run.job, desired: self.desired(), current: Some(current) }
    }

    /// As far as this run shows it: it is wanted until somebody asks for a stop, or it has finished.
    fn desired(&self) -> millrace_wire::job::DesiredState {
        let unwanted = self.run.stop_mode.is_some() || self.run.state == millrace_wire::run::RunState::Finished;
        if unwanted { millrace_wire::job::DesiredState::Stopped } else { millrace_wire::job::DesiredState::Running }
    }

    fn line(&self, level: LogLevel, target: &str, message: String) -> LogLine {
        let work = self.work.as_ref();
        LogLine {
            seq: 0,
            at: now_ms(),
            level,
            target: target.to_owned(),
            message,
            job: Some(self.run.job),
            job_name: work.map(|work| work.job.name.clone()).unwrap_or_default(),
            run: Some(self.run.id),
            attempt: self.run.attempt,
            worker: "server".to_owned(),
            team: work.map(|work| work.team_slug.clone()).unwrap_or_default(),
        }
    }

    /// A line of the server's own in the run's log.
    pub(super) async fn note(&mut self, level: LogLevel, message: &str) {
        let line = self.line(level, "supervisor", message.to_owned());
        self.shared.mirror.log(&line);
        append(&self.shared.logs, self.run.id, self.run.attempt, vec![line]).await;
    }

    /// The last words of a worker that could not say them over its link.
    pub(super) async fn keep_stderr(&mut self, attempt: u32, words: &[&str]) {
        if words.is_empty() {
            return;
        }
        let lines = words.iter().map(|text| self.line(LogLevel::Error, "stderr", (*text).to_owned())).collect();
        append(&self.shared.logs, self.run.id, attempt, lines).await;
    }
}

async fn append(logs: &crate::log::LogStore, run: millrace_wire::ids::RunId, attempt: u32, lines: Vec<LogLine>) {
    if let Err(error) = logs.append(run, Origin { attempt, frame: 0 }, lines).await {
        tracing::warn!(%run, %error, "log lines cannot be stored");
    }
}

/// The path below the root, when it stays there.
fn below(root: &Path, relative: &str) -> Option<PathBuf> {
    let relative = Path::new(relative);
    let stays = relative.components().all(|part| matches!(part, Component::Normal(_)));
    (stays && relative.components().next().is_some()).then(|| root.join(relative))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_stays_in_its_folder() {
        let root = Path::new("/data/checkpoints");
        assert_eq!(below(root, "chk-7"), Some(PathBuf::from("/data/checkpoints/chk-7")));
        for outside in ["../chk-7", "/etc", "a/../../b", ""] {
            assert_eq!(below(root, outside), None, "{outside}");
        }
    }
}
