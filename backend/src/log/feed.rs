//! Brings lines into the log index: those of runs from their files, the server's own through a channel.
//!
//! The files come first and are what is promised to workers; the index follows within a second. Where this server stopped
//! is known by the time at which it had read everything: after a start the segments written since are read again, and the
//! index passes over what it has. Lines of runs that another server keeps are read from the same files.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use millrace_logs::{Line, Source, Stream};
use millrace_wire::ids::RunId;
use millrace_wire::log::LogLine;
use tokio::sync::mpsc;

use super::follow::{self, Place};
use super::search::{LogSearch, OF_THE_SERVER};
use super::{Fresh, LogStore};
use crate::error::{Error, Result};
use crate::peer::Membership;
use crate::store::Store;
use crate::store::log_scope::{self, Origin};

/// Lines are looked for so often; each look takes what came meanwhile in one go.
const EVERY: Duration = Duration::from_millis(500);
/// Runs of other servers tell nothing of themselves here.
const OTHERS_EVERY: Duration = Duration::from_secs(3);
const MARK_EVERY: Duration = Duration::from_secs(30);
/// Clocks of file systems are coarse, and a line may be under way while the mark is set.
const MARGIN: Duration = Duration::from_secs(60);
const MARK: &str = "read-until";
/// Runs whose origin is remembered.
const MOST_ORIGINS: usize = 20_000;

pub struct LogFeed {
    pub logs: Arc<LogStore>,
    pub search: LogSearch,
    pub store: Store,
    pub membership: Membership,
    /// The server's own lines, numbered in order.
    pub own: mpsc::Receiver<LogLine>,
    /// Where the mark is kept.
    pub folder: PathBuf,
}

struct Feeding {
    feed: LogFeed,
    places: HashMap<RunId, Place>,
    origins: HashMap<RunId, Option<Origin>>,
    /// New with each start, since numbers begin again.
    own_stream: Stream,
    own_seq: u64,
}

impl LogFeed {
    /// Until the server stops. What is not indexed by then is read again after the next start.
    pub async fn keep(self, shutdown: tokio_util::sync::CancellationToken) {
        if self.search.index().is_err() {
            return;
        }
        let own_stream = Stream::Server(crate::clock::new_id().simple().to_string());
        let mut feeding =
            Feeding { feed: self, places: HashMap::new(), origins: HashMap::new(), own_stream, own_seq: 0 };
        if let Err(error) = feeding.catch_up().await {
            tracing::warn!(%error, "lines of before the start are missing from the log index");
        }
        let mut look = tokio::time::interval(EVERY);
        let mut others = tokio::time::interval(OTHERS_EVERY);
        let mut mark = tokio::time::interval(MARK_EVERY);
        for interval in [&mut look, &mut others, &mut mark] {
            interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        }
        loop {
            let outcome = tokio::select! {
                _ = look.tick() => feeding.take_fresh().await,
                _ = others.tick(), if !feeding.feed.membership.is_alone() => feeding.take_of_others().await,
                _ = mark.tick() => feeding.mark().await,
                () = shutdown.cancelled() => break,
            };
            if let Err(error) = outcome {
                tracing::warn!(%error, "lines cannot be brought into the log index; it is tried again");
            }
        }
        if let Err(error) = feeding.take_fresh().await {
            tracing::info!(%error, "the last lines are indexed after the next start");
        }
        if let Err(error) = feeding.mark().await {
            tracing::info!(%error, "lines are read again after the next start");
        }
    }
}

impl Feeding {
    fn fresh(&self) -> &Fresh {
        &self.feed.logs.fresh
    }

    /// Runs whose files changed since this server had read everything.
    async fn catch_up(&mut self) -> Result<()> {
        let (root, mark) = (self.feed.logs.root.clone(), self.feed.folder.join(MARK));
        let found = tokio::task::spawn_blocking(move || changed_since(&root, read_mark(&mark)));
        let found = found.await.map_err(Error::internal)?.map_err(Error::internal)?;
        for (run, place) in found {
            self.places.insert(run, place);
            self.fresh().mark(run);
        }
        self.take_fresh().await
    }

    async fn take_fresh(&mut self) -> Result<()> {
        self.take_own().await?;
        for run in self.fresh().take() {
            if let Err(error) = self.take_run(run).await {
                self.fresh().mark(run);
                return Err(error);
            }
        }
        Ok(())
    }

    async fn take_of_others(&mut self) -> Result<()> {
        for run in log_scope::live_runs(&self.feed.store).await? {
            self.take_run(run).await?;
        }
        Ok(())
    }

    async fn take_run(&mut self, run: RunId) -> Result<()> {
        let Some(origin) = self.origin(run).await? else {
            self.places.remove(&run);
            return Ok(());
        };
        let folder = self.feed.logs.folder(run);
        let mut place = self.places.get(&run).copied().unwrap_or_default();
        loop {
            let (from, mut to) = (folder.clone(), place);
            let read = tokio::task::spawn_blocking(move || follow::read_on(&from, &mut to).map(|read| (read, to)));
            let ((lines, more), to) = read.await.map_err(Error::internal)?.map_err(Error::internal)?;
            let lines: Vec<Line> = lines.into_iter().map(|line| of_run(run, &origin, line)).collect();
            self.feed.search.ask(move |index| index.append(&lines)).await?;
            // Only now: what could not be appended is read again.
            place = to;
            self.places.insert(run, place);
            if !more {
                return Ok(());
            }
        }
    }

    async fn origin(&mut self, run: RunId) -> Result<Option<Origin>> {
        if let Some(known) = self.origins.get(&run) {
            return Ok(known.clone());
        }
        let origin = log_scope::origin_of(&self.feed.store, run).await?;
        if self.origins.len() >= MOST_ORIGINS {
            self.origins.clear();
        }
        self.origins.insert(run, origin.clone());
        Ok(origin)
    }

    async fn take_own(&mut self) -> Result<()> {
        let mut lines = Vec::new();
        while let Ok(line) = self.feed.own.try_recv() {
            self.own_seq += 1;
            lines.push(of_the_server(self.own_stream.clone(), self.own_seq, line));
        }
        if lines.is_empty() {
            return Ok(());
        }
        self.feed.search.ask(move |index| index.append(&lines)).await
    }

    /// Everything that was written until now is on the disk twice.
    async fn mark(&mut self) -> Result<()> {
        let now = SystemTime::now();
        self.take_fresh().await?;
        self.feed.search.ask(|index| index.sync()).await?;
        let mark = self.feed.folder.join(MARK);
        let written = tokio::task::spawn_blocking(move || write_mark(&mark, now));
        written.await.map_err(Error::internal)?.map_err(Error::internal)
    }
}

fn of_run(run: RunId, origin: &Origin, line: LogLine) -> Line {
    // What the server says of a run stands among the lines of its workers.
    let source = if line.worker == "server" { Source::Server } else { Source::Worker };
    Line {
        stream: Stream::Run(run),
        seq: line.seq,
        at: line.at,
        level: line.level,
        source,
        organisation: origin.organisation.clone(),
        team: origin.team.to_string(),
        job: Some(origin.job),
        job_name: line.job_name,
        attempt: line.attempt,
        worker: line.worker,
        operator: String::new(),
        version: origin.version.to_string(),
        target: line.target,
        message: line.message,
    }
}

fn of_the_server(stream: Stream, seq: u64, line: LogLine) -> Line {
    Line {
        stream,
        seq,
        at: line.at,
        level: line.level,
        source: Source::Server,
        organisation: String::new(),
        team: OF_THE_SERVER.to_owned(),
        job: None,
        job_name: String::new(),
        attempt: 0,
        worker: line.worker,
        operator: String::new(),
        version: String::new(),
        target: line.target,
        message: line.message,
    }
}

fn changed_since(root: &Path, time: SystemTime) -> std::io::Result<Vec<(RunId, Place)>> {
    let entries = match std::fs::read_dir(root) {
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let run = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<RunId>().ok());
        if let Some(run) = run
            && let Some(place) = follow::since(&path, time)?
        {
            found.push((run, place));
        }
    }
    Ok(found)
}

/// What cannot be read means: from the beginning.
fn read_mark(path: &Path) -> SystemTime {
    let millis = std::fs::read_to_string(path).ok().and_then(|text| text.trim().parse::<u64>().ok()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis).saturating_sub(MARGIN)
}

fn write_mark(path: &Path, time: SystemTime) -> std::io::Result<()> {
    let millis = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
    let fresh = path.with_extension("new");
    std::fs::write(&fresh, millis.to_string())?;
    std::fs::rename(fresh, path)
}
