//! Large results leave in pieces, so that channels stay bounded.

use arrow::array::RecordBatch;

use super::Output;
use crate::change::ChangeBatch;
use crate::error::Result;

/// Rows of one emitted batch at most.
pub const CHUNK_ROWS: usize = 8192;

/// Ranges of at most [`CHUNK_ROWS`] that cover `rows`.
pub struct Chunks {
    next: usize,
    rows: usize,
}

impl Chunks {
    pub const fn of(rows: usize) -> Self {
        Chunks { next: 0, rows }
    }

    /// Emits all-insert rows in pieces.
    pub fn emit(rows: &RecordBatch, out: &mut dyn Output) -> Result<()> {
        for range in Chunks::of(rows.num_rows()) {
            out.emit(ChangeBatch::inserts(rows.slice(range.start, range.len())))?;
        }
        Ok(())
    }
}

impl Iterator for Chunks {
    type Item = std::ops::Range<usize>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.next;
        self.next = self.rows.min(start + CHUNK_ROWS);
        (start < self.next).then_some(start..self.next)
    }
}
