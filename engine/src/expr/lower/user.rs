//! A call of a user's function as a physical expression.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema as ArrowSchema};
use datafusion_common::{DataFusionError, Result, ScalarValue};
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;

use crate::udf::ScalarFunction;

#[derive(Clone, Debug)]
pub(super) struct UserExpr {
    function: Arc<ScalarFunction>,
    args: Vec<Arc<dyn PhysicalExpr>>,
}

impl UserExpr {
    pub(super) const fn new(function: Arc<ScalarFunction>, args: Vec<Arc<dyn PhysicalExpr>>) -> Self {
        UserExpr { function, args }
    }
}

impl PartialEq for UserExpr {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.function, &other.function) && self.args == other.args
    }
}

impl Eq for UserExpr {}

impl Hash for UserExpr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.module.name.hash(state);
        self.args.hash(state);
    }
}

impl fmt::Display for UserExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let args: Vec<String> = self.args.iter().map(ToString::to_string).collect();
        write!(f, "{}({})", self.function.module.name, args.join(", "))
    }
}

impl PhysicalExpr for UserExpr {
    fn data_type(&self, _input: &ArrowSchema) -> Result<DataType> {
        Ok(self.function.result().to_arrow())
    }

    fn nullable(&self, _input: &ArrowSchema) -> Result<bool> {
        Ok(true)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let args = self.args.iter().map(|arg| arg.evaluate(batch)).collect::<Result<Vec<_>>>()?;
        // Of constants, one row says all.
        let constant = args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { batch.num_rows().min(1) } else { batch.num_rows() };
        let columns = args.iter().map(|arg| arg.to_array(rows)).collect::<Result<Vec<_>>>()?;
        let given = self.function.call(&columns, rows).map_err(|error| DataFusionError::External(Box::new(error)))?;
        if constant && rows == 1 {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&given, 0)?));
        }
        Ok(ColumnarValue::Array(given))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.args.iter().collect()
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        Ok(Arc::new(UserExpr { function: Arc::clone(&self.function), args: children }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
