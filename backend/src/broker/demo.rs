//! Starting the demo broker, adopting one that runs, and starting it again when it ends.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::process::{Child, Command};

use super::presence::{Presence, last_address, remember_address};
use super::{DEMO_NOTE, Keeper, answers, folder_in};
use crate::job::{beside_this_one, end_in_order, exit_in_words, in_own_session, is_alive};

const STOP_TAKES: Duration = Duration::from_secs(10);
const START_TAKES: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A broker that held this long starts the back-off anew.
const HELD: Duration = Duration::from_secs(60);
/// While the program is missing, it may still be built or installed.
const LOOK_FOR_PROGRAM: Duration = Duration::from_secs(5);

pub(super) async fn keep(keeper: &Keeper) {
    let mut pause = FIRST_PAUSE;
    while !keeper.shutdown.is_cancelled() {
        let began = Instant::now();
        let wait = match bring_up(keeper).await {
            Ok(presence) => {
                tracing::info!(address = %presence.listen, "the demo broker answers");
                watch(keeper, &presence).await;
                if keeper.shutdown.is_cancelled() {
                    return;
                }
                tracing::warn!("the demo broker is gone; it is started again");
                keeper.tell(
                    &presence.listen.to_string(),
                    false,
                    "The demo broker ended unexpectedly and is started again.",
                );
                pause = if began.elapsed() > HELD { FIRST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
                pause
            }
            Err(Failure::NoProgram(why)) => {
                let note = format!("No broker is configured, and the demo broker cannot be started: {why}.");
                tracing::warn!("{note}");
                keeper.tell("", false, &note);
                LOOK_FOR_PROGRAM
            }
            Err(Failure::Start(why)) => {
                tracing::warn!(%why, "the demo broker did not start");
                keeper.tell("", false, &format!("The demo broker did not start: {why}. It is tried again."));
                pause = (pause * 2).min(LONGEST_PAUSE);
                pause
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = keeper.shutdown.cancelled() => {}
        }
    }
}

/// Ends the broker that uses this folder, if there is one.
pub async fn stop(data_dir: &Path) -> bool {
    match Presence::find(&folder_in(data_dir)) {
        Some(presence) => end_in_order(presence.process(), Signal::TERM, STOP_TAKES).await,
        None => false,
    }
}

enum Failure {
    NoProgram(String),
    Start(String),
}

async fn bring_up(keeper: &Keeper) -> Result<Presence, Failure> {
    let folder = keeper.data();
    std::fs::create_dir_all(&folder).map_err(|cause| Failure::Start(cause.to_string()))?;
    if let Some(presence) = Presence::find(&folder)
        && answers(&presence.listen.to_string()).await
    {
        return Ok(presence);
    }
    let program = beside_this_one(keeper.config.broker_binary.as_deref(), "millrace-broker", "MILLRACE_BROKER_BINARY")
        .map_err(Failure::NoProgram)?;
    let address = usable_address(&folder);
    let presence = start(&program, &folder, address).await.map_err(Failure::Start)?;
    if let Err(cause) = remember_address(&folder, presence.listen) {
        tracing::warn!(%cause, "the demo broker's address cannot be remembered");
    }
    Ok(presence)
}

/// The last broker's address while it is free, else any port.
fn usable_address(folder: &Path) -> SocketAddr {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    last_address(folder).filter(|address| std::net::TcpListener::bind(address).is_ok()).unwrap_or(any)
}

async fn start(program: &Path, folder: &Path, address: SocketAddr) -> Result<Presence, String> {
    let words = |cause: std::io::Error| cause.to_string();
    let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("broker.log")).map_err(words)?;
    let mut command = Command::new(program);
    command
        .arg("--listen")
        .arg(address.to_string())
        .arg("--data")
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(words)?)
        .stderr(log)
        .kill_on_drop(false);
    in_own_session(&mut command);
    let mut child = command.spawn().map_err(words)?;
    let presence = ready(&mut child, folder).await?;
    // Reaped when it ends; until then the process table tells whether it lives.
    tokio::spawn(async move { child.wait().await });
    Ok(presence)
}

async fn ready(child: &mut Child, folder: &Path) -> Result<Presence, String> {
    let deadline = Instant::now() + START_TAKES;
    while Instant::now() < deadline {
        if let Some(presence) = Presence::find(folder)
            && answers(&presence.listen.to_string()).await
        {
            return Ok(presence);
        }
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("{}, see broker.log in the data directory", exit_in_words(status)));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err("it did not answer in time".to_owned())
}

/// Until it is gone, or the server ends.
async fn watch(keeper: &Keeper, presence: &Presence) {
    let address = presence.listen.to_string();
    while is_alive(presence.process()) && !keeper.shutdown.is_cancelled() {
        if answers(&address).await {
            keeper.tell(&address, true, DEMO_NOTE);
        } else {
            keeper.tell(&address, false, "The demo broker runs, but does not answer.");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = keeper.shutdown.cancelled() => {}
        }
    }
}
