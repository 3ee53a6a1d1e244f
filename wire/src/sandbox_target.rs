//! Sandbox targets: where the test runs of a team may write for real, and what they have written there.

use crate::ids::{ConnectionId, JobId, SandboxObjectId, SandboxTargetId, TestRunId};
use crate::macros::{wire, wire_words};

wire_words! {
    pub enum SandboxKind {
        /// Topics whose names begin with the place.
        TopicPrefix = "topic_prefix",
        /// Tables of a schema, or of a database where the server has no schemas.
        Schema = "schema",
        /// Folders below a folder.
        Folder = "folder",
    }
}

wire! {
    pub struct SandboxTarget {
        pub id: SandboxTargetId,
        /// Absent: files, which need no connection.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub connection: Option<ConnectionId>,
        /// Empty for files.
        pub connection_name: String,
        pub kind: SandboxKind,
        /// A prefix, the name of a schema or database, or a folder.
        pub place: String,
        pub updated_at: i64,
        pub updated_by: String,
    }

    /// `POST …/sandbox-targets`, `PUT …/sandbox-targets/{id}`
    pub struct SandboxTargetDraft {
        /// Absent: files. It stays when a target is changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub connection: Option<ConnectionId>,
        pub place: String,
    }

    /// `POST …/sandbox-targets/offers`: text, draft or version as for a test run.
    pub struct ListSandboxOffers {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub sql: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub job: Option<JobId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub version: Option<u32>,
    }

    /// A sink of a script, and where a test run could write it.
    pub struct SandboxOffer {
        pub table: String,
        pub connector: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub place: Option<SandboxPlace>,
        /// In words, where there is none.
        pub why_not: String,
    }

    pub struct SandboxPlace {
        pub kind: SandboxKind,
        pub place: String,
    }

    /// A topic, table or folder that a test run wrote.
    pub struct SandboxObject {
        pub id: SandboxObjectId,
        pub test_run: TestRunId,
        /// The sink that it stands for.
        pub table: String,
        pub connector: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub connection: Option<ConnectionId>,
        /// Empty for files.
        pub connection_name: String,
        /// As people call it: `topic sandbox.orders-1a2b3c4d`.
        pub name: String,
        pub created_at: i64,
        pub created_by: String,
    }
}
