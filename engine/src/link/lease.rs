//! How long a worker may go on without hearing from its server.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Before the server has said anything: long enough for it to be restarted.
pub(super) const FIRST: Duration = Duration::from_secs(600);

/// Beyond the lease, before the worker stops itself.
pub(super) const GRACE: Duration = Duration::from_secs(60);

/// Measured by the monotonic clock.
#[derive(Debug)]
pub(super) struct Lease {
    until: Mutex<Instant>,
}

impl Lease {
    pub(super) fn new(now: Instant) -> Self {
        Lease { until: Mutex::new(now + FIRST) }
    }

    pub(super) fn renew(&self, now: Instant, lease: Duration) {
        let mut until = self.until.lock();
        *until = (*until).max(now + lease);
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        now >= *self.until.lock() + GRACE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_only_after_lease_and_grace() {
        let start = Instant::now();
        let lease = Lease::new(start);
        assert!(!lease.is_over(start + FIRST));
        assert!(lease.is_over(start + FIRST + GRACE));
        lease.renew(start + FIRST, Duration::from_secs(3600));
        assert!(!lease.is_over(start + FIRST + GRACE));
        // A shorter one does not take back what was granted.
        lease.renew(start + FIRST, Duration::from_secs(1));
        assert!(!lease.is_over(start + FIRST + GRACE));
    }
}
