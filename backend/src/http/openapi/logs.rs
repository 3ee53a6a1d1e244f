//! Operations on log lines: of a team's jobs, and of the server.

use millrace_wire::log_search::{LogContext, LogCounts, LogGroup, LogHit, LogHits};
use millrace_wire::overview::OverviewEvent;

use super::build::{Operation, on};

const PAGE: &[&str] = &["q", "from", "to", "order", "cursor", "limit"];
const COUNTS: &[&str] = &["q", "from", "to", "buckets"];
const WHEN: &[&str] = &["q", "from", "to"];
const FILE: &[&str] = &["q", "from", "to", "order", "format"];
const AROUND: &[&str] = &["before", "after"];
const FILES: &[&str] = &["text/plain", "application/x-ndjson"];

pub(super) fn logs() -> Vec<Operation> {
    vec![
        on("GET", "/teams/{team}/logs", "Search the log lines of the team's jobs.").query(PAGE).gives::<LogHits>(),
        on("GET", "/teams/{team}/logs/counts", "How many lines there are, by field and over time.")
            .query(COUNTS)
            .gives::<LogCounts>(),
        on("GET", "/teams/{team}/logs/groups", "Errors of the same kind, grouped.").query(WHEN).lists::<LogGroup>(),
        on("GET", "/teams/{team}/logs/marks", "What happened to jobs, to be seen beside their lines.")
            .query(&["job", "from", "to"])
            .lists::<OverviewEvent>(),
        on("GET", "/teams/{team}/logs/tail", "Log lines as they come.").query(&["q"]).streams::<LogHit>(),
        on("GET", "/teams/{team}/logs/download", "Log lines as a file.").query(FILE).gives_file(FILES),
        on("GET", "/teams/{team}/logs/lines/{line}", "A log line, and those around it in its run.")
            .query(AROUND)
            .gives::<LogContext>(),
        on("GET", "/logs", "Search the log lines of the server.").query(PAGE).gives::<LogHits>(),
        on("GET", "/logs/counts", "How many lines of the server there are.").query(COUNTS).gives::<LogCounts>(),
        on("GET", "/logs/groups", "Errors of the server, grouped.").query(WHEN).lists::<LogGroup>(),
        on("GET", "/logs/tail", "Log lines of the server as they come.").query(&["q"]).streams::<LogHit>(),
        on("GET", "/logs/download", "Log lines of the server as a file.").query(FILE).gives_file(FILES),
        on("GET", "/logs/lines/{line}", "A log line of the server, and those around it.")
            .query(AROUND)
            .gives::<LogContext>(),
    ]
}
