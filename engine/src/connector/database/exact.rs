//! The rows of a checkpoint in one transaction, each exactly once.
//!
//! A transaction of a database ends with its connection, so it cannot wait open until a checkpoint is durable and survive
//! a crash between the two. Therefore nothing is written to the table before the checkpoint is durable, and the rows are
//! part of the checkpoint:
//!
//! 1. Rows of an epoch (what comes between two barriers) are collected in pieces. The first [`KEPT`] bytes stay here; each
//!    further piece goes into the table `millrace_staged` at once, so that memory is bounded.
//! 2. `prepare(N)`: the state has the epoch's pieces, or names those that were put aside. With it go earlier epochs that
//!    are not committed yet.
//! 3. The snapshot becomes durable.
//! 4. `commit(N)`: one transaction locks the writer's row in `millrace_offsets`, and ends when that has N already; else
//!    writes the rows, sets the number to N, removes what was put aside, and commits.
//!
//! On restore the state of N comes back and its epochs go through step 4 before anything else is read. So a kill
//!
//! - before 3: the run goes on from N-1, and its sources give the rows again; pieces put aside are removed at the first
//!   commit of the new attempt,
//! - between 3 and the commit in 4, also in the middle of the transaction: the rows are written on restore,
//! - after the commit, also when its answer was lost: the row in `millrace_offsets` says N, and nothing is written.
//!
//! The key of that row is an id of the writer which is stored in the state and lives as long as the job goes on from its
//! own checkpoints. Who goes back to an older one, changes the number of tasks or copies a savepoint to another job gets a
//! new id, and the old row stays to tell what was written. An attempt takes over by putting its name into the rows of its
//! job; an older attempt that is still alive finds another name there, and ends.
//!
//! The guarantee holds per table: readers see the tasks of one checkpoint one after the other.

use std::collections::VecDeque;
use std::sync::Arc;

use super::super::SinkWriter;
use super::epoch::{Epoch, Piece, State, pack, unpack};
use super::fault::Step;
use super::journal::{Journal, StagedAt};
use super::link::{Link, Open};
use super::sink::SinkShape;
use crate::change::ChangeBatch;
use crate::error::{EngineError, Result};

/// Rows of a piece, and their bytes in memory.
const PIECE_ROWS: usize = 16_384;
const PIECE_BYTES: usize = 4 << 20;
/// Packed bytes per writer that go with a checkpoint.
const KEPT: usize = 8 << 20;

pub(super) struct ExactWriter {
    shape: Arc<SinkShape>,
    link: Link,
    task: usize,
    id: String,
    /// Whether the row in `millrace_offsets` is there and ours.
    in_charge: bool,
    /// Not packed yet.
    rows: Vec<ChangeBatch>,
    row_count: usize,
    row_bytes: usize,
    /// Since the last barrier.
    pieces: Vec<Piece>,
    kept_bytes: usize,
    staged: u64,
    /// Waiting for their checkpoint to be durable.
    pending: VecDeque<Epoch>,
    cleaned: bool,
    kept_limit: usize,
}

impl ExactWriter {
    pub(super) fn open(shape: Arc<SinkShape>, task: usize, restored: &[Vec<u8>]) -> Result<Self> {
        let states = restored.iter().filter(|state| !state.is_empty());
        let states = states.map(|state| State::read(state)).collect::<Result<Vec<_>>>()?;
        let mut writer = ExactWriter {
            link: Link::new(Arc::clone(&shape)),
            id: uuid::Uuid::now_v7().simple().to_string(),
            in_charge: false,
            rows: Vec::new(),
            row_count: 0,
            row_bytes: 0,
            pieces: Vec::new(),
            kept_bytes: 0,
            staged: 0,
            pending: VecDeque::new(),
            cleaned: false,
            kept_limit: shape.faults.kept_limit().unwrap_or(KEPT),
            shape,
            task,
        };
        if !states.is_empty() {
            let shape = Arc::clone(&writer.shape);
            if let Some(id) = writer.link.run(async |open| restore(open, &shape, &states).await)? {
                writer.id = id;
                writer.in_charge = true;
            }
        }
        Ok(writer)
    }

    fn take_over(&mut self) -> Result<()> {
        if !self.in_charge {
            let (shape, id) = (Arc::clone(&self.shape), self.id.clone());
            self.link.run(async |open| take_over(open, &shape, &id).await)?;
            self.in_charge = true;
            self.shape.faults.after(Step::TakenOver)?;
        }
        Ok(())
    }

    /// Packs the rows so far into a piece.
    fn pack(&mut self) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        self.take_over()?;
        let piece = pack(&self.rows)?;
        self.rows.clear();
        (self.row_count, self.row_bytes) = (0, 0);
        if self.kept_bytes + piece.len() <= self.kept_limit {
            self.kept_bytes += piece.len();
            self.pieces.push(Piece::Kept(piece));
            return Ok(());
        }
        self.staged += 1;
        let (shape, id, number) = (Arc::clone(&self.shape), self.id.clone(), self.staged);
        self.link.run(async |open| {
            let journal = Journal::new(&shape)?;
            journal.stage(&mut open.session, &id, number, &piece).await
        })?;
        self.pieces.push(Piece::Staged(StagedAt { attempt: self.shape.attempt.clone(), number }));
        self.shape.faults.after(Step::Staged)
    }
}

impl SinkWriter for ExactWriter {
    fn write(&mut self, batch: &ChangeBatch) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        self.row_count += batch.len();
        self.row_bytes += batch.bytes();
        self.rows.push(batch.clone());
        if self.row_count >= PIECE_ROWS || self.row_bytes >= PIECE_BYTES { self.pack() } else { Ok(()) }
    }

    fn prepare(&mut self, checkpoint: u64) -> Result<Vec<u8>> {
        self.pack()?;
        if !self.pieces.is_empty() {
            self.pending.push_back(Epoch { checkpoint, pieces: std::mem::take(&mut self.pieces) });
            self.kept_bytes = 0;
        }
        State::write(&self.id, checkpoint, self.pending.iter())
    }

    fn commit(&mut self, checkpoint: u64) -> Result<()> {
        while let Some(epoch) = self.pending.front().filter(|epoch| epoch.checkpoint <= checkpoint) {
            let (shape, id) = (Arc::clone(&self.shape), &self.id);
            self.link.run(async |open| commit(open, &shape, id, epoch, Mode::Own).await)?;
            self.pending.pop_front();
        }
        if self.task == 0 && self.in_charge && !self.cleaned {
            let shape = Arc::clone(&self.shape);
            self.link.run(async |open| Journal::new(&shape)?.clean(&mut open.session).await)?;
            self.cleaned = true;
            self.shape.faults.after(Step::Cleaned)?;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        self.link.close();
        Ok(())
    }
}

async fn take_over(open: &mut Open, shape: &SinkShape, id: &str) -> Result<()> {
    let journal = Journal::new(shape)?;
    journal.create(&mut open.session).await?;
    journal.fence(&mut open.session).await?;
    open.session.run("BEGIN").await?;
    // It is there when the answer to an earlier try was lost.
    if journal.lock(&mut open.session, id).await?.is_none() {
        journal.insert(&mut open.session, id).await?;
    }
    open.session.run("COMMIT").await.map(|_| ())
}

/// Writes what the checkpoint has and the table has not. Gives the id to go on with, where there is one.
async fn restore(open: &mut Open, shape: &SinkShape, states: &[State]) -> Result<Option<String>> {
    let journal = Journal::new(shape)?;
    journal.create(&mut open.session).await?;
    journal.fence(&mut open.session).await?;
    for state in states {
        for epoch in &state.epochs {
            commit(open, shape, &state.writer, epoch, Mode::Restored).await?;
        }
    }
    let [state] = states else { return Ok(None) };
    open.session.run("BEGIN").await?;
    let goes_on = match journal.lock(&mut open.session, &state.writer).await? {
        None => {
            journal.insert(&mut open.session, &state.writer).await?;
            true
        }
        Some(entry) if entry.checkpoint > state.checkpoint => {
            tracing::warn!(
                restored = state.checkpoint,
                written = entry.checkpoint,
                "the database has rows of later checkpoints than the one restored; they will be written again"
            );
            false
        }
        Some(entry) if entry.own_job => {
            journal.set(&mut open.session, &state.writer, entry.checkpoint).await?;
            true
        }
        Some(_) => false,
    };
    open.session.run("COMMIT").await?;
    Ok(goes_on.then(|| state.writer.clone()))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// By the writer that prepared it.
    Own,
    Restored,
}

async fn commit(open: &mut Open, shape: &SinkShape, id: &str, epoch: &Epoch, mode: Mode) -> Result<()> {
    let journal = Journal::new(shape)?;
    open.session.run("BEGIN").await?;
    match journal.lock(&mut open.session, id).await? {
        Some(entry) if mode == Mode::Own && !entry.own_attempt => return Err(fenced()),
        Some(entry) if entry.checkpoint >= epoch.checkpoint => {
            return open.session.run("ROLLBACK").await.map(|_| ());
        }
        Some(_) => {}
        None if mode == Mode::Own => return Err(fenced()),
        None => journal.insert(&mut open.session, id).await?,
    }
    shape.faults.after(Step::Begun)?;
    for piece in &epoch.pieces {
        let bytes = match piece {
            Piece::Kept(bytes) => unpack(bytes)?,
            Piece::Staged(at) => unpack(&journal.staged(&mut open.session, at, id).await?)?,
        };
        for statement in open.statements.of(&bytes)? {
            open.session.run(statement).await?;
        }
    }
    shape.faults.after(Step::RowsWritten)?;
    journal.set(&mut open.session, id, epoch.checkpoint).await?;
    for piece in &epoch.pieces {
        if let Piece::Staged(at) = piece {
            journal.unstage(&mut open.session, at, id).await?;
        }
    }
    shape.faults.after(Step::OffsetWritten)?;
    open.session.run("COMMIT").await?;
    shape.faults.after(Step::Committed)
}

fn fenced() -> EngineError {
    let message = "Another attempt of the job has taken over the table.";
    EngineError::external("fenced", message).without_retry()
}
