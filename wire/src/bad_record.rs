//! Records that jobs could not decode, kept beside their table.

use serde::{Deserialize, Serialize};

use crate::connection::JobRef;
use crate::ids::{BadRecordId, RunId};
use crate::macros::wire;
use crate::preview::ResultColumn;

/// Over the worker link: what could not be decoded since the last report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BadRecordReport {
    pub records: Vec<UndecodedRecord>,
    /// Of causes for which it changed.
    pub not_kept: Vec<NotKept>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UndecodedRecord {
    /// As the job's script names it.
    pub table: String,
    /// Partition (`topic/3`) or file.
    pub split: String,
    /// Offset in the partition; byte or row in the file.
    pub offset: i64,
    pub at: i64,
    /// In base64; the first part of a long one.
    pub key: Option<String>,
    pub key_bytes: u64,
    /// Absent for a record without a value. Else like the key.
    pub value: Option<String>,
    pub value_bytes: u64,
    pub cause: String,
    pub reason: String,
}

/// How many records of a cause this attempt met and did not send, for they were too many.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NotKept {
    pub table: String,
    pub cause: String,
    /// Since the attempt began.
    pub count: u64,
    pub at: i64,
}

wire! {
    /// `GET …/bad-records/causes`, newest first.
    pub struct BadRecordCause {
        /// The reason without values of records; the same for all that it groups.
        pub cause: String,
        /// Records that are kept.
        pub kept: u64,
        /// Records that were met beyond what is kept. Those met again after a restart count again.
        pub not_kept: u64,
        /// Of the kept ones, those that were replayed.
        pub replayed: u64,
        pub first_at: i64,
        pub last_at: i64,
    }

    /// `GET …/bad-records`, newest first.
    pub struct BadRecord {
        pub id: BadRecordId,
        /// When a job met it.
        pub at: i64,
        /// Partition (`topic/3`) or file.
        pub split: String,
        /// Offset in the partition; byte or row in the file.
        pub offset: i64,
        pub cause: String,
        /// In full, values included.
        pub reason: String,
        /// Absent where the caller may not see the job, or it is gone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub job: Option<JobRef>,
        pub run: RunId,
        pub attempt: u32,
        pub key_bytes: u64,
        pub value_bytes: u64,
        /// The beginning of the value as text.
        pub excerpt: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub replayed: Option<Replayed>,
    }

    pub struct Replayed {
        pub at: i64,
        pub by: String,
        /// It was written with other bytes than those it came with.
        pub edited: bool,
        /// How often it was replayed; the other fields speak of the last time.
        pub times: u32,
    }

    /// Bytes in three forms.
    pub struct RecordBytes {
        pub base64: String,
        /// What is no UTF-8 is replaced by U+FFFD.
        pub text: String,
        /// All of it is UTF-8.
        pub is_text: bool,
        pub hex: String,
        /// Of the record; more than are here when it was cut.
        pub length: u64,
        pub cut: bool,
    }

    /// `GET …/bad-records/{record}`
    pub struct BadRecordDetail {
        pub record: BadRecord,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub key: Option<RecordBytes>,
        /// Absent for a record without a value.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub value: Option<RecordBytes>,
        /// Why it cannot be replayed, whoever asks; absent where it can.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub no_replay: Option<String>,
    }

    /// `POST …/bad-records/{record}/decode`: with the table as it is now.
    pub struct DecodeRecord {
        /// In base64, to try other bytes than those that are kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub value: Option<String>,
    }

    /// The rows, or the reason why there are none.
    pub struct DecodedRecord {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub reason: Option<String>,
        pub columns: Vec<ResultColumn>,
        pub rows: Vec<Vec<serde_json::Value>>,
    }

    /// `POST …/bad-records/decode`
    pub struct DecodeCause {
        pub cause: String,
    }

    /// How many of the kept records of a cause can be decoded with the table as it is now.
    pub struct DecodedCause {
        pub decoded: u64,
        pub failed: u64,
        /// Too long to be kept whole, so they cannot be tried.
        pub cut: u64,
        /// Why the first that failed did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub reason: Option<String>,
    }

    /// `POST …/bad-records/{record}/replay`: writes it to the table's topic again.
    pub struct ReplayRecord {
        /// In base64, instead of the bytes that are kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub value: Option<String>,
        /// Do it although it was replayed already.
        #[serde(default)]
        pub again: bool,
    }

    /// Where the record lies now as well.
    pub struct ReplayedTo {
        pub topic: String,
        pub partition: i32,
        pub offset: i64,
    }
}
