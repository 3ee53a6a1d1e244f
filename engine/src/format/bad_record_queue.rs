//! Bad records on their way to the server: a bounded queue that readers fill and the link empties.
//!
//! Readers never wait for it. What is beyond its limits is left out and counted by cause.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use millrace_wire::bad_record::{BadRecordReport, NotKept, UndecodedRecord};
use parking_lot::Mutex;

use super::bad_record::RecordOrigin;
use super::bad_record_cause::{cause_of, cut, names_of};
use crate::catalog::TableDef;

/// Kept of a key, and of a value.
const PART_BYTES: usize = 64 * 1024;
const REASON_BYTES: usize = 4 * 1024;
/// Records of a run that are taken in a second.
const PER_SECOND: u32 = 100;
const MOST_WAITING: usize = 1_000;
const MOST_WAITING_BYTES: usize = 8 << 20;
/// After so many of one cause, one in a second says that it goes on.
const WHOLE_OF_CAUSE: u64 = 1_000;
/// Of one table; the rest goes by one name.
const MOST_CAUSES: usize = 200;
const OTHER_CAUSES: &str = "other causes";

/// Of one attempt, shared by its readers.
pub struct BadRecordQueue {
    /// Those that are told of; others live in the script only.
    tables: BTreeSet<String>,
    inner: Mutex<Inner>,
}

struct Inner {
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    second: Instant,
    taken_in_second: u32,
    tallies: BTreeMap<(String, String), Tally>,
    causes: BTreeMap<String, usize>,
}

struct Waiting {
    record: UndecodedRecord,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
}

#[derive(Default)]
struct Tally {
    taken: u64,
    last_taken: Option<Instant>,
    not_kept: u64,
    at: i64,
    /// `not_kept` when it was told last.
    told: u64,
}

impl BadRecordQueue {
    /// `tables`: by the names that scripts use.
    pub fn new(tables: impl IntoIterator<Item = String>) -> Self {
        let inner = Inner {
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            second: Instant::now(),
            taken_in_second: 0,
            tallies: BTreeMap::new(),
            causes: BTreeMap::new(),
        };
        BadRecordQueue { tables: tables.into_iter().collect(), inner: Mutex::new(inner) }
    }

    /// What came since the last time, about so many bytes of it; none when nothing did.
    pub fn take(&self, bytes: usize) -> Option<BadRecordReport> {
        let mut inner = self.inner.lock();
        let mut taken = Vec::new();
        let mut size = 0;
        while size < bytes
            && let Some(waiting) = inner.waiting.pop_front()
        {
            size += waiting.bytes();
            taken.push(waiting);
        }
        inner.waiting_bytes = inner.waiting_bytes.saturating_sub(size);
        let mut not_kept = Vec::new();
        for ((table, cause), tally) in &mut inner.tallies {
            if tally.not_kept > tally.told {
                tally.told = tally.not_kept;
                let (table, cause) = (table.clone(), cause.clone());
                not_kept.push(NotKept { table, cause, count: tally.not_kept, at: tally.at });
            }
        }
        drop(inner);
        if taken.is_empty() && not_kept.is_empty() {
            return None;
        }
        Some(BadRecordReport { records: taken.into_iter().map(Waiting::told).collect(), not_kept })
    }

    fn put(&self, table: &str, origin: &RecordOrigin<'_>, cause: String, reason: &str, at: i64) {
        let now = Instant::now();
        let mut inner = self.inner.lock();
        let cause = inner.counted_cause(table, cause);
        if !inner.may_take(table, &cause, at, now) {
            return;
        }
        let part = |bytes: &[u8]| bytes.get(..PART_BYTES).unwrap_or(bytes).to_vec();
        let length = |bytes: Option<&[u8]>| bytes.map_or(0, |bytes| bytes.len() as u64);
        let waiting = Waiting {
            record: UndecodedRecord {
                table: table.to_owned(),
                split: origin.split.to_owned(),
                offset: origin.offset,
                at,
                key: None,
                key_bytes: length(origin.key),
                value: None,
                value_bytes: length(origin.value),
                cause,
                reason: cut(reason, REASON_BYTES).to_owned(),
            },
            key: origin.key.map(part),
            value: origin.value.map(part),
        };
        inner.waiting_bytes += waiting.bytes();
        inner.waiting.push_back(waiting);
    }
}

impl Inner {
    /// The cause, unless the table has too many of them already.
    fn counted_cause(&mut self, table: &str, cause: String) -> String {
        let key = (table.to_owned(), cause);
        if self.tallies.contains_key(&key) {
            return key.1;
        }
        let known = self.causes.entry(key.0.clone()).or_default();
        if *known >= MOST_CAUSES {
            return OTHER_CAUSES.to_owned();
        }
        *known += 1;
        key.1
    }

    fn may_take(&mut self, table: &str, cause: &str, at: i64, now: Instant) -> bool {
        const SECOND: Duration = Duration::from_secs(1);
        if now.saturating_duration_since(self.second) >= SECOND {
            self.second = now;
            self.taken_in_second = 0;
        }
        let has_room = self.taken_in_second < PER_SECOND
            && self.waiting.len() < MOST_WAITING
            && self.waiting_bytes < MOST_WAITING_BYTES;
        let tally = self.tallies.entry((table.to_owned(), cause.to_owned())).or_default();
        tally.at = at;
        let rested = tally.last_taken.is_none_or(|last| now.saturating_duration_since(last) >= SECOND);
        if !has_room || (tally.taken >= WHOLE_OF_CAUSE && !rested) {
            tally.not_kept += 1;
            return false;
        }
        tally.taken += 1;
        tally.last_taken = Some(now);
        self.taken_in_second += 1;
        true
    }
}

impl Waiting {
    fn bytes(&self) -> usize {
        let part = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
        part(&self.key) + part(&self.value) + self.record.reason.len() + self.record.cause.len()
    }

    fn told(self) -> UndecodedRecord {
        let text = |bytes: Option<Vec<u8>>| bytes.map(|bytes| BASE64.encode(bytes));
        UndecodedRecord { key: text(self.key), value: text(self.value), ..self.record }
    }
}

/// Where the readers of one table put its bad records.
pub struct TableInbox {
    queue: Arc<BadRecordQueue>,
    table: String,
    names: BTreeSet<String>,
}

impl TableInbox {
    /// None for a table that lives in the script only, and where nobody keeps bad records.
    pub fn of(queue: Option<&Arc<BadRecordQueue>>, table: &TableDef) -> Option<Arc<Self>> {
        let queue = queue.filter(|queue| queue.tables.contains(&table.name))?;
        Some(Arc::new(TableInbox { queue: Arc::clone(queue), table: table.name.clone(), names: names_of(table) }))
    }

    pub(super) fn put(&self, origin: &RecordOrigin<'_>, reason: &str) {
        let cause = cause_of(reason, &self.names);
        self.queue.put(&self.table, origin, cause, reason, chrono::Utc::now().timestamp_millis());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn inbox(queue: &Arc<BadRecordQueue>) -> TableInbox {
        TableInbox { queue: Arc::clone(queue), table: "main.t".to_owned(), names: BTreeSet::new() }
    }

    fn queue() -> Arc<BadRecordQueue> {
        Arc::new(BadRecordQueue::new(["main.t".to_owned()]))
    }

    fn origin(offset: i64, value: &[u8]) -> RecordOrigin<'_> {
        RecordOrigin { split: "t/0", offset, key: Some(b"k"), value: Some(value) }
    }

    fn count(report: &BadRecordReport) -> u64 {
        report.records.len() as u64 + report.not_kept.iter().map(|cause| cause.count).sum::<u64>()
    }

    #[test]
    fn a_record_is_told_with_its_bytes_and_its_place() {
        let queue = queue();
        inbox(&queue).put(&origin(42, b"{\"a\":"), "byte 5 is no JSON");
        let report = queue.take(1).unwrap();
        let [record] = report.records.as_slice() else { panic!("{report:?}") };
        assert_eq!((record.split.as_str(), record.offset), ("t/0", 42));
        assert_eq!(BASE64.decode(record.value.as_ref().unwrap()).unwrap(), b"{\"a\":");
        assert_eq!((record.cause.as_str(), record.reason.as_str()), ("byte # is no JSON", "byte 5 is no JSON"));
        assert_eq!(queue.take(1), None);
    }

    #[test]
    fn a_long_record_is_cut_and_its_length_told() {
        let queue = queue();
        let long = vec![b'x'; PART_BYTES + 1];
        inbox(&queue).put(&origin(0, &long), "too long");
        inbox(&queue).put(&RecordOrigin { split: "t/0", offset: 1, key: None, value: None }, "no value");
        let records = queue.take(usize::MAX).unwrap().records;
        assert_eq!(BASE64.decode(records[0].value.as_ref().unwrap()).unwrap().len(), PART_BYTES);
        assert_eq!(records[0].value_bytes, PART_BYTES as u64 + 1);
        assert_eq!((records[1].value.as_ref(), records[1].value_bytes), (None, 0));
    }

    #[test]
    fn a_flood_is_bounded_and_never_waits_and_every_record_counts() {
        let queue = queue();
        let began = Instant::now();
        let flood = 200_000;
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let inbox = inbox(&queue);
                    (0..flood / 4).for_each(|offset| inbox.put(&origin(offset, &[b'x'; 100]), "it has 3 fields"));
                });
            }
        });
        // Nobody takes anything: whoever waited for that would wait for ever.
        let seconds = began.elapsed().as_secs() + 1;
        let report = queue.take(usize::MAX).unwrap();
        let most = usize::try_from(seconds).unwrap() * PER_SECOND as usize;
        assert!((PER_SECOND as usize..=most.min(MOST_WAITING)).contains(&report.records.len()));
        assert_eq!(count(&report), u64::try_from(flood).unwrap());
    }

    #[test]
    fn memory_is_bounded_while_nobody_takes() {
        let queue = queue();
        let large = vec![b'x'; PART_BYTES];
        for round in 0..20 {
            queue.inner.lock().second = Instant::now() - Duration::from_secs(2);
            (0..100).for_each(|offset| inbox(&queue).put(&origin(round * 100 + offset, &large), "it has 3 fields"));
        }
        assert!(queue.inner.lock().waiting_bytes <= MOST_WAITING_BYTES + 2 * PART_BYTES);
        let mut seen = 0;
        while let Some(report) = queue.take(1 << 20) {
            assert!(report.records.len() <= 17);
            seen += count(&report);
        }
        assert_eq!(seen, 2_000);
    }

    #[test]
    fn causes_are_bounded() {
        let queue = queue();
        let word =
            |number: usize| "abcdefghij".chars().cycle().skip(number % 10).take(number / 10 + 1).collect::<String>();
        (0..1_000)
            .for_each(|number| inbox(&queue).put(&origin(0, b""), &format!("{} {}", word(number), word(number / 7))));
        assert!(queue.inner.lock().tallies.len() <= MOST_CAUSES + 1);
        assert_eq!(count(&queue.take(usize::MAX).unwrap()), 1_000);
    }
}
