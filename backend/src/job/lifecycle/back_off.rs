//! How long to wait before another attempt: doubles with each restart, has a cap, and is spread by chance so that jobs
//! which fell together do not rise together.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const CAP: Duration = Duration::from_secs(60);
/// Part of the delay that chance may take away.
const SPREAD: f64 = 0.25;

/// `restarts`: those before this one, since an attempt last got on. `chance` is in 0..1.
pub(crate) fn delay(restarts: u32, chance: f64) -> Duration {
    let doubled = FIRST.saturating_mul(1_u32.checked_shl(restarts).unwrap_or(u32::MAX)).min(CAP);
    doubled.mul_f64(1.0 - SPREAD * chance.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_up_to_a_cap() {
        let mut last = Duration::ZERO;
        for restarts in 0..40 {
            let now = delay(restarts, 0.0);
            assert!(now >= last, "{restarts}");
            assert!(now <= CAP);
            last = now;
        }
        assert_eq!(last, CAP);
    }

    #[test]
    fn chance_only_shortens() {
        assert!(delay(3, 1.0) < delay(3, 0.0));
        assert!(delay(3, 1.0) >= delay(3, 0.0).mul_f64(0.74));
    }
}
