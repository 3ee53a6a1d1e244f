//! Functions that give rows: `UNNEST(…)` and `LATERAL TABLE(f(…))`.
//!
//! A call is resolved by name and argument types like a scalar one; what it gives for a batch is columns of rows, each
//! with the row of the batch that it was made for. Whoever implements [`TableFunction`] can be called, built in or not.

mod json;
mod list;
mod series;
mod split;
#[cfg(test)]
mod tests;
mod unnest;

use std::fmt;
use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion_common::{DataFusionError, internal_err};
use datafusion_expr::ColumnarValue;

use super::{Argument, Call, EvalContext};
use crate::types::{Field, LogicalType, Type};

pub use list::{list_table, resolve_table};

/// A table function after its argument types are known.
pub trait TableFunction: Send + Sync + fmt::Debug {
    /// Upper case.
    fn name(&self) -> &str;

    /// What each argument has to be cast to before the call.
    fn arg_types(&self) -> &[Type];

    /// The columns that it gives.
    fn columns(&self) -> &[Field];

    /// Makes ready what takes time, once, before the first call.
    fn open(&self) -> crate::error::Result<()> {
        Ok(())
    }

    /// Everything for one batch: `args` has one value per row, or one that stands for all `rows`.
    fn call(&self, args: &[ColumnarValue], rows: usize, context: EvalContext) -> Result<TableRows, DataFusionError>;
}

/// What a table function gives for a batch.
#[derive(Debug)]
pub struct TableRows {
    /// The row of the batch that each row was made for, ascending.
    pub parents: Vec<u32>,
    pub columns: Vec<ArrayRef>,
}

pub type TableFunctionRef = Arc<dyn TableFunction>;

/// A kernel of ours. Has no state.
type NativeTableFn = fn(&Call) -> Result<TableRows, DataFusionError>;

/// A table function that is built in.
struct NativeTable {
    name: String,
    arg_types: Vec<Type>,
    columns: Vec<Field>,
    /// The columns as one ROW, for the kernel.
    row: Type,
    kernel: NativeTableFn,
}

impl NativeTable {
    fn new(name: &str, arg_types: Vec<Type>, columns: Vec<Field>, kernel: NativeTableFn) -> Self {
        let row = Type::not_null(LogicalType::Row(columns.clone()));
        NativeTable { name: name.to_owned(), arg_types, columns, row, kernel }
    }
}

impl fmt::Debug for NativeTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({} arguments)", self.name, self.arg_types.len())
    }
}

impl TableFunction for NativeTable {
    fn name(&self) -> &str {
        &self.name
    }

    fn arg_types(&self) -> &[Type] {
        &self.arg_types
    }

    fn columns(&self) -> &[Field] {
        &self.columns
    }

    fn call(&self, args: &[ColumnarValue], rows: usize, context: EvalContext) -> Result<TableRows, DataFusionError> {
        (self.kernel)(&Call { args, rows, arg_types: &self.arg_types, return_type: &self.row, context })
    }
}

/// How a name finds its function.
struct TableEntry {
    /// Upper case.
    name: &'static str,
    /// Written by the grammar, not by a name in LATERAL TABLE.
    hidden: bool,
    signature: &'static str,
    summary: &'static str,
    resolve: fn(&str, &[Argument]) -> Option<NativeTable>,
}

/// Row numbers as the columns of batches have them.
fn parent(row: usize) -> Result<u32, DataFusionError> {
    match u32::try_from(row) {
        Ok(row) => Ok(row),
        Err(_) => internal_err!("a batch has more rows than can be numbered"),
    }
}
