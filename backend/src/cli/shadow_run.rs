//! `millrace jobs shadow-run`: the new version beside the running one, in the sandbox, over the same input.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{anyhow, bail};
use clap::Args;
use millrace_wire::preview::ResultColumn;
use millrace_wire::shadow_run::{self, ShadowVerdict, StartShadowRun};
use millrace_wire::test_run::{SinkComparison, TestRunFrom, TestRunState, WrittenBy};
use serde_json::Value;

use super::client::Client;
use super::jobs::find;
use super::{Outcome, Output, output};

/// How often it is looked at while it runs.
const LOOK: Duration = Duration::from_millis(500);
/// Rows of a sink that are printed.
const SHOWN: usize = 20;

#[derive(Args)]
pub(super) struct ShadowRun {
    /// Name or id.
    job: String,
    /// The version to compare with; that of the newest run otherwise.
    #[arg(long)]
    old: Option<u32>,
    /// The version that is new; the saved draft otherwise.
    #[arg(long)]
    new: Option<u32>,
    /// A file with the text that is new, instead of a version or the draft; - is standard input.
    #[arg(long, conflicts_with = "new")]
    sql: Option<PathBuf>,
    /// Where Kafka is read from: earliest, latest (the newest records), time or table.
    #[arg(long, default_value = "earliest")]
    from: TestRunFrom,
    /// The time for --from time, such as 2026-01-31T12:00:00Z.
    #[arg(long)]
    at: Option<chrono::DateTime<chrono::Utc>>,
    /// Where a table is read from, with --from table: orders=partition:0,offset:42;partition:1,offset:7.
    #[arg(long, value_name = "TABLE=OFFSETS")]
    offsets: Vec<String>,
    /// Records that are read of each table at most.
    #[arg(long)]
    max_records: Option<u32>,
    /// Match the rows of a sink by these columns instead of its primary key: totals=customer,day.
    #[arg(long, value_name = "TABLE=COLUMNS")]
    key: Vec<String>,
    /// Changes that are kept of each sink at most.
    #[arg(long)]
    max_rows: Option<u32>,
    /// Seconds that each of the two may take.
    #[arg(long)]
    max_seconds: Option<u32>,
}

impl ShadowRun {
    pub(super) async fn run(self, client: &Client, format: Output) -> Outcome {
        let path = client.team_path(&format!("/jobs/{}/shadow-runs", find(client, &self.job).await?));
        let started: shadow_run::ShadowRun = client.post(&path, &self.request()?).await?;
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
        match (found.summary.state, found.summary.verdict) {
            (TestRunState::Finished, Some(ShadowVerdict::Same)) => Ok(ExitCode::SUCCESS),
            (TestRunState::Finished, _) => Ok(ExitCode::FAILURE),
            _ => Err(anyhow!("{}", found.summary.reason)),
        }
    }

    fn request(&self) -> anyhow::Result<StartShadowRun> {
        let pairs = |given: &[String]| -> anyhow::Result<BTreeMap<String, String>> {
            let pair = |text: &String| text.split_once('=').map(|(table, rest)| (table.to_owned(), rest.to_owned()));
            given.iter().map(|text| pair(text).ok_or_else(|| anyhow!("'{text}' has to look like table=…"))).collect()
        };
        if self.from == TestRunFrom::Time && self.at.is_none() {
            bail!("say with --at from which time on");
        }
        let columns = |text: String| text.split(',').map(|name| name.trim().to_owned()).collect();
        Ok(StartShadowRun {
            old: self.old,
            new: self.new,
            sql: self.sql.as_ref().map(super::read_script).transpose()?,
            from: self.from,
            at_ms: self.at.map(|at| at.timestamp_millis()),
            offsets: pairs(&self.offsets)?,
            max_records: self.max_records,
            keys: pairs(&self.key)?.into_iter().map(|(table, text)| (table, columns(text))).collect(),
            max_rows: self.max_rows,
            max_seconds: self.max_seconds,
            memory_mb: None,
            parallelism: None,
        })
    }
}

fn print(found: &shadow_run::ShadowRun) {
    let summary = &found.summary;
    let name = |version: Option<u32>| version.map_or("the given text".to_owned(), |number| format!("version {number}"));
    println!(
        "{} ({} records read) and {} ({} records read)",
        name(summary.old.version),
        summary.old.records_read,
        name(summary.new.version),
        summary.new.records_read
    );
    for sink in &found.comparison {
        lines(sink).iter().for_each(|line| println!("{line}"));
    }
    summary.notes.iter().for_each(|note| println!("{note}"));
    match summary.verdict {
        Some(ShadowVerdict::Same) => eprintln!("no differences"),
        Some(ShadowVerdict::Different) => eprintln!("there are differences"),
        Some(ShadowVerdict::Unclear) => eprintln!("not all was compared: nothing is said about the rest"),
        None => {}
    }
}

fn lines(sink: &SinkComparison) -> Vec<String> {
    let mut lines = vec![head(sink)];
    let columns = sink.column_changes.iter().map(|column| {
        let of = |side: &Option<String>| side.clone().unwrap_or_else(|| "nothing".to_owned());
        format!("  column {}: {} before, {} now", column.name, of(&column.a), of(&column.b))
    });
    lines.extend(columns);
    let row = |values: &Vec<Value>| text(values, &sink.columns);
    let changed = sink.changed.iter().flat_map(|pair| {
        let names = pair.columns.iter().filter_map(|column| sink.columns.get(*column as usize));
        let names: Vec<&str> = names.map(|column| column.name.as_str()).collect();
        [
            format!("~ old       {}", row(&pair.a)),
            format!("~ new       {} (differs in {})", row(&pair.b), names.join(", ")),
        ]
    });
    let only_old = sink.only_a.iter().map(|values| format!("- only old  {}", row(values)));
    let only_new = sink.only_b.iter().map(|values| format!("+ only new  {}", row(values)));
    let all: Vec<String> = changed.chain(only_old).chain(only_new).collect();
    let more = all.len().saturating_sub(SHOWN);
    lines.extend(all.into_iter().take(SHOWN).map(|line| format!("  {line}")));
    if more > 0 {
        lines.push(format!("  … and {more} more lines"));
    }
    lines
}

fn head(sink: &SinkComparison) -> String {
    let who = match sink.written_by {
        WrittenBy::Both => "",
        WrittenBy::OnlyA => " Only the old version writes it.",
        WrittenBy::OnlyB => " Only the new version writes it.",
    };
    let (same, old, new, changed) = (sink.same, sink.only_a_count, sink.only_b_count, sink.changed_count);
    let counts = format!("{}: {same} the same, {changed} changed, {old} only old, {new} only new.", sink.table);
    format!("{counts}{who} {}", sink.note).trim_end().to_owned()
}

fn text(values: &[Value], columns: &[ResultColumn]) -> String {
    let named = columns.iter().zip(values).map(|(column, value)| format!("{}={value}", column.name));
    named.collect::<Vec<_>>().join(" ")
}
