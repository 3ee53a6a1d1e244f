//! The catalogue of the organisation, asking for access or ingestion, and notices.

use crate::access::Level;
use crate::approval::StartApproval;
use crate::ids::{NoticeId, RequestId, TableId};
use crate::macros::{wire, wire_words};
use crate::table::ResolvedColumn;

wire_words! {
    pub enum RequestKind {
        /// A right to a table.
        Access = "access",
        /// A source is to be taken in.
        Ingestion = "ingestion",
    }

    pub enum RequestState {
        Open = "open",
        Accepted = "accepted",
        Declined = "declined",
    }
}

wire! {
    /// `GET /catalogue`: a listed table as everybody may see it. Never its options, connection or rows.
    pub struct CatalogueEntry {
        pub id: TableId,
        pub team_slug: String,
        pub team_name: String,
        pub database: String,
        pub name: String,
        pub description: String,
        pub columns: Vec<ResolvedColumn>,
        /// The caller has a right to it: as a member of its team, or by a grant.
        pub open: bool,
    }

    /// `POST /catalogue/{table}/requests`
    pub struct AskForAccess {
        pub level: Level,
        pub reason: String,
        /// Short name of a team of the caller; for the caller in person when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub for_team: Option<String>,
    }

    /// What is to be taken in.
    pub struct IngestionSource {
        /// What it is: a MySQL table, a topic, files.
        pub kind: String,
        /// Where it is, in words.
        pub address: String,
        pub table: String,
        pub purpose: String,
    }

    /// `POST /ingestion-requests`
    pub struct AskForIngestion {
        /// Short name of the team that is asked.
        pub team: String,
        #[serde(flatten)]
        pub source: IngestionSource,
    }

    pub struct AccessRequest {
        pub id: RequestId,
        pub kind: RequestKind,
        /// The team that decides.
        pub team_slug: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub table: Option<TableId>,
        /// `database.table`, or what is to be taken in.
        pub title: String,
        pub asker: String,
        pub asker_email: String,
        /// Name of the team it is for; for the asker in person when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub for_team: Option<String>,
        /// Asked for and, once decided, given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub level: Option<Level>,
        pub reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub source: Option<IngestionSource>,
        pub state: RequestState,
        pub asked_at: i64,
        pub decided_by: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub decided_at: Option<i64>,
        pub answer: String,
    }

    /// `POST …/requests/{request}`
    pub struct Decision {
        pub accept: bool,
        /// A lower level than was asked for; as asked when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub level: Option<Level>,
        #[serde(default)]
        pub answer: String,
    }

    /// `GET /requests`
    pub struct Requests {
        /// Open ones that the caller may decide, the oldest first.
        pub to_decide: Vec<AccessRequest>,
        /// Accepted ingestions of teams in which the caller may decide: their tasks are to be made.
        pub to_ingest: Vec<AccessRequest>,
        /// The caller's own, the newest first.
        pub mine: Vec<AccessRequest>,
        /// Starts of jobs that the caller may approve, the oldest first.
        pub starts_to_decide: Vec<StartApproval>,
        /// Starts that the caller asked for, the newest first.
        pub my_starts: Vec<StartApproval>,
    }

    pub struct Notice {
        pub id: NoticeId,
        pub at: i64,
        pub title: String,
        pub body: String,
        /// Path in the console.
        pub href: String,
        pub read: bool,
    }

    /// `GET /notices`: the newest, the newest first.
    pub struct Inbox {
        pub notices: Vec<Notice>,
        pub unread: u64,
        /// Open requests that the caller may decide.
        pub to_decide: u64,
        /// Notices go by mail as well.
        pub mail: bool,
    }
}
