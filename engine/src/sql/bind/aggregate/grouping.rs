//! GROUP BY: keys, the older windows, and the sets of keys that rows are grouped by.

use std::collections::{BTreeSet, HashMap};

use super::super::expr::ExprScope;
use super::super::group_window::is_group_window;
use super::super::relation::Relation;
use super::super::{Bind, Binder};
use super::{GroupWindow, fingerprint};
use crate::expr::{Expr, Value};
use crate::plan::logical::WindowKind;
use crate::sql::Span;
use crate::sql::ast::{self, GroupItem, Select};
use crate::types::{LogicalType, Type};

/// Grouping sets of one query. CUBE doubles them with every column.
const MAX_SETS: usize = 1024;

/// Columns from here on are results of GROUPING. No relation has so many columns.
pub(super) const GROUPING_BASE: usize = usize::MAX / 16;

/// What GROUP BY gives: the input, with the columns of a group window appended, and the keys over it.
pub(in crate::sql::bind) struct Grouping {
    pub(in crate::sql::bind) relation: Relation,
    pub(in crate::sql::bind) keys: Keys,
    pub(in crate::sql::bind) window: Option<GroupWindow>,
}

#[derive(Default)]
pub(in crate::sql::bind) struct Keys {
    pub(super) exprs: Vec<Expr>,
    by_text: HashMap<String, usize>,
    /// Positions among the keys, once per grouping set.
    pub(super) sets: Vec<BTreeSet<usize>>,
    /// What each GROUPING in the query gives, per grouping set.
    pub(super) groupings: Vec<Vec<i64>>,
}

impl Keys {
    fn add(&mut self, key: Expr) -> usize {
        let text = fingerprint(&key);
        if let Some(known) = text.as_ref().and_then(|text| self.by_text.get(text)) {
            return *known;
        }
        let place = self.exprs.len();
        self.by_text.extend(text.map(|text| (text, place)));
        self.exprs.push(key);
        place
    }

    /// Rows are grouped by more than one set of keys.
    pub(super) fn several(&self) -> bool {
        self.sets.len() > 1
    }

    /// Every set has the key, so that it is NULL only where its value is.
    pub(super) fn in_every_set(&self, key: usize) -> bool {
        self.sets.iter().all(|set| set.contains(&key))
    }
}

impl Binder<'_> {
    pub(in crate::sql::bind) fn group_items(&mut self, select: &Select, mut relation: Relation) -> Bind<Grouping> {
        self.check_width(select.group_by.len(), select.span)?;
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
        let mut keys = Keys { sets: vec![BTreeSet::new()], ..Keys::default() };
        for item in &select.group_by {
            let sets = self.grouping_sets(item, &relation, window.as_ref(), &mut keys)?;
            self.check_sets(keys.sets.len().saturating_mul(sets.len()), select.span)?;
            keys.sets = product(&keys.sets, &sets);
        }
        if select.group_by_distinct {
            let mut seen = BTreeSet::new();
            keys.sets.retain(|set| seen.insert(set.clone()));
        }
        let session = window.as_ref().is_some_and(|window| matches!(window.columns.kind, WindowKind::Session { .. }));
        if session && keys.several() {
            return self.unsupported("A SESSION window with several grouping sets", select.span);
        }
        for key in 0..keys.exprs.len() {
            if !keys.in_every_set(key)
                && let Some(key) = keys.exprs.get_mut(key)
            {
                key.ty.nullable = true;
            }
        }
        Ok(Grouping { relation, keys, window })
    }

    /// The sets of keys that one item of GROUP BY stands for.
    fn grouping_sets(
        &mut self,
        item: &GroupItem,
        relation: &Relation,
        window: Option<&GroupWindow>,
        keys: &mut Keys,
    ) -> Bind<Vec<BTreeSet<usize>>> {
        Ok(match item {
            GroupItem::Expr(expr) if is_group_window(expr) => {
                let Some(window) = window else { return self.unsupported("A window in GROUPING SETS", expr.span) };
                let columns = [Some(window.columns.start), Some(window.columns.end), window.columns.time];
                let columns = columns.into_iter().flatten().filter_map(|column| relation.column(column));
                vec![columns.map(|column| keys.add(column)).collect()]
            }
            GroupItem::Expr(expr) => vec![self.key_set(std::slice::from_ref(expr), relation, keys)?],
            GroupItem::Tuple(exprs) => vec![self.key_set(exprs, relation, keys)?],
            GroupItem::Sets { items, span } => {
                let mut sets = Vec::new();
                for item in items {
                    sets.extend(self.grouping_sets(item, relation, window, keys)?);
                    self.check_sets(sets.len(), *span)?;
                }
                sets
            }
            GroupItem::Rollup { items, span } => {
                self.check_sets(items.len() + 1, *span)?;
                let parts = self.key_sets(items, relation, keys)?;
                (0..=parts.len()).rev().map(|taken| parts.iter().take(taken).flatten().copied().collect()).collect()
            }
            GroupItem::Cube { items, span } => {
                self.check_sets(1_usize.checked_shl(items.len() as u32).unwrap_or(usize::MAX), *span)?;
                let parts = self.key_sets(items, relation, keys)?;
                parts.iter().fold(vec![BTreeSet::new()], |sets, part| product(&sets, &[part.clone(), BTreeSet::new()]))
            }
        })
    }

    fn key_sets(
        &mut self,
        items: &[Vec<ast::Expr>],
        relation: &Relation,
        keys: &mut Keys,
    ) -> Bind<Vec<BTreeSet<usize>>> {
        items.iter().map(|item| self.key_set(item, relation, keys)).collect()
    }

    fn key_set(&mut self, exprs: &[ast::Expr], relation: &Relation, keys: &mut Keys) -> Bind<BTreeSet<usize>> {
        let mut set = BTreeSet::new();
        for expr in exprs {
            let key = self.expr(expr, &mut ExprScope::over(relation, "GROUP BY"))?;
            if matches!(key.ty.logical, LogicalType::Map(..) | LogicalType::Multiset(_)) {
                return self.unsupported(&format!("GROUP BY a {}", key.ty.logical), expr.span);
            }
            set.insert(keys.add(key));
        }
        Ok(set)
    }

    fn check_sets(&mut self, sets: usize, span: Span) -> Bind<()> {
        if sets > MAX_SETS {
            return self.unsupported(&format!("GROUP BY more than {MAX_SETS} sets of keys"), span);
        }
        Ok(())
    }

    /// `GROUPING(a, b)`: a bit for each key that a row's set does not group by, the last key lowest. `None` for other
    /// functions.
    pub(in crate::sql::bind) fn grouping_call(
        &mut self,
        call: &ast::Call,
        scope: &mut ExprScope,
        span: Span,
    ) -> Bind<Option<Expr>> {
        let name = call.name.last().to_ascii_uppercase();
        if !["GROUPING", "GROUPING_ID"].contains(&name.as_str()) {
            return Ok(None);
        }
        let plain = !call.star && !call.distinct && call.filter.is_none() && call.unsupported.is_empty();
        if !plain || call.args.is_empty() || call.args.len() > 62 {
            return self.refuse("wrong-arguments", format!("{name} takes keys of GROUP BY."), span);
        }
        let (relation, clause) = (scope.relation, scope.clause);
        let Some(keys) = scope.aggregates.as_deref_mut().map(|aggregates| &mut aggregates.keys) else {
            return self.refuse("not-grouped", format!("{name} cannot stand in {clause}."), span);
        };
        let mut asked = Vec::new();
        for arg in &call.args {
            let bound = self.expr(&arg.value, &mut ExprScope::over(relation, "GROUPING"))?;
            let Some(key) = fingerprint(&bound).and_then(|text| keys.by_text.get(&text).copied()) else {
                let message = format!("{name} takes keys of GROUP BY, and this is none.");
                return self.refuse("not-grouped", message, arg.value.span);
            };
            asked.push(key);
        }
        let bits =
            |set: &BTreeSet<usize>| asked.iter().fold(0, |bits, key| (bits << 1) | i64::from(!set.contains(key)));
        let ty = Type::not_null(LogicalType::BigInt);
        if !keys.several() {
            let bits = keys.sets.first().map_or(0, bits);
            return Ok(Some(Expr::literal(Value::big_int(bits), ty)));
        }
        let per_set: Vec<i64> = keys.sets.iter().map(bits).collect();
        let known = keys.groupings.iter().position(|known| *known == per_set);
        let place = known.unwrap_or_else(|| {
            keys.groupings.push(per_set);
            keys.groupings.len() - 1
        });
        Ok(Some(Expr::column(GROUPING_BASE + place, ty)))
    }
}

/// Every set of the one side with every set of the other.
fn product(left: &[BTreeSet<usize>], right: &[BTreeSet<usize>]) -> Vec<BTreeSet<usize>> {
    left.iter().flat_map(|left| right.iter().map(move |right| left | right)).collect()
}
