//! A module's function by its entry, ready to be called. Nothing is compiled yet.

use std::sync::Arc;

use millrace_wire::function::FunctionKind;

use super::file;
use super::function::{AggregateFunction, Module, RowsFunction, ScalarFunction};
use super::module::Found;
use super::signature::AbiType;

#[derive(Clone, Debug)]
pub(crate) enum ModuleFunction {
    Scalar(Arc<ScalarFunction>),
    Rows(Arc<RowsFunction>),
    Aggregate(Arc<AggregateFunction>),
}

/// Finds `entry` in the module; it has to be of the kind that is said.
pub(crate) fn load(
    name: &str,
    kind: Option<FunctionKind>,
    path: &str,
    hash: &str,
    entry: &str,
) -> Result<ModuleFunction, String> {
    let library = file::library(path, hash)?;
    let module = Module::new(name, path, hash);
    let function = match library.find(entry)? {
        Found::Scalar(function) => ModuleFunction::Scalar(Arc::new(ScalarFunction { module, function })),
        Found::Table(function) => ModuleFunction::Rows(Arc::new(RowsFunction { module: Arc::new(module), function })),
        Found::Aggregate(parts) => ModuleFunction::Aggregate(Arc::new(AggregateFunction { module, parts: *parts })),
    };
    match kind.filter(|kind| *kind != function.kind()) {
        Some(kind) => Err(format!("The module's function is of the kind '{}' and not '{kind}'.", function.kind())),
        None => Ok(function),
    }
}

impl ModuleFunction {
    pub(crate) const fn kind(&self) -> FunctionKind {
        match self {
            Self::Scalar(_) => FunctionKind::Scalar,
            Self::Rows(_) => FunctionKind::Table,
            Self::Aggregate(_) => FunctionKind::Aggregate,
        }
    }

    /// As SQL names it.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Scalar(function) => &function.module.name,
            Self::Rows(function) => &function.module.name,
            Self::Aggregate(function) => &function.module.name,
        }
    }

    /// `gcd(INT, INT) → INT`
    pub(crate) fn signature(&self, name: &str) -> String {
        let (arguments, result) = match self {
            Self::Scalar(function) => (function.arguments(), function.result()),
            Self::Rows(function) => (function.arguments(), function.result()),
            Self::Aggregate(function) => (function.arguments(), function.result()),
        };
        let arguments: Vec<String> = arguments.iter().map(|ty: &AbiType| ty.logical().to_string()).collect();
        format!("{name}({}) → {result}", arguments.join(", "))
    }
}
