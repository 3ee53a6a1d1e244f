//! An aggregate function of a module at one place where it is called.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::function::AggregateFunction;
use super::host::Runner;
use super::module::Function;
use crate::error::{EngineError, Result};

/// Calls of the parts of an aggregate function. States are handed in and given back; it keeps none.
pub(crate) struct GuestAggregate {
    function: Arc<AggregateFunction>,
}

impl AggregateFunction {
    /// Compiles the module, if nobody has yet.
    pub(crate) fn open(self: &Arc<Self>) -> Result<GuestAggregate> {
        self.module.open()?;
        Ok(GuestAggregate { function: Arc::clone(self) })
    }
}

impl GuestAggregate {
    /// The Arrow type of a state.
    pub(crate) fn state(&self) -> DataType {
        self.function.parts().state.logical().to_arrow()
    }

    /// The state of no rows, as one value.
    pub(crate) fn create(&self) -> Result<ArrayRef> {
        self.part(Some(&self.function.parts().create), &[], 1, &self.state())
    }

    /// The states, and the arguments of one row for each.
    pub(crate) fn accumulate(&self, columns: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        self.part(Some(&self.function.parts().accumulate), columns, rows, &self.state())
    }

    pub(crate) fn retract(&self, columns: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        self.part(self.function.parts().retract.as_ref(), columns, rows, &self.state())
    }

    pub(crate) fn merge(&self, columns: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        self.part(self.function.parts().merge.as_ref(), columns, rows, &self.state())
    }

    pub(crate) fn finish(&self, columns: &[ArrayRef], rows: usize, result: &DataType) -> Result<ArrayRef> {
        self.part(Some(&self.function.parts().finish), columns, rows, result)
    }

    fn part(&self, part: Option<&Function>, columns: &[ArrayRef], rows: usize, result: &DataType) -> Result<ArrayRef> {
        let missing = || EngineError::internal("a part of an aggregate function is not there");
        let part = part.ok_or_else(missing)?;
        self.function.module.with(|runner: &mut Runner| runner.scalar(part, columns, rows, result))
    }
}
