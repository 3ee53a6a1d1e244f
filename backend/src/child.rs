//! A process beside the server that gets one assignment and answers in lines: a preview, a test run. It sees nothing of
//! the server's environment, and ends with the server.

use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, Command};
use tokio::task::JoinHandle;

use crate::job::exit_in_words;

const STDERR_TAIL: usize = 4096;

/// `word`: what the program is asked to be.
pub(crate) async fn spawn(
    program: &Path,
    word: &str,
    folder: &Path,
    assignment: &impl Serialize,
) -> std::io::Result<Child> {
    tokio::fs::create_dir_all(folder).await?;
    let mut child = Command::new(program)
        .arg(word)
        .current_dir(folder)
        .env_clear()
        .envs(["PATH", "HOME", "LANG", "TZ"].iter().filter_map(|name| Some((*name, std::env::var_os(name)?))))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut line = serde_json::to_vec(assignment)?;
    line.push(b'\n');
    // It stays open: its end is how the process learns that this server is gone.
    if let Some(input) = &mut child.stdin {
        input.write_all(&line).await?;
        input.flush().await?;
    }
    Ok(child)
}

/// The end of what it writes to standard error.
pub(crate) fn last_words(mut errors: ChildStderr) -> JoinHandle<String> {
    tokio::spawn(async move {
        let mut kept = Vec::new();
        let mut piece = [0; 1024];
        while let Ok(length @ 1..) = errors.read(&mut piece).await {
            kept.extend_from_slice(piece.get(..length).unwrap_or_default());
            let surplus = kept.len().saturating_sub(STDERR_TAIL);
            kept.drain(..surplus);
        }
        String::from_utf8_lossy(&kept).trim().to_owned()
    })
}

/// How one ended that said no last event: "after 3 s, killed: out of memory".
pub(crate) async fn unexpected_end(child: &mut Child, said: JoinHandle<String>, began: Instant) -> String {
    let how = child.wait().await.map_or_else(|cause| cause.to_string(), exit_in_words);
    let last_line = said.await.unwrap_or_default().lines().next_back().unwrap_or_default().to_owned();
    let separator = if last_line.is_empty() { "" } else { ": " };
    format!("after {} s, {how}{separator}{last_line}", began.elapsed().as_secs())
}
