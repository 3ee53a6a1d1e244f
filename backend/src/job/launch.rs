//! Starting a worker process.
//!
//! Identity goes by environment, the attempt's token as the first line of standard input: neither arguments nor the
//! environment of a process are secret. The process gets a session of its own, so that it outlives this server, and
//! writes its error output to a file in the run's folder, which is all there is when it dies before its link is up.

use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use millrace_wire::ids::{JobId, RunId, WorkerId};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

use super::process;
use crate::store::run::ProcessRow;

/// What the worker is told of itself before it has a link.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) job: JobId,
    pub(crate) job_name: String,
    pub(crate) run: RunId,
    pub(crate) attempt: u32,
    pub(crate) worker: WorkerId,
    pub(crate) team: String,
    /// Where the link may be opened besides: at the other servers.
    pub(crate) other_links: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Launcher {
    /// The worker executable that was configured; else the one beside this executable.
    pub(crate) binary: Option<PathBuf>,
    /// Where the worker's link goes.
    pub(crate) link_url: String,
    /// Folders of runs are made below.
    pub(crate) folder: PathBuf,
}

/// Taken over from this server's environment; everything else, secrets above all, is not.
const PASSED_ON: &[&str] = &["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "RUST_BACKTRACE", "MILLRACE_WORKER_LOG"];

const STDERR_TAIL: u64 = 16 * 1024;

pub(crate) struct Launched {
    pub(crate) child: Child,
    pub(crate) process: ProcessRow,
}

impl Launcher {
    /// The executable, or a sentence on why there is none.
    pub(crate) fn executable(&self) -> Result<PathBuf, String> {
        beside_this_one(self.binary.as_deref(), "millrace-worker", "MILLRACE_WORKER_BINARY")
    }

    pub(crate) fn run_folder(&self, run: RunId) -> PathBuf {
        self.folder.join(run.to_string())
    }

    fn stderr_file(&self, run: RunId, attempt: u32) -> PathBuf {
        self.run_folder(run).join(format!("attempt-{attempt}.err"))
    }

    pub(crate) fn spawn(&self, identity: &Identity) -> std::io::Result<Launched> {
        let executable = self.executable().map_err(std::io::Error::other)?;
        let folder = self.run_folder(identity.run);
        std::fs::create_dir_all(&folder)?;
        let output = std::fs::File::create(self.stderr_file(identity.run, identity.attempt))?;
        let links = std::iter::once(&self.link_url).chain(&identity.other_links);
        let links = links.map(String::as_str).collect::<Vec<_>>().join(",");
        let mut command = Command::new(executable);
        command
            .args(["run", "--link", &links])
            .current_dir(&folder)
            .env_clear()
            .env("PWD", &folder)
            .envs(PASSED_ON.iter().filter_map(|name| Some((*name, std::env::var_os(name)?))))
            .env("MILLRACE_JOB_NAME", &identity.job_name)
            .env("MILLRACE_JOB_ID", identity.job.to_string())
            .env("MILLRACE_RUN_ID", identity.run.to_string())
            .env("MILLRACE_ATTEMPT", identity.attempt.to_string())
            .env("MILLRACE_WORKER_ID", identity.worker.to_string())
            .env("MILLRACE_TEAM", &identity.team)
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(false);
        in_own_session(&mut command);
        let child = command.spawn()?;
        let pid = child.id().ok_or_else(|| std::io::Error::other("the worker ended at once"))?;
        // A process that is gone already has no start time; 0 is that of no process, so it is seen as gone.
        let start = process::start_time(pid).unwrap_or(0);
        Ok(Launched { child, process: ProcessRow { pid, start } })
    }

    /// The end of what an attempt wrote to its error output.
    pub(crate) fn stderr_tail(&self, run: RunId, attempt: u32) -> String {
        tail(&self.stderr_file(run, attempt)).unwrap_or_default()
    }
}

/// What a worker wrote to its error output and nowhere else. Once linked it also sends its log lines over the link,
/// and writes the same ones here: they begin with a time and are left out.
pub(crate) fn last_words(said: &str, was_linked: bool) -> Vec<&str> {
    let is_log_line = |line: &str| {
        let bytes = line.as_bytes();
        bytes.len() > 20 && bytes.iter().take(4).all(u8::is_ascii_digit) && bytes.get(10) == Some(&b'T')
    };
    let lines = said.lines().map(str::trim_end).filter(|line| !line.trim().is_empty());
    lines.filter(|line| !was_linked || !is_log_line(line)).collect()
}

/// The worker reads one line and leaves when there is none.
pub(crate) async fn hand_over_token(child: &mut Child, token: &str) -> std::io::Result<()> {
    let mut input = child.stdin.take().ok_or_else(|| std::io::Error::other("no standard input"))?;
    input.write_all(format!("{token}\n").as_bytes()).await?;
    input.shutdown().await
}

pub(crate) fn in_own_session(command: &mut Command) {
    // SAFETY: runs between fork and exec, where only async-signal-safe calls are allowed; setsid is one, and nothing
    // is allocated or locked.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            Ok(())
        });
    }
}

/// An executable of ours: the configured one, or the one in the folder of this executable.
pub fn beside_this_one(configured: Option<&Path>, name: &str, setting: &str) -> Result<PathBuf, String> {
    if let Some(path) = configured {
        return Ok(path.to_owned());
    }
    let here = std::env::current_exe().map_err(|cause| format!("this executable cannot be found: {cause}"))?;
    let path = here.parent().unwrap_or(Path::new("/")).join(name);
    if path.is_file() {
        return Ok(path);
    }
    Err(format!("the program {name} is not beside this server's executable; build it, or set {setting}"))
}

/// `exit code 1`, `killed by signal 9`.
pub(crate) fn exit_in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (_, Some(9)) => "killed by signal 9 (by somebody, or for want of memory)".to_owned(),
        (_, Some(signal)) => format!("killed by signal {signal}"),
        (Some(code), None) => format!("exit code {code}"),
        (None, None) => "for an unknown reason".to_owned(),
    }
}

fn tail(path: &Path) -> std::io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(STDERR_TAIL)))?;
    let mut bytes = Vec::new();
    file.take(STDERR_TAIL).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_over_the_link_is_no_last_word() {
        let said = "2026-11-21T05:00:57.571Z INFO job=a: the job runs\nthread 'main' panicked\n\n  at line 7\n";
        assert_eq!(last_words(said, true), ["thread 'main' panicked", "  at line 7"]);
        assert_eq!(last_words(said, false).len(), 3);
        assert!(last_words("2026-11-21T05:00:57.571Z INFO job=a: the job runs", true).is_empty());
    }
}
