//! Reads splits one after the other; while a batch is worked on, the next one is on its way.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::super::{SourceEvent, SourceReader, SplitId, SplitLag, SplitPosition, SplitStart};
use super::scan::ScanShape;
use super::select::{Position, Select};
use super::session::Session;
use crate::change::ChangeBatch;
use crate::error::Result;

/// Batches on their way per reader.
const AHEAD: usize = 2;

pub(super) struct ScanReader {
    shape: Arc<ScanShape>,
    waiting: VecDeque<(SplitId, Position)>,
    running: Option<Running>,
    positions: BTreeMap<SplitId, Position>,
    /// Read to their end before the checkpoint that was restored; nobody waits for them any more once that is told.
    finished: Vec<SplitId>,
}

struct Running {
    split: SplitId,
    batches: mpsc::Receiver<Result<Read>>,
    task: JoinHandle<()>,
}

struct Read {
    batch: ChangeBatch,
    bytes: u64,
    /// After the rows of the batch.
    position: Position,
}

impl Drop for Running {
    fn drop(&mut self) {
        // The connection goes with it, and the server stops sending.
        self.task.abort();
    }
}

impl ScanReader {
    pub(super) fn new(shape: Arc<ScanShape>, splits: Vec<SplitStart>) -> Result<Self> {
        let mut reader = ScanReader {
            shape,
            waiting: VecDeque::new(),
            running: None,
            positions: BTreeMap::new(),
            finished: Vec::new(),
        };
        reader.add_splits(splits)?;
        Ok(reader)
    }

    fn start(&self, split: SplitId, from: Position) -> Running {
        let (sender, batches) = mpsc::channel(AHEAD);
        let (shape, name) = (Arc::clone(&self.shape), Arc::clone(&split));
        let task = self.shape.runtime.spawn(async move {
            if let Err(error) = read(shape, &name, from, &sender).await {
                // Nobody listens when the reader is gone.
                let _ = sender.send(Err(error)).await;
            }
        });
        Running { split, batches, task }
    }
}

async fn read(
    shape: Arc<ScanShape>,
    split: &str,
    mut position: Position,
    sender: &mpsc::Sender<Result<Read>>,
) -> Result<()> {
    let mut session = Session::open(&shape.target).await?;
    let facts = shape.target.dialect.facts(&mut session, &shape.target).await?;
    let select = Select::new(Arc::clone(&shape), facts)?;
    let statement = select.statement(split, &position)?;
    let mut batch = select.batch();
    {
        let mut rows = session.stream(statement);
        while let Some(row) = rows.next().await {
            batch.push(&row?)?;
            if batch.is_full(shape.batch_rows) {
                let (rows, bytes) = batch.take(&mut position)?;
                if sender.send(Ok(Read { batch: rows, bytes, position: position.clone() })).await.is_err() {
                    return Ok(());
                }
            }
        }
    }
    if batch.rows > 0 {
        let (rows, bytes) = batch.take(&mut position)?;
        let _ = sender.send(Ok(Read { batch: rows, bytes, position })).await;
    }
    session.close().await;
    Ok(())
}

impl SourceReader for ScanReader {
    fn next(&mut self, wait: Duration) -> Result<SourceEvent> {
        if let Some(split) = self.finished.pop() {
            return Ok(SourceEvent::SplitEnd { split });
        }
        if self.running.is_none() {
            let Some((split, from)) = self.waiting.pop_front() else { return Ok(SourceEvent::End) };
            self.running = Some(self.start(split, from));
        }
        let Some(running) = &mut self.running else { return Ok(SourceEvent::Idle) };
        let batches = &mut running.batches;
        let received = self.shape.runtime.block_on(async { tokio::time::timeout(wait, batches.recv()).await });
        match received {
            Err(_) => Ok(SourceEvent::Idle),
            Ok(Some(read)) => {
                let Read { batch, bytes, position } = read?;
                self.positions.insert(Arc::clone(&running.split), position);
                Ok(SourceEvent::Batch { split: Arc::clone(&running.split), batch, bytes })
            }
            Ok(None) => {
                let split = Arc::clone(&running.split);
                self.running = None;
                let position = self.positions.entry(Arc::clone(&split)).or_default();
                *position = Position { done: true, after: Vec::new(), rows: position.rows };
                Ok(SourceEvent::SplitEnd { split })
            }
        }
    }

    fn positions(&self) -> Vec<(SplitId, SplitPosition)> {
        self.positions.iter().map(|(split, position)| (Arc::clone(split), position.write())).collect()
    }

    fn add_splits(&mut self, splits: Vec<SplitStart>) -> Result<()> {
        for SplitStart { split, position } in splits {
            let from = position.as_ref().map(Position::read).transpose()?;
            // A wrong option is told before anything is read.
            self.shape.condition(&split)?;
            if let Some(from) = &from {
                self.positions.insert(Arc::clone(&split), from.clone());
            }
            let from = from.unwrap_or_default();
            if from.done {
                self.finished.push(split);
            } else {
                self.waiting.push_back((split, from));
            }
        }
        Ok(())
    }

    fn checkpoint_complete(&mut self, _positions: &[(SplitId, SplitPosition)]) -> Result<()> {
        Ok(())
    }

    fn lag(&mut self) -> Vec<SplitLag> {
        let rows = |position: &Position| i64::try_from(position.rows).unwrap_or(i64::MAX);
        let each = self.positions.iter();
        each.map(|(split, position)| SplitLag {
            split: Arc::clone(split),
            position: rows(position),
            end: position.done.then(|| rows(position)),
        })
        .collect()
    }

    fn bad_records(&self) -> u64 {
        0
    }
}
