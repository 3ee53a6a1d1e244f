//! `millrace jobs …`: over the public API.

use std::process::ExitCode;

use anyhow::{anyhow, bail};
use clap::{Args, Subcommand, ValueEnum};
use futures::StreamExt as _;
use millrace_wire::ids::JobId;
use millrace_wire::job::{Job, JobSummary, Start, StartFrom, Stop, StopMode};
use millrace_wire::log::{LogLine, LogPage};
use millrace_wire::page::Page;

use super::client::Client;
use super::{Outcome, Output, output};

#[derive(Subcommand)]
pub(super) enum Jobs {
    /// All jobs of the team with their state.
    List,
    /// Start a job, from its latest checkpoint or savepoint unless told otherwise.
    Start(StartJob),
    /// Stop a job, with a savepoint unless told otherwise.
    Stop(StopJob),
    /// The log of a job's newest run.
    Logs(Logs),
}

#[derive(Args)]
pub(super) struct StartJob {
    /// Name or id.
    job: String,
    /// Without state.
    #[arg(long)]
    fresh: bool,
}

#[derive(Args)]
pub(super) struct StopJob {
    /// Name or id.
    job: String,
    #[arg(long, value_enum, default_value_t = Mode::Savepoint)]
    mode: Mode,
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
            Jobs::Logs(logs) => logs.run(&client, format).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn all(client: &Client) -> anyhow::Result<Vec<JobSummary>> {
    let mut jobs = Vec::new();
    let mut cursor = String::new();
    loop {
        let query = [("limit", "500".to_owned()), ("cursor", cursor)];
        let page: Page<JobSummary> = client.get(&client.team_path("/jobs"), &query).await?;
        jobs.extend(page.items);
        match page.next {
            Some(next) => cursor = next,
            None => return Ok(jobs),
        }
    }
}

async fn find(client: &Client, wanted: &str) -> anyhow::Result<JobId> {
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
        let job: Job = client.post(&client.team_path(&format!("/jobs/{id}/start")), &start).await?;
        report(&job, format)
    }
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
