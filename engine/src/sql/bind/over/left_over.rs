//! What no operator can compute over a stream.

use crate::plan::logical::{OverCall, OverSpec, Rel, RelNode};
use crate::sql::{Problem, Span};
use crate::types::Schema;

/// The first call with OVER that cannot be computed.
pub(in crate::sql::bind) fn left_over(rel: &Rel, streaming: bool) -> Option<Problem> {
    let own = match &rel.node {
        RelNode::Over { input, over } if streaming => refused(over, &input.schema),
        _ => None,
    };
    own.or_else(|| rel.inputs().into_iter().find_map(|input| left_over(input, streaming)))
}

fn refused(over: &OverSpec, input: &Schema) -> Option<Problem> {
    let by_time = over.by_event_time(input);
    let event_time = over.sort.iter().any(|key| input.event_time.contains(&key.column));
    let message = match over.calls.iter().find(|call| !streams(call, by_time)) {
        Some(call) => {
            let order = if by_time { "works over bounded input only, in batch mode" } else { "is by event time only" };
            format!("Over a stream, {} {order}.", name(call))
        }
        None if !by_time && event_time => {
            "Over a stream, OVER by event time is in ascending order, and by nothing else; ROW_NUMBER works in any \
             order, with an upper bound on its result, as in WHERE rn <= 10."
                .to_owned()
        }
        None => return None,
    };
    let problem = Problem::error("unsupported", message, Span { start: 0, end: 0 });
    Some(Problem { span: over.span, ..problem })
}

/// What follows from the rows before is known when a row is final; the rest never is. Flink ranks by time only.
const fn streams(call: &OverCall, by_time: bool) -> bool {
    match call {
        OverCall::RowNumber | OverCall::Aggregate(_) => true,
        OverCall::Rank | OverCall::DenseRank => by_time,
        OverCall::PercentRank | OverCall::CumeDist | OverCall::Ntile(_) => false,
        OverCall::Shift { back, .. } => *back >= 0 || !by_time,
    }
}

const fn name(call: &OverCall) -> &'static str {
    match call {
        OverCall::RowNumber => "ROW_NUMBER",
        OverCall::Rank => "RANK",
        OverCall::DenseRank => "DENSE_RANK",
        OverCall::PercentRank => "PERCENT_RANK",
        OverCall::CumeDist => "CUME_DIST",
        OverCall::Ntile(_) => "NTILE",
        OverCall::Shift { .. } => "LEAD",
        OverCall::Aggregate(_) => "an aggregate",
    }
}
