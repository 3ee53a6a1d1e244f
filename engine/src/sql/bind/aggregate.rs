//! Aggregation: GROUP BY keys, aggregate calls, and the expressions above them.
//!
//! Select list and HAVING are bound over the input's columns followed by one column per aggregate call. Afterwards
//! every part that equals a GROUP BY key becomes that key; an input column that is left over is not grouped.

use std::collections::{HashMap, HashSet};

use super::expr::ExprScope;
use super::over::{OVER_BASE, Overs};
use super::query::Selected;
use super::relation::{Relation, ScopeTable, WindowColumns, filter, passed_column, project};
use super::{Bind, Binder, Reported};
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::{AggregateCall, AggregateFunction, AggregateSpec, Rel, RelNode, WindowGroup};
use crate::sql::ast::{self, GroupItem, Select};
use crate::sql::{Problem, Span};
use crate::types::{Field, LogicalType, Schema, Type};

/// Names that completion and suggestions know.
pub(in crate::sql) const NAMES: &[&str] = &["COUNT", "SUM", "MIN", "MAX", "AVG"];

pub(super) fn find(name: &str) -> Option<AggregateFunction> {
    Some(match name.to_ascii_uppercase().as_str() {
        "COUNT" => AggregateFunction::Count,
        "SUM" => AggregateFunction::Sum,
        "MIN" => AggregateFunction::Min,
        "MAX" => AggregateFunction::Max,
        "AVG" => AggregateFunction::Avg,
        _ => return None,
    })
}

/// What GROUP BY gives: the input, with the columns of a group window appended, and the keys over it.
pub(super) struct Grouping {
    pub(super) relation: Relation,
    pub(super) keys: Vec<Expr>,
    pub(super) window: Option<GroupWindow>,
}

/// `TUMBLE(ts, …)` in GROUP BY, as the text of its arguments, and its columns.
#[derive(Clone, Debug)]
pub(super) struct GroupWindow {
    pub(super) function: String,
    pub(super) signature: String,
    pub(super) columns: WindowColumns,
}

/// Aggregate calls found so far.
pub(super) struct Aggregates {
    keys: Vec<Expr>,
    /// Columns of the input: call `i` is column `base + i`.
    base: usize,
    calls: Vec<Pending>,
    pub(super) window: Option<GroupWindow>,
    pub(super) overs: Overs,
}

struct Pending {
    function: AggregateFunction,
    args: Vec<Expr>,
    distinct: bool,
    filter: Option<Expr>,
    return_type: Type,
}

impl Aggregates {
    pub(super) fn new(keys: Vec<Expr>, base: usize, window: Option<GroupWindow>, overs: Overs) -> Self {
        Aggregates { keys, base, calls: Vec::new(), window, overs }
    }

    pub(super) fn is_used(&self) -> bool {
        !self.calls.is_empty() || !self.keys.is_empty()
    }
}

impl Binder<'_> {
    pub(super) fn group_items(&mut self, select: &Select, mut relation: Relation) -> Bind<Grouping> {
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
                GroupItem::Expr(expr) if super::group_window::is_group_window(expr) => {
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

    /// Binds a call to a column behind those of the input.
    pub(super) fn aggregate_call(
        &mut self,
        function: AggregateFunction,
        call: &ast::Call,
        scope: &mut ExprScope,
        span: Span,
    ) -> Bind<Expr> {
        let name = call.name.last().to_ascii_uppercase();
        if let Some(clause) = call.unsupported.first() {
            return self.unsupported(&format!("{name} with {}", clause.what), span);
        }
        let clause = scope.clause;
        let relation = scope.relation;
        let Some(aggregates) = scope.aggregates.as_deref_mut() else {
            let problem =
                Problem::error("not-grouped", format!("The aggregate {name} cannot stand in {clause}."), span);
            let hint = if clause == "WHERE" {
                "Conditions on aggregates go into HAVING."
            } else {
                "Aggregate in a query below."
            };
            return Err(self.report(problem.with_hint(hint)));
        };
        let mut args = Vec::new();
        for arg in &call.args {
            if let Some(named) = &arg.name {
                return self.unsupported("A named argument of an aggregate", named.span);
            }
            let mut inner = ExprScope { relation, aggregates: None, clause: "another aggregate" };
            args.push(self.expr(&arg.value, &mut inner)?);
        }
        let condition = match &call.filter {
            Some(condition) => Some(self.condition(
                condition,
                &mut ExprScope { relation, aggregates: None, clause: "FILTER" },
                "FILTER",
            )?),
            None => None,
        };
        let grouped = !aggregates.keys.is_empty();
        let return_type = match result_type(function, call.star, &args, grouped && condition.is_none()) {
            Some(ty) => ty,
            None => {
                let types: Vec<String> = args.iter().map(|arg| arg.ty.logical.to_string()).collect();
                let given = if call.star { "*".to_owned() } else { types.join(", ") };
                let code = if name == "COUNT" && args.len() > 1 { "unsupported" } else { "wrong-arguments" };
                return self.refuse(code, format!("{name} does not take ({given}). {}", form(function)), span);
            }
        };
        let pending = Pending {
            function,
            args,
            // MIN and MAX over distinct values are the same as over all.
            distinct: call.distinct && !matches!(function, AggregateFunction::Min | AggregateFunction::Max),
            filter: condition,
            return_type: return_type.clone(),
        };
        let known = aggregates.calls.iter().position(|known| known.is(&pending));
        if known.is_none() && aggregates.calls.len() >= super::MAX_COLUMNS {
            return self.unsupported("So many aggregates in one query", span);
        }
        let index = known.unwrap_or_else(|| {
            aggregates.calls.push(pending);
            aggregates.calls.len() - 1
        });
        Ok(Expr::column(aggregates.base + index, return_type))
    }

    /// Builds projection, aggregation, HAVING and the select list on top.
    pub(super) fn aggregate(
        &mut self,
        relation: Relation,
        aggregates: Aggregates,
        selected: Selected,
        having: Option<Expr>,
    ) -> Bind<Relation> {
        let Aggregates { keys, base, calls, mut overs, .. } = aggregates;
        let index = KeyIndex::new(&keys);
        let regrouped: Vec<Bind<Expr>> =
            selected.exprs.iter().map(|expr| self.regroup(expr, &index, base, &relation)).collect();
        let having = having.map(|having| self.regroup(&having, &index, base, &relation)).transpose()?;
        let exprs = regrouped.into_iter().collect::<Bind<Vec<_>>>()?;
        for expr in overs.exprs_mut() {
            *expr = self.regroup(expr, &index, base, &relation)?;
        }

        let mut columns = InputColumns { exprs: Vec::new(), by_text: HashMap::new() };
        let group: Vec<usize> = keys.iter().map(|key| columns.slot(key)).collect();
        let specs: Vec<AggregateCall> = calls
            .iter()
            .map(|call| AggregateCall {
                function: call.function,
                args: call.args.iter().map(|arg| columns.slot(arg)).collect(),
                distinct: call.distinct,
                filter: call.filter.as_ref().map(|condition| columns.slot(condition)),
                constants: Vec::new(),
                return_type: call.return_type.clone(),
            })
            .collect();
        // COUNT(*) alone reads nothing; a batch without columns could not say how many rows it has.
        if columns.exprs.is_empty() {
            columns.exprs.extend(relation.column(0));
        }
        let grouped_window = relation.window.as_ref().filter(|window| {
            let is_key = |column: usize| keys.iter().any(|key| passed_column(key) == Some(column));
            is_key(window.start) && is_key(window.end)
        });
        if let Some(time) = grouped_window.and_then(|window| window.time_column).and_then(|time| relation.column(time))
        {
            columns.slot(&time);
        }
        let pre_window = grouped_window.and_then(|window| window.project(&columns.exprs));
        let names = columns.exprs.iter().enumerate().map(|(index, expr)| column_name(expr, index, &relation)).collect();
        let input = if is_identity(&columns.exprs, &relation) {
            relation.rel
        } else {
            project(relation.rel, columns.exprs, names)
        };

        let window = pre_window.as_ref().map(window_group);
        let schema = aggregate_schema(&input.schema, &group, &specs, pre_window.as_ref());
        let out_window = pre_window.as_ref().and_then(|window| {
            let find = |column: usize| group.iter().position(|key| *key == column);
            Some(WindowColumns {
                kind: window.kind.clone(),
                start: find(window.start)?,
                end: find(window.end)?,
                time: window.time.and_then(find),
                time_column: None,
                local: window.local,
            })
        });
        let aggregate = AggregateSpec { group, calls: specs, window };
        let mut rel = Rel { node: RelNode::Aggregate { input: Box::new(input), aggregate }, schema };
        if let Some(having) = having {
            rel = filter(rel, having);
        }
        let grouped = Relation { rel, tables: Vec::new(), window: out_window, star: None };
        let (grouped, exprs) = overs.apply(grouped, exprs);
        let window = grouped.window.and_then(|window| window.project(&exprs));
        let rel = project(grouped.rel, exprs, selected.names);
        let columns = 0..rel.schema.len();
        let tables = vec![ScopeTable { alias: String::new(), database: None, columns }];
        Ok(Relation { rel, tables, window, star: None })
    }

    /// An expression over input and calls → over keys and calls.
    fn regroup(&mut self, expr: &Expr, keys: &KeyIndex, base: usize, relation: &Relation) -> Bind<Expr> {
        if let Some(index) = keys.find(expr) {
            let mut column = Expr::column(index, expr.ty.clone());
            column.span = expr.span;
            return Ok(column);
        }
        let kind = match &expr.kind {
            ExprKind::Column(index) if *index >= OVER_BASE => return Ok(expr.clone()),
            ExprKind::Column(index) if *index >= base => ExprKind::Column(keys.count + index - base),
            ExprKind::Column(index) => {
                let name = relation.schema().fields.get(*index).map_or("", |field| field.name.as_str());
                let mut problem = Problem::error(
                    "not-grouped",
                    format!("The column '{name}' is neither grouped nor aggregated."),
                    Span { start: 0, end: 0 },
                );
                problem.span = expr.span;
                return Err(self.report(problem.with_hint("Put it into GROUP BY, or into an aggregate such as MAX.")));
            }
            ExprKind::Literal(value) => ExprKind::Literal(value.clone()),
            ExprKind::Call { function, args } => {
                let args = args.iter().map(|arg| self.regroup(arg, keys, base, relation)).collect::<Bind<_>>()?;
                ExprKind::Call { function: function.clone(), args }
            }
            ExprKind::Cast { input, mode } => {
                ExprKind::Cast { input: Box::new(self.regroup(input, keys, base, relation)?), mode: *mode }
            }
            ExprKind::Case { branches, otherwise } => {
                let mut regrouped = Vec::with_capacity(branches.len());
                for (condition, result) in branches {
                    regrouped.push((
                        self.regroup(condition, keys, base, relation)?,
                        self.regroup(result, keys, base, relation)?,
                    ));
                }
                let otherwise = match otherwise {
                    Some(otherwise) => Some(Box::new(self.regroup(otherwise, keys, base, relation)?)),
                    None => None,
                };
                ExprKind::Case { branches: regrouped, otherwise }
            }
        };
        Ok(Expr { kind, ty: expr.ty.clone(), span: expr.span })
    }

    /// `TUMBLE_START` and the like without its window.
    pub(super) fn group_window_missing(&mut self, function: &str, span: Span) -> Reported {
        let window = function.split('_').next().unwrap_or("TUMBLE");
        let problem =
            Problem::error("wrong-arguments", format!("{function} needs the same {window}(…) in GROUP BY."), span);
        self.report(problem)
    }
}

impl Pending {
    fn is(&self, other: &Pending) -> bool {
        let same_args =
            self.args.len() == other.args.len() && self.args.iter().zip(&other.args).all(|(a, b)| same(a, b));
        let same_filter = match (&self.filter, &other.filter) {
            (None, None) => true,
            (Some(a), Some(b)) => same(a, b),
            _ => false,
        };
        self.function == other.function && self.distinct == other.distinct && same_args && same_filter
    }
}

/// GROUP BY keys by what they compute.
struct KeyIndex {
    count: usize,
    by_text: HashMap<String, usize>,
    /// Most groupings: then larger expressions need not be looked at.
    only_columns: bool,
}

impl KeyIndex {
    fn new(keys: &[Expr]) -> Self {
        let mut by_text = HashMap::new();
        for (index, key) in keys.iter().enumerate() {
            if let Some(text) = fingerprint(key) {
                by_text.entry(text).or_insert(index);
            }
        }
        KeyIndex { count: keys.len(), by_text, only_columns: keys.iter().all(|key| passed_column(key).is_some()) }
    }

    fn find(&self, expr: &Expr) -> Option<usize> {
        if self.only_columns && passed_column(expr).is_none() {
            return None;
        }
        self.by_text.get(&fingerprint(expr)?).copied()
    }
}

/// Columns that the aggregation reads; equal expressions once.
struct InputColumns {
    exprs: Vec<Expr>,
    by_text: HashMap<String, usize>,
}

impl InputColumns {
    fn slot(&mut self, expr: &Expr) -> usize {
        let text = fingerprint(expr);
        if let Some(known) = text.as_ref().and_then(|text| self.by_text.get(text)) {
            return *known;
        }
        self.exprs.push(expr.clone());
        let index = self.exprs.len() - 1;
        self.by_text.extend(text.map(|text| (text, index)));
        index
    }
}

pub(super) fn window_group(window: &WindowColumns) -> WindowGroup {
    WindowGroup {
        spec: window.kind.clone(),
        // Without the time column the window cannot be assigned again; `start` says so.
        time_column: window.time_column.unwrap_or(window.start),
        start: window.start,
        end: window.end,
        time: window.time,
        local: window.local,
    }
}

fn aggregate_schema(
    input: &Schema,
    group: &[usize],
    calls: &[AggregateCall],
    window: Option<&WindowColumns>,
) -> Schema {
    let keys = group.iter().filter_map(|key| input.fields.get(*key).cloned());
    let results =
        calls.iter().enumerate().map(|(index, call)| Field::new(format!("agg${index}"), call.return_type.clone()));
    // Event time goes on in the window's own time column only: results of an updating aggregate have none.
    let event_time = window.and_then(|window| window.time).and_then(|time| group.iter().position(|key| *key == time));
    Schema { fields: keys.chain(results).collect(), event_time: event_time.into_iter().collect() }
}

/// What an expression computes, as a text; `None` for what is never the same twice.
fn fingerprint(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Column(index) => Some(format!("${index}")),
        _ if volatile(expr) => None,
        _ => Some(format!("{expr} {}", expr.ty.logical)),
    }
}

fn same(left: &Expr, right: &Expr) -> bool {
    fingerprint(left).is_some_and(|text| Some(text) == fingerprint(right))
}

/// Gives another result each time, so that two of them are never the same.
pub(super) fn volatile(expr: &Expr) -> bool {
    let own = matches!(&expr.kind, ExprKind::Call { function, .. } if function.volatile);
    own || expr.children().into_iter().any(volatile)
}

fn is_identity(exprs: &[Expr], relation: &Relation) -> bool {
    exprs.len() == relation.schema().len()
        && exprs.iter().enumerate().all(|(index, expr)| passed_column(expr) == Some(index))
}

fn column_name(expr: &Expr, index: usize, relation: &Relation) -> String {
    let passed = passed_column(expr).and_then(|column| relation.schema().fields.get(column));
    passed.map_or_else(|| format!("in${index}"), |field| field.name.clone())
}

pub(super) fn result_type(function: AggregateFunction, star: bool, args: &[Expr], never_empty: bool) -> Option<Type> {
    if star {
        return (function == AggregateFunction::Count).then(|| Type::not_null(LogicalType::BigInt));
    }
    let [arg] = args else { return None };
    let ty = &arg.ty.logical;
    let logical = match function {
        AggregateFunction::Count => return Some(Type::not_null(LogicalType::BigInt)),
        AggregateFunction::Sum => match ty {
            LogicalType::Decimal { scale, .. } => LogicalType::Decimal { precision: 38, scale: *scale },
            ty if ty.is_numeric() => ty.clone(),
            _ => return None,
        },
        AggregateFunction::Avg => match ty {
            LogicalType::Decimal { scale, .. } => LogicalType::Decimal { precision: 38, scale: (*scale).max(6) },
            ty if ty.is_numeric() => ty.clone(),
            _ => return None,
        },
        _ => match ty {
            LogicalType::Array(_)
            | LogicalType::Map(..)
            | LogicalType::Multiset(_)
            | LogicalType::Row(_)
            | LogicalType::Null => return None,
            ty if ty.is_binary() || ty.is_interval() => return None,
            // The shortest of all strings may be any of them.
            LogicalType::Char(length) => LogicalType::VarChar(*length),
            ty => ty.clone(),
        },
    };
    Some(Type::new(logical, arg.ty.nullable || !never_empty))
}

const fn form(function: AggregateFunction) -> &'static str {
    match function {
        AggregateFunction::Count => "It takes COUNT(*), COUNT(value) or COUNT(DISTINCT value).",
        AggregateFunction::Sum | AggregateFunction::Avg => "It takes one number.",
        _ => "It takes one value that has an order.",
    }
}
