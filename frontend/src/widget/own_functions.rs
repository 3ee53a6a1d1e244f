//! The functions that a team brought.

use millrace_wire::live::LiveEvent;
use millrace_wire::user_function::UserFunctionSummary;

use crate::api;
use crate::live::use_live;
use crate::load::{Loaded, load_all};

/// All of them, fetched again when one changes.
pub fn own_functions(team: &str) -> Loaded<Vec<UserFunctionSummary>> {
    let path = api::path::team(team, "functions");
    let own = load_all::<UserFunctionSummary>(path);
    use_live().on(move |event| {
        if matches!(event, LiveEvent::FunctionsChanged { .. } | LiveEvent::Reset) {
            own.reload();
        }
    });
    own
}
