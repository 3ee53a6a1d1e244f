//! What happens to records that cannot be decoded: `decode.on-error` = `fail`, `skip` or `dead-letter`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::BadRecord;
use super::bad_record_queue::TableInbox;
use crate::error::{EngineError, Result};

pub const ON_ERROR: &str = "decode.on-error";

/// A record as it came from outside.
pub struct RecordOrigin<'a> {
    /// Partition or file.
    pub split: &'a str,
    /// Offset in the partition, or byte in the file.
    pub offset: i64,
    pub key: Option<&'a [u8]>,
    /// Absent for a record without one.
    pub value: Option<&'a [u8]>,
}

/// Where dead letters go. Each call is durable before the positions behind the record are checkpointed.
pub trait DeadLetters: Send {
    fn put(&mut self, origin: &RecordOrigin<'_>, reason: &str) -> Result<()>;

    /// Everything put so far is stored when this returns.
    fn flush(&mut self) -> Result<()>;
}

/// The policy of a table and the count of what it was applied to.
pub struct BadRecords {
    policy: Policy,
    count: u64,
    inbox: Option<Arc<TableInbox>>,
}

enum Policy {
    Fail,
    Skip,
    DeadLetter(Box<dyn DeadLetters>),
}

/// The policy by its name, before its outlet is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    Fail,
    Skip,
    DeadLetter,
}

impl OnError {
    /// `decode.on-error`; without it, what the format's own `ignore-parse-errors` says.
    pub fn of_table(options: &BTreeMap<String, String>) -> Self {
        match options.get(ON_ERROR).map(String::as_str) {
            Some("skip") => Self::Skip,
            Some("dead-letter") => Self::DeadLetter,
            Some(_) => Self::Fail,
            None => {
                let ignored = |(name, value): (&String, &String)| {
                    name.ends_with(".ignore-parse-errors") && value.eq_ignore_ascii_case("true")
                };
                if options.iter().any(ignored) { Self::Skip } else { Self::Fail }
            }
        }
    }
}

impl BadRecords {
    pub const fn failing() -> Self {
        BadRecords { policy: Policy::Fail, count: 0, inbox: None }
    }

    pub const fn skipping() -> Self {
        BadRecords { policy: Policy::Skip, count: 0, inbox: None }
    }

    pub fn dead_lettering(outlet: Box<dyn DeadLetters>) -> Self {
        BadRecords { policy: Policy::DeadLetter(outlet), count: 0, inbox: None }
    }

    /// Also shows them to people, whatever the policy does with them.
    #[must_use]
    pub fn kept_in(self, inbox: Option<Arc<TableInbox>>) -> Self {
        BadRecords { inbox, ..self }
    }

    /// Whether the first one ends the run.
    pub const fn fails(&self) -> bool {
        matches!(self.policy, Policy::Fail)
    }

    /// Records that were skipped or dead-lettered.
    pub const fn count(&self) -> u64 {
        self.count
    }

    pub fn handle(&mut self, origin: &RecordOrigin<'_>, bad: &BadRecord) -> Result<()> {
        if let Some(inbox) = &self.inbox {
            inbox.put(origin, &bad.0);
        }
        match &mut self.policy {
            Policy::Fail => return Err(failure(origin, bad)),
            Policy::Skip => {}
            Policy::DeadLetter(outlet) => outlet.put(origin, &bad.0)?,
        }
        self.count += 1;
        // The first, the tenth, the hundredth: a topic of nothing else must not fill the log.
        if self.count.checked_ilog10().is_some_and(|digits| self.count == 10_u64.pow(digits)) {
            tracing::warn!("{} Left out so far: {}.", cannot_be_decoded(origin, bad), self.count);
        }
        Ok(())
    }

    /// To be called before positions behind a dead letter are handed out.
    pub fn flush(&mut self) -> Result<()> {
        match &mut self.policy {
            Policy::DeadLetter(outlet) => outlet.flush(),
            Policy::Fail | Policy::Skip => Ok(()),
        }
    }
}

fn failure(origin: &RecordOrigin<'_>, bad: &BadRecord) -> EngineError {
    EngineError::user("bad_record", cannot_be_decoded(origin, bad))
}

fn cannot_be_decoded(origin: &RecordOrigin<'_>, bad: &BadRecord) -> String {
    format!("A record of {} at {} cannot be decoded: {}.", origin.split, origin.offset, bad.0)
}
