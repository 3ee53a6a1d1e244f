//! Records without a value among those of an upsert table: deletions of which only the key is known.

use arrow::array::UInt32Array;
use arrow::compute::take;

use crate::change::RowKind;
use crate::error::Result;
use crate::format::Decoded;

/// The rows of a batch that have no value, in order.
#[derive(Default)]
pub(super) struct Tombstones {
    rows: Vec<usize>,
}

impl Tombstones {
    pub(super) const fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn add(&mut self, row: usize) {
        self.rows.push(row);
    }

    /// Makes room for the deletions between the decoded values: `rows` rows, NULL where there is no value. Empties this.
    pub(super) fn spread(&mut self, decoded: &mut Decoded, rows: usize) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let (mut places, mut kinds) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        let (mut next_value, mut deleted) = (0_u32, self.rows.iter().peekable());
        for row in 0..rows {
            if deleted.next_if_eq(&&row).is_some() {
                places.push(None);
                kinds.push(RowKind::Delete);
            } else {
                places.push(Some(next_value));
                kinds.push(RowKind::Insert);
                next_value += 1;
            }
        }
        let places = UInt32Array::from(places);
        for column in &mut decoded.columns {
            *column = take(column, &places, None)?;
        }
        decoded.kinds = Some(kinds);
        self.rows.clear();
        Ok(())
    }
}
