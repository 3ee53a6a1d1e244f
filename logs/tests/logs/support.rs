//! Lines and an index to try things with.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use millrace_logs::{
    Allowed, Answer, Line, LogIndex, Notice, Options, Order, Page, Query, Search, Source, Stream, Wanted,
};
use millrace_wire::ids::{JobId, RunId};
use millrace_wire::log::LogLevel;
use parking_lot::Mutex;
use uuid::Uuid;

/// 2026-11-23, ten o'clock.
pub(crate) const NOW: i64 = 1_795_428_000_000;
pub(crate) const DAY: i64 = 24 * 60 * 60 * 1000;

#[derive(Clone)]
pub(crate) struct Clock(Arc<AtomicI64>);

impl Clock {
    pub(crate) fn advance(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

pub(crate) struct Bench {
    pub(crate) index: Arc<LogIndex>,
    pub(crate) clock: Clock,
    pub(crate) notices: Arc<Mutex<Vec<Notice>>>,
}

pub(crate) fn open(root: &Path) -> Bench {
    open_with(root, |_| {})
}

pub(crate) fn open_with(root: &Path, change: impl FnOnce(&mut Options)) -> Bench {
    let clock = Clock(Arc::new(AtomicI64::new(NOW)));
    let of_index = clock.clone();
    let mut options = Options::new(root.to_owned(), Arc::new(move || of_index.0.load(Ordering::SeqCst)));
    let notices = Arc::new(Mutex::new(Vec::new()));
    let told = notices.clone();
    options.notice = Arc::new(move |notice| told.lock().push(notice));
    // Tests say themselves when to commit.
    options.commit_every = Duration::from_secs(3600);
    change(&mut options);
    Bench { index: Arc::new(LogIndex::open(options).unwrap()), clock, notices }
}

pub(crate) fn run(number: u128) -> Stream {
    Stream::Run(RunId(Uuid::from_u128(number)))
}

pub(crate) fn job(number: u128) -> JobId {
    JobId(Uuid::from_u128(number))
}

pub(crate) fn line(stream: &Stream, seq: u64, message: &str) -> Line {
    Line {
        stream: stream.clone(),
        seq,
        at: NOW + seq as i64,
        level: LogLevel::Info,
        source: Source::Worker,
        organisation: "acme".into(),
        team: "shop".into(),
        job: Some(job(1)),
        job_name: "orders".into(),
        attempt: 1,
        worker: "host-a".into(),
        operator: "source".into(),
        version: "v1".into(),
        target: "engine::kafka".into(),
        message: message.into(),
    }
}

pub(crate) fn query(text: &str) -> Search {
    Search::new(Query::parse(text, NOW).unwrap())
}

pub(crate) fn newest(limit: usize) -> Wanted {
    Wanted { page: Some(Page { order: Order::NewestFirst, limit, after: None }), ..Wanted::default() }
}

pub(crate) fn ask(bench: &Bench, text: &str) -> Answer {
    bench.index.search(&Allowed::All, &query(text), &newest(1000)).unwrap()
}

pub(crate) fn numbers(answer: &Answer) -> Vec<u64> {
    answer.hits.iter().map(|hit| hit.line.seq).collect()
}
