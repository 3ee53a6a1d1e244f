//! OVER.

use millrace_wire::graph::ChangelogMode;

use super::Builder;
use super::join::types;
use super::rank::comparable;
use crate::plan::dataflow::{NodeKind, problem};
use crate::plan::logical::{AggregateCall, AggregateFunction, OverCall, OverSpec, Rel};
use crate::sql::Problem;

impl Builder<'_> {
    pub(super) fn over(&mut self, rel: &Rel, input: &Rel, over: &OverSpec) -> Result<usize, Problem> {
        let from = self.rel(input)?;
        let keys = over.partition.iter().copied().chain(over.sort.iter().map(|key| key.column));
        // Results are compared with what was given before.
        comparable(&rel.schema, keys.chain(input.schema.len()..rel.schema.len()), "OVER")?;
        if self.settings.batch || !over.by_event_time(&input.schema) {
            return Ok(self.over_table(rel, input, from, over));
        }
        if self.nodes[from].changelog != ChangelogMode::Append {
            let message = "OVER in the order of event time, on rows that change, is not supported.";
            return Err(problem("unsupported", message));
        }
        super::user::slides(&over.calls, over.frame)?;
        let calls: Vec<OverCall> = over.calls.iter().map(counted).collect();
        let kind = NodeKind::OverAggregate {
            partition: over.partition.clone(),
            time_column: over.sort.first().map_or(0, |key| key.column),
            frame: over.frame,
            calls: calls.clone(),
            ttl: self.settings.state_ttl,
        };
        let text = timed_text(over, &calls);
        Ok(self.keyed(rel, from, kind, &over.partition, ChangelogMode::Append, text))
    }

    fn over_table(&mut self, rel: &Rel, input: &Rel, from: usize, over: &OverSpec) -> usize {
        let at_end = self.settings.batch;
        let kind = NodeKind::OverTable {
            partition: over.partition.clone(),
            sort: over.sort.clone(),
            frame: over.frame,
            calls: over.calls.clone(),
            ttl: self.settings.state_ttl,
            at_end,
        };
        let text = format!(
            "OverTable {:?} {:?} {:?} {:?} | {}",
            over.partition,
            over.sort,
            over.frame,
            over.calls,
            types(&input.schema)
        );
        let changelog = if at_end { ChangelogMode::Append } else { ChangelogMode::Retract };
        self.keyed(rel, from, kind, &over.partition, changelog, text)
    }
}

/// A row number counts the rows so far.
fn counted(call: &OverCall) -> OverCall {
    match call {
        OverCall::RowNumber => OverCall::Aggregate(AggregateCall {
            function: AggregateFunction::Count,
            args: Vec::new(),
            distinct: false,
            filter: None,
            constants: Vec::new(),
            return_type: call.return_type(),
            user: None,
        }),
        other => other.clone(),
    }
}

/// What a checkpoint knows the operator by: as it was when there were aggregates only.
fn timed_text(over: &OverSpec, calls: &[OverCall]) -> String {
    let aggregates: Option<Vec<&AggregateCall>> = calls
        .iter()
        .map(|call| match call {
            OverCall::Aggregate(call) => Some(call),
            _ => None,
        })
        .collect();
    let calls = aggregates.map_or_else(|| format!("{calls:?}"), |calls| format!("{calls:?}"));
    format!("Over {:?} {:?} {:?} {calls}", over.partition, over.sort, over.frame)
}
