//! `millrace jobs …`: over the public API.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{anyhow, bail};
use clap::{Args, Subcommand, ValueEnum};
use futures::StreamExt as _;
use millrace_wire::approval::{ApprovalNeed, AskForApproval, StartApproval};
use millrace_wire::ids::JobId;
use millrace_wire::job::{CurrentRun, Job, JobSummary, Start, StartFrom, Stop, StopMode};
use millrace_wire::log::{LogLine, LogPage};
use millrace_wire::run::RunState;

use super::client::Client;
use super::job_life;
use super::savepoints::{self, Savepoints};
use super::shadow_run::ShadowRun;
use super::test_run::TestRun;
use super::{Outcome, Output, output};

/// How often a job that changes is looked at.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Subcommand)]
pub(super) enum Jobs {
    /// All jobs of the team with their state.
    List,
    /// Start a job, from its latest checkpoint or savepoint unless told otherwise.
    Start(StartJob),
    /// Stop a job, with a savepoint unless told otherwise.
    Stop(StopJob),
    /// Stop a job with a savepoint, freeze its draft, and start that from the savepoint; waits until it runs.
    Restart(RestartJob),
    /// The log of a job's newest run.
    Logs(Logs),
    /// A job with its draft.
    Show(job_life::Named),
    /// The versions of a job, newest first.
    Versions(job_life::Named),
    /// What two versions, or a version and the draft, differ in.
    Diff(job_life::Diff),
    /// What starting a job would change; ends with 1 where it may not start.
    Report(job_life::Report),
    /// Make a new version of what an old one was.
    Rollback(job_life::Rollback),
    /// The runs of a job, newest first.
    Runs(job_life::Named),
    /// Give a job a tag, or take it off.
    Tag(job_life::Tag),
    /// Put a job that does not run into the recycle bin.
    Delete(job_life::Delete),
    /// The recycle bin.
    Bin,
    /// Bring a job back from the recycle bin.
    Restore(job_life::Restore),
    /// What a job can be started from, and until when.
    Savepoints(Savepoints),
    /// When a job takes savepoints by itself: shown, set by --cron, or removed.
    SavepointSchedule(savepoints::Schedule),
    /// Run two versions in the sandbox over the same input, and say what differs; ends with 1 when something does.
    ShadowRun(ShadowRun),
    /// Run a job's script over real input with its sinks replaced, and say what they would get.
    TestRun(TestRun),
}

#[derive(Args)]
pub(super) struct StartJob {
    /// Name or id.
    job: String,
    /// Without state.
    #[arg(long)]
    fresh: bool,
    /// Ask for approval, for this reason, where the team starts nothing without; it starts once it is approved.
    #[arg(long, value_name = "REASON")]
    ask: Option<String>,
}

#[derive(Args)]
pub(super) struct StopJob {
    /// Name or id.
    job: String,
    #[arg(long, value_enum, default_value_t = Mode::Savepoint)]
    mode: Mode,
}

#[derive(Args)]
pub(super) struct RestartJob {
    /// Name or id.
    job: String,
    /// How many seconds stopping, and then starting, may take.
    #[arg(long, default_value_t = 300)]
    within: u64,
    /// Ask for approval, for this reason, where the team starts nothing without; nothing is stopped until it is given.
    #[arg(long, value_name = "REASON")]
    ask: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Mode {
    Savepoint,
    Drain,
    Cancel,
}

#[derive(Args)]
pub(super) struct Logs {
    /// Name or id.
    job: String,
    /// Go on with new lines as they come.
    #[arg(short, long)]
    follow: bool,
    /// How many lines at most, the newest.
    #[arg(long, default_value_t = 200)]
    lines: u32,
}

impl Jobs {
    pub(super) async fn run(self, format: Output) -> Outcome {
        let client = Client::logged_in()?;
        match self {
            Jobs::List => list(&client, format).await?,
            Jobs::Start(start) => start.run(&client, format).await?,
            Jobs::Stop(stop) => stop.run(&client, format).await?,
            Jobs::Restart(restart) => restart.run(&client, format).await?,
            Jobs::Logs(logs) => logs.run(&client, format).await?,
            Jobs::Show(named) => job_life::show(&client, &named, format).await?,
            Jobs::Versions(named) => job_life::versions(&client, &named, format).await?,
            Jobs::Diff(diff) => diff.run(&client, format).await?,
            Jobs::Report(report) => {
                return Ok(if report.run(&client, format).await? { ExitCode::SUCCESS } else { ExitCode::FAILURE });
            }
            Jobs::Rollback(rollback) => rollback.run(&client, format).await?,
            Jobs::Runs(named) => job_life::runs(&client, &named, format).await?,
            Jobs::Tag(tag) => tag.run(&client, format).await?,
            Jobs::Delete(delete) => delete.run(&client).await?,
            Jobs::Bin => job_life::bin(&client, format).await?,
            Jobs::Restore(restore) => restore.run(&client, format).await?,
            Jobs::Savepoints(savepoints) => savepoints.run(&client, format).await?,
            Jobs::SavepointSchedule(schedule) => schedule.run(&client, format).await?,
            Jobs::ShadowRun(shadow_run) => return shadow_run.run(&client, format).await,
            Jobs::TestRun(test_run) => return test_run.run(&client, format).await,
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn all(client: &Client) -> anyhow::Result<Vec<JobSummary>> {
    // In an order that does not change while the pages are read.
    client.all_of(&client.team_path("/jobs"), &[("sort", "name".to_owned())]).await
}

pub(super) async fn find(client: &Client, wanted: &str) -> anyhow::Result<JobId> {
    if let Ok(id) = wanted.parse() {
        return Ok(id);
    }
    let jobs = all(client).await?;
    let found = jobs.iter().find(|job| job.name == wanted).map(|job| job.id);
    found.ok_or_else(|| anyhow!("there is no job '{wanted}'"))
}

async fn list(client: &Client, format: Output) -> anyhow::Result<()> {
    let jobs = all(client).await?;
    if format == Output::Json {
        return output::json(&jobs);
    }
    let rows: Vec<Vec<String>> = jobs
        .iter()
        .map(|job| {
            let state = job.current.as_ref().map_or("draft", |run| run.state.as_str());
            let stale = job.current.as_ref().is_some_and(|run| run.stale);
            let figures = job.current.as_ref().and_then(|run| run.figures.as_ref());
            let rate = figures.map_or(String::new(), |figures| format!("{:.0}", figures.records_in_per_s));
            let lag = figures.and_then(|figures| figures.lag_records).map_or(String::new(), |lag| lag.to_string());
            let state = if stale { format!("{state} (stale)") } else { state.to_owned() };
            vec![job.name.clone(), state, rate, lag, job.owner.clone(), job.id.to_string()]
        })
        .collect();
    output::table(&["NAME", "STATE", "IN/S", "LAG", "OWNER", "ID"], &rows);
    Ok(())
}

fn report(job: &Job, format: Output) -> anyhow::Result<()> {
    if format == Output::Json {
        return output::json(job);
    }
    let state = job.current.as_ref().map_or("draft", |run| run.state.as_str());
    println!("{}: wanted {}, now {state}", job.name, job.desired);
    Ok(())
}

impl StartJob {
    async fn run(self, client: &Client, format: Output) -> anyhow::Result<()> {
        let id = find(client, &self.job).await?;
        let from = if self.fresh { StartFrom::Fresh } else { StartFrom::Latest };
        let start = Start { version: None, from, savepoint: None, at_ms: None };
        let path = client.team_path(&format!("/jobs/{id}"));
        if refused(client, &path, &start).await?.is_some()
            && let Some(reason) = self.ask
        {
            let asked = AskForApproval { start, reason, start_when_approved: Some(true) };
            return ask(client, &path, asked, format).await;
        }
        let job: Job = client.post(&format!("{path}/start"), &start).await?;
        report(&job, format)
    }
}

/// Why it may not start without somebody's approval, where that is so.
async fn refused(client: &Client, path: &str, start: &Start) -> anyhow::Result<Option<String>> {
    let from = [("from", start.from.to_string())];
    let need: ApprovalNeed = client.get(&format!("{path}/approvals/needed"), &from).await?;
    Ok(Some(need.refusal).filter(|_| need.required && need.approved.is_none()))
}

async fn ask(client: &Client, path: &str, asked: AskForApproval, format: Output) -> anyhow::Result<()> {
    let asked: StartApproval = client.post(&format!("{path}/approvals"), &asked).await?;
    if format == Output::Json {
        return output::json(&asked);
    }
    let then = if asked.start_when_approved { "it starts once it is approved" } else { "call this again once it is" };
    println!("{}: asked for approval of version {}; {then}", asked.job_name, asked.version);
    Ok(())
}

impl StopJob {
    async fn run(self, client: &Client, format: Output) -> anyhow::Result<()> {
        let id = find(client, &self.job).await?;
        let mode = match self.mode {
            Mode::Savepoint => StopMode::Savepoint,
            Mode::Drain => StopMode::Drain,
            Mode::Cancel => StopMode::Cancel,
        };
        let job: Job = client.post(&client.team_path(&format!("/jobs/{id}/stop")), &Stop { mode }).await?;
        report(&job, format)
    }
}

impl RestartJob {
    async fn run(self, client: &Client, format: Output) -> anyhow::Result<()> {
        let path = client.team_path(&format!("/jobs/{}", find(client, &self.job).await?));
        let job: Job = client.get(&path, &[]).await?;
        let start = Start { version: None, from: StartFrom::Latest, savepoint: None, at_ms: None };
        let runs = job.current.as_ref().is_some_and(|run| !run.state.is_terminal());
        // What may not start again is not stopped.
        if let Some(why) = refused(client, &path, &start).await? {
            let Some(reason) = self.ask else { bail!("{why} Nothing was stopped. Ask for approval by --ask.") };
            let asked = AskForApproval { start, reason, start_when_approved: Some(!runs) };
            return ask(client, &path, asked, format).await;
        }
        if runs {
            let stop = Stop { mode: StopMode::Savepoint };
            client.post::<_, Job>(&format!("{path}/stop"), &stop).await?;
            let stopped = self.until(client, &path, |run| run.state.is_terminal()).await?;
            // Without its savepoint it would start from an older state, unasked.
            if let Some(run) = stopped.current.filter(|run| run.state == RunState::Failed) {
                bail!("{} did not stop as it should: {}", self.job, run.reason);
            }
        }
        client.post::<_, Job>(&format!("{path}/start"), &start).await?;
        let before = job.current.as_ref().map_or(0, |run| run.number);
        let is_up = |run: &CurrentRun| run.state == RunState::Running || run.state.is_terminal();
        let started = self.until(client, &path, |run| run.number > before && is_up(run)).await?;
        if let Some(run) = started.current.as_ref().filter(|run| run.state == RunState::Failed) {
            bail!("{} failed: {}", self.job, run.reason);
        }
        report(&started, format)
    }

    async fn until(&self, client: &Client, path: &str, fits: impl Fn(&CurrentRun) -> bool) -> anyhow::Result<Job> {
        let deadline = Instant::now() + Duration::from_secs(self.within);
        loop {
            let job: Job = client.get(path, &[]).await?;
            if job.current.as_ref().is_some_and(&fits) {
                return Ok(job);
            }
            if Instant::now() > deadline {
                let now = job.current.as_ref().map_or("not there", |run| run.state.as_str());
                bail!("{} is {now} after {} s; it is left as it is", self.job, self.within);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Logs {
    async fn run(self, client: &Client, format: Output) -> anyhow::Result<()> {
        let id = find(client, &self.job).await?;
        let path = client.team_path(&format!("/jobs/{id}/logs"));
        let page: LogPage = client.get(&path, &[("limit", self.lines.to_string())]).await?;
        page.lines.iter().try_for_each(|line| print_line(line, format))?;
        if !self.follow {
            return Ok(());
        }
        // `next_seq` is the number after the last line that was printed.
        let after = page.next_seq.saturating_sub(1).to_string();
        let answer = client.stream(&format!("{path}/tail"), &[("after", after)]).await?;
        let mut pieces = answer.bytes_stream();
        let mut text = Vec::new();
        while let Some(piece) = pieces.next().await {
            text.extend_from_slice(&piece?);
            while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = text.drain(..=end).collect();
                let Some(data) = line.strip_prefix(b"data:") else { continue };
                print_line(&serde_json::from_slice(data)?, format)?;
            }
        }
        bail!("the server ended the stream")
    }
}

fn print_line(line: &LogLine, format: Output) -> anyhow::Result<()> {
    match format {
        Output::Json => println!("{}", serde_json::to_string(line)?),
        Output::Text => {
            let at = chrono::DateTime::from_timestamp_millis(line.at).unwrap_or_default();
            println!("{} {:5} {} {}", at.format("%Y-%m-%dT%H:%M:%S%.3fZ"), line.level, line.target, line.message);
        }
    }
    Ok(())
}
