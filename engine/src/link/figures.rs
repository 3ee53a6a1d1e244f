//! Counters of a run → the report that goes over the link.

use millrace_wire::metric::{
    LookupMetrics, MetricReport, OperatorMetrics, PartitionLag, ProcessMetrics, SourceMetrics,
};

use crate::runtime::{MetricsHub, ProcessFigures, SourceFigures};

pub(super) fn report(hub: &MetricsHub, process: ProcessFigures, at: i64) -> MetricReport {
    let figures = hub.read();
    let operators = figures.operators.into_iter().map(|operator| OperatorMetrics {
        node: operator.node,
        records_in: operator.records_in,
        records_out: operator.records_out,
        bytes_in: operator.bytes_in,
        bytes_out: operator.bytes_out,
        busy: operator.busy,
        blocked: operator.blocked,
        watermark: operator.watermark,
        state_rows: operator.state_rows,
        state_bytes: operator.state_bytes,
        late: operator.late,
        // A late row is the only kind that an operator drops.
        dropped: operator.late,
        lookup: operator.lookup.map(|lookup| LookupMetrics {
            hits: lookup.hits,
            misses: lookup.misses,
            entries: lookup.entries,
            bytes: lookup.bytes,
            requests: lookup.requests,
            retries: lookup.retries,
            load_ms: lookup.load_ms,
            loaded_at: lookup.loaded_at,
        }),
    });
    MetricReport {
        at,
        operators: operators.collect(),
        sources: figures.sources.into_iter().map(|source| source_metrics(source, at)).collect(),
        process: ProcessMetrics {
            memory_bytes: process.memory_bytes,
            cpu_seconds: process.cpu_seconds,
            threads: process.threads,
        },
    }
}

/// With nothing left to read, a newest event older than this says that the stream is quiet, not that the job is late.
const QUIET_AFTER_MS: u64 = 5_000;

fn lag_ms(source: &SourceFigures, at: i64) -> Option<u64> {
    let age = u64::try_from(at - source.newest_event_ms?).unwrap_or(0);
    let caught_up = source.splits.iter().all(|(lag, _)| lag.end.is_some_and(|end| end <= lag.position));
    Some(if caught_up && age > QUIET_AFTER_MS { 0 } else { age })
}

fn source_metrics(source: SourceFigures, at: i64) -> SourceMetrics {
    let lag_ms = lag_ms(&source, at);
    let partition = |(lag, idle): (crate::connector::SplitLag, bool)| PartitionLag {
        partition: lag.split.to_string(),
        position: lag.position,
        end: lag.end,
        lag: lag.end.map(|end| u64::try_from(end - lag.position).unwrap_or(0)),
        idle,
    };
    SourceMetrics {
        node: source.node,
        table: source.table,
        records: source.records,
        bytes: source.bytes,
        bad_records: source.bad_records,
        partitions: source.splits.into_iter().map(partition).collect(),
        lag_ms,
    }
}
