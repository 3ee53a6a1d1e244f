//! What MERGE does to its target: rows with the kind of what happens to them become a changelog.
//!
//! A row of the target that more than one row of the source would change fails the job: which of them should win?

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{Int32Type, SchemaRef};

use super::{Operator, Output};
use crate::change::{ChangeBatch, RowKind};
use crate::error::{EngineError, Result};
use crate::plan::logical::merge_action::{INSERT, UPDATE};
use crate::state::{KeyEncoder, KeyTable, KeyedState, Reader, StateSize, hash_key, write_bytes};

/// Input columns: the action, the row of the target as it was, the row as it will be. Each row has the columns of the
/// output.
pub struct Merge {
    keys: KeyEncoder,
    output: SchemaRef,
    /// Keys of rows that were changed.
    changed: KeyTable,
}

impl Merge {
    /// `key`: columns of the output that are the target's primary key.
    pub fn new(key: &[usize], input: &SchemaRef, output: SchemaRef) -> Result<Self> {
        let width = output.fields().len();
        let key: Vec<usize> = key.iter().map(|column| 1 + width + column).collect();
        Ok(Merge { keys: KeyEncoder::new(input, &key)?, output, changed: KeyTable::default() })
    }

    fn mark(&mut self, key: &[u8]) -> Result<()> {
        let (_, new) = self.changed.find_or_insert(0, hash_key(key), key);
        if new {
            return Ok(());
        }
        let message = "MERGE INTO: a row of the target matches more than one row of the source.";
        Err(EngineError::user("merge_matches_twice", message))
    }
}

impl Operator for Merge {
    fn process(&mut self, _input: usize, batch: ChangeBatch, out: &mut dyn Output) -> Result<()> {
        let actions = batch.rows.column(0).as_primitive_opt::<Int32Type>().cloned();
        let actions = actions.ok_or_else(|| EngineError::internal("the action of MERGE is no INT"))?;
        let keys = self.keys.encode(&batch.rows)?;
        // Row of the batch, and whether it is given as it was.
        let (mut picks, mut kinds): (Vec<(u32, bool)>, Vec<RowKind>) = Default::default();
        for row in (0..batch.len()).filter(|row| actions.is_valid(*row)) {
            let action = actions.value(row);
            if action != INSERT {
                self.mark(keys.key(row))?;
            }
            let row = row as u32;
            let changes: &[(bool, RowKind)] = match action {
                INSERT => &[(false, RowKind::Insert)],
                UPDATE => &[(true, RowKind::UpdateBefore), (false, RowKind::UpdateAfter)],
                _ => &[(true, RowKind::Delete)],
            };
            picks.extend(changes.iter().map(|(old, _)| (row, *old)));
            kinds.extend(changes.iter().map(|(_, kind)| *kind));
        }
        if picks.is_empty() {
            return Ok(());
        }
        let width = self.output.fields().len();
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(width);
        let both: UInt32Array =
            picks.iter().map(|(row, old)| if *old { *row } else { batch.len() as u32 + *row }).collect();
        for column in 0..width {
            let (old, new) = (batch.rows.column(1 + column), batch.rows.column(1 + width + column));
            let beside = arrow::compute::concat(&[old.as_ref(), new.as_ref()])?;
            columns.push(take(&beside, &both, None)?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(picks.len()));
        let rows = RecordBatch::try_new_with_options(Arc::clone(&self.output), columns, &options)?;
        out.emit(ChangeBatch::with_kinds(rows, kinds))
    }

    /// The keys of changed rows.
    fn snapshot(&mut self) -> Result<Option<KeyedState>> {
        let mut state = KeyedState::default();
        for slot in self.changed.used() {
            write_bytes(state.group(self.changed.hash(slot)), self.changed.key(slot));
        }
        Ok(Some(state))
    }

    fn restore(&mut self, state: KeyedState) -> Result<()> {
        for bytes in state.groups.values() {
            let mut reader = Reader::new(bytes);
            while !reader.is_empty() {
                let key = reader.bytes()?;
                self.changed.find_or_insert(0, hash_key(key), key);
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        StateSize { rows: self.changed.len() as u64, bytes: self.changed.bytes() }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use arrow::array::{Int32Array, Int64Array};

    use super::*;
    use crate::plan::logical::merge_action::DELETE;
    use crate::types::{Field, LogicalType, Schema, Type};

    fn fields(names: &[&str]) -> Vec<Field> {
        names.iter().map(|name| Field::new(*name, Type::nullable(LogicalType::BigInt))).collect()
    }

    fn merge() -> Merge {
        let mut input = vec![Field::new("action", Type::nullable(LogicalType::Int))];
        input.extend(fields(&["id", "v", "id2", "v2"]));
        Merge::new(&[0], &Schema::new(input).to_arrow(), Schema::new(fields(&["id", "v"])).to_arrow()).unwrap()
    }

    /// Action, old row, new row.
    type Row = (Option<i32>, [Option<i64>; 2], [Option<i64>; 2]);

    fn run(operator: &mut Merge, rows: &[Row]) -> Result<Vec<String>> {
        let column =
            |of: &dyn Fn(&Row) -> Option<i64>| -> ArrayRef { Arc::new(rows.iter().map(of).collect::<Int64Array>()) };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(rows.iter().map(|row| row.0).collect::<Int32Array>()),
            column(&|row| row.1[0]),
            column(&|row| row.1[1]),
            column(&|row| row.2[0]),
            column(&|row| row.2[1]),
        ];
        let mut input = vec![Field::new("action", Type::nullable(LogicalType::Int))];
        input.extend(fields(&["id", "v", "id2", "v2"]));
        let rows = RecordBatch::try_new(Schema::new(input).to_arrow(), columns).unwrap();
        let mut out: Vec<ChangeBatch> = Vec::new();
        operator.process(0, ChangeBatch::inserts(rows), &mut out)?;
        let mut shown = Vec::new();
        for batch in &out {
            let value = |column: usize, row: usize| {
                let column = batch.rows.column(column).as_any().downcast_ref::<Int64Array>().unwrap();
                column.value(row)
            };
            shown.extend(
                (0..batch.len()).map(|row| format!("{}{},{}", batch.kind(row).mark(), value(0, row), value(1, row))),
            );
        }
        Ok(shown)
    }

    #[test]
    fn actions_become_a_changelog() {
        let rows = [
            (Some(UPDATE), [Some(1), Some(10)], [Some(1), Some(11)]),
            (None, [Some(2), Some(20)], [Some(2), Some(21)]),
            (Some(DELETE), [Some(3), Some(30)], [Some(3), Some(30)]),
            (Some(INSERT), [None, None], [Some(4), Some(40)]),
        ];
        assert_eq!(run(&mut merge(), &rows).unwrap(), ["-U1,10", "+U1,11", "-D3,30", "+I4,40"]);
    }

    #[test]
    fn a_row_that_two_rows_would_change_fails_also_after_a_restart() {
        let row = (Some(UPDATE), [Some(1), Some(10)], [Some(1), Some(11)]);
        let mut operator = merge();
        run(&mut operator, &[row]).unwrap();
        let state = operator.snapshot().unwrap().unwrap();
        let mut restored = merge();
        restored.restore(state).unwrap();
        assert_eq!(restored.size().rows, 1);
        let error = run(&mut restored, &[row]).unwrap_err();
        assert_eq!(error.code, "merge_matches_twice");
        // Rows that come new may be equal, and those that nothing happens to may match often.
        let new = (Some(INSERT), [None, None], [Some(1), Some(5)]);
        run(&mut restored, &[new, new, (None, [Some(1), None], [Some(1), None])]).unwrap();
    }
}
