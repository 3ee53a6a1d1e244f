//! GROUP BY: keys and the older windows.

use std::collections::HashSet;

use super::super::expr::ExprScope;
use super::super::relation::Relation;
use super::super::{Bind, Binder};
use super::{GroupWindow, fingerprint};
use crate::expr::Expr;
use crate::sql::ast::{GroupItem, Select};
use crate::types::LogicalType;

/// What GROUP BY gives: the input, with the columns of a group window appended, and the keys over it.
pub(in crate::sql::bind) struct Grouping {
    pub(in crate::sql::bind) relation: Relation,
    pub(in crate::sql::bind) keys: Vec<Expr>,
    pub(in crate::sql::bind) window: Option<GroupWindow>,
}

impl Binder<'_> {
    pub(in crate::sql::bind) fn group_items(&mut self, select: &Select, mut relation: Relation) -> Bind<Grouping> {
        self.check_width(select.group_by.len(), select.span)?;
        let mut keys: Vec<Expr> = Vec::new();
        let mut seen = HashSet::new();
        let mut window = None;
        // The window first: it appends columns.
        for item in &select.group_by {
            if let GroupItem::Expr(expr) = item
                && let Some(found) = self.group_window(expr, &select.group_by, &relation)?
            {
                if window.is_some() {
                    return self.unsupported("A second window in GROUP BY", expr.span);
                }
                let (with_window, group_window) = found;
                relation = with_window;
                window = Some(group_window);
            }
        }
        for item in &select.group_by {
            match item {
                GroupItem::Sets { what, span } => return self.unsupported(what, *span),
                GroupItem::Expr(expr) if super::super::group_window::is_group_window(expr) => {
                    if let Some(window) = &window {
                        let columns = [Some(window.columns.start), Some(window.columns.end), window.columns.time];
                        keys.extend(columns.into_iter().flatten().filter_map(|column| relation.column(column)));
                    }
                }
                GroupItem::Expr(expr) => {
                    let key = self.expr(expr, &mut ExprScope::over(&relation, "GROUP BY"))?;
                    if matches!(key.ty.logical, LogicalType::Map(..) | LogicalType::Multiset(_)) {
                        return self.unsupported(&format!("GROUP BY a {}", key.ty.logical), expr.span);
                    }
                    let known = fingerprint(&key).is_some_and(|text| !seen.insert(text));
                    if !known {
                        keys.push(key);
                    }
                }
            }
        }
        Ok(Grouping { relation, keys, window })
    }
}
