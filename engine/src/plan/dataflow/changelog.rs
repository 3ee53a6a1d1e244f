//! Which row kinds an edge carries, and whether a sink can take them.

use millrace_wire::graph::ChangelogMode;

use super::LeaveOut;
use crate::connector::Accepts;

/// The mode of an edge into which several lead.
pub(super) fn combine(modes: impl Iterator<Item = ChangelogMode>) -> ChangelogMode {
    if modes.into_iter().all(|mode| mode == ChangelogMode::Append) {
        ChangelogMode::Append
    } else {
        ChangelogMode::Retract
    }
}

/// The mode in which rows reach the sink; why not, when it cannot take them.
pub(super) fn into_sink(
    mode: ChangelogMode,
    accepts: Accepts,
    leave_out: LeaveOut,
    has_key: bool,
    name: &str,
) -> Result<ChangelogMode, String> {
    match (mode, accepts) {
        (ChangelogMode::Append, _) => Ok(ChangelogMode::Append),
        (_, Accepts::Append) if leave_out.leaves_insertions() => Ok(ChangelogMode::Append),
        (_, Accepts::Retract) => Ok(mode),
        (_, Accepts::Upsert) if has_key => Ok(ChangelogMode::Upsert),
        (_, Accepts::Upsert) => Err(format!(
            "{name} takes updates by primary key only, and it has none. Declare PRIMARY KEY (…) NOT ENFORCED."
        )),
        (_, Accepts::Append) => Err(format!(
            "{name} takes insertions only, but this query changes rows that it gave before (it aggregates or limits \
             without a window, or reads a changelog). Use a table with a primary key, or set \
             'sink.drop' = 'update_before,delete' to write new rows only."
        )),
    }
}
