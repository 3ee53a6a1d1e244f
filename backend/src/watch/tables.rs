//! The built-in database `millrace` of every team: its logs and its jobs' figures as tables.

use std::collections::BTreeMap;

use millrace_wire::ids::ConnectionId;
use millrace_wire::table::{Column, ColumnKind, EventTime, TableDraft};

use super::topics;

pub const DATABASE: &str = "millrace";

/// As a person would describe them by form.
pub fn drafts(team: &str, connection: ConnectionId) -> [TableDraft; 2] {
    let logs = [
        ("ts", "TIMESTAMP(3)", "When it was logged, UTC."),
        ("level", "STRING", "error, warn, info, debug or trace."),
        ("target", "STRING", "The part of the program that speaks."),
        ("message", "STRING", ""),
        ("team", "STRING", ""),
        ("job", "STRING", "Id of the job."),
        ("job_name", "STRING", ""),
        ("run", "STRING", "Id of the run."),
        ("attempt", "INT", ""),
        ("worker", "STRING", "Id of the worker process, or 'server'."),
    ];
    let metrics = [
        ("ts", "TIMESTAMP(3)", "When it was measured, UTC."),
        ("name", "STRING", "records_in_per_s, lag_records, memory_bytes, and so on."),
        ("reading", "DOUBLE", ""),
        ("team", "STRING", ""),
        ("job", "STRING", "Id of the job."),
        ("job_name", "STRING", ""),
        ("run", "STRING", "Id of the run."),
    ];
    [
        draft("logs", "Log lines of this team's jobs.", topics::logs(team), connection, &logs),
        draft(
            "metrics",
            "Figures of this team's jobs, every two seconds.",
            topics::metrics(team),
            connection,
            &metrics,
        ),
    ]
}

fn draft(
    name: &str,
    comment: &str,
    topic: String,
    connection: ConnectionId,
    columns: &[(&str, &str, &str)],
) -> TableDraft {
    let column = |(name, data_type, comment): &(&str, &str, &str)| Column {
        name: (*name).to_owned(),
        data_type: (*data_type).to_owned(),
        kind: ColumnKind::Physical,
        source: None,
        nullable: true,
        comment: (*comment).to_owned(),
    };
    TableDraft {
        database: DATABASE.to_owned(),
        name: name.to_owned(),
        comment: comment.to_owned(),
        connector: "kafka".to_owned(),
        connection: Some(connection),
        format: Some("json".to_owned()),
        options: BTreeMap::from([
            ("topic".to_owned(), topic),
            ("scan.startup.mode".to_owned(), "earliest-offset".to_owned()),
        ]),
        columns: columns.iter().map(column).collect(),
        event_time: Some(EventTime { column: "ts".to_owned(), watermark: "ts - INTERVAL '5' SECOND".to_owned() }),
        primary_key: Vec::new(),
    }
}
