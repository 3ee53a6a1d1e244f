//! `ROWS BETWEEN … AND …`, `RANGE BETWEEN … AND …`.

use super::Order;
use super::call::Function;
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::{Edge, Extent, Frame};
use crate::sql::ast::{self, FrameBound};
use crate::sql::bind::expr::ExprScope;
use crate::sql::bind::query::one_row;
use crate::sql::bind::{Bind, Binder};
use crate::sql::{Problem, Span};
use crate::types::LogicalType;

impl Binder<'_> {
    pub(super) fn frame_of(
        &mut self,
        function: Function,
        frame: Option<&ast::Frame>,
        order: &[Order],
        name: &str,
        span: Span,
    ) -> Bind<Frame> {
        match frame {
            Some(frame) if function.has_frame() => self.frame(frame, order, name, span),
            Some(_) => self.refuse("wrong-arguments", format!("{name} takes no frame: it looks at all rows."), span),
            // Over a stream rows of the same time come together, as Flink has it.
            None if function.is_shift() && self.streaming() => Ok(Frame::RangeUnbounded),
            None if !function.has_frame() => Ok(Frame::RowsUnbounded),
            None if order.is_empty() => Ok(Frame::Between(Extent::Rows, Edge::Unbounded, Edge::Unbounded)),
            None => Ok(Frame::RangeUnbounded),
        }
    }

    fn frame(&mut self, frame: &ast::Frame, order: &[Order], name: &str, span: Span) -> Bind<Frame> {
        let extent = if frame.rows { Extent::Rows } else { Extent::Range };
        let start = match &frame.start {
            FrameBound::UnboundedFollowing => return self.empty_frame(name, span),
            bound => self.edge(bound, extent, order)?,
        };
        let end = match &frame.end {
            FrameBound::UnboundedPreceding => return self.empty_frame(name, span),
            bound => self.edge(bound, extent, order)?,
        };
        match (extent, start, end) {
            (Extent::Rows, Edge::Unbounded, Edge::At(0)) => Ok(Frame::RowsUnbounded),
            (Extent::Range, Edge::Unbounded, Edge::At(0)) => Ok(Frame::RangeUnbounded),
            (Extent::Rows, Edge::At(start @ ..=0), Edge::At(0)) => Ok(Frame::Rows(start.unsigned_abs())),
            (Extent::Range, Edge::At(start @ ..=0), Edge::At(0)) => Ok(Frame::Range(start.saturating_neg())),
            (_, Edge::At(start), Edge::At(end)) if start > end => self.empty_frame(name, span),
            _ if self.streaming() && !matches!(end, Edge::At(0)) => {
                let problem = Problem::error(
                    "unsupported",
                    format!("Over a stream, the frame of {name} ends at the current row."),
                    span,
                );
                Err(self.report(problem.with_hint("Frames that end elsewhere work over bounded input, in batch mode.")))
            }
            _ => Ok(Frame::Between(extent, start, end)),
        }
    }

    fn empty_frame<T>(&mut self, name: &str, span: Span) -> Bind<T> {
        self.refuse("wrong-arguments", format!("The frame of {name} ends before it begins."), span)
    }

    fn edge(&mut self, bound: &FrameBound, extent: Extent, order: &[Order]) -> Bind<Edge> {
        let (distance, behind) = match bound {
            FrameBound::UnboundedPreceding | FrameBound::UnboundedFollowing => return Ok(Edge::Unbounded),
            FrameBound::CurrentRow => return Ok(Edge::At(0)),
            FrameBound::Preceding(distance) => (distance, false),
            FrameBound::Following(distance) => (distance, true),
        };
        let bound = self.expr(distance, &mut ExprScope::over(&one_row(), "a frame"))?;
        let number = match extent {
            Extent::Rows => literal(&bound).filter(|_| bound.ty.logical.is_integer()),
            Extent::Range => match order {
                [order] => self.range(&bound, &order.key.ty.logical, distance.span)?,
                _ => {
                    let message = "RANGE with a distance takes one column in ORDER BY.";
                    return self.refuse("wrong-arguments", message, distance.span);
                }
            },
        };
        match number.filter(|number| *number >= 0) {
            Some(number) => Ok(Edge::At(if behind { number } else { number.saturating_neg() })),
            None if extent == Extent::Rows => {
                self.refuse("wrong-arguments", "ROWS takes a whole number.", distance.span)
            }
            None => self.refuse(
                "wrong-arguments",
                "RANGE takes a constant distance in the type of the order: an interval of time, or a number.",
                distance.span,
            ),
        }
    }

    /// A distance in the smallest unit of the type that rows are ordered by, dates in milliseconds.
    fn range(&mut self, bound: &Expr, order: &LogicalType, at: Span) -> Bind<Option<i64>> {
        let interval = bound.ty.logical == LogicalType::IntervalDayTime;
        let value = literal(bound);
        Ok(match order {
            LogicalType::Timestamp(precision) | LogicalType::TimestampLtz(precision) => {
                let per_milli = match precision {
                    0..=3 => 1,
                    4..=6 => 1_000,
                    _ => 1_000_000,
                };
                value.filter(|_| interval).and_then(|millis| millis.checked_mul(per_milli))
            }
            LogicalType::Date | LogicalType::Time(_) => value.filter(|_| interval),
            ty if ty.is_integer() => value.filter(|_| bound.ty.logical.is_integer()),
            LogicalType::Decimal { scale, .. } => {
                let raise = 10_i64.checked_pow(u32::from(*scale));
                value
                    .filter(|_| bound.ty.logical.is_integer())
                    .zip(raise)
                    .and_then(|(value, raise)| value.checked_mul(raise))
            }
            other => return self.unsupported(&format!("RANGE with a distance over {other}"), at),
        })
    }
}

fn literal(expr: &Expr) -> Option<i64> {
    match &expr.kind {
        ExprKind::Literal(value) => value.as_i64(),
        _ => None,
    }
}
