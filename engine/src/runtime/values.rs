//! `VALUES` as a bounded source.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use datafusion_common::ScalarValue;

use crate::change::ChangeBatch;
use crate::connector::{SourceEvent, SourceReader, SplitId, SplitLag, SplitPosition, SplitStart};
use crate::error::Result;
use crate::expr::Value;
use crate::types::Schema;

/// Gives its rows once; its position says whether it did.
pub(super) struct ValuesReader {
    rows: RecordBatch,
    batch_rows: usize,
    next: usize,
}

const SPLIT: &str = "values";

impl ValuesReader {
    pub(super) fn new(
        rows: &[Vec<Value>],
        schema: &Schema,
        batch_rows: usize,
        restored: Option<&SplitPosition>,
    ) -> Result<Self> {
        let arrow = schema.to_arrow();
        let column = |index: usize| -> Result<ArrayRef> {
            let ty = arrow.field(index).data_type();
            let scalars = rows.iter().filter_map(|row| row.get(index)).map(|value| value.0.clone());
            let scalars: Vec<ScalarValue> = scalars.collect();
            if scalars.is_empty() || scalars.iter().all(ScalarValue::is_null) {
                return Ok(new_null_array(ty, rows.len()));
            }
            let typed = scalars.into_iter().map(|scalar| scalar.cast_to(ty)).collect::<Result<Vec<_>, _>>()?;
            Ok(ScalarValue::iter_to_array(typed)?)
        };
        let columns = (0..schema.len()).map(column).collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let rows = RecordBatch::try_new_with_options(Arc::clone(&arrow), columns, &options)?;
        let given =
            restored.and_then(|position| position.0.get("row")).and_then(serde_json::Value::as_u64).unwrap_or(0);
        Ok(ValuesReader { next: (given as usize).min(rows.num_rows()), rows, batch_rows: batch_rows.max(1) })
    }

    pub(super) fn split() -> SplitId {
        SPLIT.into()
    }
}

impl SourceReader for ValuesReader {
    fn next(&mut self, _wait: Duration) -> Result<SourceEvent> {
        let length = self.batch_rows.min(self.rows.num_rows() - self.next);
        if length == 0 {
            return Ok(SourceEvent::End);
        }
        let batch = ChangeBatch::inserts(self.rows.slice(self.next, length));
        self.next += length;
        Ok(SourceEvent::Batch { split: SPLIT.into(), batch, bytes: 0 })
    }

    fn positions(&self) -> Vec<(SplitId, SplitPosition)> {
        vec![(SPLIT.into(), SplitPosition(serde_json::json!({ "row": self.next })))]
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
