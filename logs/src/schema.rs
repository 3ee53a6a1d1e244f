//! The fields of the index of a day, and a line as a document.
//!
//! Nothing is stored in the index: a document has the address of its line. What is counted or sorted by is a fast field
//! (a column in memory order). Bump [`FORMAT`] when anything here or in `token` changes: older days are then built again.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use tantivy::schema::{FAST, Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions};
use tantivy::{Index, TantivyDocument};

use crate::codec::level_number;
use crate::line::Line;
use crate::source::Address;
use crate::token::{LogTokenizer, WholeTokenizer};

pub(crate) const FORMAT: u32 = 1;

const WORDS: &str = "log_words";
const WHOLE: &str = "log_whole";

pub(crate) struct Fields {
    pub(crate) message: Field,
    pub(crate) target: Field,
    pub(crate) level: Field,
    pub(crate) time: Field,
    pub(crate) seq: Field,
    pub(crate) attempt: Field,
    /// Number of the line this one continues; absent for lines that stand for themselves.
    pub(crate) event: Field,
    pub(crate) address: Field,
    /// Of the group of errors that this line begins one of.
    pub(crate) fingerprint: Field,
    pub(crate) organisation: Field,
    pub(crate) team: Field,
    pub(crate) job: Field,
    pub(crate) job_name: Field,
    pub(crate) stream: Field,
    pub(crate) worker: Field,
    pub(crate) operator: Field,
    pub(crate) source: Field,
    pub(crate) version: Field,
}

/// Names of columns.
pub(crate) mod column {
    pub(crate) const LEVEL: &str = "level";
    pub(crate) const TIME: &str = "time";
    pub(crate) const SEQ: &str = "seq";
    pub(crate) const EVENT: &str = "event";
    pub(crate) const ADDRESS: &str = "address";
    pub(crate) const FINGERPRINT: &str = "fingerprint";
    pub(crate) const TEAM: &str = "team";
    pub(crate) const JOB: &str = "job";
    pub(crate) const JOB_NAME: &str = "job_name";
    pub(crate) const STREAM: &str = "stream";
    pub(crate) const WORKER: &str = "worker";
    pub(crate) const OPERATOR: &str = "operator";
    pub(crate) const SOURCE: &str = "source";
    pub(crate) const VERSION: &str = "version";
}

static SCHEMA: OnceLock<(Schema, Fields)> = OnceLock::new();

pub(crate) fn schema() -> &'static (Schema, Fields) {
    SCHEMA.get_or_init(|| {
        let mut schema = Schema::builder();
        // Nobody ranks lines by relevance, so the lengths of messages are not kept.
        let words = TextFieldIndexing::default().set_tokenizer(WORDS).set_fieldnorms(false);
        let text = TextOptions::default()
            .set_indexing_options(words.set_index_option(IndexRecordOption::WithFreqsAndPositions));
        let whole = TextFieldIndexing::default().set_tokenizer(WHOLE).set_fieldnorms(false);
        let keyword = TextOptions::default()
            .set_indexing_options(whole.set_index_option(IndexRecordOption::Basic))
            .set_fast("raw");
        let number = NumericOptions::default().set_indexed().set_fast();
        let fields = Fields {
            message: schema.add_text_field("message", text.clone()),
            target: schema.add_text_field("target", text),
            level: schema.add_u64_field(column::LEVEL, number.clone()),
            time: schema.add_i64_field(column::TIME, FAST),
            seq: schema.add_u64_field(column::SEQ, FAST),
            attempt: schema.add_u64_field("attempt", FAST),
            event: schema.add_u64_field(column::EVENT, FAST),
            address: schema.add_u64_field(column::ADDRESS, FAST),
            fingerprint: schema.add_u64_field(column::FINGERPRINT, number),
            organisation: schema.add_text_field("organisation", keyword.clone()),
            team: schema.add_text_field(column::TEAM, keyword.clone()),
            job: schema.add_text_field(column::JOB, keyword.clone()),
            job_name: schema.add_text_field(column::JOB_NAME, keyword.clone()),
            stream: schema.add_text_field(column::STREAM, keyword.clone()),
            worker: schema.add_text_field(column::WORKER, keyword.clone()),
            operator: schema.add_text_field(column::OPERATOR, keyword.clone()),
            source: schema.add_text_field(column::SOURCE, keyword.clone()),
            version: schema.add_text_field(column::VERSION, keyword),
        };
        (schema.build(), fields)
    })
}

pub(crate) fn fields() -> &'static Fields {
    &schema().1
}

pub(crate) fn register(index: &Index) {
    index.tokenizers().register(WORDS, LogTokenizer);
    index.tokenizers().register(WHOLE, WholeTokenizer);
}

/// A line on its way into the index.
pub(crate) struct Entry<'a> {
    pub(crate) line: &'a Line,
    pub(crate) address: Address,
    pub(crate) event: Option<u64>,
    pub(crate) fingerprint: Option<u64>,
}

impl Entry<'_> {
    pub(crate) fn document(&self) -> TantivyDocument {
        let (fields, line) = (fields(), self.line);
        let mut document = TantivyDocument::default();
        document.add_text(fields.message, &line.message);
        document.add_text(fields.target, &line.target);
        document.add_u64(fields.level, u64::from(level_number(line.level)));
        document.add_i64(fields.time, line.at);
        document.add_u64(fields.seq, line.seq);
        document.add_u64(fields.attempt, u64::from(line.attempt));
        document.add_u64(fields.address, self.address.0);
        if let Some(event) = self.event {
            document.add_u64(fields.event, event);
        }
        if let Some(fingerprint) = self.fingerprint {
            document.add_u64(fields.fingerprint, fingerprint);
        }
        document.add_text(fields.stream, line.stream.to_string());
        document.add_text(fields.source, line.source.as_str());
        if let Some(job) = line.job {
            document.add_text(fields.job, job.to_string());
        }
        let keywords = [
            (fields.organisation, &line.organisation),
            (fields.team, &line.team),
            (fields.job_name, &line.job_name),
            (fields.worker, &line.worker),
            (fields.operator, &line.operator),
            (fields.version, &line.version),
        ];
        for (field, text) in keywords {
            if !text.is_empty() {
                document.add_text(field, text);
            }
        }
        document
    }
}

/// What a commit says about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Covered {
    /// Bytes of the day's lines that the index knows of.
    pub(crate) lines: u64,
    /// Position in the journal up to which this day has everything.
    pub(crate) journal: u64,
}
