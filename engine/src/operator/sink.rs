//! The end of a chain: hands rows to a connector's writer.

use arrow::array::BooleanArray;
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;

use super::{Operator, Output};
use crate::change::{ChangeBatch, RowKind};
use crate::connector::{Accepts, SinkWriter};
use crate::error::Result;
use crate::plan::dataflow::LeaveOut;
use crate::state::KeyEncoder;

pub struct SinkOperator {
    writer: Box<dyn SinkWriter>,
    accepts: Accepts,
    leave_out: LeaveOut,
    /// Of a sink that takes rows by key.
    key: Option<KeyEncoder>,
}

impl SinkOperator {
    /// `key` are the primary key's places among the columns of the rows.
    pub fn new(
        writer: Box<dyn SinkWriter>,
        accepts: Accepts,
        leave_out: LeaveOut,
        schema: &SchemaRef,
        key: &[usize],
    ) -> Result<Self> {
        let by_key = accepts == Accepts::Upsert && !key.is_empty();
        let key = by_key.then(|| KeyEncoder::new(schema, key)).transpose()?;
        Ok(SinkOperator { writer, accepts, leave_out, key })
    }
}

impl Operator for SinkOperator {
    fn process(&mut self, _input: usize, batch: ChangeBatch, _out: &mut dyn Output) -> Result<()> {
        let mut batch = without(batch, self.leave_out)?;
        if let Some(key) = &self.key {
            batch = without_replaced(batch, key)?;
        }
        if batch.is_empty() {
            return Ok(());
        }
        match self.accepts {
            Accepts::Append => self.writer.write(&ChangeBatch::inserts(batch.rows)),
            Accepts::Upsert | Accepts::Retract => self.writer.write(&batch),
        }
    }

    fn watermark(&mut self, watermark: i64, _out: &mut dyn Output) -> Result<()> {
        self.writer.watermark(watermark)
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

/// The new row of an update replaces the old one by its key. An old row without a new one, which a filter may have taken
/// away, or whose new one has another key, is a deletion.
fn without_replaced(batch: ChangeBatch, key: &KeyEncoder) -> Result<ChangeBatch> {
    let old = |kind: &RowKind| *kind == RowKind::UpdateBefore;
    let Some(kinds) = batch.kinds.as_ref().filter(|kinds| kinds.iter().any(old)) else { return Ok(batch) };
    let keys = key.encode(&batch.rows)?;
    let replaced = |row: usize| {
        let next = kinds.get(row + 1).is_some_and(|kind| *kind == RowKind::UpdateAfter);
        batch.kind(row) == RowKind::UpdateBefore && next && keys.key(row) == keys.key(row + 1)
    };
    let keep: BooleanArray = (0..batch.len()).map(|row| Some(!replaced(row))).collect();
    let rows = filter_record_batch(&batch.rows, &keep)?;
    let as_deletion = |kind: RowKind| if kind == RowKind::UpdateBefore { RowKind::Delete } else { kind };
    let left = (0..batch.len()).filter(|row| !replaced(*row)).map(|row| as_deletion(batch.kind(row)));
    let kinds = left.collect();
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

    #[test]
    fn an_old_row_whose_new_one_is_elsewhere_is_a_deletion() {
        let column = |values: &[i64]| -> arrow::array::ArrayRef { Arc::new(Int64Array::from(values.to_vec())) };
        let columns = [("k", column(&[1, 1, 2, 3, 4, 5])), ("v", column(&[1, 2, 1, 1, 1, 1]))];
        let rows = RecordBatch::try_from_iter(columns).unwrap();
        use RowKind::{Delete, Insert, UpdateAfter, UpdateBefore};
        let kinds = vec![UpdateBefore, UpdateAfter, UpdateBefore, UpdateAfter, Insert, UpdateBefore];
        let key = KeyEncoder::new(&rows.schema(), &[0]).unwrap();
        let left = without_replaced(ChangeBatch::with_kinds(rows, kinds), &key).unwrap();
        let kinds: Vec<_> = (0..left.len()).map(|row| left.kind(row)).collect();
        assert_eq!(kinds, [UpdateAfter, Delete, UpdateAfter, Insert, Delete]);
    }
}
