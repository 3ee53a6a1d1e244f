//! A script without side effects: its sinks are replaced where the plan is made, not in its text.
//!
//! The planner gets every end of a dataflow from [`Endpoints`](crate::plan::dataflow::Endpoints). [`SandboxEndpoints`] is
//! the only implementation here, and it answers for a sink with a [`CaptureSink`] whatever the table's connector is:
//! **`Connector::sink` is called nowhere below this module**, and the run has [`NoCommitters`], which make none. Sources
//! and lookups come from the connectors with a read-only context, or from supplied rows.
//!
//! Where a team has sandbox targets, the rows that are kept can be written there as well. What is opened for that is an
//! [`Apart`](crate::connector::Apart): an object under a name of this run's own, in a place that is no table's, which the
//! run has made itself a moment ago. There is no way to make one that means the sink of the job.
//!
//! [`test_run`](crate::link::test_run) reads production input this way; [`run_test`] touches nothing outside at all.

mod capture;
mod compare;
mod endpoints;
mod input_tap;
mod settled;
mod sql_test;
mod state;
mod supplied;
mod targets;
mod value;
mod words;
mod written;

#[cfg(test)]
mod tests;

pub use capture::{CaptureSink, Changes};
pub use compare::{Comparison, Rules, compare};
pub use endpoints::{NoCommitters, Outside, SandboxEndpoints, captured_sinks};
pub use input_tap::InputTap;
pub use settled::SettledInputs;
pub use sql_test::{TestRequest, run_test};
pub use state::current_state;
pub use supplied::canonical;
pub use targets::{SandboxTargets, apart_by_sink};
pub use words::sources;

use millrace_wire::preview::RowKind as WireKind;

use crate::change::RowKind;

pub(crate) const fn wire_kind(kind: RowKind) -> WireKind {
    match kind {
        RowKind::Insert => WireKind::Insert,
        RowKind::UpdateBefore => WireKind::UpdateBefore,
        RowKind::UpdateAfter => WireKind::UpdateAfter,
        RowKind::Delete => WireKind::Delete,
    }
}

const fn row_kind(kind: WireKind) -> RowKind {
    match kind {
        WireKind::Insert => RowKind::Insert,
        WireKind::UpdateBefore => RowKind::UpdateBefore,
        WireKind::UpdateAfter => RowKind::UpdateAfter,
        WireKind::Delete => RowKind::Delete,
    }
}
