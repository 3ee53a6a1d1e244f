//! `millrace logs …`: searches the lines of all jobs of the team, and follows them.

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use futures::StreamExt as _;
use millrace_wire::log_search::{LogHit, LogHits};

use super::client::Client;
use super::{Outcome, Output};
use crate::clock::now_ms;

/// What the server gives on one page at most.
const PAGE: usize = 1000;

#[derive(Args)]
pub(super) struct Logs {
    /// Words, "phrases", fields: `broker level:>=warn job_name:"orders per minute"`. Everything when absent.
    query: Vec<String>,
    /// Lines of the last 30s, 15m, 2h or 7d only.
    #[arg(long, value_parser = span)]
    since: Option<i64>,
    /// How many lines, the newest ones.
    #[arg(short = 'n', long, default_value_t = 100)]
    lines: usize,
    /// Go on with lines as they come.
    #[arg(short, long)]
    follow: bool,
}

/// Milliseconds.
fn span(text: &str) -> Result<i64, String> {
    let wrong = || format!("'{text}' is no span of time such as 30s, 15m, 2h or 7d");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let number = text.strip_suffix(unit).and_then(|number| number.parse::<i64>().ok()).ok_or_else(wrong)?;
    let millis = match unit {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 86_400_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(millis).filter(|span| *span > 0).ok_or_else(wrong)
}

impl Logs {
    pub(super) async fn run(self, format: Output) -> Outcome {
        let client = Client::logged_in()?;
        let path = client.team_path("/logs");
        // Asked to follow before the newest page is read: what comes in between is on the page and not missed.
        let tail = match self.follow {
            true => Some(client.stream(&format!("{path}/tail"), &[("q", self.query.join(" "))]).await?),
            false => None,
        };
        let mut hits = self.newest(&client, &path).await?;
        hits.reverse();
        let shown: std::collections::HashSet<String> = hits.iter().map(|hit| hit.id.clone()).collect();
        hits.iter().try_for_each(|hit| print_hit(hit, format))?;
        let Some(tail) = tail else { return Ok(ExitCode::SUCCESS) };
        let mut pieces = tail.bytes_stream();
        let mut text = Vec::new();
        while let Some(piece) = pieces.next().await {
            text.extend_from_slice(&piece?);
            while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = text.drain(..=end).collect();
                let Some(data) = line.strip_prefix(b"data:") else { continue };
                let hit: LogHit = serde_json::from_slice(data)?;
                if !shown.contains(&hit.id) {
                    print_hit(&hit, format)?;
                }
            }
        }
        bail!("the server ended the stream")
    }

    /// Newest first.
    async fn newest(&self, client: &Client, path: &str) -> anyhow::Result<Vec<LogHit>> {
        let mut hits = Vec::new();
        let mut cursor = String::new();
        while hits.len() < self.lines {
            let mut query = vec![
                ("q", self.query.join(" ")),
                ("limit", (self.lines - hits.len()).min(PAGE).to_string()),
                ("cursor", cursor),
            ];
            query.extend(self.since.map(|span| ("from", (now_ms() - span).to_string())));
            let page: LogHits = client.get(path, &query).await?;
            for day in &page.left_out {
                eprintln!("millrace: the logs of {day} are being restored and are missing here");
            }
            hits.extend(page.hits);
            let Some(next) = page.next else { break };
            cursor = next;
        }
        Ok(hits)
    }
}

fn print_hit(hit: &LogHit, format: Output) -> anyhow::Result<()> {
    match format {
        Output::Json => println!("{}", serde_json::to_string(hit)?),
        Output::Text => {
            let at = chrono::DateTime::from_timestamp_millis(hit.at).unwrap_or_default();
            let at = at.format("%Y-%m-%dT%H:%M:%S%.3fZ");
            let LogHit { level, job_name, target, message, .. } = hit;
            println!("{at} {level:5} {job_name}: {target} {message}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn spans_have_a_number_and_a_unit() {
        assert_eq!((span("30s"), span("7d")), (Ok(30_000), Ok(604_800_000)));
        for wrong in ["", "m", "3", "-3m", "0s", "5 weeks", "9223372036854775807d", "3ü"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }
}
