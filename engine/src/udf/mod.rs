//! Functions that users bring: WebAssembly modules that speak the interface of `arrow-udf`, and macros in SQL.
//!
//! A module is never trusted. [`inspect`] and [`check`] read it without running any of it; what runs it gives it memory
//! and time up to [`limits`], nothing of the outside, and believes nothing that it says without looking.

mod accept;
mod aggregate;
mod aggregate_parts;
mod file;
mod function;
#[cfg(test)]
mod fuzz;
mod host;
#[cfg(test)]
mod job_tests;
mod limits;
mod load;
mod module;
mod name;
mod signature;
mod symbol;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use millrace_wire::function::{FunctionBody, FunctionEntry, FunctionInfo, FunctionKind, FunctionSource};

use crate::catalog::CatalogText;
use crate::sql::{Problem, Span};
use module::Library;

pub(crate) use accept::accept_all;
pub(crate) use aggregate::GuestAggregate;
pub(crate) use file::locate;
pub(crate) use function::{AggregateFunction, ScalarFunction};
pub(crate) use load::{ModuleFunction, load};
pub(crate) use name::check as check_name;

/// The functions of a module, or why it cannot be used. Runs none of it.
pub fn inspect(bytes: &[u8]) -> Result<Vec<FunctionEntry>, String> {
    Ok(Library::read(bytes)?.entries())
}

/// Checks a function before it is kept, and tells how it is called. Runs none of it.
pub fn check(name: &str, source: &FunctionSource) -> Result<FunctionInfo, Vec<Problem>> {
    check_in(name, source, &CatalogText::default())
}

/// [`check`] for a macro that calls other functions of the catalog.
pub fn check_in(name: &str, source: &FunctionSource, catalog: &CatalogText) -> Result<FunctionInfo, Vec<Problem>> {
    let refused = |message: String| vec![Problem::error("wrong-arguments", message, Span { start: 0, end: 0 })];
    name::check(name).map_err(refused)?;
    let signature = match &source.body {
        FunctionBody::Wasm { module, hash, entry } => {
            load(name, Some(source.kind), module, hash, entry).map_err(refused)?.signature(name)
        }
        FunctionBody::Sql { .. } if source.kind != FunctionKind::Scalar => {
            return Err(refused("Only scalar functions can be written in SQL.".to_owned()));
        }
        FunctionBody::Sql { definition } => crate::sql::check_macro(name, definition, catalog)?,
    };
    Ok(FunctionInfo {
        name: name.to_owned(),
        kind: source.kind,
        signature,
        summary: String::new(),
        category: "user".to_owned(),
    })
}
