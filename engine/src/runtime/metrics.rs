//! Figures of a running dataflow: counted by the tasks, read by whoever reports.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::connector::SplitLag;
use crate::operator::LookupFigures;
use crate::time::{END_OF_TIME, NO_WATERMARK};

/// Of one operator in one task. Totals since the start.
pub(super) struct NodeMetrics {
    pub(super) records_in: AtomicU64,
    pub(super) records_out: AtomicU64,
    pub(super) bytes_in: AtomicU64,
    pub(super) bytes_out: AtomicU64,
    busy_nanos: AtomicU64,
    blocked_nanos: AtomicU64,
    pub(super) watermark: AtomicI64,
    pub(super) state_rows: AtomicU64,
    pub(super) state_bytes: AtomicU64,
    pub(super) late: AtomicU64,
    pub(super) lookup: Mutex<Option<LookupFigures>>,
}

/// Of one source task.
#[derive(Default)]
pub(super) struct SourceMetrics {
    pub(super) bad_records: AtomicU64,
    pub(super) bytes: AtomicU64,
    /// Newest event time read; 0 when there is none.
    pub(super) newest_event: AtomicI64,
    pub(super) splits: Mutex<Vec<(SplitLag, bool)>>,
}

impl Default for NodeMetrics {
    fn default() -> Self {
        NodeMetrics {
            records_in: AtomicU64::new(0),
            records_out: AtomicU64::new(0),
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            busy_nanos: AtomicU64::new(0),
            blocked_nanos: AtomicU64::new(0),
            watermark: AtomicI64::new(NO_WATERMARK),
            state_rows: AtomicU64::new(0),
            state_bytes: AtomicU64::new(0),
            late: AtomicU64::new(0),
            lookup: Mutex::new(None),
        }
    }
}

impl NodeMetrics {
    pub(super) fn busy(&self, time: Duration) {
        self.busy_nanos.fetch_add(time.as_nanos() as u64, Relaxed);
    }

    pub(super) fn blocked(&self, time: Duration) {
        if !time.is_zero() {
            self.blocked_nanos.fetch_add(time.as_nanos() as u64, Relaxed);
        }
    }
}

/// All counters of a run.
pub struct MetricsHub {
    nodes: Vec<NodeCounters>,
    last: Mutex<Reading>,
}

struct NodeCounters {
    id: Arc<str>,
    table: Option<String>,
    tasks: Vec<Arc<NodeMetrics>>,
    sources: Vec<Arc<SourceMetrics>>,
}

/// What the shares of the next interval are measured against.
struct Reading {
    at: Instant,
    /// Busy and blocked nanoseconds per node.
    times: Vec<(u64, u64)>,
}

/// One reading of everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    pub operators: Vec<OperatorFigures>,
    pub sources: Vec<SourceFigures>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct OperatorFigures {
    pub node: String,
    pub records_in: u64,
    pub records_out: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    /// Of the time since the last reading, 0 to 1, mean over tasks.
    pub busy: f64,
    pub blocked: f64,
    pub watermark: Option<i64>,
    pub state_rows: u64,
    pub state_bytes: u64,
    pub late: u64,
    /// Of a join with a table outside.
    pub lookup: Option<LookupFigures>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SourceFigures {
    pub node: String,
    pub table: String,
    pub records: u64,
    pub bytes: u64,
    pub bad_records: u64,
    /// Each split with whether it is idle.
    pub splits: Vec<(SplitLag, bool)>,
    pub newest_event_ms: Option<i64>,
}

impl MetricsHub {
    pub(super) fn new() -> Self {
        MetricsHub { nodes: Vec::new(), last: Mutex::new(Reading { at: Instant::now(), times: Vec::new() }) }
    }

    /// Announces a node, in the order of the dataflow.
    pub(super) fn add_node(&mut self, id: Arc<str>, table: Option<String>) {
        self.nodes.push(NodeCounters { id, table, tasks: Vec::new(), sources: Vec::new() });
    }

    pub(super) fn add_task(&mut self, node: usize) -> Arc<NodeMetrics> {
        let metrics = Arc::new(NodeMetrics::default());
        if let Some(counters) = self.nodes.get_mut(node) {
            counters.tasks.push(Arc::clone(&metrics));
        }
        metrics
    }

    pub(super) fn add_source_task(&mut self, node: usize) -> Arc<SourceMetrics> {
        let metrics = Arc::new(SourceMetrics::default());
        if let Some(counters) = self.nodes.get_mut(node) {
            counters.sources.push(Arc::clone(&metrics));
        }
        metrics
    }

    /// Records read by all sources so far.
    pub fn records_read(&self) -> u64 {
        let sources = self.nodes.iter().filter(|node| !node.sources.is_empty());
        sources.flat_map(|node| &node.tasks).map(|task| task.records_out.load(Relaxed)).sum()
    }

    pub fn read(&self) -> Figures {
        let now = Instant::now();
        let mut last = self.last.lock();
        let interval = now.saturating_duration_since(last.at).as_nanos().max(1) as f64;
        let mut figures = Figures::default();
        let mut times = Vec::new();
        for (index, node) in self.nodes.iter().enumerate() {
            let sum = |counter: fn(&NodeMetrics) -> &AtomicU64| {
                node.tasks.iter().map(|task| counter(task).load(Relaxed)).sum::<u64>()
            };
            let time = (sum(|task| &task.busy_nanos), sum(|task| &task.blocked_nanos));
            let before = last.times.get(index).copied().unwrap_or_default();
            let share = |now: u64, before: u64| {
                (now.saturating_sub(before) as f64 / interval / node.tasks.len().max(1) as f64).clamp(0.0, 1.0)
            };
            let watermark = node.tasks.iter().map(|task| task.watermark.load(Relaxed)).min().unwrap_or(NO_WATERMARK);
            figures.operators.push(OperatorFigures {
                node: node.id.to_string(),
                records_in: sum(|task| &task.records_in),
                records_out: sum(|task| &task.records_out),
                bytes_in: sum(|task| &task.bytes_in),
                bytes_out: sum(|task| &task.bytes_out),
                busy: share(time.0, before.0),
                blocked: share(time.1, before.1),
                watermark: (watermark != NO_WATERMARK && watermark != END_OF_TIME).then_some(watermark),
                state_rows: sum(|task| &task.state_rows),
                state_bytes: sum(|task| &task.state_bytes),
                late: sum(|task| &task.late),
                lookup: node.lookup_figures(),
            });
            times.push(time);
            if !node.sources.is_empty() {
                figures.sources.push(node.source_figures());
            }
        }
        *last = Reading { at: now, times };
        figures
    }
}

impl NodeCounters {
    /// Summed over tasks. A table that is loaded whole is the same for all of them.
    fn lookup_figures(&self) -> Option<LookupFigures> {
        let figures = self.tasks.iter().filter_map(|task| *task.lookup.lock());
        figures.reduce(|all, task| {
            let shared = task.loaded_at.is_some();
            let sum = |all: u64, task: u64| if shared { all.max(task) } else { all + task };
            LookupFigures {
                hits: all.hits + task.hits,
                misses: all.misses + task.misses,
                entries: sum(all.entries, task.entries),
                bytes: sum(all.bytes, task.bytes),
                requests: all.requests + task.requests,
                retries: all.retries + task.retries,
                load_ms: all.load_ms.max(task.load_ms),
                loaded_at: all.loaded_at.max(task.loaded_at),
            }
        })
    }

    fn source_figures(&self) -> SourceFigures {
        let newest = self.sources.iter().map(|source| source.newest_event.load(Relaxed)).max().unwrap_or(0);
        SourceFigures {
            node: self.id.to_string(),
            table: self.table.clone().unwrap_or_default(),
            records: self.tasks.iter().map(|task| task.records_out.load(Relaxed)).sum(),
            bytes: self.sources.iter().map(|source| source.bytes.load(Relaxed)).sum(),
            bad_records: self.sources.iter().map(|source| source.bad_records.load(Relaxed)).sum(),
            splits: self.sources.iter().flat_map(|source| source.splits.lock().clone()).collect(),
            newest_event_ms: (newest > 0).then_some(newest),
        }
    }
}
