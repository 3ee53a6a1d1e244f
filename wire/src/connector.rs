//! What connectors and formats there are and which options they take: drives validation and the table form.

use crate::macros::{wire, wire_words};

wire_words! {
    /// M2 of the product: who fills an option in.
    pub enum OptionClass {
        /// The user has to give it.
        Required = "required",
        /// Has a default; asked under "more options".
        Defaulted = "defaulted",
        /// Filled by the platform from the connection; not asked.
        Platform = "platform",
    }

    pub enum OptionKind {
        Text = "text",
        /// Text of several lines.
        Lines = "lines",
        Integer = "integer",
        Boolean = "boolean",
        Duration = "duration",
        MemorySize = "memory_size",
        Choice = "choice",
        /// A Kafka topic of the chosen connection: the form offers a picker.
        Topic = "topic",
        /// A path below one of the configured file roots.
        Path = "path",
        Secret = "secret",
    }
}

wire! {
    pub struct ConnectorSchema {
        /// The value of the `connector` option.
        pub name: String,
        pub title: String,
        /// One sentence.
        pub summary: String,
        /// Set when the connector needs a connection of that kind.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub connection: Option<crate::connection::ConnectionKind>,
        /// Kinds of connection that can fill in address and credentials; it does without one, too.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub takes: Vec<crate::connection::ConnectionKind>,
        pub source: bool,
        pub sink: bool,
        pub lookup: bool,
        /// The source of this connector can end by itself.
        pub bounded: bool,
        /// Names of the formats it takes; empty where it needs none.
        pub formats: Vec<String>,
        pub options: Vec<OptionSchema>,
        /// The schema is fixed by the connector (nexmark): the form shows it and does not ask.
        pub fixed_columns: Vec<FixedColumn>,
        /// A fetcher can fill in the columns.
        pub fetches_schema: bool,
    }

    pub struct FixedColumn {
        pub name: String,
        pub data_type: String,
    }

    pub struct FormatSchema {
        pub name: String,
        pub title: String,
        pub options: Vec<OptionSchema>,
    }

    pub struct OptionSchema {
        /// As in `WITH (…)`, for example `scan.startup.mode`.
        pub name: String,
        pub title: String,
        pub help: String,
        pub class: OptionClass,
        pub kind: OptionKind,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub default: Option<String>,
        /// For `choice`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub choices: Vec<String>,
        /// Only for the source side, only for the sink side, or both.
        pub side: OptionSide,
    }

    /// `GET /connectors`
    pub struct ConnectorCatalog {
        pub connectors: Vec<ConnectorSchema>,
        pub formats: Vec<FormatSchema>,
    }
}

wire_words! {
    pub enum OptionSide {
        Both = "both",
        Source = "source",
        Sink = "sink",
    }
}
