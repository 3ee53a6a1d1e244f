//! `millrace jobs savepoints` and the schedule of savepoints.

use anyhow::anyhow;
use clap::Args;
use millrace_wire::run::RestorePoint;
use millrace_wire::savepoint::{JobSavepointSchedule, Restorability, Restorable, RestorablePoint, SavepointSchedule};

use super::client::Client;
use super::jobs::find;
use super::{Output, output};

#[derive(Args)]
pub(super) struct Savepoints {
    /// Name or id.
    job: String,
}

#[derive(Args)]
pub(super) struct Schedule {
    /// Name or id.
    job: String,
    /// Take savepoints at these times: minute, hour, day of month, month, day of week.
    #[arg(long)]
    cron: Option<String>,
    /// The time zone of --cron.
    #[arg(long, requires = "cron", default_value = "UTC")]
    zone: String,
    /// How many of those that the schedule took are kept.
    #[arg(long, requires = "cron", default_value_t = 7)]
    keep: u32,
    /// Take none by itself any more.
    #[arg(long, conflicts_with = "cron")]
    remove: bool,
}

impl Savepoints {
    pub(super) async fn run(self, client: &Client, format: Output) -> anyhow::Result<()> {
        let path = client.team_path(&format!("/jobs/{}", find(client, &self.job).await?));
        let points: Vec<RestorePoint> = client.all(&format!("{path}/savepoints")).await?;
        if format == Output::Json {
            return output::json(&points);
        }
        let restorable: Vec<RestorablePoint> = client.all(&format!("{path}/restorable")).await?;
        let until = |point: &RestorePoint| {
            let same = |other: &&RestorablePoint| {
                (other.run, other.kind, other.number) == (point.run, point.kind, point.number)
            };
            restorable.iter().find(same).map_or(String::new(), |found| in_words(&found.restorable))
        };
        let row = |point: &RestorePoint| {
            let (kind, number, run) = (point.kind.to_string(), point.number.to_string(), point.run_number.to_string());
            vec![number, kind, run, time(point.at), point.by.clone(), until(point)]
        };
        let rows: Vec<Vec<String>> = points.iter().map(row).collect();
        output::table(&["NUMBER", "KIND", "RUN", "TAKEN", "BY", "RESTORABLE"], &rows);
        Ok(())
    }
}

fn time(at: i64) -> String {
    let at = chrono::DateTime::from_timestamp_millis(at).unwrap_or_default();
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn in_words(found: &Restorable) -> String {
    match (found.kind, found.until) {
        (Restorability::Until, Some(until)) => format!("until {}", time(until)),
        (Restorability::Overdue, _) => format!("past the retention of topic {}", found.topic),
        (Restorability::Gone, _) if found.missing > 0 => {
            format!("no longer: {} records of topic {} are gone", found.missing, found.topic)
        }
        (Restorability::Gone, _) => format!("no longer: {}", found.reason),
        (Restorability::NoLimit, _) => format!("no limit known: {}", found.reason),
        (Restorability::Until | Restorability::Unknown, _) => format!("cannot be told: {}", found.reason),
    }
}

impl Schedule {
    pub(super) async fn run(self, client: &Client, format: Output) -> anyhow::Result<()> {
        let job = find(client, &self.job).await?;
        let path = client.team_path(&format!("/jobs/{job}/savepoint-schedule"));
        if self.remove {
            client.delete(&path).await?;
            eprintln!("{}: takes no savepoints by itself any more", self.job);
            return Ok(());
        }
        let kept: JobSavepointSchedule = match self.cron {
            Some(cron) => {
                let wanted = SavepointSchedule { cron, zone: self.zone, enabled: true, keep: self.keep };
                client.put(&path, &wanted).await?
            }
            None => client.get(&path, &[]).await?,
        };
        if format == Output::Json {
            return output::json(&kept);
        }
        let schedule = kept.schedule.ok_or_else(|| anyhow!("{} takes no savepoints by itself", self.job))?;
        let next = match (schedule.enabled, kept.next.first()) {
            (true, Some(next)) => format!("next {}", time(*next)),
            _ => "switched off".to_owned(),
        };
        println!("{} {}, keeps {}, {next}", schedule.cron, schedule.zone, schedule.keep);
        Ok(())
    }
}
