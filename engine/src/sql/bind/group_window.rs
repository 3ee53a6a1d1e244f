//! The older windows: `GROUP BY TUMBLE(ts, INTERVAL '10' SECOND)` with `TUMBLE_START(…)` in the select list.

use super::aggregate::GroupWindow;
use super::expr::ExprScope;
use super::relation::{Relation, passed_column, project};
use super::{Bind, Binder};
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::WindowKind;
use crate::plan::rewrite::is_processing_time;
use crate::sql::Span;
use crate::sql::ast::{self, ExprKind as Ast, GroupItem};
use crate::types::LogicalType;

const WINDOWS: &[&str] = &["TUMBLE", "HOP", "SESSION"];

pub(super) fn is_group_window(expr: &ast::Expr) -> bool {
    match &expr.kind {
        Ast::Call(call) => WINDOWS.iter().any(|window| call.name.text().eq_ignore_ascii_case(window)),
        _ => false,
    }
}

/// Columns that a window may go by.
fn times_of(relation: &Relation) -> Vec<usize> {
    let is_time =
        |column: &usize| relation.schema().event_time.contains(column) || is_processing_time(&relation.rel, *column);
    (0..relation.schema().len()).filter(is_time).collect()
}

fn with_window(
    relation: &Relation,
    kind: WindowKind,
    time: usize,
    function: String,
    signature: String,
) -> Option<(Relation, GroupWindow)> {
    let relation = super::window::in_time(relation.clone(), time)?;
    let relation = super::window::add_window(relation, kind, time);
    let columns = relation.window.clone()?;
    Some((relation, GroupWindow { function, signature, columns }))
}

impl Binder<'_> {
    /// The input with the window's columns appended, for an item of GROUP BY that is a window.
    pub(super) fn group_window(
        &mut self,
        expr: &ast::Expr,
        keys: &[GroupItem],
        relation: &Relation,
    ) -> Bind<Option<(Relation, GroupWindow)>> {
        let Ast::Call(call) = &expr.kind else { return Ok(None) };
        if !is_group_window(expr) {
            return Ok(None);
        }
        let function = call.name.last().to_ascii_uppercase();
        let (time, sizes, signature) = self.window_call(call, relation, &times_of(relation), expr.span)?;
        let kind = match (function.as_str(), sizes.as_slice()) {
            ("TUMBLE", [size]) => WindowKind::Tumble { size: *size, offset: 0 },
            ("HOP", [slide, size]) => WindowKind::Hop { slide: *slide, size: *size, offset: 0 },
            ("SESSION", [gap]) => {
                let (relation, partition) = self.keys_as_columns(keys, relation)?;
                let kind = WindowKind::Session { gap: *gap, partition };
                return Ok(with_window(&relation, kind, time, function, signature));
            }
            _ => {
                let form = match function.as_str() {
                    "HOP" => "HOP(time, slide, size)",
                    "SESSION" => "SESSION(time, gap)",
                    _ => "TUMBLE(time, size)",
                };
                return self.refuse(
                    "wrong-arguments",
                    format!("A {function} window in GROUP BY is written {form}."),
                    expr.span,
                );
            }
        };
        Ok(with_window(relation, kind, time, function, signature))
    }

    /// The keys beside a SESSION window as columns, for sessions are kept by them; computed ones are appended.
    fn keys_as_columns(&mut self, keys: &[GroupItem], relation: &Relation) -> Bind<(Relation, Vec<usize>)> {
        let mut exprs: Vec<Expr> = (0..relation.schema().len()).filter_map(|column| relation.column(column)).collect();
        let (width, mut partition) = (exprs.len(), Vec::new());
        for item in keys {
            let GroupItem::Expr(key) = item else { continue };
            if is_group_window(key) {
                continue;
            }
            let key = self.expr(key, &mut ExprScope::over(relation, "GROUP BY"))?;
            partition.push(passed_column(&key).unwrap_or_else(|| {
                exprs.push(key);
                exprs.len() - 1
            }));
        }
        let mut wide = relation.clone();
        if exprs.len() > width {
            let fields = relation.schema().fields.iter().map(|field| field.name.clone());
            let names = fields.chain((width..exprs.len()).map(|column| format!("key${column}"))).collect();
            wide.star = Some(relation.star());
            wide.rel = project(wide.rel, exprs, names);
        }
        Ok((wide, partition))
    }

    /// `TUMBLE_START(ts, …)` and the like, as a column of the group window. `None` for other functions.
    pub(super) fn window_property(
        &mut self,
        function: &str,
        call: &ast::Call,
        scope: &mut ExprScope,
        span: Span,
    ) -> Bind<Option<Expr>> {
        let upper = function.to_ascii_uppercase();
        let Some((window, property)) = upper.split_once('_') else {
            if WINDOWS.contains(&upper.as_str()) {
                let message = format!("{upper} stands in FROM TABLE({upper}(…)) or in GROUP BY.");
                return self.refuse("wrong-arguments", message, span);
            }
            return Ok(None);
        };
        if !WINDOWS.contains(&window) || !["START", "END", "ROWTIME", "PROCTIME"].contains(&property) {
            return Ok(None);
        }
        let grouped = scope.aggregates.as_ref().and_then(|aggregates| aggregates.window.clone());
        let Some(grouped) = grouped else { return Err(self.group_window_missing(&upper, span)) };
        // Above its window the time column is an ordinary one, and still names the window.
        let times: Vec<usize> = grouped.columns.time_column.into_iter().collect();
        let (_, _, signature) = self.window_call(call, scope.relation, &times, span)?;
        if grouped.function != window || grouped.signature != signature {
            return Err(self.group_window_missing(&upper, span));
        }
        let column = match property {
            "START" => Some(grouped.columns.start),
            "END" => Some(grouped.columns.end),
            // In processing time as well: it is the time of the window.
            _ => grouped.columns.time,
        };
        Ok(column.and_then(|column| scope.relation.column(column)))
    }

    /// Time column, intervals in milliseconds, and a text that tells whether two calls mean the same window.
    fn window_call(
        &mut self,
        call: &ast::Call,
        relation: &Relation,
        times: &[usize],
        span: Span,
    ) -> Bind<(usize, Vec<i64>, String)> {
        let Some((time, sizes)) = call.args.split_first() else {
            return self.refuse("wrong-arguments", "A window takes a time column and intervals.", span);
        };
        let time = self.expr(&time.value, &mut ExprScope::over(relation, "a window"))?;
        let column = match time.kind {
            ExprKind::Column(column) if times.contains(&column) => column,
            _ => return Err(self.no_event_time(&time, span)),
        };
        let mut intervals = Vec::with_capacity(sizes.len());
        for size in sizes {
            let value = self.expr(&size.value, &mut ExprScope::over(relation, "a window"))?;
            intervals.push(self.interval_argument(&value, size.value.span, span)?);
        }
        let signature = format!("{column} {intervals:?}");
        Ok((column, intervals, signature))
    }

    pub(super) fn no_event_time(&mut self, found: &Expr, span: Span) -> super::Reported {
        let message =
            format!("A window needs an event-time column, and this is {} without a watermark.", found.ty.logical);
        let problem = crate::sql::Problem::error("unsupported", message, span);
        let hint = match &found.ty.logical {
            LogicalType::Timestamp(_) | LogicalType::TimestampLtz(_) => {
                "Declare WATERMARK FOR the column in its table, and pass the column on unchanged."
            }
            _ => "Event time is a TIMESTAMP(3) or TIMESTAMP_LTZ(3) column with a WATERMARK.",
        };
        self.report(problem.with_hint(hint))
    }
}
