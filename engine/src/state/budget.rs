//! How much memory the state of a run may take, and what it takes.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// Shared by all operators of a run.
#[derive(Debug, Default)]
pub struct Budget {
    /// `None`: as much as there is.
    limit: Option<u64>,
    used: AtomicU64,
}

impl Budget {
    pub const fn new(limit: Option<u64>) -> Self {
        Budget { limit, used: AtomicU64::new(0) }
    }

    /// An operator holds `now` bytes where it held `before`.
    pub fn report(&self, before: u64, now: u64) {
        if now >= before {
            self.used.fetch_add(now - before, Relaxed);
        } else {
            self.used.fetch_sub(before - now, Relaxed);
        }
    }

    pub fn is_exceeded(&self) -> bool {
        self.limit.is_some_and(|limit| self.used.load(Relaxed) > limit)
    }

    /// What an operator with `own` bytes is to free, so that all together come to nine tenths of the limit.
    pub fn to_free(&self, own: u64) -> u64 {
        let used = self.used.load(Relaxed);
        let Some(limit) = self.limit.filter(|limit| used > *limit) else { return 0 };
        let excess = used - limit / 10 * 9;
        (u128::from(own) * u128::from(excess)).checked_div(u128::from(used)).unwrap_or(0) as u64
    }

    /// Bytes that can still be taken.
    pub fn left(&self) -> u64 {
        self.limit.map_or(u64::MAX, |limit| limit.saturating_sub(self.used.load(Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_frees_its_share_of_the_excess() {
        let budget = Budget::new(Some(1000));
        budget.report(0, 900);
        assert!(!budget.is_exceeded());
        assert_eq!((budget.to_free(900), budget.left()), (0, 100));
        budget.report(0, 900);
        assert!(budget.is_exceeded());
        assert_eq!(budget.to_free(900) * 2, 900);
        budget.report(900, 300);
        budget.report(900, 300);
        assert_eq!((budget.is_exceeded(), budget.left()), (false, 400));
        assert_eq!(Budget::default().left(), u64::MAX);
    }
}
