//! Where tests end a writer as if it were killed.

use crate::error::Result;

/// The steps of an exactly-once commit, each named by what was just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    TakenOver,
    Staged,
    Begun,
    RowsWritten,
    OffsetWritten,
    Committed,
    Cleaned,
}

#[cfg(test)]
pub(super) const STEPS: [Step; 7] = [
    Step::TakenOver,
    Step::Staged,
    Step::Begun,
    Step::RowsWritten,
    Step::OffsetWritten,
    Step::Committed,
    Step::Cleaned,
];

#[derive(Clone, Default)]
pub(super) struct Faults {
    #[cfg(test)]
    next: std::sync::Arc<parking_lot::Mutex<Option<(Step, usize)>>>,
    #[cfg(test)]
    kept: std::sync::Arc<parking_lot::Mutex<Option<usize>>>,
}

impl Faults {
    #[cfg(not(test))]
    #[allow(clippy::unused_self)]
    pub(super) fn after(&self, _step: Step) -> Result<()> {
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn after(&self, step: Step) -> Result<()> {
        let mut next = self.next.lock();
        match next.as_mut() {
            Some((wanted, 0)) if *wanted == step => {
                *next = None;
                Err(crate::error::EngineError::internal(format!("killed after {step:?}")))
            }
            Some((wanted, times)) if *wanted == step => {
                *times -= 1;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Fails after the step was done `times` times and once more.
    #[cfg(test)]
    pub(super) fn set(&self, step: Step, times: usize) {
        *self.next.lock() = Some((step, times));
    }

    /// Bytes of a checkpoint, where a test wants less.
    #[cfg(not(test))]
    #[allow(clippy::unused_self)]
    pub(super) const fn kept_limit(&self) -> Option<usize> {
        None
    }

    #[cfg(test)]
    pub(super) fn kept_limit(&self) -> Option<usize> {
        *self.kept.lock()
    }

    #[cfg(test)]
    pub(super) fn keep_at_most(&self, bytes: usize) {
        *self.kept.lock() = Some(bytes);
    }

    /// Whether the failure has happened.
    #[cfg(test)]
    pub(super) fn happened(&self) -> bool {
        self.next.lock().is_none()
    }
}
