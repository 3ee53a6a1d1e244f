//! `millrace tables bad-records`: what jobs could not decode of a table.

use clap::Args;
use millrace_wire::bad_record::{BadRecord, BadRecordCause};

use super::client::Client;
use super::tables::path_of;
use super::{Output, output};

#[derive(Args)]
pub(super) struct BadRecords {
    /// database.table, the bare name where it is in main, or the id.
    table: String,
    /// Only records of this cause, as the list of causes has it.
    #[arg(long)]
    cause: Option<String>,
    /// The causes with their counts instead of the records.
    #[arg(long, conflicts_with = "cause")]
    causes: bool,
}

impl BadRecords {
    pub(super) async fn run(self, client: &Client, format: Output) -> anyhow::Result<()> {
        let path = format!("{}/bad-records", path_of(client, &self.table).await?);
        if self.causes {
            return causes(&client.all(&format!("{path}/causes")).await?, format);
        }
        let records: Vec<BadRecord> = client.all_of(&path, &[("cause", self.cause.unwrap_or_default())]).await?;
        if format == Output::Json {
            return output::json(&records);
        }
        let row = |record: &BadRecord| {
            let job = record.job.as_ref().map(|job| job.name.clone()).unwrap_or_default();
            let replayed = if record.replayed.is_some() { "replayed" } else { "" };
            let place = format!("{}@{}", record.split, record.offset);
            let reason = printable(&record.reason);
            vec![time(record.at), place, job, replayed.to_owned(), reason, record.id.to_string()]
        };
        let rows: Vec<Vec<String>> = records.iter().map(row).collect();
        output::table(&["MET", "PLACE", "JOB", "REPLAYED", "REASON", "ID"], &rows);
        Ok(())
    }
}

fn causes(causes: &[BadRecordCause], format: Output) -> anyhow::Result<()> {
    if format == Output::Json {
        return output::json(&causes);
    }
    let row = |cause: &BadRecordCause| {
        let counts = [cause.kept, cause.not_kept, cause.replayed].map(|count| count.to_string());
        let times = [time(cause.first_at), time(cause.last_at)];
        counts.into_iter().chain(times).chain([printable(&cause.cause)]).collect()
    };
    let rows: Vec<Vec<String>> = causes.iter().map(row).collect();
    output::table(&["KEPT", "NOT KEPT", "REPLAYED", "FIRST", "LAST", "CAUSE"], &rows);
    Ok(())
}

/// Records hold what strangers sent: nothing of it may steer a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

fn time(at: i64) -> String {
    let at = chrono::DateTime::from_timestamp_millis(at).unwrap_or_default();
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_steers_no_terminal() {
        assert_eq!(printable("'\u{1b}[2J' is no INT"), "'\u{FFFD}[2J' is no INT");
    }
}
