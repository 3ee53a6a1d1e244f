//! What users' aggregate functions have to be able to do where they stand.

use millrace_wire::graph::ChangelogMode;

use super::Builder;
use crate::plan::dataflow::{WindowInput, problem};
use crate::plan::logical::{AggregateCall, Frame, OverCall, WindowKind};
use crate::sql::Problem;
use crate::udf::AggregateFunction;

impl Builder<'_> {
    /// Refuses a function that cannot take rows back above an input that does.
    pub(super) fn takes_back(&self, calls: &[AggregateCall], from: usize) -> Result<(), Problem> {
        if self.nodes[from].changelog == ChangelogMode::Append {
            return Ok(());
        }
        match calls.iter().filter_map(|call| call.user.as_deref()).find(|user| !user.retracts()) {
            Some(user) => Err(cannot_retract(user, "its input changes")),
            None => Ok(()),
        }
    }
}

fn cannot_retract(user: &AggregateFunction, why: &str) -> Problem {
    let name = &user.module.name;
    let part = user.parts().part_name("retract");
    let message = format!("{name} cannot take rows back, and {why}.");
    problem("unsupported", message).with_hint(format!("Give its module a function {part}."))
}

/// A frame that slides takes rows back.
pub(super) fn slides(calls: &[OverCall], frame: Frame) -> Result<(), Problem> {
    if !matches!(frame, Frame::Rows(_) | Frame::Range(_)) {
        return Ok(());
    }
    let mut users = calls.iter().filter_map(|call| match call {
        OverCall::Aggregate(call) => call.user.as_deref(),
        _ => None,
    });
    match users.find(|user| !user.retracts()) {
        Some(user) => Err(cannot_retract(user, "the frame of OVER slides")),
        None => Ok(()),
    }
}

/// Windows that overlap or grow together are put together from parts.
pub(super) fn merged(calls: &[AggregateCall], window: &WindowInput) -> Result<(), Problem> {
    let of_parts = matches!(window, WindowInput::Assign { kind, .. } if !matches!(kind, WindowKind::Tumble { .. }));
    let user = calls.iter().filter_map(|call| call.user.as_deref()).find(|user| !user.merges());
    match user.filter(|_| of_parts) {
        Some(user) => {
            let name = &user.module.name;
            let part = user.parts().part_name("merge");
            let message = format!("{name} cannot be computed over HOP, CUMULATE or SESSION windows.");
            Err(problem("unsupported", message).with_hint(format!("Give its module a function {part}.")))
        }
        None => Ok(()),
    }
}
