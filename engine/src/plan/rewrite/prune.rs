//! Columns that nobody reads are not computed, and not decoded by the sources.
//!
//! Schemas stay as they are: an unread column of a projection becomes a NULL literal, an unread column of a table is
//! given as NULLs by the source.

use std::collections::{BTreeMap, BTreeSet};

use datafusion_common::ScalarValue;

use crate::expr::{Expr, Value};
use crate::plan::logical::{AsOf, OverCall, RankSpec, Rel, RelNode, SortKey, TableCallSpec};
use crate::plan::retention::GroupClean;
use crate::types::Type;

/// Columns read per table definition, by [`super::super::dataflow::scan_key`].
pub type ScanColumns = BTreeMap<String, BTreeSet<usize>>;

/// The same plan where only `needed` columns of its output have to be right.
pub fn prune(rel: &Rel, needed: &BTreeSet<usize>, scans: &mut ScanColumns) -> Rel {
    let node = match &rel.node {
        RelNode::Scan { table } => {
            scans.entry(super::super::dataflow::scan_key(table)).or_default().extend(needed);
            RelNode::Scan { table: table.clone() }
        }
        RelNode::Values { rows } => RelNode::Values { rows: rows.clone() },
        RelNode::Project { input, exprs } => {
            let keep =
                |(index, expr): (usize, &Expr)| if needed.contains(&index) { expr.clone() } else { null_of(expr) };
            let exprs: Vec<Expr> = exprs.iter().enumerate().map(keep).collect();
            let below = exprs.iter().flat_map(Expr::columns).collect();
            RelNode::Project { input: Box::new(prune(input, &below, scans)), exprs }
        }
        RelNode::Filter { input, predicate } => {
            let below = needed.iter().copied().chain(predicate.columns()).collect();
            RelNode::Filter { input: Box::new(prune(input, &below, scans)), predicate: predicate.clone() }
        }
        RelNode::ProcessingTime { input, column } => {
            let below = needed.iter().copied().filter(|needed| needed != column).collect();
            RelNode::ProcessingTime { input: Box::new(prune(input, &below, scans)), column: *column }
        }
        RelNode::Window { input, window } => {
            let mut below: BTreeSet<usize> =
                needed.iter().copied().filter(|column| *column < input.schema.len()).collect();
            below.insert(window.time_column);
            if let crate::plan::logical::WindowKind::Session { partition, .. } = &window.kind {
                below.extend(partition);
            }
            RelNode::Window { input: Box::new(prune(input, &below, scans)), window: window.clone() }
        }
        RelNode::TableCall { input, call } => {
            let passed: Vec<usize> = needed.iter().copied().filter(|column| *column < input.schema.len()).collect();
            let below = passed.iter().copied().chain(call.args.iter().flat_map(Expr::columns)).collect();
            let call = TableCallSpec { passed, ..call.clone() };
            RelNode::TableCall { input: Box::new(prune(input, &below, scans)), call }
        }
        RelNode::Aggregate { input, aggregate } => {
            let mut below: BTreeSet<usize> = aggregate.group.iter().copied().collect();
            for call in &aggregate.calls {
                below.extend(call.args.iter().copied().chain(call.filter));
            }
            if let Some(GroupClean::Row(column)) = aggregate.retention.clean {
                below.insert(column);
            }
            if let Some(window) = &aggregate.window {
                below.extend([window.time_column, window.start, window.end]);
                below.extend(window.time);
            }
            RelNode::Aggregate { input: Box::new(prune(input, &below, scans)), aggregate: aggregate.clone() }
        }
        RelNode::Expand { input, expand } => {
            let width = input.schema.len();
            let of_input = |column: &usize| match column.checked_sub(width) {
                Some(appended) => expand.keys.get(appended).copied(),
                None => Some(*column),
            };
            let below = needed.iter().filter_map(of_input).collect();
            RelNode::Expand { input: Box::new(prune(input, &below, scans)), expand: expand.clone() }
        }
        RelNode::UnionAll { inputs } => {
            RelNode::UnionAll { inputs: inputs.iter().map(|input| prune(input, needed, scans)).collect() }
        }
        // Rows that are equal in what is read of them can stand for each other when one of them is taken back.
        RelNode::Limit { input, sort, offset, fetch } => {
            let below = needed.iter().copied().chain(sort.iter().map(|key| key.column)).collect();
            let input = Box::new(prune(input, &below, scans));
            RelNode::Limit { input, sort: sort.clone(), offset: *offset, fetch: *fetch }
        }
        RelNode::Merge { input, key } => {
            let all = (0..input.schema.len()).collect();
            RelNode::Merge { input: Box::new(prune(input, &all, scans)), key: key.clone() }
        }
        RelNode::Repeat { input, times } => {
            let below = needed.iter().copied().chain([*times]).collect();
            RelNode::Repeat { input: Box::new(prune(input, &below, scans)), times: *times }
        }
        RelNode::Sort { input, sort } => {
            let below = needed.iter().copied().chain(sort.iter().map(|key| key.column)).collect();
            RelNode::Sort { input: Box::new(prune(input, &below, scans)), sort: sort.clone() }
        }
        RelNode::Join { left, right, join } => {
            let width = left.schema.len();
            let mut of_left: BTreeSet<usize> = join.keys.iter().map(|key| key.left).collect();
            let mut of_right: BTreeSet<usize> = join.keys.iter().map(|key| key.right).collect();
            for column in needed.iter().copied().chain(join.condition.iter().flat_map(Expr::columns)) {
                if column < width {
                    of_left.insert(column);
                } else {
                    of_right.insert(column - width);
                }
            }
            for (side, retention) in [&mut of_left, &mut of_right].into_iter().zip(join.retention.iter()) {
                side.extend(retention.clean.iter().flat_map(Expr::columns));
            }
            let mut join = join.clone();
            if let Some(AsOf::Version(times)) = &join.as_of {
                of_left.insert(times.left);
                of_right.insert(times.right);
            }
            let left = Box::new(prune(left, &of_left, scans));
            // A table that is looked up is not scanned.
            let mut asked = ScanColumns::new();
            let now = matches!(join.as_of, Some(AsOf::Now(_)));
            let right = Box::new(prune(right, &of_right, if now { &mut asked } else { scans }));
            if let Some(AsOf::Now(lookup)) = &mut join.as_of {
                lookup.columns = asked.into_values().flatten().collect();
            }
            RelNode::Join { left, right, join }
        }
        RelNode::Over { input, over } => {
            let mut below = around(needed, input, &over.partition, &over.sort);
            below.extend(over.calls.iter().flat_map(OverCall::columns));
            RelNode::Over { input: Box::new(prune(input, &below, scans)), over: over.clone() }
        }
        RelNode::Rank { input, rank } => {
            let below = around(needed, input, &rank.partition, &rank.sort);
            let number = needed.contains(&input.schema.len());
            RelNode::Rank { input: Box::new(prune(input, &below, scans)), rank: RankSpec { number, ..rank.clone() } }
        }
    };
    Rel { node, schema: rel.schema.clone() }
}

/// What an operator needs of its input that appends columns to it and looks at partition and order.
fn around(needed: &BTreeSet<usize>, input: &Rel, partition: &[usize], sort: &[SortKey]) -> BTreeSet<usize> {
    let passed = needed.iter().copied().filter(|column| *column < input.schema.len());
    passed.chain(partition.iter().copied()).chain(sort.iter().map(|key| key.column)).collect()
}

fn null_of(expr: &Expr) -> Expr {
    null_literal(&expr.ty)
}

/// NULL of a type.
pub fn null_literal(ty: &Type) -> Expr {
    let null = ScalarValue::try_from(&ty.logical.to_arrow()).unwrap_or(ScalarValue::Null);
    Expr::literal(Value(null), ty.clone())
}
