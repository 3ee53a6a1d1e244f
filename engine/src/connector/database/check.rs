//! What can be wrong with a database table before any server is asked.

use super::super::TableUse;
use super::super::registry::problem;
use super::partition::Partitions;
use super::sink::SinkOptions;
use super::target::{Flavour, Target};
use crate::catalog::{ColumnKind, TableRef};
use crate::sql::Problem;

pub(super) fn problems(flavour: Flavour, table: &TableRef, use_: TableUse) -> Vec<Problem> {
    let target = match Target::of_options(flavour, &table.options) {
        Ok(target) => target,
        Err(error) => return vec![problem("wrong-arguments", error.message)],
    };
    let mut found = Vec::new();
    for column in &table.columns {
        match &column.kind {
            ColumnKind::Metadata { key, .. } => {
                found.push(problem("unsupported", format!("Database tables have no metadata '{key}'.")));
            }
            ColumnKind::Physical if !target.dialect.supports(&column.ty.logical) => {
                let message = format!(
                    "{} has no type for the column '{}' of type {}. Declare it as STRING, or leave it out.",
                    target.dialect.title(),
                    column.name,
                    column.ty.logical
                );
                found.push(problem("unsupported", message));
            }
            ColumnKind::Physical | ColumnKind::Computed(_) => {}
        }
    }
    let options = match use_ {
        TableUse::Read => Partitions::of_table(table).map(|_| ()),
        // Ranges matter only to those who read all rows.
        TableUse::Lookup => Ok(()),
        TableUse::Write => SinkOptions::of_table(table).map(|_| ()),
    };
    found.extend(options.err().map(|error| problem("wrong-arguments", error.message)));
    found
}
