//! The end of a chain: hands rows to a connector's writer.

use arrow::array::BooleanArray;
use arrow::compute::filter_record_batch;

use super::{Operator, Output};
use crate::change::{ChangeBatch, RowKind};
use crate::connector::{Accepts, SinkWriter};
use crate::error::Result;
use crate::plan::dataflow::LeaveOut;

pub struct SinkOperator {
    writer: Box<dyn SinkWriter>,
    accepts: Accepts,
    leave_out: LeaveOut,
}

impl SinkOperator {
    pub fn new(writer: Box<dyn SinkWriter>, accepts: Accepts, leave_out: LeaveOut) -> Self {
        // The new row of an update replaces the old one by key.
        let update_before = leave_out.update_before || accepts == Accepts::Upsert;
        SinkOperator { writer, accepts, leave_out: LeaveOut { update_before, ..leave_out } }
    }
}

impl Operator for SinkOperator {
    fn process(&mut self, _input: usize, batch: ChangeBatch, _out: &mut dyn Output) -> Result<()> {
        let batch = without(batch, self.leave_out)?;
        if batch.is_empty() {
            return Ok(());
        }
        match self.accepts {
            Accepts::Append => self.writer.write(&ChangeBatch::inserts(batch.rows)),
            Accepts::Upsert | Accepts::Retract => self.writer.write(&batch),
        }
    }

    fn idle(&mut self) -> Result<()> {
        self.writer.poll()
    }

    fn prepare(&mut self, checkpoint: u64) -> Result<Option<Vec<u8>>> {
        self.writer.prepare(checkpoint).map(Some)
    }

    fn commit(&mut self, checkpoint: u64) -> Result<()> {
        self.writer.commit(checkpoint)
    }

    fn close(&mut self) -> Result<()> {
        self.writer.close()
    }
}

fn without(batch: ChangeBatch, leave_out: LeaveOut) -> Result<ChangeBatch> {
    let stays = |kind: &RowKind| match kind {
        RowKind::UpdateBefore => !leave_out.update_before,
        RowKind::Delete => !leave_out.delete,
        RowKind::Insert | RowKind::UpdateAfter => true,
    };
    let Some(kinds) = batch.kinds.as_ref().filter(|kinds| !kinds.iter().all(stays)) else { return Ok(batch) };
    let keep: BooleanArray = kinds.iter().map(|kind| Some(stays(kind))).collect();
    let rows = filter_record_batch(&batch.rows, &keep)?;
    let kinds = kinds.iter().copied().filter(stays).collect();
    Ok(ChangeBatch::with_kinds(rows, kinds))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use arrow::array::{Int64Array, RecordBatch};

    use super::*;

    #[test]
    fn left_out_kinds_do_not_reach_the_writer() {
        let column: arrow::array::ArrayRef = Arc::new(Int64Array::from(vec![1, 1, 2, 3]));
        let rows = RecordBatch::try_from_iter([("a", column)]).unwrap();
        let kinds = vec![RowKind::UpdateBefore, RowKind::UpdateAfter, RowKind::Delete, RowKind::Insert];
        let batch = ChangeBatch::with_kinds(rows, kinds);
        let left = without(batch.clone(), LeaveOut { update_before: true, delete: false }).unwrap();
        let kinds: Vec<_> = (0..left.len()).map(|row| left.kind(row)).collect();
        assert_eq!(kinds, [RowKind::UpdateAfter, RowKind::Delete, RowKind::Insert]);
        assert_eq!(without(batch.clone(), LeaveOut { update_before: true, delete: true }).unwrap().len(), 2);
        assert_eq!(without(batch, LeaveOut::default()).unwrap().len(), 4);
    }
}
