//! Joins with tables that are asked by key.

use std::collections::BTreeSet;
use std::time::Duration;

use millrace_wire::graph::ChangelogMode;

use super::rank::comparable;
use super::{Builder, Draft};
use crate::catalog::{ColumnKind, TableDef, TableRef};
use crate::connector::LookupColumns;
use crate::connector::lookup::{AFTER_ACCESS, AFTER_WRITE, CACHE, FULL, MAX_RETRIES, MAX_ROWS, MISSING, RELOAD};
use crate::connector::registry;
use crate::expr::{Expr, ExprKind, Value};
use crate::operator::{CacheMode, KeySource, LookupSettings, PartialCache};
use crate::plan::dataflow::{Input, LookupKey, LookupNode, LookupStep, NodeKind, Partitioning, problem};
use crate::plan::logical::{JoinSpec, LookupHint, LookupSpec, Rel, RelNode};
use crate::plan::rewrite::{conjuncts, fuse};
use crate::plan::settings::parse_duration;
use crate::sql::Problem;

/// Kept by a PARTIAL cache of which nothing else is said.
const CACHED_ROWS: u64 = 10_000;

const NO_KEY: &str = "A join with a table that is looked up needs a key: a column of that table that is compared with = \
                      to a column of the left one, or to a constant, of the same type.";

impl Builder<'_> {
    pub(super) fn lookup_join(
        &mut self,
        rel: &Rel,
        left: &Rel,
        right: &Rel,
        join: &JoinSpec,
        spec: &LookupSpec,
    ) -> Result<usize, Problem> {
        let from = self.rel(left)?;
        comparable(&left.schema, join.keys.iter().map(|key| key.left), "A lookup join")?;
        comparable(&right.schema, join.keys.iter().map(|key| key.right), "A lookup join")?;
        let (table, steps) = steps_of(right)?;
        let keys = keys_of(&table, &steps, join);
        if keys.is_empty() {
            return Err(problem("unsupported", NO_KEY));
        }
        let (read, used) = columns_of(&table, &keys, &spec.columns);
        let place = |columns: &[usize]| -> Vec<usize> {
            let all = table.read_columns();
            columns.iter().filter_map(|column| all.iter().position(|known| known == column)).collect()
        };
        let key_columns: Vec<usize> = keys.iter().map(|key| key.column).collect();
        let columns = LookupColumns { keys: place(&key_columns), columns: place(&read) };
        let open = self.endpoints.lookup(&table, &columns).map_err(|error| problem("unsupported", error.message))?;
        let (changelog, parallelism) = (self.nodes[from].changelog, self.nodes[from].parallelism);
        let mut settings = settings_of(&table, &spec.hint)?;
        // Changes of a row must not overtake each other.
        settings.hint.unordered &= changelog == ChangelogMode::Append;
        let by: Vec<usize> = keys.iter().filter_map(|key| left_column(&key.source)).collect();
        let partitioning = match spec.hint.shuffle && parallelism > 1 && !by.is_empty() {
            true => Partitioning::Hash(by),
            false => Partitioning::Forward,
        };
        let types = left.schema.fields.iter().map(|field| field.ty.logical.to_string()).collect::<Vec<_>>().join(",");
        let condition = join.condition.as_ref().map_or_else(String::new, ToString::to_string);
        let text = format!("LookupJoin {:?} {} {keys:?} {condition} {steps:?}", join.kind, table.name);
        let node = LookupNode {
            join: join.clone(),
            table,
            open,
            keys,
            read,
            used,
            steps,
            right: right.schema.clone(),
            settings,
        };
        Ok(self.add(Draft {
            kind: NodeKind::LookupJoin(Box::new(node)),
            inputs: vec![Input { from, partitioning }],
            schema: rel.schema.clone(),
            changelog,
            parallelism,
            state: format!("LookupJoin rows {types}"),
            text,
        }))
    }
}

const fn left_column(source: &KeySource) -> Option<usize> {
    match source {
        KeySource::Left(column) => Some(*column),
        KeySource::Constant(_) => None,
    }
}

/// The table below filters and projections, and those from it upwards.
fn steps_of(rel: &Rel) -> Result<(TableRef, Vec<LookupStep>), Problem> {
    if let RelNode::Scan { table } = &rel.node {
        return Ok((table.clone(), Vec::new()));
    }
    let fused = fuse(rel);
    if std::ptr::eq(fused.base, rel) {
        let message = "Only a table, its filters and its columns can be looked up by key.";
        return Err(problem("unsupported", message));
    }
    let (table, mut steps) = steps_of(fused.base)?;
    steps.push(LookupStep { predicates: fused.predicates, exprs: fused.exprs, schema: rel.schema.clone() });
    Ok((table, steps))
}

/// The table's column behind a column of what the steps give, where it is one that the table has outside.
fn column_below(table: &TableDef, steps: &[LookupStep], column: usize) -> Option<usize> {
    let mut column = column;
    for step in steps.iter().rev() {
        let Some(exprs) = &step.exprs else { continue };
        let ExprKind::Column(below) = exprs.get(column)?.kind else { return None };
        column = below;
    }
    let kind = &table.columns.get(column)?.kind;
    (!matches!(kind, ColumnKind::Computed(_))).then_some(column)
}

/// Columns that must equal one of the left side or a constant; each column once, the others stay to be tested.
fn keys_of(table: &TableDef, steps: &[LookupStep], join: &JoinSpec) -> Vec<LookupKey> {
    let mut keys: Vec<LookupKey> = Vec::new();
    for key in &join.keys {
        if let Some(column) = column_below(table, steps, key.right) {
            keys.push(LookupKey { column, source: KeySource::Left(key.left) });
        }
    }
    for (index, step) in steps.iter().enumerate() {
        for part in step.predicates.iter().flat_map(conjuncts) {
            let Some((column, value)) = constant_equality(part) else { continue };
            let below = steps.get(..index).and_then(|steps| column_below(table, steps, column));
            if let Some(column) = below.filter(|column| keys.iter().all(|key| key.column != *column)) {
                keys.push(LookupKey { column, source: KeySource::Constant(value) });
            }
        }
    }
    keys
}

/// `column = constant`, of one type in Arrow.
fn constant_equality(part: &Expr) -> Option<(usize, Value)> {
    let ExprKind::Call { function, args } = &part.kind else { return None };
    let [left, right] = args.as_slice() else { return None };
    let (column, value, ty) = match (&left.kind, &right.kind) {
        (ExprKind::Column(column), ExprKind::Literal(value)) => (*column, value, &left.ty),
        (ExprKind::Literal(value), ExprKind::Column(column)) => (*column, value, &right.ty),
        _ => return None,
    };
    let fits = !value.is_null() && value.0.data_type() == ty.logical.to_arrow();
    (function.name() == "=" && fits).then(|| (column, value.clone()))
}

/// Table columns that are read, and those that are used.
fn columns_of(table: &TableDef, keys: &[LookupKey], wanted: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let used: BTreeSet<usize> = wanted.iter().copied().chain(keys.iter().map(|key| key.column)).collect();
    let mut needed = used.clone();
    for index in &used {
        if let Some(ColumnKind::Computed(expr)) = table.columns.get(*index).map(|column| &column.kind) {
            needed.extend(expr.columns());
        }
    }
    let read = table.read_columns().into_iter().filter(|column| needed.contains(column)).collect();
    (read, used.into_iter().collect())
}

fn settings_of(table: &TableDef, hint: &LookupHint) -> Result<LookupSettings, Problem> {
    let wrong = |name: &str, wanted: &str| {
        let given = table.option(name).unwrap_or_default();
        problem("wrong-arguments", format!("'{name}' of the table '{}' is {wanted}, not '{given}'.", table.name))
    };
    let duration = |name: &str| -> Result<Option<Duration>, Problem> {
        let Some(text) = table.option(name) else { return Ok(None) };
        parse_duration(text).map(Some).ok_or_else(|| wrong(name, "a duration such as '10 s'"))
    };
    let number = |name: &str| -> Result<Option<u64>, Problem> {
        let Some(text) = table.option(name) else { return Ok(None) };
        text.trim().parse().map(Some).map_err(|_| wrong(name, "a number"))
    };
    let by_key = registry::find(table.connector()).is_none_or(|connector| connector.finds_by_key());
    let cache = match table.option(CACHE).unwrap_or(if by_key { "NONE" } else { FULL }) {
        "NONE" => CacheMode::None,
        FULL => CacheMode::Full { reload: duration(RELOAD)?.filter(|reload| !reload.is_zero()) },
        "PARTIAL" => {
            let (max_rows, after_write) = (number(MAX_ROWS)?, duration(AFTER_WRITE)?);
            let after_access = duration(AFTER_ACCESS)?;
            let bounded = max_rows.is_some() || after_write.is_some() || after_access.is_some();
            let max_rows = if bounded { max_rows } else { Some(CACHED_ROWS) };
            let missing = table.option(MISSING).is_none_or(|missing| missing.eq_ignore_ascii_case("true"));
            CacheMode::Partial(PartialCache { max_rows, after_write, after_access, missing })
        }
        _ => return Err(wrong(CACHE, "NONE, PARTIAL or FULL")),
    };
    let max_retries = number(MAX_RETRIES)?.unwrap_or(3).min(1_000) as u32;
    Ok(LookupSettings { hint: hint.clone(), cache, max_retries })
}
