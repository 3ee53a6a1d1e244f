//! Figures of running jobs: the newest report, half an hour in memory, and a second SQLite file for what is older.
//!
//! A worker reports every two seconds; counters become rates here, so that nobody else needs to know when an attempt
//! began. Points of ten seconds are kept for a day, of one minute for two weeks. A time without reports is a gap, never
//! a zero and never a line drawn through.

mod downsample;
pub mod prometheus;
mod rates;
mod recent;
mod series;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use millrace_wire::graph::Graph;
use millrace_wire::ids::JobId;
use millrace_wire::job::JobFigures;
use millrace_wire::metric::{MetricReport, MetricSeries, Series};
use parking_lot::Mutex;

use crate::error::Result;
use crate::store::Store;
use crate::store::metric as history;
use crate::store::metric::Resolution;
use downsample::{Bucketed, Buckets};
use rates::Rates;
use recent::Recent;
pub use series::SeriesKey;

/// How long samples stay in memory.
const RECENT_MS: i64 = 30 * 60 * 1000;
const HISTORY_STEP_MS: i64 = 10_000;
const ROLLED_STEP_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 3600 * 1000;
/// Reports come every two seconds, and sometimes late: finer buckets would be full of holes.
const FINEST_STEP_MS: i64 = 5_000;
const MOST_POINTS: u32 = 2_000;
/// The spark line of the jobs list.
const SPARK_POINTS: i64 = 30;
const SPARK_MS: i64 = 10 * 60 * 1000;

pub struct MetricStore {
    /// The second SQLite file.
    history: Store,
    jobs: Mutex<HashMap<JobId, JobMetrics>>,
}

#[derive(Default)]
struct JobMetrics {
    rates: Rates,
    recent: Recent,
    report: Option<MetricReport>,
    figures: Option<JobFigures>,
    flushed_to: i64,
    /// Another server takes care of the job, and writes what is stored of its figures.
    relayed: bool,
}

/// What one report amounts to.
pub struct Recorded {
    pub figures: JobFigures,
    /// Totals since the attempt began.
    pub records_in: u64,
    pub records_out: u64,
}

impl MetricStore {
    /// `history` is a store of its own; its tables are made when they are not there.
    pub async fn open(history: Store) -> Result<MetricStore> {
        history::create_tables(&history).await?;
        Ok(MetricStore { history, jobs: Mutex::default() })
    }

    /// `attempt` tells when counters begin anew; `graph` which nodes are sinks.
    pub fn record(&self, job: JobId, attempt: (u32, u32), graph: Option<&Graph>, report: MetricReport) -> Recorded {
        self.take(job, attempt, graph, report, false)
    }

    /// As `record`, of a job that another server takes care of.
    pub fn relay(&self, job: JobId, attempt: (u32, u32), graph: Option<&Graph>, report: MetricReport) {
        self.take(job, attempt, graph, report, true);
    }

    fn take(
        &self,
        job: JobId,
        attempt: (u32, u32),
        graph: Option<&Graph>,
        report: MetricReport,
        relayed: bool,
    ) -> Recorded {
        let mut jobs = self.jobs.lock();
        let metrics = jobs.entry(job).or_default();
        metrics.relayed = relayed;
        let sinks: HashSet<&str> = graph.map(sinks).unwrap_or_default();
        let sample = metrics.rates.sample(attempt, &sinks, &report);
        let mut figures = sample.figures;
        if let Some(last) = &metrics.figures {
            figures.checkpoint_at = last.checkpoint_at;
            figures.checkpoint_ms = last.checkpoint_ms;
        }
        metrics.recent.push(report.at, sample.values);
        metrics.report = Some(report);
        metrics.figures = Some(figures.clone());
        Recorded { figures, records_in: sample.records_in, records_out: sample.records_out }
    }

    pub fn checkpoint_done(&self, job: JobId, at: i64, ms: u64) {
        let mut jobs = self.jobs.lock();
        let metrics = jobs.entry(job).or_default();
        metrics.recent.push(at, vec![(SeriesKey::plain("checkpoint_ms"), ms as f64)]);
        if let Some(figures) = &mut metrics.figures {
            figures.checkpoint_at = Some(at);
            figures.checkpoint_ms = Some(ms);
        }
    }

    /// Told again and again: kept once.
    pub fn relay_checkpoint(&self, job: JobId, at: i64, ms: u64) {
        let known = self.figures(job).and_then(|figures| figures.checkpoint_at);
        if known != Some(at) {
            self.checkpoint_done(job, at, ms);
        }
    }

    /// The run ended: rates stop, history stays.
    pub fn run_ended(&self, job: JobId) {
        if let Some(metrics) = self.jobs.lock().get_mut(&job) {
            metrics.report = None;
            metrics.figures = None;
        }
    }

    pub fn forget(&self, job: JobId) {
        self.jobs.lock().remove(&job);
    }

    pub fn figures(&self, job: JobId) -> Option<JobFigures> {
        self.jobs.lock().get(&job).and_then(|metrics| metrics.figures.clone())
    }

    /// The newest figures of every job of this server that has some.
    pub fn newest(&self) -> Vec<(JobId, JobFigures)> {
        let jobs = self.jobs.lock();
        jobs.iter()
            .filter(|(_, metrics)| !metrics.relayed)
            .filter_map(|(job, metrics)| Some((*job, metrics.figures.clone()?)))
            .collect()
    }

    pub fn report(&self, job: JobId) -> Option<MetricReport> {
        self.jobs.lock().get(&job).and_then(|metrics| metrics.report.clone())
    }

    /// Records read per second over the last ten minutes, oldest first; empty when nothing was reported.
    pub fn spark_line(&self, job: JobId, now: i64) -> Vec<f64> {
        let buckets = Buckets::of(now - SPARK_MS, now, SPARK_MS / SPARK_POINTS);
        let mut bucketed = Bucketed::new(buckets);
        if let Some(metrics) = self.jobs.lock().get(&job) {
            let key = SeriesKey::plain("records_in");
            for (at, value) in metrics.recent.of(&key, now - SPARK_MS) {
                bucketed.add(&key, at, value);
            }
        }
        let mut values = bucketed.finish().pop().map(|(_, values)| values).unwrap_or_default();
        // The last bucket has only just begun: that nothing is in it yet says nothing.
        if values.last() == Some(&None) {
            values.pop();
        }
        let first = values.iter().position(Option::is_some).unwrap_or(values.len());
        values.into_iter().skip(first).map(|value| value.unwrap_or(0.0)).collect()
    }

    /// At most `points` values per series between the two times, without marks.
    pub async fn series(&self, job: JobId, from: i64, to: i64, points: u32) -> Result<MetricSeries> {
        let points = i64::from(points.clamp(1, MOST_POINTS));
        let span = (to - from).max(1);
        let memory_begins = self.jobs.lock().get(&job).and_then(|metrics| metrics.recent.begins()).unwrap_or(i64::MAX);
        let from_memory = memory_begins <= from;
        let resolution = if span > DAY_MS { Resolution::Minute } else { Resolution::TenSeconds };
        let finest = match (from_memory, resolution) {
            (true, _) => FINEST_STEP_MS,
            (false, Resolution::TenSeconds) => HISTORY_STEP_MS,
            (false, Resolution::Minute) => ROLLED_STEP_MS,
        };
        let step = (span / points).max(finest);
        let mut bucketed = Bucketed::new(Buckets::of(from, to, step));
        if !from_memory {
            for point in history::points(&self.history, job, from, memory_begins.min(to + 1), resolution).await? {
                bucketed.add(&SeriesKey::stored(&point.name, &point.labels), point.at, point.value);
            }
        }
        if let Some(metrics) = self.jobs.lock().get(&job) {
            metrics.recent.each(from, to, |key, at, value| bucketed.add(key, at, value));
        }
        let times = bucketed.times();
        let series = bucketed.finish().into_iter().map(|(key, values)| shown(key, values)).collect();
        Ok(MetricSeries { times, series, marks: Vec::new() })
    }

    /// Writes what was sampled since the last call as points of ten seconds. Call it every ten seconds.
    pub async fn flush(&self, now: i64) -> Result<()> {
        let until = now - now.rem_euclid(HISTORY_STEP_MS);
        let mut rows = Vec::new();
        {
            let mut jobs = self.jobs.lock();
            for (job, metrics) in jobs.iter_mut() {
                let from = metrics.flushed_to.max(until - RECENT_MS);
                let mut bucketed = Bucketed::new(Buckets::of(from, until - 1, HISTORY_STEP_MS));
                metrics.recent.each(from, until - 1, |key, at, value| bucketed.add(key, at, value));
                let times = bucketed.times();
                for (key, values) in bucketed.finish() {
                    for (at, value) in times.iter().zip(values) {
                        let Some(value) = value else { continue };
                        let labels = key.stored_labels();
                        rows.push(history::Point {
                            job: *job,
                            name: key.name.clone().into_owned(),
                            labels,
                            at: *at,
                            value,
                        });
                    }
                }
                metrics.flushed_to = until;
                metrics.recent.forget_before(now - RECENT_MS);
            }
        }
        if rows.is_empty() { Ok(()) } else { history::insert(&self.history, rows).await }
    }

    /// Rolls the last minutes up and drops what is too old. Call it every minute.
    pub async fn roll_up(&self, now: i64) -> Result<()> {
        history::roll_up(&self.history, now).await
    }

    pub async fn close(&self) {
        self.history.close().await;
    }
}

fn sinks(graph: &Graph) -> HashSet<&str> {
    let feeding: HashSet<&str> = graph.edges.iter().map(|edge| edge.from.as_str()).collect();
    graph.nodes.iter().map(|node| node.id.as_str()).filter(|id| !feeding.contains(id)).collect()
}

fn shown(key: SeriesKey, values: Vec<Option<f64>>) -> Series {
    Series {
        unit: key.unit().to_owned(),
        labels: key.labels.into_iter().collect(),
        name: key.name.into_owned(),
        values,
    }
}
