//! `millrace jobs test-run`: a job's script over real input, its sinks replaced.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{anyhow, bail};
use clap::Args;
use millrace_wire::test_run::{StartTestRun, TestRun as Run, TestRunFrom, TestRunState};

use super::client::Client;
use super::jobs::find;
use super::{Outcome, Output, output};

/// How often it is looked at while it runs.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Args)]
pub(super) struct TestRun {
    /// Name or id.
    job: String,
    /// The version that is tested; the saved draft otherwise.
    #[arg(long)]
    version: Option<u32>,
    /// A file with the text that is tested, instead of a version or the draft; - is standard input.
    #[arg(long, conflicts_with = "version")]
    sql: Option<PathBuf>,
    /// Where Kafka is read from: earliest, latest, time or table.
    #[arg(long, default_value = "earliest")]
    from: TestRunFrom,
    /// The time for --from time, such as 2026-01-31T12:00:00Z.
    #[arg(long)]
    at: Option<chrono::DateTime<chrono::Utc>>,
    /// A sink whose rows are also written to the team's sandbox target: main.totals. May be given several times.
    #[arg(long, value_name = "TABLE")]
    target: Vec<String>,
    /// Changes that are kept of each sink at most.
    #[arg(long)]
    max_rows: Option<u32>,
    /// Seconds that it may take.
    #[arg(long)]
    max_seconds: Option<u32>,
}

impl TestRun {
    pub(super) async fn run(self, client: &Client, format: Output) -> Outcome {
        if self.from == TestRunFrom::Time && self.at.is_none() {
            bail!("say with --at from which time on");
        }
        let request = StartTestRun {
            sql: self.sql.as_ref().map(super::read_script).transpose()?,
            job: Some(find(client, &self.job).await?),
            version: self.version,
            from: self.from,
            at_ms: self.at.map(|at| at.timestamp_millis()),
            rows: Default::default(),
            max_rows: self.max_rows,
            max_seconds: self.max_seconds,
            memory_mb: None,
            parallelism: None,
            sandbox_targets: self.target,
        };
        let path = client.team_path("/test-runs");
        let started: Run = client.post(&path, &request).await?;
        let path = format!("{path}/{}", started.summary.id);
        let mut found = started;
        while found.summary.state == TestRunState::Running {
            tokio::time::sleep(LOOK).await;
            found = client.get(&path, &[]).await?;
        }
        match format {
            Output::Json => output::json(&found)?,
            Output::Text => print(&found),
        }
        match found.summary.state {
            TestRunState::Finished => Ok(ExitCode::SUCCESS),
            _ => Err(anyhow!("{}", found.summary.reason)),
        }
    }
}

fn print(run: &Run) {
    run.sources.iter().for_each(|source| println!("{}", source.words));
    for sink in &run.summary.sinks {
        println!("{} {} change(s), {} kept.", sink.words, sink.changes, sink.kept);
    }
    println!("{} record(s) read. Ended: {}.", run.summary.records_read, run.summary.reason);
}
