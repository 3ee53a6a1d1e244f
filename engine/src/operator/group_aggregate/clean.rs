//! Groups that are forgotten by a condition.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};

use super::GroupAggregate;
use crate::change::ChangeBatch;
use crate::error::Result;
use crate::operator::state_clean::{CleanTest, Ends, GroupCleaner};
use crate::operator::{CHUNK_ROWS, Output};

impl GroupAggregate {
    pub(super) fn apply_and_clean(&mut self, batch: ChangeBatch, out: &mut dyn Output) -> Result<()> {
        let ends = match self.clean {
            Some(GroupCleaner::Row(column)) => Ends::of(&batch, column)?,
            _ => None,
        };
        let Some(ends) = ends else {
            self.apply(&batch, out)?;
            let touched = self.touched.slots.clone();
            return self.forget_where_true(&touched);
        };
        let keys = self.keys.encode(&batch.rows)?;
        for (part, ends) in ends.parts(batch, &keys)? {
            let slots = self.apply(&part, out)?;
            for (row, slot) in slots.into_iter().enumerate() {
                if ends.ends(row) && self.state.values.exists(slot) {
                    self.state.remove(slot);
                }
            }
        }
        Ok(())
    }

    /// Looks at every group in memory, where the condition may have become TRUE by itself, and at some of those on disk:
    /// all of them have their turn.
    pub(super) fn forget_changed(&mut self) -> Result<()> {
        if matches!(&self.clean, Some(GroupCleaner::Result(CleanTest { changes: true, .. }))) {
            let slots: Vec<u32> = self.state.slots().collect();
            self.forget_where_true(&slots)?;
            let away = self.state.next_away(CHUNK_ROWS)?;
            self.forget_where_true(&away)?;
            self.state.let_go(&away);
        }
        Ok(())
    }

    fn forget_where_true(&mut self, slots: &[u32]) -> Result<()> {
        let Some(GroupCleaner::Result(test)) = &self.clean else { return Ok(()) };
        let slots: Vec<u32> = slots.iter().copied().filter(|slot| self.state.values.exists(*slot)).collect();
        let mut gone = Vec::new();
        for slots in slots.chunks(CHUNK_ROWS) {
            let mut columns = self.keys.decode(slots.iter().map(|slot| self.state.key(*slot)))?;
            columns.extend(self.state.values.values.evaluate(slots)?);
            let options = RecordBatchOptions::new().with_row_count(Some(slots.len()));
            let rows = RecordBatch::try_new_with_options(Arc::clone(&self.spec.output), columns, &options)?;
            let holds = test.holds(&rows)?;
            gone.extend(slots.iter().enumerate().filter(|(row, _)| holds.value(*row)).map(|(_, slot)| *slot));
        }
        gone.into_iter().for_each(|slot| self.state.remove(slot));
        Ok(())
    }
}
