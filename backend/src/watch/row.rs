//! How a log line and a figure look as rows of `millrace.logs` and `millrace.metrics`.

use chrono::{DateTime, Utc};
use millrace_wire::ids::{JobId, RunId};
use millrace_wire::job::JobFigures;
use millrace_wire::log::LogLine;
use serde_json::{Value, json};

/// As the JSON format reads a `TIMESTAMP(3)`.
fn timestamp(ms: i64) -> String {
    let time = DateTime::<Utc>::from_timestamp_millis(ms).unwrap_or_default();
    time.format("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

pub(super) fn log(line: &LogLine) -> Value {
    json!({
        "ts": timestamp(line.at),
        "level": line.level.as_str(),
        "target": line.target,
        "message": line.message,
        "team": line.team,
        "job": line.job.map(|job| job.to_string()),
        "job_name": line.job_name,
        "run": line.run.map(|run| run.to_string()),
        "attempt": line.attempt,
        "worker": line.worker,
    })
}

pub(super) fn figures(team: &str, job: JobId, job_name: &str, run: RunId, figures: &JobFigures) -> Vec<Value> {
    let known: [(&str, Option<f64>); 8] = [
        ("records_in_per_s", Some(figures.records_in_per_s)),
        ("records_out_per_s", Some(figures.records_out_per_s)),
        ("lag_records", figures.lag_records.map(|lag| lag as f64)),
        ("lag_ms", figures.lag_ms.map(|lag| lag as f64)),
        ("bad_records", Some(figures.bad_records as f64)),
        ("state_bytes", Some(figures.state_bytes as f64)),
        ("memory_bytes", Some(figures.memory_bytes as f64)),
        ("cpu_cores", Some(figures.cpu_cores)),
    ];
    let ts = timestamp(figures.at);
    let row = |(name, value): (&str, Option<f64>)| {
        Some(json!({
            "ts": ts,
            "name": name,
            "reading": value?,
            "team": team,
            "job": job.to_string(),
            "job_name": job_name,
            "run": run.to_string(),
        }))
    };
    known.into_iter().filter_map(row).collect()
}

/// A figure of the server itself.
pub(super) fn own(at: i64, name: &str, value: f64) -> Value {
    json!({ "ts": timestamp(at), "name": name, "reading": value, "worker": "server" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_sql_reads_them() {
        assert_eq!(timestamp(1_700_000_000_007), "2023-11-14 22:13:20.007");
    }
}
