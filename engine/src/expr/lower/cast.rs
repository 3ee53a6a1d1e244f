//! A cast as a physical expression.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema as ArrowSchema};
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;

use crate::expr::cast::Cast;

#[derive(Clone, Debug)]
pub(super) struct CastExpr {
    input: Arc<dyn PhysicalExpr>,
    cast: Cast,
}

impl CastExpr {
    pub(super) const fn new(input: Arc<dyn PhysicalExpr>, cast: Cast) -> Self {
        CastExpr { input, cast }
    }
}

// Written out because the derived one would move the trait object.
impl PartialEq for CastExpr {
    fn eq(&self, other: &Self) -> bool {
        self.input.as_ref() == other.input.as_ref() && self.cast == other.cast
    }
}

impl Eq for CastExpr {}

impl Hash for CastExpr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.input.hash(state);
        self.cast.hash(state);
    }
}

impl fmt::Display for CastExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CAST({} AS {})", self.input, self.cast.to)
    }
}

impl PhysicalExpr for CastExpr {
    fn data_type(&self, _input: &ArrowSchema) -> Result<DataType> {
        Ok(self.cast.to.to_arrow())
    }

    fn nullable(&self, _input: &ArrowSchema) -> Result<bool> {
        Ok(true)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        match self.input.evaluate(batch)? {
            ColumnarValue::Array(array) => Ok(ColumnarValue::Array(self.cast.run(&array)?)),
            ColumnarValue::Scalar(scalar) => {
                let cast = self.cast.run(&scalar.to_array_of_size(1)?)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&cast, 0)?))
            }
        }
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.input]
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let input = children.pop().unwrap_or_else(|| Arc::clone(&self.input));
        Ok(Arc::new(CastExpr { input, cast: self.cast.clone() }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
