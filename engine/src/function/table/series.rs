//! GENERATE_SERIES: numbers as rows.

use std::sync::Arc;

use arrow::array::Int64Array;
use arrow::datatypes::Int64Type;
use datafusion_common::{DataFusionError, exec_err};

use super::split::accepted;
use super::{NativeTable, TableEntry, TableRows, parent};
use crate::function::Call;
use crate::function::signature::Param;
use crate::types::{Field, LogicalType, Type};

/// Rows of one call at most, so that a slip does not fill the memory.
const LIMIT: usize = 1_000_000;

pub(super) const ENTRIES: &[TableEntry] = &[TableEntry {
    name: "GENERATE_SERIES",
    hidden: false,
    signature: "GENERATE_SERIES(first, last[, step]) → (value)",
    summary: "The whole numbers from first to last, both included, as rows; at most a million.",
    resolve: |name, args| {
        const N: Param = Param::BigInt;
        let types = accepted(args, &[N, N]).or_else(|| accepted(args, &[N, N, N]))?;
        let columns = vec![Field::new("value", Type::not_null(LogicalType::BigInt))];
        Some(NativeTable::new(name, types, columns, series))
    },
}];

fn series(call: &Call) -> Result<TableRows, DataFusionError> {
    let (first, last) = (call.numbers::<Int64Type>(0)?, call.numbers::<Int64Type>(1)?);
    let step = if call.args.len() > 2 { Some(call.numbers::<Int64Type>(2)?) } else { None };
    let (mut parents, mut values) = (Vec::new(), Vec::new());
    for row in 0..call.rows {
        let step = match &step {
            Some(step) => step.get(row),
            None => Some(1),
        };
        let (Some(first), Some(last), Some(step)) = (first.get(row), last.get(row), step) else { continue };
        if step == 0 {
            return exec_err!("The step of GENERATE_SERIES is 0.");
        }
        let inside = |value: &i64| if step > 0 { *value <= last } else { *value >= last };
        let numbers = std::iter::successors(Some(first), |value| value.checked_add(step)).take_while(inside);
        let before = values.len();
        values.extend(numbers.take(LIMIT + 1));
        if values.len() - before > LIMIT {
            return exec_err!("GENERATE_SERIES from {first} to {last} gives more than {LIMIT} rows.");
        }
        let row = parent(row)?;
        parents.resize(values.len(), row);
    }
    Ok(TableRows { parents, columns: vec![Arc::new(Int64Array::from(values))] })
}
