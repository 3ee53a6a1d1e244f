//! Operating-system processes, known by id and start time: an id alone may belong to another process by now.

use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::store::run::ProcessRow;

const LOOK: Duration = Duration::from_millis(50);

/// State letter and start time (fields 3 and 22 of `/proc/<pid>/stat`, see proc(5)).
fn stat(pid: u32) -> Option<(char, u64)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command name, field 2, stands in parentheses and may hold anything.
    let (_, after_name) = text.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace();
    let state = fields.next()?.chars().next()?;
    let start = fields.nth(18)?.parse().ok()?;
    Some((state, start))
}

/// When the process started, in clock ticks since boot; `None` when there is none, or only its remains.
pub fn start_time(pid: u32) -> Option<u64> {
    stat(pid).filter(|(state, _)| !matches!(state, 'Z' | 'X')).map(|(_, start)| start)
}

pub(crate) fn is_alive(process: ProcessRow) -> bool {
    start_time(process.pid) == Some(process.start)
}

pub(crate) fn this_process() -> ProcessRow {
    let pid = std::process::id();
    ProcessRow { pid, start: start_time(pid).unwrap_or(0) }
}

/// SIGKILL to this very process. False when it is not there.
pub(crate) fn kill(process: ProcessRow) -> bool {
    signal(process, Signal::KILL)
}

/// Asks by `how`, waits, and kills it when it takes too long. False when it was not there.
pub(crate) async fn end_in_order(process: ProcessRow, how: Signal, within: Duration) -> bool {
    if !signal(process, how) {
        return false;
    }
    let deadline = Instant::now() + within;
    while is_alive(process) && Instant::now() < deadline {
        tokio::time::sleep(LOOK).await;
    }
    kill(process);
    true
}

/// False when it is not there.
pub(crate) fn signal(process: ProcessRow, signal: Signal) -> bool {
    let Some(pid) = i32::try_from(process.pid).ok().and_then(Pid::from_raw) else { return false };
    // The descriptor pins the process, so that it cannot be replaced between the look and the signal.
    let Ok(descriptor) = pidfd_open(pid, PidfdFlags::empty()) else { return false };
    is_alive(process) && pidfd_send_signal(descriptor, signal).is_ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use std::process::Command;

    #[test]
    fn another_process_with_the_same_id_is_left_alone() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let start = start_time(child.id()).unwrap();
        let stranger = ProcessRow { pid: child.id(), start: start + 1 };
        assert!(!is_alive(stranger));
        assert!(!kill(stranger));
        let process = ProcessRow { pid: child.id(), start };
        assert!(is_alive(process));
        assert!(kill(process));
        let _ = child.wait();
        assert!(!is_alive(process));
        assert!(!kill(process));
    }

    #[test]
    fn a_zombie_is_gone() {
        let mut child = Command::new("true").spawn().unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while start_time(child.id()).is_some() {
            assert!(std::time::Instant::now() < deadline);
            std::thread::yield_now();
        }
        child.wait().unwrap();
    }
}
