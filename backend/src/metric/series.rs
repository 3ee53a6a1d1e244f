//! What a series is called and what it is about.

use std::borrow::Cow;

/// Name and labels; labels in a fixed order, so that equal ones compare equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeriesKey {
    pub name: Cow<'static, str>,
    pub labels: Vec<(String, String)>,
}

impl SeriesKey {
    pub fn plain(name: &'static str) -> SeriesKey {
        SeriesKey { name: Cow::Borrowed(name), labels: Vec::new() }
    }

    pub fn node(name: &'static str, node: &str) -> SeriesKey {
        SeriesKey { name: Cow::Borrowed(name), labels: vec![("node".to_owned(), node.to_owned())] }
    }

    pub fn partition(name: &'static str, table: &str, partition: &str) -> SeriesKey {
        let labels = vec![("partition".to_owned(), partition.to_owned()), ("table".to_owned(), table.to_owned())];
        SeriesKey { name: Cow::Borrowed(name), labels }
    }

    pub fn table(name: &'static str, table: &str) -> SeriesKey {
        SeriesKey { name: Cow::Borrowed(name), labels: vec![("table".to_owned(), table.to_owned())] }
    }

    /// As JSON, for the history.
    pub fn stored_labels(&self) -> String {
        serde_json::to_string(&self.labels).unwrap_or_else(|_| "[]".to_owned())
    }

    pub fn stored(name: &str, labels: &str) -> SeriesKey {
        SeriesKey { name: Cow::Owned(name.to_owned()), labels: serde_json::from_str(labels).unwrap_or_default() }
    }

    pub fn unit(&self) -> &'static str {
        match self.name.as_ref() {
            "records_in" | "records_out" | "late" | "dropped" | "bad_records" => "records/s",
            "bytes_in" | "bytes_out" => "bytes/s",
            "lag_records" => "records",
            "lag_ms" | "watermark_delay_ms" | "checkpoint_ms" => "ms",
            "busy" | "blocked" => "share",
            "state_bytes" | "memory_bytes" => "bytes",
            "state_rows" => "rows",
            "cpu_cores" => "cores",
            _ => "",
        }
    }
}
