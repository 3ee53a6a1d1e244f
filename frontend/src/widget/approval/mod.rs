//! Requests for the approval of starts: in words, and the dialog that decides on one.

mod decide;

use leptos::prelude::*;
use millrace_wire::approval::{ApprovalState, StartApproval};
use millrace_wire::job::StartFrom;

use crate::api;
use crate::clock::local;
use crate::i18n::approvals as text;
use crate::ui::toast::Toasts;

pub use decide::DecideStart;

/// What the job would start from.
pub fn way_words(asked: &StartApproval) -> String {
    match (asked.from, asked.at_ms) {
        (StartFrom::Fresh, Some(at)) => text::no_state_since(local(at).full()),
        (StartFrom::Fresh, None) => text::no_state().to_owned(),
        (StartFrom::Latest, _) if asked.restored_from.is_empty() => text::no_state().to_owned(),
        (StartFrom::Latest, _) => text::latest_state().to_owned(),
        (StartFrom::Savepoint, _) => asked.restored_from.clone(),
    }
}

pub fn state_words(asked: &StartApproval) -> String {
    match asked.state {
        ApprovalState::Open => text::state_open().to_owned(),
        ApprovalState::Approved if !asked.not_started.is_empty() => text::not_started().to_owned(),
        ApprovalState::Approved => text::state_approved(&asked.decided_by),
        ApprovalState::Declined => text::state_declined(&asked.decided_by),
        ApprovalState::Withdrawn => text::state_withdrawn().to_owned(),
        ApprovalState::Stale => text::state_stale().to_owned(),
    }
}

/// Path of a request in the API.
fn path_of(asked: &StartApproval, tail: &str) -> String {
    api::path::team(&asked.team_slug, &format!("jobs/{}/approvals/{}{tail}", asked.job, asked.id))
}

/// By whoever asked. `done`: what is shown then loads again.
pub fn withdraw(asked: &StartApproval, toasts: Toasts, done: Callback<()>) {
    let path = path_of(asked, "");
    leptos::task::spawn_local(async move {
        match api::delete(&path).await {
            Ok(()) => toasts.good(text::withdrawn()),
            Err(failure) => toasts.bad(failure.error.message.clone(), failure.error.hint.clone().unwrap_or_default()),
        }
        // The page may have been left.
        let _ = done.try_run(());
    });
}
