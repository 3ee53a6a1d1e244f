//! The registry of built-in functions and operators: name → signatures → result type and kernel.
//!
//! A call is resolved once, by name and argument types; the result says what each argument has to be cast to, the
//! result type, and the kernel that runs over arrays. Semantics are Flink's, also where DataFusion has a function of
//! the same name.

mod arguments;
mod registry;
mod signature;
pub mod table;

mod arithmetic;
mod classify;
pub(crate) mod collection;
mod comparison;
mod compiled;
mod conditional;
mod csv_text;
pub(crate) mod decimal;
mod geo;
mod ip;
pub(crate) mod json;
mod logic;
mod math;
mod nested;
mod pattern;
mod printf;
mod random;
mod secret;
mod text;
mod text_codec;
mod text_format;
mod text_split;
pub(crate) mod time;
mod url;
mod url_code;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use datafusion_common::DataFusionError;
use datafusion_expr::ColumnarValue;

use crate::types::Type;
use crate::udf::ScalarFunction;

pub(crate) use registry::is_known;
pub use registry::{list, resolve_scalar};
pub(crate) use signature::common_type;
pub(crate) use time::CURRENT_WATERMARK;

/// A scalar function after its argument types are known.
#[derive(Clone, Debug)]
pub struct ScalarCall {
    name: String,
    /// What each argument has to be cast to before the call.
    pub arg_types: Vec<Type>,
    pub return_type: Type,
    pub kernel: Kernel,
    /// Gives another result at another time, or for every row: never folded into a constant.
    pub volatile: bool,
    /// For [`Kernel::User`].
    pub(crate) user: Option<Arc<ScalarFunction>>,
}

/// How a call is executed.
#[derive(Clone, Copy, Debug)]
pub enum Kernel {
    /// One of ours, over whole arrays.
    Native(NativeFn),
    /// One of ours that goes on from batch to batch.
    Sequence(SequenceFn),
    /// A DataFusion binary operator whose behaviour is Flink's.
    Binary(datafusion_expr::Operator),
    IsNull,
    IsNotNull,
    Not,
    /// `IF(condition, a, b)`: only the branch that is taken is evaluated.
    If,
    /// `COALESCE(a, b, …)`: stops at the first that is not NULL.
    Coalesce,
    /// `a IN (1, 2, …)` with constants: looked up in a hash set.
    In,
    /// A user's function: never run while planning.
    User,
}

/// A kernel of ours. Has no state, so that two calls are equal when their functions are.
pub type NativeFn = fn(&Call) -> Result<ColumnarValue, DataFusionError>;

/// A kernel of ours that keeps where it is, for each place that it stands at.
pub type SequenceFn = fn(&Call, &mut Option<u64>) -> Result<ColumnarValue, DataFusionError>;

/// What a native kernel gets for one batch.
pub struct Call<'a> {
    pub args: &'a [ColumnarValue],
    pub rows: usize,
    pub arg_types: &'a [Type],
    pub return_type: &'a Type,
    pub context: EvalContext,
}

/// What an expression may know of its surroundings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EvalContext {
    /// `table.local-time-zone`
    pub zone: chrono_tz::Tz,
}

impl Default for EvalContext {
    fn default() -> Self {
        EvalContext { zone: chrono_tz::UTC }
    }
}

/// Why a call cannot be resolved.
#[derive(Clone, Debug, PartialEq)]
pub enum ResolveError {
    UnknownFunction {
        suggestion: Option<String>,
    },
    /// The message lists the signatures that there are.
    WrongArguments {
        message: String,
    },
    /// Flink knows it, this engine does not yet.
    Unsupported {
        message: String,
    },
}

/// One argument as the binder sees it.
#[derive(Clone, Debug)]
pub struct Argument {
    pub ty: Type,
    /// Present for constants: some functions derive their type from a literal (`EXTRACT`, `TIMESTAMPADD`, `ROUND`).
    pub literal: Option<crate::expr::Value>,
}

impl ScalarCall {
    pub fn new(name: impl Into<String>, arg_types: Vec<Type>, return_type: Type, kernel: Kernel) -> Self {
        ScalarCall { name: name.into(), arg_types, return_type, kernel, volatile: false, user: None }
    }

    /// A call of a user's function.
    pub(crate) fn of_user(function: Arc<ScalarFunction>, arg_types: Vec<Type>) -> Self {
        let return_type = Type::nullable(function.result());
        let name = function.module.name.clone();
        ScalarCall { name, arg_types, return_type, kernel: Kernel::User, volatile: false, user: Some(function) }
    }

    /// Upper case, or the operator's sign; a user's function as it is named.
    pub fn name(&self) -> &str {
        &self.name
    }
}
