//! Lists that many people look at are read once for all who ask the same within a second.
//!
//! An answer is given again only while nothing has changed that the server knows of: no call that may change something
//! has been answered since, and no event of the team was told after which lists change. States and figures of runs, and what
//! another server changed, are seen after that second at the latest.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::OnceCell;

use crate::error::{Error, Result};

const HELD_FOR: Duration = Duration::from_secs(1);
/// Of up to a hundred kilobytes each. Who asks when so many are held reads for themselves.
const MOST: usize = 256;

/// Which changes an answer takes into account: by calls, and those that were told of the team.
type Changes = (u64, u64);

#[derive(Default)]
pub struct Answers {
    held: Mutex<HashMap<String, Held>>,
    calls: AtomicU64,
}

struct Held {
    since: Instant,
    changes: Changes,
    answer: Arc<OnceCell<Bytes>>,
}

impl Answers {
    /// A call that may have changed something has been carried out.
    pub fn changed(&self) {
        self.calls.fetch_add(1, Ordering::SeqCst);
    }

    /// What `read` gives as JSON, or gave to somebody who asked the same just now.
    ///
    /// `told`: how many events the team has had. It is taken before `read` begins: what changes meanwhile makes the
    /// answer one of before.
    pub async fn json<T: Serialize>(
        &self,
        question: String,
        told: u64,
        read: impl Future<Output = Result<T>>,
    ) -> Result<Bytes> {
        let changes = (self.calls.load(Ordering::SeqCst), told);
        let cell = self.cell(question, changes, Instant::now());
        let written = async { Ok::<_, Error>(Bytes::from(serde_json::to_vec(&read.await?)?)) };
        Ok(cell.get_or_try_init(|| written).await?.clone())
    }

    fn cell(&self, question: String, changes: Changes, now: Instant) -> Arc<OnceCell<Bytes>> {
        let mut all = self.held.lock();
        let is_good = |held: &Held| held.changes == changes && now.duration_since(held.since) < HELD_FOR;
        if let Some(held) = all.get(&question).filter(|held| is_good(held)) {
            return held.answer.clone();
        }
        let answer = Arc::new(OnceCell::new());
        if all.len() >= MOST {
            all.retain(|_, held| now.duration_since(held.since) < HELD_FOR);
        }
        if all.len() < MOST || all.contains_key(&question) {
            all.insert(question, Held { since: now, changes, answer: answer.clone() });
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_same(left: &Arc<OnceCell<Bytes>>, right: &Arc<OnceCell<Bytes>>) -> bool {
        Arc::ptr_eq(left, right)
    }

    #[test]
    fn the_same_question_has_one_answer_until_something_changes() {
        let (answers, now) = (Answers::default(), Instant::now());
        let first = answers.cell("jobs".to_owned(), (0, 0), now);
        assert!(is_same(&first, &answers.cell("jobs".to_owned(), (0, 0), now)));
        assert!(!is_same(&first, &answers.cell("tables".to_owned(), (0, 0), now)));
        assert!(!is_same(&first, &answers.cell("jobs".to_owned(), (0, 1), now)));
        assert!(!is_same(&first, &answers.cell("jobs".to_owned(), (0, 0), now)), "it was read before the change");
    }

    #[test]
    fn an_answer_is_held_for_a_second() {
        let (answers, now) = (Answers::default(), Instant::now());
        let first = answers.cell("jobs".to_owned(), (0, 0), now);
        let soon = answers.cell("jobs".to_owned(), (0, 0), now + HELD_FOR / 2);
        assert!(is_same(&first, &soon));
        assert!(!is_same(&first, &answers.cell("jobs".to_owned(), (0, 0), now + HELD_FOR)));
    }

    #[test]
    fn no_more_are_held_than_fit() {
        let (answers, now) = (Answers::default(), Instant::now());
        for number in 0..MOST + 10 {
            answers.cell(number.to_string(), (0, 0), now);
        }
        assert_eq!(answers.held.lock().len(), MOST);
        answers.cell("later".to_owned(), (0, 0), now + HELD_FOR);
        assert_eq!(answers.held.lock().len(), 1);
    }
}
