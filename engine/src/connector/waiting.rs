//! Waiting without work, the one way readers do it.

use std::time::Duration;

/// Lets the thread rest for `wait`. Readers call it when there is nothing to read now.
pub(crate) fn rest(wait: Duration) {
    // Nothing is ever sent: the channel gives the time out.
    let _ = crossbeam_channel::after(wait).recv();
}
