//! The FROM clause.

use super::relation::{Relation, ScopeTable};
use super::table_call::is_table_call;
use super::{Bind, Binder};
use crate::connector::TableUse;
use crate::sql::ast::{From, FromKind};

impl Binder<'_> {
    pub(super) fn from(&mut self, from: &From) -> Bind<Relation> {
        let relation = match &from.kind {
            FromKind::Table { name, hints, system_time } => {
                if let Some(time) = system_time {
                    let message =
                        "FOR SYSTEM_TIME AS OF stands at the right table of a join, with a time of the left one.";
                    return self.refuse("unsupported", message, time.span);
                }
                self.named_relation(name, hints, TableUse::Read)?
            }
            FromKind::Query(query) => {
                let mut relation = self.query(query)?;
                relation.tables = vec![whole(&relation, "")];
                relation
            }
            FromKind::Function { .. } | FromKind::Unnest { .. } if is_table_call(from) => {
                return self.lone_table_call(from);
            }
            FromKind::Function { call, call_span, .. } => {
                let mut relation = self.window_function(call, *call_span)?;
                // Columns of a table function go by its alias only.
                relation.tables = vec![whole(&relation, "")];
                relation
            }
            FromKind::Unnest { call_span, .. } => return self.unsupported("UNNEST", *call_span),
            FromKind::Join { left, right, kind, condition } => {
                return self.join(left, right, *kind, condition, from.span);
            }
            FromKind::Unsupported(what) => return self.unsupported(what, from.span),
        };
        self.aliased(relation, from)
    }

    pub(super) fn aliased(&mut self, mut relation: Relation, from: &From) -> Bind<Relation> {
        if let Some(alias) = &from.alias {
            relation = self.rename_columns(relation, &alias.columns, alias.name.span)?;
            relation.tables = vec![whole(&relation, &alias.name.value)];
            relation.star = None;
        }
        Ok(relation)
    }
}

fn whole(relation: &Relation, alias: &str) -> ScopeTable {
    ScopeTable { alias: alias.to_owned(), database: None, columns: 0..relation.schema().len() }
}
