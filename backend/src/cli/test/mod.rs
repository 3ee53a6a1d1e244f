//! `millrace test`: the SQL tests of a job on its server, or those of files without one.

mod file;
mod junit;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use millrace_wire::job_test::{RunTests, TestReport, TestResult};
use millrace_wire::sql::Diagnostic;

use self::file::TestFile;
use super::client::{Client, Credentials};
use super::script_variables::{Given, ScriptVariables};
use super::{Outcome, Output, jobs, output};
use crate::engine::{self, TestRequest};

#[derive(Args)]
pub(super) struct Test {
    /// Files of tests, as docs/testing.md describes them. Without them the tests of --job run on the server.
    files: Vec<PathBuf>,
    /// Name or id of a job of the server.
    #[arg(long, conflicts_with = "files")]
    job: Option<String>,
    /// The team of the job; the one that was logged in for otherwise.
    #[arg(long)]
    team: Option<String>,
    /// Test this version of the job instead of its draft.
    #[arg(long, requires = "job")]
    version: Option<u32>,
    /// Write the results as JUnit XML, too.
    #[arg(long)]
    junit: Option<PathBuf>,
    #[command(flatten)]
    variables: ScriptVariables,
}

/// The results of one file or of one job.
struct Suite {
    name: String,
    results: Vec<TestResult>,
}

impl Test {
    pub(super) fn run(self, format: Output) -> Outcome {
        if self.job.is_some() && !self.variables.is_empty() {
            bail!("the tests of a job run with the team's variables; --var and --variables are for files");
        }
        let suites = match (&self.job, self.files.as_slice()) {
            (Some(job), _) => vec![super::on_one_thread(self.of_job(job))?],
            (None, []) => bail!("name a job with --job, or files of tests"),
            (None, files) => of_files(files, &self.variables.read()?)?,
        };
        if let Some(path) = &self.junit {
            let text = junit::document(&suites);
            std::fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))?;
        }
        match format {
            Output::Json => {
                output::json(&suites.iter().flat_map(|suite| &suite.results).collect::<Vec<_>>())?;
            }
            Output::Text => report::print(&suites),
        }
        let failed = suites.iter().flat_map(|suite| &suite.results).any(|result| !result.passed);
        Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    async fn of_job(&self, job: &str) -> anyhow::Result<Suite> {
        let credentials = Credentials::load()?.context("log in first: millrace login <server>")?;
        let team = self.team.clone().unwrap_or_else(|| credentials.team.clone());
        let client = Client::new(Credentials { team, ..credentials })?;
        let id = jobs::find(&client, job).await?;
        let request = RunTests { sql: None, version: self.version, tests: Vec::new(), draft: None };
        let path = client.team_path(&format!("/jobs/{id}/tests/run"));
        let report: TestReport = client.post(&path, &request).await?;
        Ok(Suite { name: job.to_owned(), results: report.results })
    }
}

fn of_files(files: &[PathBuf], given: &Given) -> anyhow::Result<Vec<Suite>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let _entered = runtime.enter();
    let engine = engine::front();
    let mut suites = Vec::new();
    for path in files {
        let file = TestFile::read(path)?;
        let mut results = Vec::new();
        for test in file.tests {
            let mut result = match given.fill(&file.sql) {
                Ok(filled) => {
                    let (sql, catalog) = (filled.text().to_owned(), file.catalog.clone());
                    let result = engine.run_test(TestRequest { sql, catalog, test });
                    TestResult { error: result.error.map(|error| filled.diagnostic(error)), ..result }
                }
                Err(problems) => not_run(test.name, problems),
            };
            // Positions are those of the script, not of what the tables put before it.
            if let Some(span) = result.error.as_mut().and_then(|error| error.span.as_mut()) {
                span.line = span.line.saturating_sub(file.lines_before);
                span.end_line = span.end_line.saturating_sub(file.lines_before);
            }
            results.push(result);
        }
        suites.push(Suite { name: path.display().to_string(), results });
    }
    Ok(suites)
}

/// The script cannot be filled in; the first of its problems is told.
fn not_run(name: String, problems: Vec<Diagnostic>) -> TestResult {
    TestResult { test: None, name, passed: false, ms: 0, error: problems.into_iter().next(), sinks: Vec::new() }
}
