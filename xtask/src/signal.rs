//! Ctrl-C and friends, for commands that keep something running.

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Lets a little time pass between two looks at a process that is not ours to be told about.
pub(crate) fn pause() {
    #[expect(clippy::disallowed_methods, reason = "a child's port and log can only be polled")]
    std::thread::sleep(std::time::Duration::from_millis(25));
}

/// Waits until somebody asks this program to stop.
pub(crate) fn wait() -> anyhow::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let _ = signals.forever().next();
    Ok(())
}

/// Becomes true when somebody asks this program to stop; from then on the signals are ours.
pub(crate) fn flag() -> anyhow::Result<Stop> {
    let asked = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&asked))?;
    }
    Ok(Stop { asked })
}

pub(crate) struct Stop {
    asked: Arc<AtomicBool>,
}

impl Stop {
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}
