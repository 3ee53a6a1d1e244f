//! Window table functions: `TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND))`.

use super::expr::ExprScope;
use super::relation::{Relation, WindowColumns, passed_column};
use super::{Bind, Binder};
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::{Rel, RelNode, WindowKind, WindowSpec};
use crate::plan::rewrite::is_processing_time;
use crate::sql::ast::{Call, Expr as AstExpr, ExprKind as Ast, Ident};
use crate::sql::{Problem, Span, suggest};
use crate::types::{Field, LogicalType, Schema, Type};

/// Arguments of a window function, in the order of its positional form.
fn parameters(function: &str) -> Option<(&'static [&'static str], &'static str)> {
    Some(match function {
        "TUMBLE" => {
            (&["DATA", "TIMECOL", "SIZE", "OFFSET"], "TUMBLE(TABLE table_name, DESCRIPTOR(time), size [, offset])")
        }
        "HOP" => (
            &["DATA", "TIMECOL", "SLIDE", "SIZE", "OFFSET"],
            "HOP(TABLE table_name, DESCRIPTOR(time), slide, size [, offset])",
        ),
        "CUMULATE" => (
            &["DATA", "TIMECOL", "STEP", "SIZE", "OFFSET"],
            "CUMULATE(TABLE table_name, DESCRIPTOR(time), step, size [, offset])",
        ),
        "SESSION" => {
            (&["DATA", "TIMECOL", "GAP"], "SESSION(TABLE table_name [PARTITION BY key], DESCRIPTOR(time), gap)")
        }
        _ => return None,
    })
}

/// Whether `TABLE(name(…))` assigns windows.
pub(super) fn is_window_function(name: &str) -> bool {
    parameters(&name.to_ascii_uppercase()).is_some()
}

impl Binder<'_> {
    pub(super) fn window_function(&mut self, call: &Call, span: Span) -> Bind<Relation> {
        let function = call.name.last().to_ascii_uppercase();
        let Some((names, form)) = parameters(&function) else {
            return self.unsupported(&format!("The table function {function}"), span);
        };
        let args = self.window_arguments(call, names, form, span)?;
        let (Some(Some(data)), Some(Some(time))) = (args.first(), args.get(1)) else {
            return self.refuse("wrong-arguments", format!("Expected {form}."), span);
        };
        let (relation, partition) = match &data.kind {
            Ast::TableArgument { table, partition } => {
                if !partition.is_empty() && function != "SESSION" {
                    return self.refuse("wrong-arguments", format!("{function} takes no PARTITION BY."), data.span);
                }
                let relation = self.from(table)?;
                let partition = self.session_partition(partition, &relation)?;
                (relation, partition)
            }
            Ast::ScalarQuery(query) => (self.query(query)?, Vec::new()),
            _ => {
                return self.refuse(
                    "wrong-arguments",
                    format!("The first argument is TABLE table_name. Expected {form}."),
                    span,
                );
            }
        };
        let Ast::Descriptor(columns) = &time.kind else {
            return self.refuse(
                "wrong-arguments",
                format!("The second argument is DESCRIPTOR(time). Expected {form}."),
                span,
            );
        };
        let time = self.descriptor(columns, &relation, span)?;
        let mut sizes = Vec::new();
        for arg in args.iter().skip(2) {
            sizes.push(match arg {
                Some(arg) => {
                    let value = self.expr(arg, &mut ExprScope::over(&super::query::one_row(), "a window"))?;
                    Some(self.interval_argument(&value, arg.span, span)?)
                }
                None => None,
            });
        }
        let kind = self.window_kind(&function, &sizes, partition, form, span)?;
        // What is no time attribute is told last, as Flink does.
        let found = relation.column(time);
        let Some(relation) = in_time(relation, time) else {
            return Err(match found {
                Some(found) => self.no_event_time(&found, columns.first().map_or(span, |column| column.span)),
                None => super::Reported,
            });
        };
        self.count_nodes(1, span)?;
        Ok(add_window(relation, kind, time))
    }

    /// What a session is kept by: columns of the table.
    fn session_partition(&mut self, partition: &[AstExpr], relation: &Relation) -> Bind<Vec<usize>> {
        let mut columns = Vec::with_capacity(partition.len());
        for key in partition {
            let bound = self.expr(key, &mut ExprScope::over(relation, "PARTITION BY"))?;
            match passed_column(&bound) {
                Some(column) => columns.push(column),
                None => {
                    let problem = Problem::error(
                        "wrong-arguments",
                        "A SESSION window is partitioned by columns of its table.",
                        key.span,
                    );
                    return Err(self.report(problem.with_hint("Compute the value in a view or a query below.")));
                }
            }
        }
        Ok(columns)
    }

    /// Sorts positional and named arguments into the function's parameters.
    fn window_arguments<'c>(
        &mut self,
        call: &'c Call,
        names: &[&str],
        form: &str,
        span: Span,
    ) -> Bind<Vec<Option<&'c AstExpr>>> {
        let mut args: Vec<Option<&AstExpr>> = vec![None; names.len()];
        let wrong = call.star || call.distinct || call.filter.is_some() || !call.unsupported.is_empty();
        for (position, arg) in call.args.iter().enumerate() {
            let index = match &arg.name {
                Some(name) => names.iter().position(|known| known.eq_ignore_ascii_case(&name.value)),
                None => Some(position),
            };
            match index.and_then(|index| args.get_mut(index)) {
                Some(slot @ None) if !wrong => *slot = Some(&arg.value),
                _ => return self.refuse("wrong-arguments", format!("Expected {form}."), span),
            }
        }
        Ok(args)
    }

    fn descriptor(&mut self, columns: &[Ident], relation: &Relation, span: Span) -> Bind<usize> {
        let [column] = columns else {
            return self.refuse("wrong-arguments", "DESCRIPTOR names one time column.", span);
        };
        let found = relation.schema().index_of(&column.value);
        if let Some(found) = found {
            return Ok(found);
        }
        let mut problem =
            Problem::error("unknown-column", format!("There is no column '{}'.", column.value), column.span);
        let names = relation.schema().fields.iter().map(|field| field.name.as_str());
        if let Some(near) = suggest::nearest(&column.value, names) {
            problem = problem.with_replacement(near);
        }
        Err(self.report(problem))
    }

    /// A constant interval of days to seconds, in milliseconds.
    pub(super) fn interval_argument(&mut self, value: &Expr, at: Span, call: Span) -> Bind<i64> {
        match (&value.ty.logical, &value.kind) {
            (LogicalType::IntervalDayTime, ExprKind::Literal(number)) => match number.as_i64() {
                Some(millis) => Ok(millis),
                None => self.refuse("wrong-arguments", "The interval is NULL.", at),
            },
            (LogicalType::IntervalYearMonth, _) => self.refuse(
                "wrong-arguments",
                "A window is measured in days, hours, minutes and seconds: months differ in length.",
                at,
            ),
            (LogicalType::IntervalDayTime, _) => self.unsupported("A window size that is computed", at),
            (other, _) => {
                let problem = Problem::error(
                    "wrong-arguments",
                    format!("A window is measured by an interval, not by {other}."),
                    call,
                );
                Err(self.report(problem.with_hint("Write for example INTERVAL '10' SECOND.")))
            }
        }
    }

    fn window_kind(
        &mut self,
        function: &str,
        sizes: &[Option<i64>],
        partition: Vec<usize>,
        form: &str,
        span: Span,
    ) -> Bind<WindowKind> {
        let positive = |size: Option<&Option<i64>>| size.copied().flatten().filter(|size| *size > 0);
        let wrong = |binder: &mut Self| {
            binder.refuse("wrong-arguments", format!("Expected {form} with intervals above zero."), span)
        };
        match (function, positive(sizes.first()), positive(sizes.get(1))) {
            ("TUMBLE", Some(size), _) => {
                Ok(WindowKind::Tumble { size, offset: sizes.get(1).copied().flatten().unwrap_or(0) })
            }
            ("HOP", Some(slide), Some(size)) => {
                if size % slide != 0 {
                    let message = format!(
                        "The size of a HOP window has to be a multiple of its slide: {size} ms is none of {slide} ms."
                    );
                    return self.refuse("unsupported", message, span);
                }
                Ok(WindowKind::Hop { slide, size, offset: sizes.get(2).copied().flatten().unwrap_or(0) })
            }
            ("CUMULATE", Some(step), Some(size)) => {
                if size % step != 0 {
                    let message = format!(
                        "The size of a CUMULATE window has to be a multiple of its step: {size} ms is none of {step} ms."
                    );
                    return self.refuse("unsupported", message, span);
                }
                Ok(WindowKind::Cumulate { step, size, offset: sizes.get(2).copied().flatten().unwrap_or(0) })
            }
            ("SESSION", Some(gap), _) => Ok(WindowKind::Session { gap, partition }),
            _ => wrong(self),
        }
    }
}

/// The relation in the time of a column: its event time, or processing time. `None` for any other column.
pub(super) fn in_time(relation: Relation, column: usize) -> Option<Relation> {
    if relation.schema().event_time.contains(&column) {
        return Some(relation);
    }
    let by_clock = is_processing_time(&relation.rel, column);
    by_clock.then(|| Relation { rel: relation.rel.in_processing_time(column), ..relation })
}

/// Appends the window's columns. The time column itself is an ordinary timestamp from here on, as in Flink.
pub(super) fn add_window(relation: Relation, kind: WindowKind, time_column: usize) -> Relation {
    let before = relation.schema().len();
    let time_type =
        relation.schema().fields.get(time_column).map_or(LogicalType::Timestamp(3), |field| field.ty.logical.clone());
    let mut fields = relation.schema().fields.clone();
    fields.push(Field::new("window_start", Type::not_null(LogicalType::Timestamp(3))));
    fields.push(Field::new("window_end", Type::not_null(LogicalType::Timestamp(3))));
    let local = matches!(time_type, LogicalType::TimestampLtz(_));
    fields.push(Field::new("window_time", Type::not_null(time_type)));
    let schema = Schema { fields, event_time: vec![before + 2] };
    let window = WindowSpec { kind: kind.clone(), time_column };
    let mut tables = relation.tables;
    if let [only] = tables.as_mut_slice() {
        only.columns.end = before + 3;
    } else {
        tables.push(super::relation::ScopeTable { alias: String::new(), database: None, columns: before..before + 3 });
    }
    Relation {
        rel: Rel { node: RelNode::Window { input: Box::new(relation.rel), window }, schema },
        tables,
        window: Some(WindowColumns {
            kind,
            start: before,
            end: before + 1,
            time: Some(before + 2),
            time_column: Some(time_column),
            local,
        }),
        star: None,
    }
}
