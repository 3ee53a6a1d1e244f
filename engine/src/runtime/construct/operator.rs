//! Nodes of the plan → operators.

use std::time::Duration;

use arrow::datatypes::SchemaRef;
use millrace_wire::graph::ChangelogMode;

use super::Constructor;
use crate::error::{EngineError, Result};
use crate::expr::Expr;
use crate::expr::lower::lower_in;
use crate::function::EvalContext;
use crate::operator::{
    Calc, CleanTest, Expand, FirstRow, FirstRowSpec, GroupAggregate, GroupAggregateSpec, GroupCleaner, GroupColumn,
    IntervalJoin, Join, JoinSpec, Merge, Operator, OverAggregate, OverAggregateSpec, OverTable, OverTableSpec,
    ProcessingTime, Rank, RankSpec, Repeat, SessionAggregate, SessionAggregateSpec, SessionAssign, SessionAssignSpec,
    SinkOperator, TableCall, TemporalJoin, TemporalJoinSpec, TimeSort, TimeSortSpec, Union, WindowAggregate,
    WindowAggregateSpec, WindowAssign, WindowColumns, WindowJoin, WindowJoinSpec, WindowRank, WindowRankSpec,
};
use crate::operator::{Normalize, NormalizeSpec, UpsertMaterialize, UpsertMaterializeSpec};
use crate::plan::dataflow::{Node, NodeKind, WindowInput, key_positions};
use crate::plan::logical::WindowKind;
use crate::plan::retention::GroupClean;
use crate::time::window::{Shape, Windows};
use crate::types::{LogicalType, Schema};

impl Constructor<'_> {
    pub(super) fn operator(&self, index: usize, subtask: usize) -> Result<Box<dyn Operator>> {
        let node = self.node(index);
        let first = node.inputs.first().map(|input| self.node(input.from));
        let above = first.ok_or_else(|| EngineError::internal("an operator has no input"))?;
        let (input, output): (SchemaRef, SchemaRef) = (above.schema.to_arrow(), node.schema.to_arrow());
        let retracts = above.changelog != ChangelogMode::Append;
        Ok(match &node.kind {
            NodeKind::Calc { predicates, exprs } => {
                Box::new(Calc::new(predicates, exprs.as_deref(), &above.schema, &node.schema, self.context())?)
            }
            NodeKind::ProcessingTime { column } => Box::new(ProcessingTime::new(*column, output)),
            NodeKind::Window { kind: WindowKind::Session { gap, partition }, time_column } => {
                Box::new(SessionAssign::new(SessionAssignSpec {
                    gap: *gap,
                    zone: self.zone_of(&above.schema, *time_column),
                    time_column: *time_column,
                    partition: partition.clone(),
                    input,
                    output,
                })?)
            }
            NodeKind::Window { kind, time_column } => {
                Box::new(WindowAssign::new(self.windows(kind, &above.schema, *time_column)?, *time_column, output))
            }
            NodeKind::TableCall { call } => Box::new(TableCall::new(
                call.function.clone(),
                &call.args,
                &call.passed,
                call.outer,
                &above.schema,
                output,
                self.context(),
            )?),
            NodeKind::Expand { expand } => Box::new(Expand::new(expand.clone(), output)),
            NodeKind::WindowAggregate { window, group, calls } => {
                if let WindowInput::Assign { kind: WindowKind::Session { gap, .. }, time_column, start, end, time } =
                    window
                {
                    let (group, keys) = group_columns(group, Bounds { start: *start, end: *end, time: *time });
                    return Ok(Box::new(SessionAggregate::new(SessionAggregateSpec {
                        gap: *gap,
                        zone: self.zone_of(&above.schema, *time_column),
                        time_column: *time_column,
                        group,
                        keys,
                        calls: calls.clone(),
                        input,
                        output,
                        retracts,
                    })?));
                }
                let (windows, input_columns, bounds) = self.window_input(window, &above.schema)?;
                let (group, keys) = group_columns(group, bounds);
                let spec = WindowAggregateSpec {
                    windows,
                    input_columns,
                    group,
                    keys,
                    calls: calls.clone(),
                    input,
                    output,
                    retracts,
                };
                Box::new(WindowAggregate::new(spec)?)
            }
            NodeKind::GroupAggregate { group, calls, ttl, clean, at_end } => {
                let clean = clean.as_deref().map(|clean| self.group_clean(clean, &node.schema)).transpose()?;
                let operator = GroupAggregate::new(GroupAggregateSpec {
                    group: group.clone(),
                    calls: calls.clone(),
                    input,
                    output,
                    retracts,
                    ttl_ms: millis(*ttl),
                    at_end: *at_end,
                })?;
                Box::new(operator.with_clean(clean))
            }
            NodeKind::Join { .. }
            | NodeKind::IntervalJoin { .. }
            | NodeKind::TemporalJoin { .. }
            | NodeKind::WindowJoin { .. } => self.join(node, &above.schema)?,
            NodeKind::LookupJoin(lookup) => self.lookup(index, node, lookup, &above.schema, subtask)?,
            NodeKind::Merge { key } => Box::new(Merge::new(key, &input, output)?),
            NodeKind::Repeat { times } => Box::new(Repeat::new(*times, output)),
            NodeKind::Union => Box::new(Union::new(output)),
            NodeKind::Normalize { keys, columns, ttl } => Box::new(Normalize::new(NormalizeSpec {
                keys: keys.clone(),
                columns: columns.clone(),
                schema: output,
                ttl_ms: millis(*ttl),
            })?),
            NodeKind::UpsertMaterialize { keys, ttl } => {
                let spec = UpsertMaterializeSpec { keys: keys.clone(), schema: output, ttl_ms: millis(*ttl) };
                Box::new(UpsertMaterialize::new(&spec)?)
            }
            NodeKind::Rank { .. }
            | NodeKind::FirstRow { .. }
            | NodeKind::WindowRank { .. }
            | NodeKind::OverAggregate { .. }
            | NodeKind::OverTable { .. }
            | NodeKind::TimeSort { .. } => self.ordered(&node.kind, input, output, retracts)?,
            NodeKind::Sink { table, sink, accepts, leave_out } => {
                let tasks = self.tasks_of(index);
                let restored = self.restored.and_then(|restored| restored.sinks.get(&*node.id));
                let restored = match restored {
                    Some(parts) if parts.len() == tasks => parts.get(subtask).cloned().into_iter().collect(),
                    Some(parts) if subtask == 0 => parts.clone(),
                    _ => Vec::new(),
                };
                let key = table.as_ref().map(key_positions).unwrap_or_default();
                let writer = sink.writer(subtask, tasks, restored)?;
                Box::new(SinkOperator::new(writer, *accepts, *leave_out, &input, &key)?)
            }
            NodeKind::Source { .. } | NodeKind::Values { .. } => {
                return Err(EngineError::internal("a source stands behind an operator"));
            }
        })
    }

    fn join(&self, node: &Node, left: &Schema) -> Result<Box<dyn Operator>> {
        let right = node.inputs.get(1).map(|input| self.node(input.from));
        let right = right.ok_or_else(|| EngineError::internal("a join has one input"))?;
        let both = Schema::new(left.fields.iter().chain(&right.schema.fields).cloned().collect());
        let (join, ttl, at_end) = match &node.kind {
            NodeKind::Join { join, ttl, at_end, .. } => (join, *ttl, *at_end),
            NodeKind::TemporalJoin { join, ttl, .. } => (join, [*ttl; 2], false),
            NodeKind::IntervalJoin { join, .. } | NodeKind::WindowJoin { join, .. } => {
                (join, [Duration::ZERO; 2], false)
            }
            _ => return Err(EngineError::internal("what is no join is asked for one")),
        };
        let condition = join.condition.as_ref().map(|condition| lower_in(condition, &both, self.context()));
        let spec = JoinSpec {
            kind: join.kind,
            keys: join.keys.clone(),
            condition: condition.transpose()?,
            left: left.to_arrow(),
            right: right.schema.to_arrow(),
            output: node.schema.to_arrow(),
            ttl_ms: ttl.map(millis),
            at_end,
        };
        Ok(match &node.kind {
            NodeKind::IntervalJoin { time, .. } => Box::new(IntervalJoin::new(spec, *time)?),
            NodeKind::TemporalJoin { times, only_newest, .. } => {
                let (times, only_newest) = (*times, *only_newest);
                Box::new(TemporalJoin::new(TemporalJoinSpec { join: spec, times, only_newest })?)
            }
            NodeKind::WindowJoin { windows: (left, right), .. } => {
                let zone = left.local.then_some(self.dataflow.settings.zone);
                let spec = WindowJoinSpec { join: spec, ends: [left.end, right.end], zone };
                Box::new(WindowJoin::new(spec)?)
            }
            NodeKind::Join { clean, .. } => {
                let [of_left, of_right] = &**clean;
                let test = |clean: &Option<Expr>, side: &Schema| {
                    clean.as_ref().map(|clean| CleanTest::new(clean, side, self.context())).transpose()
                };
                let clean = [test(of_left, left)?, test(of_right, &right.schema)?];
                Box::new(Join::new(spec)?.with_clean(clean))
            }
            _ => return Err(EngineError::internal("what is no join is asked for one")),
        })
    }

    fn group_clean(&self, clean: &GroupClean, output: &Schema) -> Result<GroupCleaner> {
        Ok(match clean {
            GroupClean::Row(column) => GroupCleaner::Row(*column),
            GroupClean::Result(test) => GroupCleaner::Result(CleanTest::new(test, output, self.context())?),
        })
    }

    /// Operators that look at the order of rows.
    fn ordered(
        &self,
        kind: &NodeKind,
        input: SchemaRef,
        output: SchemaRef,
        retracts: bool,
    ) -> Result<Box<dyn Operator>> {
        Ok(match kind {
            NodeKind::Rank { partition, sort, from, to, number, latest_first, by_place, ttl, at_end } => {
                Box::new(Rank::new(RankSpec {
                    partition: partition.clone(),
                    sort: sort.clone(),
                    from: *from,
                    to: *to,
                    number: *number,
                    latest_first: *latest_first,
                    by_place: *by_place,
                    input,
                    output,
                    retracts,
                    ttl_ms: millis(*ttl),
                    at_end: *at_end,
                })?)
            }
            NodeKind::FirstRow { keys, time_column, number, ttl } => Box::new(FirstRow::new(FirstRowSpec {
                keys: keys.clone(),
                time_column: *time_column,
                input,
                number: *number,
                output,
                ttl_ms: millis(*ttl),
            })?),
            NodeKind::WindowRank { partition, window, sort, from, to, number, latest_first } => {
                Box::new(WindowRank::new(WindowRankSpec {
                    partition: partition.clone(),
                    end: window.end,
                    zone: window.local.then_some(self.dataflow.settings.zone),
                    sort: sort.clone(),
                    from: *from,
                    to: *to,
                    number: *number,
                    latest_first: *latest_first,
                    input,
                    output,
                })?)
            }
            NodeKind::OverAggregate { partition, time_column, frame, calls, ttl } => {
                Box::new(OverAggregate::new(OverAggregateSpec {
                    partition: partition.clone(),
                    time_column: *time_column,
                    frame: *frame,
                    calls: calls.clone(),
                    input,
                    output,
                    ttl_ms: millis(*ttl),
                })?)
            }
            NodeKind::OverTable { partition, sort, frame, calls, ttl, at_end } => {
                Box::new(OverTable::new(OverTableSpec {
                    partition: partition.clone(),
                    sort: sort.clone(),
                    frame: *frame,
                    calls: calls.clone(),
                    input,
                    output,
                    ttl_ms: millis(*ttl),
                    at_end: *at_end,
                })?)
            }
            NodeKind::TimeSort { sort, time_column } => {
                Box::new(TimeSort::new(TimeSortSpec { sort: sort.clone(), time_column: *time_column, schema: output })?)
            }
            _ => return Err(EngineError::internal("an operator without an order is asked for one")),
        })
    }

    fn windows(&self, kind: &WindowKind, input: &Schema, time_column: usize) -> Result<Windows> {
        let (shape, offset) = match *kind {
            WindowKind::Tumble { size, offset } => (Shape::Tumble { size }, offset),
            WindowKind::Hop { slide, size, offset } => (Shape::Hop { slide, size }, offset),
            WindowKind::Cumulate { step, size, offset } => (Shape::Cumulate { step, size }, offset),
            WindowKind::Session { .. } => {
                return Err(EngineError::internal("a session has no fixed place in time"));
            }
        };
        Ok(Windows { shape, offset, zone: self.zone_of(input, time_column) })
    }

    pub(super) fn context(&self) -> EvalContext {
        EvalContext { zone: self.dataflow.settings.zone }
    }

    fn zone_of(&self, input: &Schema, column: usize) -> Option<chrono_tz::Tz> {
        let local = matches!(input.fields.get(column)?.ty.logical, LogicalType::TimestampLtz(_));
        local.then_some(self.dataflow.settings.zone)
    }

    fn window_input(&self, window: &WindowInput, input: &Schema) -> Result<(Windows, WindowColumns, Bounds)> {
        Ok(match window {
            WindowInput::Assign { kind, time_column, start, end, time } => {
                let windows = self.windows(kind, input, *time_column)?;
                (windows, WindowColumns::Time(*time_column), Bounds { start: *start, end: *end, time: *time })
            }
            WindowInput::Attached { start, end, time, local } => {
                let zone = local.then_some(self.dataflow.settings.zone);
                // Only the zone matters: windows come as columns.
                let windows = Windows { shape: Shape::Tumble { size: 1 }, offset: 0, zone };
                let columns = WindowColumns::Bounds { start: *start, end: *end };
                (windows, columns, Bounds { start: *start, end: *end, time: *time })
            }
        })
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[derive(Clone, Copy)]
struct Bounds {
    start: usize,
    end: usize,
    time: Option<usize>,
}

/// The output's group columns, and which input columns are the keys.
fn group_columns(group: &[usize], bounds: Bounds) -> (Vec<GroupColumn>, Vec<usize>) {
    let mut keys = Vec::new();
    let mut columns = Vec::new();
    for column in group {
        columns.push(match *column {
            column if column == bounds.start => GroupColumn::Start,
            column if column == bounds.end => GroupColumn::End,
            column if Some(column) == bounds.time => GroupColumn::Time,
            column => {
                keys.push(column);
                GroupColumn::Key(keys.len() - 1)
            }
        });
    }
    (columns, keys)
}
