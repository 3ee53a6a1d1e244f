//! A job's dataflow as it is drawn: the same graph that the engine runs.

use crate::macros::{wire, wire_words};

wire_words! {
    pub enum ChangelogMode {
        /// Insertions only.
        Append = "append",
        /// All four row kinds.
        Retract = "retract",
        /// Insert, update-after and delete by key.
        Upsert = "upsert",
    }

    pub enum DeliveryGuarantee {
        ExactlyOnce = "exactly_once",
        AtLeastOnce = "at_least_once",
        BestEffort = "best_effort",
    }
}

wire! {
    pub struct Graph {
        pub nodes: Vec<GraphNode>,
        pub edges: Vec<GraphEdge>,
    }

    pub struct GraphNode {
        /// Stable across plans of the same SQL.
        pub id: String,
        /// `Kafka source`, `Window aggregate`, …
        pub kind: String,
        /// The table, or the keys: what tells it from its neighbours.
        pub name: String,
        /// Longer, for the side panel: predicates, projections, window bounds.
        pub detail: String,
        pub parallelism: u32,
        pub stateful: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub table: Option<String>,
    }

    pub struct GraphEdge {
        pub from: String,
        pub to: String,
        /// `forward`, `hash(user_id)`, `broadcast`, …
        pub partitioning: String,
        pub changelog: ChangelogMode,
    }

    pub struct Guarantee {
        pub level: DeliveryGuarantee,
        pub reason: String,
    }
}
