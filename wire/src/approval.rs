//! Starts that somebody else approves first: whether a team asks for that, asking, deciding.

use crate::ids::{ApprovalId, JobId, SavepointId};
use crate::job::{Start, StartFrom};
use crate::macros::{wire, wire_words};

wire_words! {
    /// What a team asks for before one of its jobs starts.
    pub enum ApprovalMode {
        /// Nothing.
        Off = "off",
        /// That an owner or operator of the team has approved it, and not the one who asks.
        Required = "required",
    }

    pub enum ApprovalState {
        Open = "open",
        Approved = "approved",
        Declined = "declined",
        /// By whoever asked.
        Withdrawn = "withdrawn",
        /// Nobody decided before a newer version was made or the job was deleted.
        Stale = "stale",
    }
}

wire! {
    /// `GET /teams/{team}/approval-mode`
    pub struct ApprovalSetting {
        pub mode: ApprovalMode,
        /// Empty while nobody has changed it.
        pub changed_by: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub changed_at: Option<i64>,
    }

    /// `PUT /teams/{team}/approval-mode`
    pub struct SetApprovalMode {
        pub mode: ApprovalMode,
    }

    /// `POST …/jobs/{job}/approvals`: freezes the draft when no version is named, as a start does.
    pub struct AskForApproval {
        #[serde(flatten)]
        pub start: Start,
        pub reason: String,
        /// Absent: yes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub start_when_approved: Option<bool>,
    }

    /// A request to start one version of one job in one way, and what became of it.
    pub struct StartApproval {
        pub id: ApprovalId,
        pub team_slug: String,
        pub job: JobId,
        pub job_name: String,
        pub version: u32,
        pub from: StartFrom,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub savepoint: Option<SavepointId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub at_ms: Option<i64>,
        /// `from checkpoint 7 of run 2`, as it was when it was asked for; empty without earlier state.
        pub restored_from: String,
        /// Of script, settings, tables, functions and connections.
        pub digest: String,
        pub start_when_approved: bool,
        pub reason: String,
        pub asker: String,
        pub asker_email: String,
        pub asked_at: i64,
        pub state: ApprovalState,
        pub decided_by: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub decided_at: Option<i64>,
        pub answer: String,
        /// Why it was approved and yet not started; empty otherwise.
        pub not_started: String,
        /// The caller asked for it, and so cannot decide.
        pub own: bool,
    }

    /// `POST …/jobs/{job}/approvals/{approval}`
    pub struct ApprovalDecision {
        pub approve: bool,
        #[serde(default)]
        pub answer: String,
    }

    /// Who approved what was started.
    pub struct GivenApproval {
        pub by: String,
        pub at: i64,
        pub asker: String,
    }

    /// `GET …/jobs/{job}/approvals/needed`: what a start needs, for the choice that was named.
    pub struct ApprovalNeed {
        pub required: bool,
        /// Which version would start; absent when the draft would become a new one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub version: Option<u32>,
        /// The approval by which it may start.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub approved: Option<GivenApproval>,
        /// Why it may not start yet; empty when it may.
        pub refusal: String,
        /// What was asked for of this job and is not decided.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub open: Option<StartApproval>,
    }
}
