//! A call of a kernel that goes on from batch to batch.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema as ArrowSchema};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;
use parking_lot::Mutex;

use crate::function::{Call, EvalContext, ScalarCall, SequenceFn};

#[derive(Clone, Debug)]
pub(super) struct SequenceExpr {
    function: Arc<ScalarCall>,
    kernel: SequenceFn,
    args: Vec<Arc<dyn PhysicalExpr>>,
    context: EvalContext,
    /// Where the kernel is. Uncontended: one task evaluates an expression.
    state: Arc<Mutex<Option<u64>>>,
}

impl SequenceExpr {
    pub(super) fn new(
        function: Arc<ScalarCall>,
        kernel: SequenceFn,
        args: Vec<Arc<dyn PhysicalExpr>>,
        context: EvalContext,
    ) -> Self {
        SequenceExpr { function, kernel, args, context, state: Arc::default() }
    }
}

/// Two calls are never the same: each goes its own way.
impl PartialEq for SequenceExpr {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.state, &other.state)
    }
}

impl Eq for SequenceExpr {}

impl Hash for SequenceExpr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name().hash(state);
    }
}

impl fmt::Display for SequenceExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let args: Vec<String> = self.args.iter().map(ToString::to_string).collect();
        write!(f, "{}({})", self.function.name(), args.join(", "))
    }
}

impl PhysicalExpr for SequenceExpr {
    fn data_type(&self, _input: &ArrowSchema) -> Result<DataType> {
        Ok(self.function.return_type.logical.to_arrow())
    }

    fn nullable(&self, _input: &ArrowSchema) -> Result<bool> {
        Ok(true)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let args = self.args.iter().map(|arg| arg.evaluate(batch)).collect::<Result<Vec<_>>>()?;
        let call = Call {
            args: &args,
            rows: batch.num_rows(),
            arg_types: &self.function.arg_types,
            return_type: &self.function.return_type,
            context: self.context,
        };
        (self.kernel)(&call, &mut self.state.lock())
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.args.iter().collect()
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        Ok(Arc::new(SequenceExpr { args: children, ..self.as_ref().clone() }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
