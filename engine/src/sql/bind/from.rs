//! The FROM clause.

use super::relation::{Relation, ScopeTable};
use super::table_call::is_table_call;
use super::{Bind, Binder};
use crate::sql::ast::{From, FromKind};

impl Binder<'_> {
    pub(super) fn from(&mut self, from: &From) -> Bind<Relation> {
        let mut relation = match &from.kind {
            FromKind::Table { name, hints, system_time } => {
                let relation = self.named_relation(name, hints)?;
                if let Some(time) = system_time {
                    return self.unsupported("FOR SYSTEM_TIME AS OF", time.span);
                }
                relation
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
