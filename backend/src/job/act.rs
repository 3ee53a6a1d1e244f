//! What an actor does: launch, ask, kill, change the state. Each change is written down with a compare-and-set first.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use millrace_wire::function::FunctionSource;
use millrace_wire::ids::WorkerId;
use millrace_wire::job::{DesiredState, StopMode, Version};
use millrace_wire::link::{Assignment, Command, Failure, LINK_VERSION, TableSource, ToWorker};
use millrace_wire::run::{RunEvent, RunEventKind, RunState};

use super::actor::{Actor, Message};
use super::launch::{Identity, exit_in_words, hand_over_token};
use super::lifecycle::{AttemptAfter, Move, Phase, Process, Report, back_off};
use super::link::link_at;
use super::steps::Step;
use super::{process, token};
use crate::clock::{new_id, now_ms};
use crate::error::{Code, Error, Result};
use crate::module;
use crate::store::run::{self, Change, Seen};
use crate::store::{job, job_event};
use crate::transact;

/// A killed process is gone after this, or something is very wrong with the machine.
const KILL_TAKES: Duration = Duration::from_secs(2);
/// An attempt that ran for so long got on, even without a checkpoint.
const RAN_WELL_MS: i64 = 60_000;

impl Actor {
    fn seen(&self) -> Seen {
        Seen { attempt: self.run.attempt, state: self.run.state }
    }

    /// Begins the next attempt. The intent is written before the process is spawned, and what it became after that: a
    /// server that is killed in between finds the intent, waits for the worker to come, and replaces it when it does not.
    pub(super) async fn launch(&mut self) -> Result<()> {
        self.shared.steps.reached(Step::Pending).await;
        let token = token::fresh();
        if !self.write_intent(&token).await? {
            return self.reload().await;
        }
        self.shared.steps.reached(Step::IntentWritten).await;
        self.end_remains().await?;
        let attempt = self.run.attempt;
        self.worker = WorkerId(new_id());
        let spawned = self
            .shared
            .launcher
            .executable()
            .map_err(|why| (why, false))
            .and_then(|_| self.shared.launcher.spawn(&self.identity()).map_err(|cause| (cause.to_string(), true)));
        let mut launched = match spawned {
            Ok(launched) => launched,
            Err((why, retry)) => {
                let message = format!("The worker could not be started: {why}");
                let failure = Failure { code: "launch".to_owned(), message, retry, operator: None };
                self.observed.reported(attempt, Report::Failed(failure), Instant::now());
                return Ok(());
            }
        };
        self.shared.steps.reached(Step::Spawned).await;
        if let Err(cause) = hand_over_token(&mut launched.child, &token).await {
            tracing::warn!(run = %self.run.id, attempt, %cause, "a worker did not take its token");
        }
        self.shared.steps.reached(Step::TokenHandedOver).await;
        self.run.process = Some(launched.process);
        let written =
            run::set_process(&self.shared.store, self.run.id, attempt, Phase::Spawned.as_str(), launched.process).await;
        self.run.phase = Phase::Spawned.as_str().to_owned();
        self.own_child = true;
        let inbox = self.own_inbox.clone();
        let mut child = launched.child;
        tokio::spawn(async move {
            let how = match child.wait().await {
                Ok(status) => exit_in_words(status),
                Err(cause) => cause.to_string(),
            };
            // The actor may be over; then nobody wants to know.
            let _ = inbox.send(Message::Exited { attempt, how }).await;
        });
        self.shared.steps.reached(Step::ProcessWritten).await;
        self.count_restarts().await?;
        self.publish_job();
        written.map(|_| ())
    }

    /// The worker of the run before may still offer its last report, to a server that died when it had stored it. Nothing
    /// of it is wanted any more, and a job has one worker.
    async fn end_remains(&self) -> Result<()> {
        let Some(before) = run::before(&self.shared.store, self.run.job, self.run.number).await? else { return Ok(()) };
        let Some(process) = before.process.filter(|_| before.state.is_terminal()) else { return Ok(()) };
        if self.shared.look_at_process(&before.host, process) == Process::Alive && process::kill(process) {
            tracing::info!(run = %before.id, "a worker that was still there after its run is ended");
        }
        Ok(())
    }

    async fn write_intent(&mut self, token: &str) -> Result<bool> {
        let state = if self.run.state == RunState::Pending { RunState::Starting } else { self.run.state };
        let (seen, now, hash) = (self.seen(), self.moment(), token::hash(token));
        let message = match seen.attempt {
            0 => format!("Starting version {}.", self.run.version_number),
            attempt => format!("Starting again, attempt {}.", attempt + 1),
        };
        let event = self.make_event(RunEventKind::Attempt, seen.attempt + 1, message);
        let (store, id) = (self.shared.store.clone(), self.run.id);
        let host = self.shared.membership.host().to_owned();
        let begun = transact!(store, tx => {
            let begun = run::begin_attempt(tx, id, seen, state, &hash, &host, now).await?;
            if begun {
                job_event::insert(tx, self.run.team, self.run.job, &event).await?;
            }
            Ok(begun)
        })?;
        if !begun {
            return Ok(false);
        }
        self.run.attempt += 1;
        self.run.phase = Phase::Intent.as_str().to_owned();
        self.run.token_hash = hash;
        self.run.process = None;
        self.run.host = host;
        (self.run.base_in, self.run.base_out) = (self.run.records_in, self.run.records_out);
        self.commands = None;
        self.own_child = false;
        self.checkpoints_stored = 0;
        let at = Instant::now();
        self.observed.new_attempt(self.run.attempt, at);
        if state != self.run.state {
            self.run.state = state;
            self.run.state_at = now;
            self.observed.new_state(at);
        }
        self.view.lock().heard = at;
        self.publish_event(event);
        Ok(true)
    }

    fn identity(&self) -> Identity {
        let work = self.work.as_ref();
        Identity {
            job: self.run.job,
            job_name: work.map(|work| work.job.name.clone()).unwrap_or_default(),
            run: self.run.id,
            attempt: self.run.attempt,
            worker: self.worker,
            team: work.map(|work| work.team_slug.clone()).unwrap_or_default(),
            other_links: self.shared.membership.addresses().borrow().iter().map(|address| link_at(address)).collect(),
        }
    }

    pub(super) fn ask(&mut self, mode: StopMode) {
        if self.send(Command::Stop { mode }) {
            self.observed.was_asked(mode);
        } else {
            // The link is going: the next one is asked again.
            self.commands = None;
            self.observed.was_asked(mode);
        }
    }

    /// False when no link is open, or its queue is full.
    pub(super) fn send(&mut self, command: Command) -> bool {
        let frame = ToWorker { v: LINK_VERSION, attempt: self.run.attempt, command };
        self.commands.as_ref().is_some_and(|commands| commands.try_send(frame).is_ok())
    }

    /// Kills the attempt's process and waits for its end. False when it is still there.
    pub(super) async fn kill(&mut self) -> bool {
        let local =
            self.run.process.filter(|row| self.shared.look_at_process(&self.run.host, *row) != Process::Elsewhere);
        let Some(process) = local else {
            self.observed.process_ended(self.run.attempt, "it was never there".to_owned());
            return true;
        };
        process::kill(process);
        let deadline = Instant::now() + KILL_TAKES;
        while process::is_alive(process) {
            if Instant::now() > deadline {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.observed.process_ended(self.run.attempt, "killed by the server, since it did not answer".to_owned());
        self.commands = None;
        // Its link closes by itself; what came through it before is still heard.
        !self.observed.is_linked()
    }

    pub(super) async fn change(&mut self, to: Move) -> Result<()> {
        let over = to.attempt == AttemptAfter::IsOver;
        let seen = self.seen();
        let now = self.moment();
        let event = self.make_event(event_kind(to.to), seen.attempt, event_text(&to));
        let (store, id, job_id) = (self.shared.store.clone(), self.run.id, self.run.job);
        let changed = transact!(store, tx => {
            let change = Change { to: to.to, reason: &to.reason, attempt_is_over: over, at: now };
            let changed = run::change_state(tx, id, seen, &change).await?;
            if changed {
                job_event::insert(tx, self.run.team, job_id, &event).await?;
                if to.to == RunState::Finished {
                    // It has done what was wanted of it.
                    job::set_desired(tx, job_id, DesiredState::Stopped).await?;
                }
            }
            Ok(changed)
        })?;
        if !changed {
            return self.reload().await;
        }
        if over {
            let reported_its_end =
                matches!(self.observed.report(), Report::Stopped { .. } | Report::Finished | Report::Failed(_));
            if !reported_its_end {
                self.send(Command::Fence { reason: to.reason.clone() });
            }
            self.run.phase = Phase::Over.as_str().to_owned();
            self.run.token_hash = String::new();
            self.shared.metrics.run_ended(self.run.job);
        }
        if to.to == RunState::Recovering {
            self.lengthen_back_off(now);
        }
        if to.to == RunState::Running {
            self.run.running_at.get_or_insert(now);
        }
        if to.to.is_terminal() {
            self.run.ended_at = Some(now);
            self.write_seen().await;
        }
        self.run.state = to.to;
        self.run.reason = to.reason;
        self.run.state_at = now;
        self.observed.new_state(Instant::now());
        self.publish_event(event);
        self.publish_job();
        job_event::trim(&self.shared.store, self.run.id).await
    }

    /// When the run gets its next state: always after the one before, also when the machine's clock was set back.
    /// Consoles tell by it which of two answers is the newer one.
    fn moment(&self) -> i64 {
        now_ms().max(self.run.state_at + 1)
    }

    /// An attempt that got on is no part of a crash loop: the next one comes quickly.
    fn lengthen_back_off(&mut self, now: i64) {
        let ran_long = self.run.state == RunState::Running && now - self.run.state_at >= RAN_WELL_MS;
        if ran_long || self.checkpoints_stored > 0 {
            self.lost_in_a_row = 0;
        }
        self.back_off = back_off::delay(self.lost_in_a_row, rand::random());
        self.lost_in_a_row = self.lost_in_a_row.saturating_add(1);
    }

    pub(super) fn make_event(&self, kind: RunEventKind, attempt: u32, message: String) -> RunEvent {
        RunEvent { at: now_ms(), run: self.run.id, attempt, kind, message }
    }

    /// Everything the worker needs: the tables of its version with the credentials of these tables only.
    pub(super) async fn assignment(&self) -> Result<Assignment> {
        let work = self.work.as_ref().ok_or_else(|| Error::unavailable("The version is not loaded yet."))?;
        let names = work.version.tables.keys().cloned().collect();
        let (default_database, mut known) = self.shared.tables.named(self.run.team, names).await?;
        let (sql, secrets) = self.shared.tables.script(self.run.team, self.run.id, work.version.sql.clone()).await?;
        if let Some(name) =
            work.version.tables.iter().find_map(|(name, frozen)| {
                known.get(name).is_some_and(|now| leads_elsewhere(frozen, now)).then_some(name)
            })
        {
            let number = work.version.summary.number;
            let message = format!(
                "The table '{name}' leads elsewhere now than version {number} says; its password is for there."
            );
            return Err(
                Error::conflict(Code::WrongState, message).hint("Make a new version of the job and start that.")
            );
        }
        let tables = work.version.tables.iter().map(|(name, ddl)| {
            let hidden_options = known.remove(name).map(|table| table.hidden_options).unwrap_or_default();
            (name.clone(), TableSource { ddl: ddl.clone(), hidden_options })
        });
        Ok(Assignment {
            job: self.run.job,
            job_name: work.job.name.clone(),
            run: self.run.id,
            attempt: self.run.attempt,
            team: work.team_slug.clone(),
            sql,
            tables: tables.collect(),
            secrets,
            functions: pinned_functions(&work.version, &self.shared.modules),
            default_database,
            settings: work.version.settings.clone(),
            checkpoint_root: self.run.checkpoint_root.clone(),
            restore: self.run.restore.clone(),
            start_at_ms: self.run.start_at_ms,
            file_roots: {
                let roots = self.shared.file_roots.of_team(&work.team_slug);
                roots.iter().map(|root| root.display().to_string()).collect()
            },
            identity: format!("millrace-{}", self.run.job),
        })
    }
}

/// Whether what is filled in belongs to another address than the frozen description of the table names. What a table's
/// own description says and what is filled in as well is where its password belongs; a connection's fill-ins stand in no
/// description.
fn leads_elsewhere(frozen: &str, now: &TableSource) -> bool {
    now.hidden_options.iter().any(|(option, value)| {
        let written = format!("'{option}' = '{}'", value.replace('\'', "''"));
        now.ddl.contains(&written) && !frozen.contains(&written)
    })
}

/// As they were when the version was made, wherever the data directory lies now.
fn pinned_functions(version: &Version, modules: &Path) -> BTreeMap<String, FunctionSource> {
    let functions = version.functions.iter();
    functions.filter_map(|(name, pinned)| Some((name.clone(), module::pinned(pinned, modules)?))).collect()
}

fn event_kind(state: RunState) -> RunEventKind {
    match state {
        RunState::Failed | RunState::Recovering => RunEventKind::Error,
        _ => RunEventKind::State,
    }
}

fn event_text(to: &Move) -> String {
    let headline = match to.to {
        RunState::Pending => "Waiting to start.",
        RunState::Starting => "Starting.",
        RunState::Running => "Running.",
        RunState::Recovering => "Recovering.",
        RunState::Stopping => "Stopping.",
        RunState::Stopped => "Stopped.",
        RunState::Finished => "Finished.",
        RunState::Failed => "Failed.",
    };
    let says_it_all = to.reason.is_empty() || to.reason.starts_with(headline.trim_end_matches('.'));
    match (to.reason.is_empty(), says_it_all) {
        (true, _) => headline.to_owned(),
        (false, true) => to.reason.clone(),
        (false, false) => format!("{headline} {}", to.reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ddl(host: &str) -> String {
        format!("CREATE TABLE main.t (\n  id BIGINT\n) WITH (\n  'connector' = 'postgres',\n  'hostname' = '{host}'\n)")
    }

    #[test]
    fn a_password_goes_where_the_description_of_the_version_leads() {
        let filled = |host: &str| {
            let pairs = [("hostname", host), ("port", "5432"), ("password", "secret")];
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let now = |host: &str| TableSource { ddl: ddl(host), hidden_options: filled(host) };
        assert!(!leads_elsewhere(&ddl("good"), &now("good")));
        assert!(leads_elsewhere(&ddl("good"), &now("evil")));
        // What a connection fills in stands in no description: it may change.
        let by_connection = TableSource { ddl: "CREATE TABLE main.t ()".to_owned(), hidden_options: filled("new") };
        assert!(!leads_elsewhere("CREATE TABLE main.t ()", &by_connection));
    }
}
