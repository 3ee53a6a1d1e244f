//! `millrace jobs …`: what a job is and was, and what becomes of it: versions, differences, runs, tags, the recycle bin.

use anyhow::{anyhow, bail};
use clap::Args;
use millrace_wire::job::{Job, JobChange, Version, VersionSummary};
use millrace_wire::job_life::{BinnedJob, RestoreJob};
use millrace_wire::report::{DeploymentReport, NamedChange, VersionDiff};
use millrace_wire::run::Run;
use serde_json::Value;
use similar::TextDiff;

use super::agree::agreed;
use super::client::Client;
use super::jobs::find;
use super::{Output, output};

#[derive(Args)]
pub(super) struct Named {
    /// Name or id.
    job: String,
}

#[derive(Args)]
pub(super) struct Diff {
    /// Name or id.
    job: String,
    /// A version, or `draft`.
    #[arg(long)]
    from: String,
    /// A version, or `draft`.
    #[arg(long, default_value = "draft")]
    to: String,
}

#[derive(Args)]
pub(super) struct Report {
    /// Name or id.
    job: String,
    /// The draft when no version is named.
    #[arg(long)]
    version: Option<u32>,
    /// Without state.
    #[arg(long)]
    fresh: bool,
}

#[derive(Args)]
pub(super) struct Rollback {
    /// Name or id.
    job: String,
    /// The version whose script and settings the new one has.
    version: u32,
}

#[derive(Args)]
pub(super) struct Tag {
    /// Name or id.
    job: String,
    tag: String,
    /// Take the tag off.
    #[arg(long)]
    remove: bool,
}

#[derive(Args)]
pub(super) struct Delete {
    /// Name or id.
    job: String,
    /// Do it without asking.
    #[arg(long)]
    yes: bool,
}

#[derive(Args)]
pub(super) struct Restore {
    /// Name or id.
    job: String,
    /// Another name than it had.
    #[arg(long)]
    name: Option<String>,
}

async fn path_of(client: &Client, wanted: &str) -> anyhow::Result<String> {
    Ok(client.team_path(&format!("/jobs/{}", find(client, wanted).await?)))
}

fn time(at: i64) -> String {
    let at = chrono::DateTime::from_timestamp_millis(at).unwrap_or_default();
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

pub(super) async fn show(client: &Client, named: &Named, format: Output) -> anyhow::Result<()> {
    let job: Job = client.get(&path_of(client, &named.job).await?, &[]).await?;
    if format == Output::Json {
        return output::json(&job);
    }
    let state = job.current.as_ref().map_or("draft", |run| run.state.as_str());
    let reason = job.current.as_ref().map_or("", |run| run.reason.as_str());
    let version = job.latest_version.as_ref().map_or(String::new(), |version| version.number.to_string());
    let about = [
        ("name", job.name),
        ("description", job.description),
        ("state", state.to_owned()),
        ("reason", reason.to_owned()),
        ("wanted", job.desired.to_string()),
        ("kind", job.kind.to_string()),
        ("owner", job.owner),
        ("tags", job.tags.join(" ")),
        ("folder", job.folder),
        ("newest version", version),
        ("id", job.id.to_string()),
    ];
    let rows: Vec<Vec<String>> = about.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    output::table(&["NAME", "VALUE"], &rows);
    println!("\n{}", job.draft.sql);
    Ok(())
}

pub(super) async fn versions(client: &Client, named: &Named, format: Output) -> anyhow::Result<()> {
    let path = format!("{}/versions", path_of(client, &named.job).await?);
    let versions: Vec<VersionSummary> = client.all(&path).await?;
    if format == Output::Json {
        return output::json(&versions);
    }
    let row = |one: &VersionSummary| {
        vec![one.number.to_string(), time(one.created_at), one.created_by.clone(), one.comment.clone()]
    };
    output::table(&["NUMBER", "MADE", "BY", "COMMENT"], &versions.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

pub(super) async fn runs(client: &Client, named: &Named, format: Output) -> anyhow::Result<()> {
    let runs: Vec<Run> = client.all(&format!("{}/runs", path_of(client, &named.job).await?)).await?;
    if format == Output::Json {
        return output::json(&runs);
    }
    let row = |run: &Run| {
        vec![
            run.number.to_string(),
            run.version.to_string(),
            run.state.to_string(),
            time(run.created_at),
            run.ended_at.map_or(String::new(), time),
            run.started_by.clone(),
            run.cause.to_string(),
            run.reason.clone(),
        ]
    };
    let head = ["NUMBER", "VERSION", "STATE", "BEGAN", "ENDED", "BY", "CAUSE", "REASON"];
    output::table(&head, &runs.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

impl Diff {
    pub(super) async fn run(self, client: &Client, format: Output) -> anyhow::Result<()> {
        let path = format!("{}/diff", path_of(client, &self.job).await?);
        let difference: VersionDiff = client.get(&path, &[("from", self.from), ("to", self.to)]).await?;
        match format {
            Output::Json => output::json(&difference),
            Output::Text => {
                print_difference(&difference);
                Ok(())
            }
        }
    }
}

fn print_difference(difference: &VersionDiff) {
    let text = TextDiff::from_lines(&difference.sql_from, &difference.sql_to);
    print!("{}", text.unified_diff().header(&difference.from, &difference.to));
    for (what, changes) in
        [("setting", &difference.settings), ("table", &difference.tables), ("function", &difference.functions)]
    {
        for NamedChange { name, from, to, .. } in changes {
            println!("{what} {name}: {} -> {}", or_dash(from), or_dash(to));
        }
    }
    for problem in &difference.problems {
        println!("{problem}");
    }
}

fn or_dash(value: &str) -> &str {
    if value.is_empty() { "-" } else { value }
}

impl Report {
    /// Whether it may start as far as the report says.
    pub(super) async fn run(self, client: &Client, format: Output) -> anyhow::Result<bool> {
        let mut query = vec![("from", if self.fresh { "fresh" } else { "latest" }.to_owned())];
        query.extend(self.version.map(|version| ("version", version.to_string())));
        let path = format!("{}/report", path_of(client, &self.job).await?);
        let report: DeploymentReport = client.get(&path, &query).await?;
        if format == Output::Json {
            output::json(&report)?;
            return Ok(report.errors.is_empty());
        }
        print_difference(&report.difference);
        for state in &report.state.operators {
            println!("state of {}: {} {}", state.name, state.verdict, state.detail);
        }
        for test in &report.tests {
            let result =
                test.result.as_ref().map_or("not run", |result| if result.passed { "passed" } else { "failed" });
            println!("test {}: {result}", test.name);
        }
        report.warnings.iter().for_each(|warning| println!("warning: {warning}"));
        report.errors.iter().for_each(|error| println!("error: {error}"));
        Ok(report.errors.is_empty())
    }
}

impl Rollback {
    pub(super) async fn run(self, client: &Client, format: Output) -> anyhow::Result<()> {
        let path = format!("{}/versions/{}/rollback", path_of(client, &self.job).await?, self.version);
        let made: Version = client.post(&path, &serde_json::json!({})).await?;
        if format == Output::Json {
            return output::json(&made.summary);
        }
        println!("{}: version {} is what version {} was", self.job, made.summary.number, self.version);
        Ok(())
    }
}

impl Tag {
    pub(super) async fn run(self, client: &Client, format: Output) -> anyhow::Result<()> {
        let path = path_of(client, &self.job).await?;
        let mut tags = client.get::<Job>(&path, &[]).await?.tags;
        tags.retain(|tag| *tag != self.tag);
        if !self.remove {
            tags.push(self.tag);
        }
        let job: Job = client.patch(&path, &JobChange { tags: Some(tags), ..JobChange::default() }).await?;
        if format == Output::Json {
            return output::json(&job);
        }
        println!("{}: {}", job.name, if job.tags.is_empty() { "no tags".to_owned() } else { job.tags.join(" ") });
        Ok(())
    }
}

impl Delete {
    pub(super) async fn run(self, client: &Client) -> anyhow::Result<()> {
        let path = path_of(client, &self.job).await?;
        if !self.yes && !agreed(&format!("Put the job {} into the recycle bin?", self.job), "nothing was deleted")? {
            bail!("nothing was deleted");
        }
        client.delete(&path).await?;
        eprintln!("{}: in the recycle bin", self.job);
        Ok(())
    }
}

async fn binned(client: &Client) -> anyhow::Result<Vec<BinnedJob>> {
    client.all(&client.team_path("/jobs/bin")).await
}

pub(super) async fn bin(client: &Client, format: Output) -> anyhow::Result<()> {
    let jobs = binned(client).await?;
    if format == Output::Json {
        return output::json(&jobs);
    }
    let row = |job: &BinnedJob| {
        vec![job.name.clone(), time(job.deleted_at), job.deleted_by.clone(), time(job.purge_at), job.id.to_string()]
    };
    output::table(&["NAME", "DELETED", "BY", "GOES AT", "ID"], &jobs.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

impl Restore {
    pub(super) async fn run(self, client: &Client, format: Output) -> anyhow::Result<()> {
        let found =
            binned(client).await?.into_iter().find(|job| job.name == self.job || job.id.to_string() == self.job);
        let id = found.ok_or_else(|| anyhow!("there is no job '{}' in the recycle bin", self.job))?.id;
        let path = client.team_path(&format!("/jobs/bin/{id}/restore"));
        let job: Value = client.post(&path, &RestoreJob { name: self.name }).await?;
        if format == Output::Json {
            return output::json(&job);
        }
        println!("{}: restored, and stopped", job["name"].as_str().unwrap_or_default());
        Ok(())
    }
}
