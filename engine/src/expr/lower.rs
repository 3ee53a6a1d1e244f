//! Bound expression → DataFusion physical expression.
//!
//! DataFusion gives columns, literals, CASE, AND/OR and the comparison and arithmetic kernels of Arrow; calls of our own
//! kernels and casts are two small expressions of ours ([`CallExpr`], [`CastExpr`]).

mod call;
mod cast;
mod sequence;
mod user;

use std::sync::Arc;

use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{
    BinaryExpr, CaseExpr, Column, IsNotNullExpr, IsNullExpr, Literal, NotExpr, in_list,
};

use self::call::CallExpr;
use self::cast::CastExpr;
use self::sequence::SequenceExpr;
use self::user::UserExpr;
use super::cast::Cast;
use super::{Expr, ExprKind};
use crate::error::{EngineError, Result};
use crate::function::{EvalContext, Kernel, ScalarCall};
use crate::types::{LogicalType, Schema};

/// Compiles `expr` over batches of `input` in UTC. Done once per operator, never per batch.
pub fn lower(expr: &Expr, input: &Schema) -> Result<Arc<dyn PhysicalExpr>> {
    lower_in(expr, input, EvalContext::default())
}

/// [`lower`] in a session's time zone.
pub fn lower_in(expr: &Expr, input: &Schema, context: EvalContext) -> Result<Arc<dyn PhysicalExpr>> {
    Lowering { input, context }.expr(expr)
}

struct Lowering<'a> {
    input: &'a Schema,
    context: EvalContext,
}

impl Lowering<'_> {
    fn expr(&self, expr: &Expr) -> Result<Arc<dyn PhysicalExpr>> {
        match &expr.kind {
            ExprKind::Column(index) => {
                let field = self.input.fields.get(*index).ok_or_else(|| {
                    EngineError::internal("an expression reads a column that its input does not have").with_detail(expr)
                })?;
                Ok(Arc::new(Column::new(&field.name, *index)))
            }
            ExprKind::Literal(value) => Ok(Arc::new(Literal::new(value.0.clone()))),
            ExprKind::Cast { input, mode } => {
                let (from, to) = (input.ty.logical.clone(), expr.ty.logical.clone());
                let lowered = self.expr(input)?;
                if from == to {
                    return Ok(lowered);
                }
                Ok(Arc::new(CastExpr::new(lowered, Cast { from, to, mode: *mode, context: self.context })))
            }
            ExprKind::Case { branches, otherwise } => {
                let pairs = branches.iter().map(|(condition, result)| Ok((self.expr(condition)?, self.expr(result)?)));
                let otherwise = otherwise.as_ref().map(|expr| self.expr(expr)).transpose()?;
                Ok(Arc::new(CaseExpr::try_new(None, pairs.collect::<Result<Vec<_>>>()?, otherwise)?))
            }
            ExprKind::Call { function, args } => self.call(function, args),
        }
    }

    fn call(&self, function: &Arc<ScalarCall>, args: &[Expr]) -> Result<Arc<dyn PhysicalExpr>> {
        let lowered = args.iter().map(|arg| self.expr(arg)).collect::<Result<Vec<_>>>()?;
        match (function.kernel, lowered.as_slice()) {
            (Kernel::Native(_), _) if is_same_float(function, args) => self.equal_to_itself(function, &lowered),
            (Kernel::Native(kernel), _) => {
                Ok(Arc::new(CallExpr::new(Arc::clone(function), kernel, lowered, self.context)))
            }
            (Kernel::Sequence(kernel), _) => {
                Ok(Arc::new(SequenceExpr::new(Arc::clone(function), kernel, lowered, self.context)))
            }
            (Kernel::User, _) => {
                let Some(user) = &function.user else {
                    return Err(EngineError::internal("a user's function is not there").with_detail(function.name()));
                };
                user.module.open()?;
                Ok(Arc::new(UserExpr::new(Arc::clone(user), lowered)))
            }
            (Kernel::Binary(operator), [left, right]) => {
                Ok(Arc::new(BinaryExpr::new(Arc::clone(left), operator, Arc::clone(right))))
            }
            (Kernel::IsNull, [input]) => Ok(Arc::new(IsNullExpr::new(Arc::clone(input)))),
            (Kernel::IsNotNull, [input]) => Ok(Arc::new(IsNotNullExpr::new(Arc::clone(input)))),
            (Kernel::Not, [input]) => Ok(Arc::new(NotExpr::new(Arc::clone(input)))),
            (Kernel::If, [condition, then, otherwise]) => {
                let branches = vec![(Arc::clone(condition), Arc::clone(then))];
                Ok(Arc::new(CaseExpr::try_new(None, branches, Some(Arc::clone(otherwise)))?))
            }
            (Kernel::Coalesce, [inputs @ .., last]) => {
                if inputs.is_empty() {
                    return Ok(Arc::clone(last));
                }
                let branch = |input: &Arc<dyn PhysicalExpr>| {
                    let present: Arc<dyn PhysicalExpr> = Arc::new(IsNotNullExpr::new(Arc::clone(input)));
                    (present, Arc::clone(input))
                };
                Ok(Arc::new(CaseExpr::try_new(None, inputs.iter().map(branch).collect(), Some(Arc::clone(last)))?))
            }
            (Kernel::In, [input, list @ ..]) => {
                Ok(in_list(Arc::clone(input), list.to_vec(), &false, &self.input.to_arrow())?)
            }
            _ => Err(EngineError::internal("a call has the wrong number of arguments").with_detail(function.name())),
        }
    }

    /// Flink simplifies `x = x`, so that even NaN equals itself.
    fn equal_to_itself(
        &self,
        function: &Arc<ScalarCall>,
        args: &[Arc<dyn PhysicalExpr>],
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let Some(input) = args.first() else {
            return Err(EngineError::internal("a comparison without arguments").with_detail(function.name()));
        };
        let constant = |truth: Option<bool>| -> Arc<dyn PhysicalExpr> {
            Arc::new(Literal::new(datafusion_common::ScalarValue::Boolean(truth)))
        };
        let absent: Arc<dyn PhysicalExpr> = Arc::new(IsNullExpr::new(Arc::clone(input)));
        let branches = vec![(absent, constant(None))];
        Ok(Arc::new(CaseExpr::try_new(None, branches, Some(constant(Some(function.name() == "="))))?))
    }
}

/// `x = x` or `x <> x` on floats.
fn is_same_float(function: &ScalarCall, args: &[Expr]) -> bool {
    let [left, right] = args else { return false };
    let is_float = matches!(left.ty.logical, LogicalType::Float | LogicalType::Double);
    is_float && matches!(function.name(), "=" | "<>") && left.to_string() == right.to_string()
}
