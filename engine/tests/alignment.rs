//! A source that is aligned with a slower one does not run away from it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod feed;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use arrow::datatypes::SchemaRef;
use millrace_engine::catalog::{CatalogText, TableRef};
use millrace_engine::collect::CollectSink;
use millrace_engine::connector::{Sink, Source, SourceEvent};
use millrace_engine::error::Result;
use millrace_engine::plan::dataflow::{Endpoints, plan};
use millrace_engine::plan::settings::Settings;
use millrace_engine::runtime::{Run, StopRequest};
use millrace_engine::sql::bind;

use feed::{Feed, Next, options, timed_rows};

/// One row of every second, as far as `until`; what was read last stands in `at`.
fn seconds(until: Arc<AtomicI64>, at: Arc<AtomicI64>) -> impl Fn(&SchemaRef) -> Next + Send + Sync {
    move |schema| {
        let (schema, until, at) = (Arc::clone(schema), Arc::clone(&until), Arc::clone(&at));
        Box::new(move |_| {
            // A row takes a millisecond.
            let _ = crossbeam_channel::after(Duration::from_millis(1)).recv();
            let next = at.load(SeqCst) + 1_000;
            if next > until.load(SeqCst) {
                return Ok(SourceEvent::Idle);
            }
            at.store(next, SeqCst);
            timed_rows("only", &schema, &[(1, next)])
        })
    }
}

/// How far each of two tables may read and has read.
#[derive(Clone, Default)]
struct Ends {
    fast: (Arc<AtomicI64>, Arc<AtomicI64>),
    slow: (Arc<AtomicI64>, Arc<AtomicI64>),
}

impl Endpoints for Ends {
    fn source(&self, table: &TableRef, columns: &[usize]) -> Result<Arc<dyn Source>> {
        let (until, at) = if table.name.ends_with("fast") { self.fast.clone() } else { self.slow.clone() };
        Ok(Arc::new(Feed::new(table, columns, &["only"], seconds(until, at))))
    }

    fn sink(&self, _table: &TableRef) -> Result<Arc<dyn Sink>> {
        self.collect()
    }

    fn collect(&self) -> Result<Arc<dyn Sink>> {
        Ok(Arc::new(CollectSink::new(|_| Ok(()))))
    }
}

fn wait_for(what: &str, reached: impl Fn() -> bool) {
    let since = Instant::now();
    while !reached() {
        assert!(since.elapsed() < Duration::from_secs(20), "{what}");
        let _ = crossbeam_channel::after(Duration::from_millis(2)).recv();
    }
}

#[test]
fn a_fast_source_waits_for_a_slow_one_of_its_group() {
    let with = "'connector' = 'datagen', 'scan.watermark.alignment.group' = 'g', 'scan.watermark.idle-timeout' = '0',
      'scan.watermark.alignment.max-drift' = '5 s', 'scan.watermark.alignment.update-interval' = '1 ms'";
    let table =
        |name: &str| format!("CREATE TABLE {name} (v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ({with});");
    let script = format!("{}{}SELECT * FROM fast UNION ALL SELECT * FROM slow;", table("fast"), table("slow"));
    let ends = Ends::default();
    ends.fast.0.store(i64::MAX, SeqCst);
    let dataflow =
        plan(&bind(&script, &CatalogText::default()).unwrap(), &Settings::default(), &ends).map_err(|_| ()).unwrap();
    let run = Run::new(&dataflow, options("alignment", 10)).unwrap();
    let handle = run.handle();
    let running = std::thread::spawn(move || run.run());
    let (fast, slow) = (&ends.fast.1, &ends.slow.1);
    wait_for("the slow source never reads", || {
        ends.slow.0.store(3_000, SeqCst);
        slow.load(SeqCst) == 3_000
    });
    wait_for("the fast source does not read as far as it may", || fast.load(SeqCst) > 8_000);
    // It would read a row a millisecond.
    let _ = crossbeam_channel::after(Duration::from_millis(400)).recv();
    assert!(fast.load(SeqCst) < 100_000, "it ran away to {}", fast.load(SeqCst));
    ends.slow.0.store(1_000_000, SeqCst);
    wait_for("the fast source does not go on", || fast.load(SeqCst) > 500_000);
    handle.stop(StopRequest::Cancel);
    running.join().unwrap().unwrap();
}
