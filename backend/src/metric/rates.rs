//! From counters to rates: the difference of two reports of the same attempt over the time between them.

use std::collections::{HashMap, HashSet};

use millrace_wire::job::JobFigures;
use millrace_wire::metric::{MetricReport, OperatorMetrics};

use super::series::SeriesKey;

/// Shorter spans give wild rates: two reports that were held up together.
const SHORTEST_SPAN_MS: i64 = 200;

#[derive(Default)]
pub(super) struct Rates {
    last: Option<Last>,
}

struct Last {
    attempt: (u32, u32),
    at: i64,
    counters: HashMap<SeriesKey, u64>,
    cpu_seconds: f64,
}

pub(super) struct Sample {
    pub(super) values: Vec<(SeriesKey, f64)>,
    pub(super) figures: JobFigures,
    pub(super) records_in: u64,
    pub(super) records_out: u64,
}

impl Rates {
    /// `attempt`: number of the run and of the attempt.
    pub(super) fn sample(&mut self, attempt: (u32, u32), sinks: &HashSet<&str>, report: &MetricReport) -> Sample {
        let records_in: u64 = report.sources.iter().map(|source| source.records).sum();
        let at_sinks = report.operators.iter().filter(|operator| sinks.contains(operator.node.as_str()));
        let records_out: u64 = at_sinks.map(written).sum();
        let counters = counters(report, records_in, records_out);
        let last = self.last.take().filter(|last| last.attempt == attempt);
        let span = last.as_ref().map(|last| report.at - last.at).filter(|span| *span >= SHORTEST_SPAN_MS);

        let mut values = gauges(report);
        let mut total = |name: &'static str, value: Option<f64>| {
            if let Some(value) = value {
                values.push((SeriesKey::plain(name), value));
            }
        };
        let figures = figures(report);
        total("lag_records", figures.lag_records.map(|lag| lag as f64));
        total("lag_ms", figures.lag_ms.map(|lag| lag as f64));
        total("state_bytes", Some(figures.state_bytes as f64));
        total("memory_bytes", Some(figures.memory_bytes as f64));
        let delay = figures.watermark.map(|watermark| (report.at - watermark).max(0) as f64);
        total("watermark_delay_ms", delay);

        let mut figures = figures;
        if let (Some(last), Some(span)) = (&last, span) {
            let seconds = span as f64 / 1000.0;
            for (key, count) in &counters {
                // A counter that is new counts from zero; one that went down began anew and has no rate yet.
                let before = last.counters.get(key).copied().unwrap_or(0);
                if let Some(more) = count.checked_sub(before) {
                    values.push((key.clone(), more as f64 / seconds));
                }
            }
            figures.cpu_cores = ((report.process.cpu_seconds - last.cpu_seconds) / seconds).max(0.0);
            values.push((SeriesKey::plain("cpu_cores"), figures.cpu_cores));
            let rate =
                |name| values.iter().find(|(key, _)| *key == SeriesKey::plain(name)).map_or(0.0, |(_, rate)| *rate);
            (figures.records_in_per_s, figures.records_out_per_s) = (rate("records_in"), rate("records_out"));
        }
        self.last = Some(Last { attempt, at: report.at, counters, cpu_seconds: report.process.cpu_seconds });
        Sample { values, figures, records_in, records_out }
    }
}

/// Sinks count what they took; those that count what left them are believed first.
fn written(sink: &OperatorMetrics) -> u64 {
    if sink.records_out > 0 { sink.records_out } else { sink.records_in }
}

fn counters(report: &MetricReport, records_in: u64, records_out: u64) -> HashMap<SeriesKey, u64> {
    let mut counters = HashMap::from([
        (SeriesKey::plain("records_in"), records_in),
        (SeriesKey::plain("records_out"), records_out),
        (SeriesKey::plain("bad_records"), report.sources.iter().map(|source| source.bad_records).sum()),
        (SeriesKey::plain("late"), report.operators.iter().map(|operator| operator.late).sum()),
        (SeriesKey::plain("bytes_in"), report.sources.iter().map(|source| source.bytes).sum()),
    ]);
    for operator in &report.operators {
        counters.insert(SeriesKey::node("records_in", &operator.node), operator.records_in);
        counters.insert(SeriesKey::node("records_out", &operator.node), operator.records_out);
    }
    counters
}

fn gauges(report: &MetricReport) -> Vec<(SeriesKey, f64)> {
    let mut values = Vec::new();
    for operator in &report.operators {
        values.push((SeriesKey::node("busy", &operator.node), operator.busy));
        values.push((SeriesKey::node("blocked", &operator.node), operator.blocked));
        if operator.state_rows > 0 || operator.state_bytes > 0 {
            values.push((SeriesKey::node("state_rows", &operator.node), operator.state_rows as f64));
            values.push((SeriesKey::node("state_bytes", &operator.node), operator.state_bytes as f64));
        }
    }
    for source in &report.sources {
        if let Some(lag) = source.lag_ms {
            values.push((SeriesKey::table("lag_ms", &source.table), lag as f64));
        }
        for partition in &source.partitions {
            if let Some(lag) = partition.lag {
                let key = SeriesKey::partition("lag_records", &source.table, &partition.partition);
                values.push((key, lag as f64));
            }
        }
    }
    values
}

/// All but the rates.
fn figures(report: &MetricReport) -> JobFigures {
    let lags: Vec<u64> =
        report.sources.iter().flat_map(|source| &source.partitions).filter_map(|partition| partition.lag).collect();
    JobFigures {
        at: report.at,
        records_in_per_s: 0.0,
        records_out_per_s: 0.0,
        lag_records: (!lags.is_empty()).then(|| lags.iter().sum()),
        lag_ms: report.sources.iter().filter_map(|source| source.lag_ms).max(),
        watermark: report.operators.iter().filter_map(|operator| operator.watermark).min(),
        bad_records: report.sources.iter().map(|source| source.bad_records).sum(),
        late_records: report.operators.iter().map(|operator| operator.late).sum(),
        state_bytes: report.operators.iter().map(|operator| operator.state_bytes).sum(),
        memory_bytes: report.process.memory_bytes,
        cpu_cores: 0.0,
        checkpoint_at: None,
        checkpoint_ms: None,
    }
}
