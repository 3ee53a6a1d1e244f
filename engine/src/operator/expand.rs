//! Every row once per grouping set, in front of an aggregation by GROUPING SETS, ROLLUP or CUBE. Columns are shared, not
//! copied.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, new_null_array};
use arrow::datatypes::SchemaRef;

use super::{Operator, Output};
use crate::change::ChangeBatch;
use crate::error::Result;
use crate::plan::logical::ExpandSpec;

pub struct Expand {
    spec: ExpandSpec,
    output: SchemaRef,
}

impl Expand {
    pub const fn new(spec: ExpandSpec, output: SchemaRef) -> Self {
        Expand { spec, output }
    }
}

impl Operator for Expand {
    fn process(&mut self, _input: usize, batch: ChangeBatch, out: &mut dyn Output) -> Result<()> {
        let rows = batch.len();
        for set in &self.spec.sets {
            let mut columns: Vec<ArrayRef> = batch.rows.columns().to_vec();
            for (key, kept) in self.spec.keys.iter().zip(&set.kept) {
                let column = batch.rows.column(*key);
                columns.push(if *kept { Arc::clone(column) } else { new_null_array(column.data_type(), rows) });
            }
            for number in &set.numbers {
                columns.push(Arc::new(Int64Array::from(vec![*number; rows])));
            }
            let rows = RecordBatch::try_new(Arc::clone(&self.output), columns)?;
            out.emit(ChangeBatch { rows, kinds: batch.kinds.clone() })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::change::RowKind;
    use crate::collect::RowWriter;
    use crate::plan::logical::GroupingSet;
    use crate::types::{Field, LogicalType, Schema, Type};

    #[test]
    fn every_row_comes_once_per_set_with_its_kind() {
        let field = |name: &str| Field::new(name, Type::nullable(LogicalType::BigInt));
        let (input, output) = (
            Schema::new(vec![field("a"), field("b")]),
            Schema::new(["a", "b", "ka", "kb", "e", "g"].map(field).to_vec()),
        );
        let set = |kept: [bool; 2], numbers: [i64; 2]| GroupingSet { kept: kept.to_vec(), numbers: numbers.to_vec() };
        let sets = vec![set([true, true], [0, 7]), set([false, true], [1, 8])];
        let columns: Vec<ArrayRef> =
            vec![Arc::new(Int64Array::from(vec![Some(1), None])), Arc::new(Int64Array::from(vec![10, 20]))];
        let rows = RecordBatch::try_new(input.to_arrow(), columns).unwrap();
        let batch = ChangeBatch::with_kinds(rows, vec![RowKind::UpdateBefore, RowKind::UpdateAfter]);
        let mut expand = Expand::new(ExpandSpec { keys: vec![0, 1], sets }, output.to_arrow());
        let mut out: Vec<ChangeBatch> = Vec::new();
        expand.process(0, batch, &mut out).unwrap();
        let writer = RowWriter::new(&output);
        let row = |batch: &ChangeBatch, row| {
            format!("{}{}", batch.kind(row).mark(), serde_json::Value::Array(writer.row(batch, row)))
        };
        let given: Vec<String> =
            out.iter().flat_map(|batch| (0..batch.len()).map(|at| row(batch, at)).collect::<Vec<_>>()).collect();
        assert_eq!(
            given,
            ["-U[1,10,1,10,0,7]", "+U[null,20,null,20,0,7]", "-U[1,10,null,10,1,8]", "+U[null,20,null,20,1,8]"]
        );
    }
}
