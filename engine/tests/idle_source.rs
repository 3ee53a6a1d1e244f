//! A silent partition holds the watermark back for as long as the table's `scan.watermark.idle-timeout` says, no longer.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{Int64Array, RecordBatch, TimestampMillisecondArray};
use arrow::datatypes::SchemaRef;
use crossbeam_channel::{Receiver, unbounded};
use millrace_engine::catalog::{CatalogText, TableRef};
use millrace_engine::change::ChangeBatch;
use millrace_engine::collect::CollectSink;
use millrace_engine::connector::{
    Sink, Source, SourceEvent, SourceReader, SplitId, SplitLag, SplitPosition, SplitStart,
};
use millrace_engine::error::Result;
use millrace_engine::plan::dataflow::{Endpoints, plan};
use millrace_engine::plan::settings::Settings;
use millrace_engine::runtime::{Run, RunCommitters, RunOptions};
use millrace_engine::sql::bind;

/// Two partitions: one gives two rows at once, the other never any.
struct HalfSilent {
    schema: SchemaRef,
}

struct Reader {
    schema: SchemaRef,
    given: bool,
}

impl Source for HalfSilent {
    fn bounded(&self) -> bool {
        false
    }

    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn changelog(&self) -> bool {
        false
    }

    fn replayable(&self) -> bool {
        true
    }

    fn splits(&self) -> Result<Vec<SplitId>> {
        Ok(vec!["loud".into(), "silent".into()])
    }

    fn reader(&self, _splits: Vec<SplitStart>) -> Result<Box<dyn SourceReader>> {
        Ok(Box::new(Reader { schema: Arc::clone(&self.schema), given: false }))
    }
}

impl SourceReader for Reader {
    fn next(&mut self, wait: Duration) -> Result<SourceEvent> {
        if std::mem::replace(&mut self.given, true) {
            // Nothing is ever sent: the channel gives the time out.
            let _ = crossbeam_channel::after(wait.min(Duration::from_millis(20))).recv();
            return Ok(SourceEvent::Idle);
        }
        let columns: Vec<arrow::array::ArrayRef> = vec![
            Arc::new(Int64Array::from(vec![1, 2])),
            Arc::new(TimestampMillisecondArray::from(vec![1_000, 25_000])),
        ];
        let batch = ChangeBatch::inserts(RecordBatch::try_new(Arc::clone(&self.schema), columns)?);
        Ok(SourceEvent::Batch { split: "loud".into(), batch, bytes: 1 })
    }

    fn positions(&self) -> Vec<(SplitId, SplitPosition)> {
        Vec::new()
    }

    fn add_splits(&mut self, _splits: Vec<SplitStart>) -> Result<()> {
        Ok(())
    }

    fn checkpoint_complete(&mut self, _positions: &[(SplitId, SplitPosition)]) -> Result<()> {
        Ok(())
    }

    fn lag(&mut self) -> Vec<SplitLag> {
        Vec::new()
    }

    fn bad_records(&self) -> u64 {
        0
    }
}

struct Ends {
    collect: Arc<dyn Sink>,
}

impl Endpoints for Ends {
    fn source(&self, table: &TableRef, columns: &[usize]) -> Result<Arc<dyn Source>> {
        let read = table.read_columns();
        let wanted: Vec<usize> = columns.iter().map(|column| read[*column]).collect();
        Ok(Arc::new(HalfSilent { schema: table.schema_of(&wanted).to_arrow() }))
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
    let options = RunOptions {
        store: None,
        run: "idle".to_owned(),
        kept: 1,
        committers: Arc::new(RunCommitters::default()),
        restored: None,
        next_checkpoint: 1,
        batch_rows: 8192,
        state: millrace_engine::state::StateOptions::default(),
    };
    let since = Instant::now();
    let run = Run::new(&dataflow, options).unwrap();
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
