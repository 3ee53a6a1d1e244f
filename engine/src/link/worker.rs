//! `millrace-worker run`: one attempt of one run.

use std::io::BufRead;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use millrace_wire::link::{Assignment, Command, Hello, Report, WorkerState};
use tokio::sync::mpsc;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::connection::Connection;
use super::execute::{execute, failure};
use super::lease::Lease;
use super::servers::Servers;
use super::{Identity, LogLayer, Outbox};
use crate::runtime::process_start;

/// How long the last report is offered to a server that is away.
const LAST_WORD: Duration = Duration::from_secs(60);
const CHECK_LEASE: Duration = Duration::from_secs(1);

/// Reads the token from standard input, connects, waits for the plan and runs it.
pub fn run(link: &str) -> ExitCode {
    let identity = match Identity::from_env() {
        Ok(identity) => identity,
        Err(message) => return refuse(&message),
    };
    let mut token = String::new();
    if std::io::stdin().lock().read_line(&mut token).is_err() || token.trim().is_empty() {
        return refuse("the first line of standard input must be the token");
    }
    let outbox = Arc::new(Outbox::default());
    // Settings of the filter: MILLRACE_WORKER_LOG, else what matters.
    let filter = EnvFilter::try_from_env("MILLRACE_WORKER_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let layer = LogLayer::new(identity.clone(), Arc::clone(&outbox));
    if tracing_subscriber::registry().with(filter).with(layer).try_init().is_err() {
        return refuse("logging was set up already");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(live(link, token.trim(), identity, outbox));
            // Threads of a run that was left behind end with the process.
            runtime.shutdown_background();
            code
        }
        Err(error) => refuse(&format!("no threads: {error}")),
    }
}

fn refuse(message: &str) -> ExitCode {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "millrace-worker: {message}");
    ExitCode::from(2)
}

async fn live(link: &str, token: &str, identity: Identity, outbox: Arc<Outbox>) -> ExitCode {
    let lease = Arc::new(Lease::new(Instant::now()));
    let (to_worker, mut commands) = mpsc::unbounded_channel();
    let hello = Hello {
        worker: identity.worker,
        job: identity.job,
        run: identity.run,
        attempt: identity.attempt,
        token: token.to_owned(),
        pid: std::process::id(),
        process_start: process_start(),
        state: WorkerState::Waiting,
    };
    let connection = Connection {
        servers: Servers::new(link),
        hello,
        outbox: Arc::clone(&outbox),
        lease: Arc::clone(&lease),
        commands: to_worker,
    };
    let _connection = AbortOnDrop(tokio::spawn(connection.keep()));
    let mut job: Option<Job> = None;
    let mut check = tokio::time::interval(CHECK_LEASE);
    loop {
        tokio::select! {
            command = commands.recv() => match command {
                Some(Command::Start(assignment)) if job.is_none() => job = Some(Job::start(*assignment, &outbox)),
                Some(Command::Start(_) | Command::Ack { .. } | Command::Servers { .. } | Command::GoTo { .. }) => {}
                Some(Command::Fence { reason }) => {
                    tracing::warn!(reason, "this attempt is over; leaving at once");
                    return ExitCode::from(3);
                }
                Some(command) => match &job {
                    Some(job) => job.tell(command),
                    // Nothing runs yet, so there is nothing to save.
                    None if matches!(command, Command::Stop { .. }) => {
                        return last_word(&outbox, WorkerState::Stopped { savepoint: None }).await;
                    }
                    None => {}
                },
                None => return ExitCode::FAILURE,
            },
            _ = check.tick() => if lease.is_over(Instant::now()) {
                tracing::error!("the server was not heard of for too long; this worker stops itself");
                return ExitCode::from(4);
            },
            state = end_of(&mut job) => return last_word(&outbox, state).await,
        }
    }
}

/// The run, on a thread of its own.
struct Job {
    commands: crossbeam_channel::Sender<Command>,
    end: tokio::sync::oneshot::Receiver<WorkerState>,
}

impl Job {
    fn start(assignment: Assignment, outbox: &Arc<Outbox>) -> Self {
        let (commands, receive) = crossbeam_channel::unbounded();
        let (tell_end, end) = tokio::sync::oneshot::channel();
        let outbox = Arc::clone(outbox);
        let handle = tokio::runtime::Handle::current();
        // Should no thread start, the sender is dropped, which counts as a failure below.
        let _ = std::thread::Builder::new().name("run".to_owned()).spawn(move || {
            let _ = tell_end.send(execute(&assignment, &outbox, &receive, handle));
        });
        Job { commands, end }
    }

    fn tell(&self, command: Command) {
        let _ = self.commands.send(command);
    }
}

async fn end_of(job: &mut Option<Job>) -> WorkerState {
    match job {
        Some(job) => (&mut job.end)
            .await
            .unwrap_or_else(|_| WorkerState::Failed { failure: failure("internal", "The run ended without a word.") }),
        None => std::future::pending().await,
    }
}

/// Reports the end and waits until the server has stored it.
async fn last_word(outbox: &Outbox, state: WorkerState) -> ExitCode {
    let failed = matches!(state, WorkerState::Failed { .. });
    tracing::info!(state = %words(&state), "the run is over");
    outbox.flush_lines();
    let number = outbox.report(Report::State(state));
    if tokio::time::timeout(LAST_WORD, outbox.acknowledged(number)).await.is_err() {
        return ExitCode::from(5);
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn words(state: &WorkerState) -> String {
    match state {
        WorkerState::Finished => "finished".to_owned(),
        WorkerState::Stopped { .. } => "stopped".to_owned(),
        WorkerState::Failed { failure } => format!("failed: {}", failure.message),
        _ => "left".to_owned(),
    }
}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
