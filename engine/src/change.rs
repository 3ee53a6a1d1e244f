//! The unit of data between operators: an Arrow batch with the kind of each row.

use arrow::array::RecordBatch;

/// Flink's four row kinds. The numbers are the ones kept in batches, state and checkpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RowKind {
    Insert = 0,
    UpdateBefore = 1,
    UpdateAfter = 2,
    Delete = 3,
}

impl RowKind {
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Insert),
            1 => Some(Self::UpdateBefore),
            2 => Some(Self::UpdateAfter),
            3 => Some(Self::Delete),
            _ => None,
        }
    }

    /// `+I` and `+U` add a row to the table that the changelog describes; the others take one away.
    pub const fn is_accumulate(self) -> bool {
        matches!(self, Self::Insert | Self::UpdateAfter)
    }

    pub const fn mark(self) -> &'static str {
        match self {
            Self::Insert => "+I",
            Self::UpdateBefore => "-U",
            Self::UpdateAfter => "+U",
            Self::Delete => "-D",
        }
    }
}

/// Rows with their kinds; `kinds` is absent when every row is `+I`.
#[derive(Clone, Debug)]
pub struct ChangeBatch {
    pub rows: RecordBatch,
    pub kinds: Option<std::sync::Arc<[RowKind]>>,
}

impl ChangeBatch {
    pub const fn inserts(rows: RecordBatch) -> Self {
        ChangeBatch { rows, kinds: None }
    }

    /// `kinds` has one entry per row; a batch of only `+I` drops it.
    pub fn with_kinds(rows: RecordBatch, kinds: Vec<RowKind>) -> Self {
        debug_assert_eq!(rows.num_rows(), kinds.len());
        let only_inserts = kinds.iter().all(|kind| *kind == RowKind::Insert);
        ChangeBatch { rows, kinds: (!only_inserts).then(|| kinds.into()) }
    }

    /// One row as a batch of its own.
    #[must_use]
    pub fn row(&self, row: usize) -> Self {
        ChangeBatch::with_kinds(self.rows.slice(row, 1), vec![self.kind(row)])
    }

    /// Some rows that follow each other.
    #[must_use]
    pub fn slice(&self, offset: usize, rows: usize) -> Self {
        let kinds = self.kinds.as_ref().and_then(|kinds| kinds.get(offset..offset + rows));
        match kinds {
            Some(kinds) => ChangeBatch::with_kinds(self.rows.slice(offset, rows), kinds.to_vec()),
            None => ChangeBatch::inserts(self.rows.slice(offset, rows)),
        }
    }

    pub fn len(&self) -> usize {
        self.rows.num_rows()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.num_rows() == 0
    }

    pub fn kind(&self, row: usize) -> RowKind {
        self.kinds.as_ref().and_then(|kinds| kinds.get(row).copied()).unwrap_or(RowKind::Insert)
    }

    /// Memory that the arrays keep alive, for the bounds of channels.
    pub fn bytes(&self) -> usize {
        self.rows.get_array_memory_size() + self.kinds.as_ref().map_or(0, |kinds| kinds.len())
    }
}
