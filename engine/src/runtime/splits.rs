//! Which source task reads which split.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::connector::SplitId;

/// Every split belongs to exactly one task, for as long as the run lasts. New ones go to the task with the fewest.
pub(super) struct SplitBoard {
    tasks: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    owner: HashMap<SplitId, usize>,
    /// Splits that their task has not fetched yet.
    fresh: HashMap<usize, Vec<SplitId>>,
    counts: Vec<usize>,
}

impl SplitBoard {
    pub(super) fn new(tasks: usize) -> Self {
        SplitBoard { tasks, state: Mutex::new(State { counts: vec![0; tasks], ..State::default() }) }
    }

    /// Distributes splits that were not known. The order matters: the same order gives the same distribution.
    pub(super) fn add(&self, splits: impl IntoIterator<Item = SplitId>) {
        let mut state = self.state.lock();
        for split in splits {
            if state.owner.contains_key(&split) {
                continue;
            }
            let task = (0..self.tasks).min_by_key(|task| state.counts[*task]).unwrap_or(0);
            state.counts[task] += 1;
            state.owner.insert(split.clone(), task);
            state.fresh.entry(task).or_default().push(split);
        }
    }

    /// Splits that were given to the task since it last asked.
    pub(super) fn fetch(&self, task: usize) -> Vec<SplitId> {
        self.state.lock().fresh.remove(&task).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_split_goes_to_one_task_and_loads_are_even() {
        let board = SplitBoard::new(2);
        board.add((0..5).map(|n| SplitId::from(format!("t/{n}"))));
        board.add(["t/1".into(), "t/5".into()]);
        assert_eq!((board.fetch(0).len(), board.fetch(1).len()), (3, 3));
        assert!(board.fetch(0).is_empty());
    }
}
