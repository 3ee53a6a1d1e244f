//! A call of one of our kernels as a physical expression.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema as ArrowSchema};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;

use crate::function::{Call, EvalContext, NativeFn, ScalarCall};

#[derive(Clone, Debug)]
pub(super) struct CallExpr {
    function: Arc<ScalarCall>,
    kernel: NativeFn,
    args: Vec<Arc<dyn PhysicalExpr>>,
    context: EvalContext,
}

impl CallExpr {
    pub(super) const fn new(
        function: Arc<ScalarCall>,
        kernel: NativeFn,
        args: Vec<Arc<dyn PhysicalExpr>>,
        context: EvalContext,
    ) -> Self {
        CallExpr { function, kernel, args, context }
    }
}

impl PartialEq for CallExpr {
    fn eq(&self, other: &Self) -> bool {
        self.function.name() == other.function.name()
            && self.function.return_type == other.function.return_type
            && self.function.arg_types == other.function.arg_types
            && self.context == other.context
            && self.args == other.args
    }
}

impl Eq for CallExpr {}

impl Hash for CallExpr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name().hash(state);
        self.context.hash(state);
        self.args.hash(state);
    }
}

impl fmt::Display for CallExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let args: Vec<String> = self.args.iter().map(ToString::to_string).collect();
        write!(f, "{}({})", self.function.name(), args.join(", "))
    }
}

impl PhysicalExpr for CallExpr {
    fn data_type(&self, _input: &ArrowSchema) -> Result<DataType> {
        Ok(self.function.return_type.logical.to_arrow())
    }

    fn nullable(&self, _input: &ArrowSchema) -> Result<bool> {
        Ok(true)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let args = self.args.iter().map(|arg| arg.evaluate(batch)).collect::<Result<Vec<_>>>()?;
        (self.kernel)(&Call {
            args: &args,
            rows: batch.num_rows(),
            arg_types: &self.function.arg_types,
            return_type: &self.function.return_type,
            context: self.context,
        })
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.args.iter().collect()
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        Ok(Arc::new(CallExpr { args: children, ..self.as_ref().clone() }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
