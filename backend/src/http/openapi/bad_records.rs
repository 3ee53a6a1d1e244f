//! Operations on the bad records of tables.

use millrace_wire::bad_record::{
    BadRecord, BadRecordCause, BadRecordDetail, DecodeCause, DecodeRecord, DecodedCause, DecodedRecord, ReplayRecord,
    ReplayedTo,
};

use super::build::{Operation, on};

pub(super) fn bad_records() -> Vec<Operation> {
    vec![
        on("GET", "/teams/{team}/tables/{table}/bad-records", "Records that jobs could not decode, newest first.")
            .query(&["cursor", "limit", "cause", "job", "from", "to"])
            .lists::<BadRecord>(),
        on("DELETE", "/teams/{team}/tables/{table}/bad-records", "Dismiss all bad records of a cause.")
            .query(&["cause"]),
        on("GET", "/teams/{team}/tables/{table}/bad-records/causes", "Why records could not be decoded, with counts.")
            .lists::<BadRecordCause>(),
        on("GET", "/teams/{team}/tables/{table}/bad-records/export", "Bad records as a file, one in a line.")
            .query(&["cause", "job", "from", "to"])
            .gives_file(&["application/x-ndjson"]),
        on(
            "POST",
            "/teams/{team}/tables/{table}/bad-records/decode",
            "How many bad records of a cause the table as it is now can decode.",
        )
        .takes::<DecodeCause>()
        .gives::<DecodedCause>(),
        on("GET", "/teams/{team}/tables/{table}/bad-records/{record}", "A bad record with its bytes.")
            .gives::<BadRecordDetail>(),
        on("DELETE", "/teams/{team}/tables/{table}/bad-records/{record}", "Dismiss a bad record."),
        on(
            "POST",
            "/teams/{team}/tables/{table}/bad-records/{record}/decode",
            "Decode a bad record, or other bytes, with the table as it is now.",
        )
        .takes::<DecodeRecord>()
        .gives::<DecodedRecord>(),
        on(
            "POST",
            "/teams/{team}/tables/{table}/bad-records/{record}/replay",
            "Write a bad record, or other bytes, to its topic again.",
        )
        .takes::<ReplayRecord>()
        .gives::<ReplayedTo>(),
    ]
}
