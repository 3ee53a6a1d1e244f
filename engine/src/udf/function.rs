//! A module's functions as the engine calls them.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use datafusion_common::DataFusionError;
use datafusion_expr::ColumnarValue;
use parking_lot::Mutex;

use super::accept::accept_all;
use super::aggregate_parts::AggregateParts;
use super::host::{Compiled, Runner};
use super::module::Function;
use super::signature::AbiType;
use crate::error::Result;
use crate::function::EvalContext;
use crate::function::table::{TableFunction, TableFunctionRef, TableRows};
use crate::types::{Field, LogicalType, Type};

/// Where a function comes from, and the instances that nobody is calling at the moment.
pub(crate) struct Module {
    /// As SQL names the function.
    pub(crate) name: String,
    path: String,
    hash: String,
    idle: Mutex<Vec<Runner>>,
}

impl Module {
    pub(super) fn new(name: &str, path: &str, hash: &str) -> Self {
        Module { name: name.to_owned(), path: path.to_owned(), hash: hash.to_owned(), idle: Mutex::default() }
    }

    /// Compiles the module, if nobody has yet: a job that cannot call its functions does not begin.
    pub(crate) fn open(&self) -> Result<()> {
        Compiled::of(&self.path, &self.hash, &self.name).map(|_| ())
    }

    /// Works with an instance of its own: as many as call at the same time.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Runner) -> Result<T>) -> Result<T> {
        let idle = self.idle.lock().pop();
        let mut runner = match idle {
            Some(runner) => runner,
            None => Runner::new(Compiled::of(&self.path, &self.hash, &self.name)?, &self.name),
        };
        let result = work(&mut runner);
        self.idle.lock().push(runner);
        result
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// One value per row.
#[derive(Debug)]
pub(crate) struct ScalarFunction {
    pub(crate) module: Module,
    pub(super) function: Function,
}

impl ScalarFunction {
    pub(crate) fn arguments(&self) -> &[AbiType] {
        &self.function.signature.arguments
    }

    pub(crate) fn result(&self) -> LogicalType {
        self.function.signature.result.logical()
    }

    pub(crate) fn call(&self, columns: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let result = self.result().to_arrow();
        self.module.with(|runner| runner.scalar(&self.function, columns, rows, &result))
    }
}

/// Rows for each row, for the types of one call.
#[derive(Debug)]
struct RowFunction {
    module: Arc<Module>,
    function: Function,
    arg_types: Vec<Type>,
    columns: Vec<Field>,
}

impl TableFunction for RowFunction {
    fn name(&self) -> &str {
        &self.module.name
    }

    fn arg_types(&self) -> &[Type] {
        &self.arg_types
    }

    fn columns(&self) -> &[Field] {
        &self.columns
    }

    fn open(&self) -> Result<()> {
        self.module.open()
    }

    fn call(&self, args: &[ColumnarValue], rows: usize, _: EvalContext) -> Result<TableRows, DataFusionError> {
        let columns = args.iter().map(|arg| arg.to_array(rows)).collect::<Result<Vec<_>, _>>()?;
        let result = self.function.signature.result.logical().to_arrow();
        let given = self.module.with(|runner| runner.table(&self.function, &columns, rows, &result));
        let (parents, values) = given.map_err(|error| DataFusionError::External(Box::new(error)))?;
        let columns = match values.data_type() {
            DataType::Struct(_) => fields_of(&values),
            _ => vec![values],
        };
        Ok(TableRows { parents, columns })
    }
}

/// The fields of a row, NULL where the row is.
fn fields_of(values: &ArrayRef) -> Vec<ArrayRef> {
    let row = values.as_struct();
    let padded = |column: &ArrayRef| match row.nulls() {
        None => Arc::clone(column),
        Some(nulls) => {
            let all = arrow::buffer::NullBuffer::union(column.nulls(), Some(nulls));
            let data = column.to_data().into_builder().nulls(all).build();
            data.map_or_else(|_| Arc::clone(column), arrow::array::make_array)
        }
    };
    row.columns().iter().map(padded).collect()
}

/// Rows for each row, before the types of a call are known.
#[derive(Debug)]
pub(crate) struct RowsFunction {
    pub(super) module: Arc<Module>,
    pub(super) function: Function,
}

impl RowsFunction {
    pub(super) fn arguments(&self) -> &[AbiType] {
        &self.function.signature.arguments
    }

    pub(super) fn result(&self) -> LogicalType {
        self.function.signature.result.logical()
    }

    /// As it is called with arguments of these types.
    pub(crate) fn of_types(&self, given: &[Type]) -> Result<TableFunctionRef, String> {
        let signature = &self.function.signature;
        Ok(Arc::new(RowFunction {
            arg_types: accept_all(&self.module.name, &signature.arguments, given)?,
            columns: columns_of(&self.module.name, &signature.result),
            module: Arc::clone(&self.module),
            function: self.function.clone(),
        }))
    }
}

/// One value per group.
#[derive(Debug)]
pub(crate) struct AggregateFunction {
    pub(crate) module: Module,
    pub(super) parts: AggregateParts,
}

impl AggregateFunction {
    pub(crate) fn arguments(&self) -> &[AbiType] {
        &self.parts.arguments
    }

    pub(crate) fn result(&self) -> LogicalType {
        self.parts.result.logical()
    }

    pub(crate) fn retracts(&self) -> bool {
        self.parts.retract.is_some()
    }

    pub(crate) fn merges(&self) -> bool {
        self.parts.merge.is_some()
    }

    pub(crate) fn parts(&self) -> &AggregateParts {
        &self.parts
    }

    /// What a checkpoint knows its state by.
    pub(crate) fn state_text(&self) -> String {
        format!("{}:{}", self.parts.name, self.parts.state)
    }
}

/// The same function of the same module.
impl PartialEq for AggregateFunction {
    fn eq(&self, other: &Self) -> bool {
        self.module.hash == other.module.hash
            && self.module.name == other.module.name
            && self.parts.accumulate == other.parts.accumulate
    }
}

/// The columns of a table function: the fields of a struct, or one by the function's name.
fn columns_of(name: &str, result: &AbiType) -> Vec<Field> {
    match result.logical() {
        LogicalType::Row(fields) => fields,
        logical => vec![Field::new(name, Type::nullable(logical))],
    }
}
