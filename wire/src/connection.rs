//! Connections, and a look into the cluster behind one: topics, messages, consumer groups.

use std::collections::BTreeMap;

use crate::ids::{ConnectionId, JobId, TableId};
use crate::macros::{wire, wire_words};

wire_words! {
    pub enum ConnectionKind {
        Kafka = "kafka",
        Postgresql = "postgresql",
        /// MariaDB, too.
        Mysql = "mysql",
        /// With Confluent's interface.
        SchemaRegistry = "schema_registry",
        /// With Amazon's S3 interface.
        ObjectStore = "object_store",
        /// A server that takes mail in.
        Smtp = "smtp",
        /// A server that is called over HTTP.
        Http = "http",
    }
}

wire! {
    pub struct Connection {
        pub id: ConnectionId,
        pub name: String,
        pub kind: ConnectionKind,
        /// Without secrets; a secret that is set appears in `secrets_set` by name.
        pub options: BTreeMap<String, String>,
        pub secrets_set: Vec<String>,
        pub description: String,
        /// Managed by the platform (the demo broker, the configured broker); cannot be edited or deleted.
        pub built_in: bool,
        /// True for the demo broker: no transactions, at-least-once at best.
        pub demo: bool,
        pub tables: u64,
        pub updated_at: i64,
    }

    pub struct ConnectionDraft {
        pub name: String,
        pub kind: ConnectionKind,
        pub options: BTreeMap<String, String>,
        /// Write-only. A name that is absent keeps its stored value.
        #[serde(default)]
        pub secrets: BTreeMap<String, String>,
        #[serde(default)]
        pub description: String,
    }

    /// `POST …/connections/test` and `POST …/connections/{id}/test`
    pub struct ConnectionTest {
        pub ok: bool,
        pub steps: Vec<TestStep>,
    }

    pub struct TestStep {
        pub name: String,
        pub ok: bool,
        pub detail: String,
        pub ms: u64,
    }

    pub struct Topic {
        pub name: String,
        pub partitions: u32,
        pub messages: u64,
        pub internal: bool,
        /// The tables that describe it.
        pub tables: Vec<TableRef>,
    }

    pub struct TableRef {
        pub id: TableId,
        /// `database.table`
        pub name: String,
    }

    pub struct TopicDetail {
        pub name: String,
        pub partitions: Vec<PartitionDetail>,
        pub groups: Vec<ConsumerGroup>,
    }

    pub struct PartitionDetail {
        pub partition: i32,
        pub low: i64,
        pub high: i64,
        pub leader: i32,
        pub replicas: u32,
    }

    pub struct ConsumerGroup {
        pub group: String,
        pub state: String,
        pub members: u32,
        pub lag: u64,
        pub partitions: Vec<GroupPartition>,
        /// The job behind the group, where it is one of ours.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub job: Option<JobRef>,
    }

    pub struct GroupPartition {
        pub topic: String,
        pub partition: i32,
        pub committed: i64,
        pub high: i64,
        pub lag: u64,
    }

    pub struct JobRef {
        pub id: JobId,
        pub name: String,
    }

    pub struct Message {
        pub partition: i32,
        pub offset: i64,
        pub timestamp: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub key: Option<String>,
        /// As text; bytes that are no UTF-8 are shown as hex with `binary` set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub value: Option<String>,
        pub binary: bool,
        pub size: u64,
        pub headers: BTreeMap<String, String>,
    }

    /// `GET …/connections/{connection}/objects`: what there is to describe behind a database or a registry.
    pub struct ExternalObject {
        /// The schema of a database table; empty where there is none.
        pub schema: String,
        /// A table, a view, or a subject of a registry.
        pub name: String,
        /// `table`, `view`, `subject`
        pub kind: String,
        pub comment: String,
    }

    pub struct NewTopic {
        pub name: String,
        pub partitions: u32,
    }
}
