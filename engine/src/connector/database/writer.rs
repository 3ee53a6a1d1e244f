//! Rows are kept back for a while, then written in one transaction.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::SinkWriter;
use super::link::{Link, Open};
use super::sink::SinkShape;
use crate::change::ChangeBatch;
use crate::error::Result;

/// Written at the latest when so much is kept back, whatever the options say.
const MOST_BYTES: usize = 32 << 20;

pub(super) struct BufferedWriter {
    link: Link,
    max_rows: Option<usize>,
    interval: Option<Duration>,
    kept: Vec<ChangeBatch>,
    rows: usize,
    bytes: usize,
    /// When the first of the rows came.
    since: Option<Instant>,
}

impl BufferedWriter {
    pub(super) fn new(shape: Arc<SinkShape>) -> Self {
        BufferedWriter {
            max_rows: shape.options.max_rows,
            interval: shape.options.interval,
            link: Link::new(shape),
            kept: Vec::new(),
            rows: 0,
            bytes: 0,
            since: None,
        }
    }

    fn is_due(&self) -> bool {
        let waited = self.since.zip(self.interval).is_some_and(|(since, interval)| since.elapsed() >= interval);
        waited || self.max_rows.is_some_and(|rows| self.rows >= rows) || self.bytes >= MOST_BYTES
    }

    fn flush(&mut self) -> Result<()> {
        if !self.kept.is_empty() {
            let kept = &self.kept;
            self.link.run(async |open| write(open, kept).await)?;
            self.kept.clear();
        }
        (self.rows, self.bytes, self.since) = (0, 0, None);
        Ok(())
    }
}

async fn write(open: &mut Open, batches: &[ChangeBatch]) -> Result<()> {
    let statements = open.statements.of(batches)?;
    let several = statements.len() > 1;
    if several {
        open.session.run("BEGIN").await?;
    }
    for statement in statements {
        open.session.run(statement).await?;
    }
    if several {
        open.session.run("COMMIT").await?;
    }
    Ok(())
}

impl SinkWriter for BufferedWriter {
    fn write(&mut self, batch: &ChangeBatch) -> Result<()> {
        if !batch.is_empty() {
            self.since.get_or_insert_with(Instant::now);
            self.rows += batch.len();
            self.bytes += batch.bytes();
            self.kept.push(batch.clone());
        }
        if self.is_due() { self.flush() } else { Ok(()) }
    }

    fn poll(&mut self) -> Result<()> {
        if self.is_due() { self.flush() } else { Ok(()) }
    }

    fn prepare(&mut self, _checkpoint: u64) -> Result<Vec<u8>> {
        self.flush()?;
        Ok(Vec::new())
    }

    fn close(&mut self) -> Result<()> {
        self.flush()?;
        self.link.close();
        Ok(())
    }
}
