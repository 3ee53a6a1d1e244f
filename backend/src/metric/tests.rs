#![allow(clippy::unwrap_used, clippy::expect_used)]

use millrace_wire::graph::{ChangelogMode, GraphEdge, GraphNode};
use millrace_wire::metric::{OperatorMetrics, PartitionLag, ProcessMetrics, SourceMetrics};

use super::*;
use crate::clock::new_id;
use crate::store::connect;

const START: i64 = 1_700_000_000_000;

fn graph() -> Graph {
    let node = |id: &str| GraphNode {
        id: id.into(),
        kind: "k".into(),
        name: "n".into(),
        detail: String::new(),
        parallelism: 1,
        stateful: false,
        table: None,
    };
    let edge = GraphEdge {
        from: "a".into(),
        to: "b".into(),
        partitioning: "forward".into(),
        changelog: ChangelogMode::Append,
    };
    Graph { nodes: vec![node("a"), node("b")], edges: vec![edge] }
}

fn report(seconds: i64, records: u64) -> MetricReport {
    let operator = |node: &str, records_in, records_out| OperatorMetrics {
        node: node.into(),
        records_in,
        records_out,
        bytes_in: 0,
        bytes_out: 0,
        busy: 0.5,
        blocked: 0.0,
        watermark: Some(START + seconds * 1000 - 3000),
        state_rows: 0,
        state_bytes: 0,
        late: 0,
        dropped: 0,
        lookup: None,
    };
    let partition = |name: &str, lag| PartitionLag {
        partition: name.into(),
        position: 1,
        end: Some(1),
        lag: Some(lag),
        idle: false,
    };
    MetricReport {
        at: START + seconds * 1000,
        operators: vec![operator("a", records, records), operator("b", records / 2, 0)],
        sources: vec![SourceMetrics {
            node: "a".into(),
            table: "d.t".into(),
            records,
            bytes: records * 10,
            bad_records: 1,
            partitions: vec![partition("0", 5), partition("1", 7)],
            lag_ms: Some(40),
        }],
        process: ProcessMetrics { memory_bytes: 1000, cpu_seconds: seconds as f64 / 4.0, threads: 3 },
    }
}

async fn store() -> (tempfile::TempDir, MetricStore) {
    let folder = tempfile::tempdir().unwrap();
    let history = connect::open(&format!("sqlite://{}", folder.path().join("metrics.db").display())).await.unwrap();
    (folder, MetricStore::open(history).await.unwrap())
}

fn values(series: &MetricSeries, name: &str, labels: usize) -> Vec<Option<f64>> {
    series.series.iter().find(|s| s.name == name && s.labels.len() == labels).map(|s| s.values.clone()).unwrap()
}

#[tokio::test]
async fn counters_become_rates_and_a_new_attempt_begins_anew() {
    let (_folder, store) = store().await;
    let job = JobId(new_id());
    let first = store.record(job, (1, 1), Some(&graph()), report(0, 100));
    assert_eq!(first.figures.records_in_per_s, 0.0);
    let second = store.record(job, (1, 1), Some(&graph()), report(2, 300));
    assert_eq!(second.figures.records_in_per_s, 100.0);
    assert_eq!(second.figures.records_out_per_s, 50.0);
    assert_eq!((second.records_in, second.records_out), (300, 150));
    assert_eq!(second.figures.lag_records, Some(12));
    assert_eq!(second.figures.cpu_cores, 0.25);
    assert_eq!(second.figures.watermark, Some(START - 1000));
    let restarted = store.record(job, (1, 2), Some(&graph()), report(4, 10));
    assert_eq!(restarted.figures.records_in_per_s, 0.0);
    let after = store.record(job, (1, 2), Some(&graph()), report(6, 30));
    assert_eq!(after.figures.records_in_per_s, 10.0);
}

#[tokio::test]
async fn silence_is_a_gap() {
    let (_folder, store) = store().await;
    let job = JobId(new_id());
    for second in [0, 2, 4, 6, 8, 30, 32, 34] {
        store.record(job, (1, 1), None, report(second, second as u64 * 10));
    }
    let series = store.series(job, START, START + 34_000, 100).await.unwrap();
    assert_eq!(series.times.len(), 7);
    let lag = values(&series, "lag_records", 0);
    assert_eq!(lag, [Some(12.0), Some(12.0), None, None, None, None, Some(12.0)]);
}

#[tokio::test]
async fn history_outlives_the_process_and_is_rolled_up() {
    let (folder, store) = store().await;
    let job = JobId(new_id());
    for second in (0..180).step_by(2) {
        store.record(job, (1, 1), Some(&graph()), report(second, second as u64 * 10));
    }
    store.flush(START + 180_000).await.unwrap();
    // The same points again change nothing.
    store.flush(START + 180_000).await.unwrap();
    store.roll_up(START + 180_000).await.unwrap();
    store.close().await;

    let history = connect::open(&format!("sqlite://{}", folder.path().join("metrics.db").display())).await.unwrap();
    let store = MetricStore::open(history).await.unwrap();
    let series = store.series(job, START, START + 179_000, 1000).await.unwrap();
    let rates = values(&series, "records_in", 0);
    assert_eq!(rates.len(), 18);
    assert!(rates.iter().all(|rate| *rate == Some(10.0)), "{rates:?}");
    assert!(
        series
            .series
            .iter()
            .any(|s| s.name == "lag_records" && s.labels.get("partition").map(String::as_str) == Some("1"))
    );
    let week = store.series(job, START - 7 * DAY_MS, START + 179_000, 20_000).await.unwrap();
    let rates: Vec<_> = values(&week, "records_in", 0).into_iter().flatten().collect();
    assert!(!rates.is_empty() && rates.iter().all(|rate| *rate == 10.0), "{rates:?}");
}

#[test]
fn prometheus_text_escapes_names() {
    let exposed = prometheus::Exposed { team: "t".into(), job: "a\"b\\c".into(), state: None, figures: None };
    let text = prometheus::text(&[exposed]);
    assert!(text.contains(r#"millrace_job_state{team="t",job="a\"b\\c",state="never_run"} 1"#), "{text}");
}
