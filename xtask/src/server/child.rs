//! A server as a child process that cannot outlive this program.

use crate::signal;
use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process, set_parent_process_death_signal};
use std::fs::File;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How many lines of the log are shown when a server fails.
const LOG_LINES: usize = 20;

/// A running server; asked to stop, then killed, when dropped.
pub(crate) struct Child {
    process: std::process::Child,
    log: Option<PathBuf>,
    stop_signal: Signal,
}

impl Child {
    /// Starts a server that writes its log to a file. `stop_signal` is how it likes to be stopped.
    pub(crate) fn start(command: &mut Command, log: PathBuf, stop_signal: Signal) -> anyhow::Result<Self> {
        let file = File::create(&log)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        Self::spawn(command, Some(log), stop_signal)
    }

    /// Starts a server that writes to the terminal.
    pub(crate) fn start_shown(command: &mut Command) -> anyhow::Result<Self> {
        command.stdin(Stdio::null());
        Self::spawn(command, None, Signal::TERM)
    }

    fn spawn(command: &mut Command, log: Option<PathBuf>, stop_signal: Signal) -> anyhow::Result<Self> {
        // A group of its own, so that Ctrl-C reaches only this program, which then stops the
        // server in order. If this program is killed, the kernel tells the server.
        command.process_group(0);
        // SAFETY: the closure only makes one system call, which is allowed between fork and exec.
        unsafe {
            command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::TERM))?));
        }
        let program = command.get_program().to_string_lossy().into_owned();
        let process = command.spawn().with_context(|| format!("cannot start {program}"))?;
        Ok(Self { process, log, stop_signal })
    }

    /// The exit status, when it has ended.
    pub(crate) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.process.try_wait()?)
    }

    /// Asks it to stop and waits; kills it when it takes too long.
    pub(crate) fn stop(&mut self, within: Duration) -> anyhow::Result<ExitStatus> {
        if let Some(status) = self.ended()? {
            return Ok(status);
        }
        if let Some(pid) = Pid::from_raw(self.process.id() as i32) {
            // It may have ended in between; the wait below finds out.
            let _ = kill_process(pid, self.stop_signal);
        }
        let deadline = Instant::now() + within;
        while Instant::now() < deadline {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            signal::pause();
        }
        self.process.kill()?;
        Ok(self.process.wait()?)
    }

    /// The end of its log.
    pub(crate) fn log_tail(&self) -> String {
        let text = self.log.as_ref().and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }

    /// Whether its log holds `text`.
    pub(crate) fn has_logged(log: &std::path::Path, text: &str) -> bool {
        std::fs::read_to_string(log).is_ok_and(|content| content.contains(text))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.stop(Duration::from_secs(10));
    }
}

/// A port of the loopback address that nobody uses now.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?.port())
}
