//! A silent partition holds the watermark back for as long as the table's `scan.watermark.idle-timeout` says, no longer.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod feed;

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::datatypes::SchemaRef;
use crossbeam_channel::{Receiver, unbounded};
use millrace_engine::catalog::{CatalogText, TableRef};
use millrace_engine::change::ChangeBatch;
use millrace_engine::collect::CollectSink;
use millrace_engine::connector::{Sink, Source, SourceEvent};
use millrace_engine::error::Result;
use millrace_engine::plan::dataflow::{Endpoints, plan};
use millrace_engine::plan::settings::Settings;
use millrace_engine::runtime::Run;
use millrace_engine::sql::bind;

use feed::{Feed, Next, options, timed_rows};

/// Of two partitions one gives two rows at once, the other never any.
fn half_silent(schema: &SchemaRef) -> Next {
    let (schema, mut given) = (Arc::clone(schema), false);
    Box::new(move |wait| {
        if std::mem::replace(&mut given, true) {
            // Nothing is ever sent: the channel gives the time out.
            let _ = crossbeam_channel::after(wait.min(Duration::from_millis(20))).recv();
            return Ok(SourceEvent::Idle);
        }
        timed_rows("loud", &schema, &[(1, 1_000), (2, 25_000)])
    })
}

struct Ends {
    collect: Arc<dyn Sink>,
}

impl Endpoints for Ends {
    fn source(&self, table: &TableRef, columns: &[usize]) -> Result<Arc<dyn Source>> {
        Ok(Arc::new(Feed::new(table, columns, &["loud", "silent"], half_silent)))
    }

    fn sink(&self, _table: &TableRef) -> Result<Arc<dyn Sink>> {
        Ok(Arc::clone(&self.collect))
    }

    fn collect(&self) -> Result<Arc<dyn Sink>> {
        Ok(Arc::clone(&self.collect))
    }
}

/// Runs until the first window is there, or for `at_most`; tells whether and when it came.
fn first_window(idle_timeout: &str, at_most: Duration) -> Option<Duration> {
    let script = format!(
        "CREATE TABLE t (v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
           WITH ('connector' = 'datagen', 'scan.watermark.idle-timeout' = '{idle_timeout}');
         SELECT window_start, SUM(v) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND))
           GROUP BY window_start, window_end;"
    );
    let bound = bind(&script, &CatalogText::default()).unwrap();
    let (came, windows): (_, Receiver<()>) = unbounded();
    let collect = CollectSink::new(move |_: &ChangeBatch| {
        let _ = came.send(());
        Ok(())
    });
    let dataflow = plan(&bound, &Settings::default(), &Ends { collect: Arc::new(collect) }).unwrap();
    let since = Instant::now();
    let run = Run::new(&dataflow, options("idle", 8192)).unwrap();
    let handle = run.handle();
    let running = std::thread::spawn(move || run.run());
    let seen = windows.recv_timeout(at_most).ok().map(|()| since.elapsed());
    handle.stop(millrace_wire::job::StopMode::Cancel);
    running.join().unwrap().unwrap();
    seen
}

#[test]
fn a_silent_partition_is_waited_for_as_long_as_its_table_says() {
    let came = first_window("300 ms", Duration::from_secs(20)).expect("the watermark goes on");
    assert!(came >= Duration::from_millis(300), "{came:?}");
    assert_eq!(first_window("1 h", Duration::from_secs(1)), None);
}
