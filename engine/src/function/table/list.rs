//! Name → table function.

use millrace_wire::function::{FunctionInfo, FunctionKind};

use super::{TableEntry, TableFunctionRef, json, series, split, unnest};
use crate::function::{Argument, ResolveError};
use std::sync::Arc;

fn entries() -> impl Iterator<Item = &'static TableEntry> {
    [unnest::ENTRIES, split::ENTRIES, json::ENTRIES, series::ENTRIES].into_iter().flatten()
}

/// Resolves a table function by name (any case) and argument types.
pub fn resolve_table(name: &str, args: &[Argument]) -> Result<TableFunctionRef, ResolveError> {
    let upper = name.to_ascii_uppercase();
    let Some(entry) = entries().find(|entry| entry.name == upper) else {
        let names = entries().filter(|entry| !entry.hidden).map(|entry| entry.name);
        let suggestion = crate::sql::suggest::nearest(&upper, names).map(str::to_owned);
        return Err(ResolveError::UnknownFunction { suggestion });
    };
    match (entry.resolve)(&upper, args) {
        Some(function) => Ok(Arc::new(function)),
        None => {
            let given: Vec<String> = args.iter().map(|argument| argument.ty.logical.to_string()).collect();
            let (given, form) = (given.join(", "), entry.signature);
            Err(ResolveError::WrongArguments { message: format!("{upper} does not take ({given}). It takes {form}.") })
        }
    }
}

/// For completion and the functions page.
pub fn list_table() -> Vec<FunctionInfo> {
    let info = |entry: &TableEntry| FunctionInfo {
        name: entry.name.to_owned(),
        kind: FunctionKind::Table,
        signature: entry.signature.to_owned(),
        summary: entry.summary.to_owned(),
        category: "table".to_owned(),
    };
    entries().filter(|entry| entry.name != unnest::WITH_ORDINALITY).map(info).collect()
}
