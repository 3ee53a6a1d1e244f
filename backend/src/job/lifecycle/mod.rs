//! The life of a run as pure functions over observed facts: one file per state.
//!
//! ```text
//! pending → starting → running ⇄ recovering
//!              │          │          │
//!              ├──────────┴──────────┴──▶ stopping → stopped
//!              └─▶ stopped | finished | failed
//! ```
//!
//! Promises, each kept by a property test in `tests.rs`:
//! - an attempt is launched only when the one before it is known to be gone, or is fenced by its token;
//! - a terminal state is final;
//! - every transient state has a deadline and a next state, whatever the worker does or does not report;
//! - stop wins over restart: once somebody asked for a stop, nothing is launched any more;
//! - silence alone never fails a run.
//!
//! Nothing here reads a clock, a process table or a database. `reconcile` gathers the facts, asks `decide`, and carries
//! the decision out with a compare-and-set on the attempt number.

use std::time::Duration;

use millrace_wire::job::StopMode;
use millrace_wire::link::Failure;
use millrace_wire::run::RunState;

pub(crate) mod back_off;
mod ended;
mod launching;
mod pending;
mod recovering;
mod running;
mod starting;
mod stopping;
#[cfg(test)]
mod tests;

/// How somebody wanted a job to stop, as the end of a sentence.
pub(crate) const fn in_words(mode: StopMode) -> &'static str {
    match mode {
        StopMode::Savepoint => "with a savepoint",
        StopMode::Drain => "by draining",
        StopMode::Cancel => "at once",
    }
}

/// How far the current attempt has come. Stored before each step, so that a killed server knows where it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// No attempt is on its way: none was made yet, or the last one is over.
    Over,
    /// A worker is about to be spawned, or was spawned and its process id was not written down.
    Intent,
    /// The process is known by its id and start time.
    Spawned,
    /// It has said hello with the attempt's token.
    Linked,
}

impl Phase {
    pub(crate) const ALL: [Phase; 4] = [Phase::Over, Phase::Intent, Phase::Spawned, Phase::Linked];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Phase::Over => "over",
            Phase::Intent => "intent",
            Phase::Spawned => "spawned",
            Phase::Linked => "linked",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Phase> {
        Phase::ALL.into_iter().find(|phase| phase.as_str() == word)
    }
}

/// What is known of the current attempt's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Process {
    /// There never was one, or nobody looked yet.
    Unknown,
    /// On another machine, whose server is gone: nobody can look at it.
    Elsewhere,
    Alive,
    /// The operating system says that no such process (id and start time) exists, and its link is closed.
    Gone,
}

/// The newest report of the current attempt. Reports of earlier attempts never get here.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Report {
    Nothing,
    Starting,
    Running,
    Stopping,
    /// With the number of the savepoint, when one was taken.
    Stopped {
        savepoint: Option<u64>,
    },
    Finished,
    Failed(Failure),
}

/// All that a decision rests on. Durations come from the monotonic clock of this server process.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) state: RunState,
    pub(crate) phase: Phase,
    /// How a person asked the run to end.
    pub(crate) stop: Option<StopMode>,
    pub(crate) report: Report,
    pub(crate) process: Process,
    /// Why the process ended, in words: exit code or signal, and the last line of its error output.
    pub(crate) process_end: String,
    /// The worker's link is open.
    pub(crate) linked: bool,
    /// The command of this state was already sent over the link that is open now.
    pub(crate) asked: Option<StopMode>,
    pub(crate) in_state: Duration,
    /// Since the current attempt was launched, or since this server started when it was launched before that.
    pub(crate) since_launch: Duration,
    pub(crate) silent_for: Duration,
    /// Restarts within the window of the job's settings.
    pub(crate) restarts: u32,
    pub(crate) restart_limit: u32,
    /// How long to wait in `recovering` before the next attempt.
    pub(crate) back_off: Duration,
    pub(crate) limits: Limits,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Decision {
    Stay,
    /// Begin a new attempt with a new token; from `pending` the run is `starting` then.
    Launch,
    /// Tell the worker to stop; repeated after a reconnection.
    Ask(StopMode),
    /// Kill the process, by id and start time.
    Kill,
    Move(Move),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Move {
    pub(crate) to: RunState,
    /// One sentence for people.
    pub(crate) reason: String,
    pub(crate) attempt: AttemptAfter,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptAfter {
    GoesOn,
    /// Its token is void from now on: whoever still holds it is fenced.
    IsOver,
}

impl Decision {
    fn go(to: RunState, reason: impl Into<String>) -> Decision {
        Decision::Move(Move { to, reason: reason.into(), attempt: AttemptAfter::GoesOn })
    }

    fn end(to: RunState, reason: impl Into<String>) -> Decision {
        Decision::Move(Move { to, reason: reason.into(), attempt: AttemptAfter::IsOver })
    }
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// A worker that has not said hello by then is replaced.
    pub(crate) link: Duration,
    /// A worker that is linked but does not come to run by then is replaced. Restoring large state takes time.
    pub(crate) start: Duration,
    /// A worker that lives but says nothing for so long hangs, and is replaced.
    pub(crate) silence: Duration,
    /// A worker on another machine that comes to no server for so long is replaced: its machine is taken for gone.
    pub(crate) elsewhere: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            link: Duration::from_secs(20),
            start: Duration::from_secs(300),
            silence: Duration::from_secs(180),
            elsewhere: Duration::from_secs(60),
        }
    }
}

/// Granted with each acknowledgement; a worker that cannot renew it stops by itself. Long, so that workers outlive
/// a server that is away. Two writers are kept apart by tokens and transactional ids, not by this.
pub(crate) const LEASE: Duration = Duration::from_secs(3600);
/// After this much silence the console calls the state stale.
pub(crate) const STALE_AFTER: Duration = Duration::from_secs(10);

/// What to do next, given the facts. Total: every combination of facts has an answer.
pub(crate) fn decide(facts: &Facts) -> Decision {
    match facts.state {
        RunState::Pending => pending::next(facts),
        RunState::Starting => starting::next(facts),
        RunState::Running => running::next(facts),
        RunState::Recovering => recovering::next(facts),
        RunState::Stopping => stopping::next(facts),
        RunState::Stopped | RunState::Finished | RunState::Failed => ended::next(facts),
    }
}

/// The attempt is over and was not asked to be: try again, or give up with a reason.
fn attempt_lost(facts: &Facts, what_happened: &str) -> Decision {
    if facts.restarts >= facts.restart_limit {
        let reason = match facts.restart_limit {
            0 => format!("{what_happened} Restarts are switched off for this job."),
            1 => format!("{what_happened} It was restarted once in a short time and is given up."),
            limit => format!("{what_happened} It was restarted {limit} times in a short time and is given up."),
        };
        return Decision::end(RunState::Failed, reason);
    }
    Decision::end(RunState::Recovering, what_happened)
}

/// The worker reported a failure: another try helps, or it does not.
fn attempt_failed(facts: &Facts, failure: &Failure) -> Decision {
    let what_happened = sentence(&failure.message);
    if failure.retry { attempt_lost(facts, &what_happened) } else { Decision::end(RunState::Failed, what_happened) }
}

fn process_gone(facts: &Facts) -> String {
    if facts.process_end.is_empty() {
        "The worker process ended unexpectedly.".to_owned()
    } else {
        format!("The worker process ended: {}", sentence(&facts.process_end))
    }
}

fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() {
        return "No reason was given.".to_owned();
    }
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

#[cfg(test)]
impl Facts {
    pub(crate) fn of(state: RunState) -> Facts {
        Facts {
            state,
            phase: Phase::Over,
            stop: None,
            report: Report::Nothing,
            process: Process::Unknown,
            process_end: String::new(),
            linked: false,
            asked: None,
            in_state: Duration::ZERO,
            since_launch: Duration::ZERO,
            silent_for: Duration::ZERO,
            restarts: 0,
            restart_limit: 3,
            back_off: Duration::ZERO,
            limits: Limits::default(),
        }
    }
}
