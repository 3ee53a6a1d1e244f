//! Lines as they come, for whoever watches.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::line::Line;
use crate::query::{LineWords, Query};
use crate::scope::Allowed;

/// A line that has just come, with the number of the line it continues.
#[derive(Clone, Debug)]
pub struct Tailed {
    pub line: Arc<Line>,
    pub event: Option<u64>,
}

/// Takes a line and says whether more are wanted. It is called in the indexing thread and must not wait.
type Deliver = Box<dyn FnMut(&Tailed) -> bool + Send>;

struct Watcher {
    number: u64,
    query: Query,
    allowed: Allowed,
    deliver: Deliver,
}

#[derive(Default)]
pub(crate) struct Tails {
    watchers: Mutex<Vec<Watcher>>,
    numbers: AtomicU64,
}

impl Tails {
    pub(crate) fn add(self: &Arc<Self>, allowed: Allowed, query: Query, deliver: Deliver) -> Subscription {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        self.watchers.lock().push(Watcher { number, query, allowed, deliver });
        Subscription { number, tails: self.clone() }
    }

    pub(crate) fn told(&self, line: &Arc<Line>, event: Option<u64>) {
        let mut watchers = self.watchers.lock();
        if watchers.is_empty() {
            return;
        }
        let words = LineWords::of(line);
        let tailed = Tailed { line: line.clone(), event };
        watchers.retain_mut(|watcher| {
            let wanted = watcher.allowed.sees(line) && watcher.query.matches(&words);
            !wanted || (watcher.deliver)(&tailed)
        });
    }
}

/// Ends the watching when it goes.
pub struct Subscription {
    number: u64,
    tails: Arc<Tails>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.tails.watchers.lock().retain(|watcher| watcher.number != self.number);
    }
}
