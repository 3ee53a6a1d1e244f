//! A server process over what was filled in, with workers that only report, and readers.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use millrace_backend::job::start_time;
use millrace_backend::store::run::ProcessRow;
use reqwest::header::COOKIE;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::worker::Worker;
use crate::{READS, SLUG, in_words, path_of};

const READS_PER_S: u32 = 1_000;
const READERS: usize = 32;
const READ_FOR: Duration = Duration::from_secs(60);
/// Reads that are later than this are given up.
const LATEST: Duration = Duration::from_secs(10);
/// While workers report and nobody reads.
const AT_REST: Duration = Duration::from_secs(30);
const UP_WITHIN: Duration = Duration::from_secs(60);
const IN_HAND_WITHIN: Duration = Duration::from_secs(120);

/// A process that does nothing, which the server takes for that of every worker.
pub(crate) struct StandIn {
    child: Child,
}

impl StandIn {
    pub(crate) fn start() -> Result<StandIn> {
        Ok(StandIn { child: Command::new("sleep").arg("3600").spawn().context("sleep cannot be started")? })
    }

    pub(crate) fn process(&self) -> ProcessRow {
        let pid = self.child.id();
        ProcessRow { pid, start: start_time(pid).unwrap_or(0) }
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Server {
    child: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(binary: &Path, folder: &Path, database: Option<&str>) -> Result<Server> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let log = std::fs::File::create(folder.join("server.log"))?;
        let mut command = Command::new(binary);
        command
            .arg("serve")
            .env("MILLRACE_DATA_DIR", folder)
            .env("MILLRACE_LISTEN", &address)
            .env("MILLRACE_KAFKA", "127.0.0.1:1")
            .stdout(Stdio::null())
            .stderr(log);
        if let Some(url) = database {
            command.env("MILLRACE_DATABASE_URL", url);
        }
        Ok(Server { child: command.spawn().context("the server cannot be started")?, address })
    }

    async fn until_up(&self) -> Result<()> {
        let deadline = Instant::now() + UP_WITHIN;
        while reqwest::get(format!("http://{}/api/v1/health", self.address)).await.is_err() {
            ensure!(Instant::now() < deadline, "the server does not come up");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Now and at most, in MB.
    fn memory(&self) -> Result<(u64, u64)> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0)
                / 1024
        };
        Ok((field("VmRSS:"), field("VmHWM:")))
    }

    /// Seconds of CPU since it began.
    fn cpu(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let (_, fields) = stat.rsplit_once(')').context("no name")?;
        // Fields 14 and 15, in hundredths of a second.
        let ticks = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
        Ok(ticks.sum::<f64>() / 100.0)
    }

    async fn cores_during<T>(&self, doing: impl Future<Output = Result<T>>) -> Result<(T, f64)> {
        let (cpu, begun) = (self.cpu()?, Instant::now());
        let done = doing.await?;
        Ok((done, (self.cpu()? - cpu) / begun.elapsed().as_secs_f64()))
    }
}

pub(crate) async fn measure(
    binary: PathBuf,
    folder: &Path,
    database: Option<&str>,
    cookie: &str,
    workers: Vec<Worker>,
) -> Result<()> {
    let begun = Instant::now();
    let server = Server::start(&binary, folder, database)?;
    server.until_up().await?;
    println!("\na server over it, {} jobs running:", workers.len());
    println!("it answers after {:.1} s", begun.elapsed().as_secs_f64());
    let all = workers.len();
    let mut links = JoinSet::new();
    let (welcome, mut welcomed) = mpsc::unbounded_channel();
    for worker in workers {
        links.spawn(worker.live(format!("ws://{}/api/v1/link", server.address), welcome.clone()));
    }
    for number in 0..all {
        tokio::select! {
            _ = welcomed.recv() => {}
            Some(ended) = links.join_next() => bail!("a worker ended: {ended:?}"),
            () = tokio::time::sleep(IN_HAND_WITHIN) => bail!("{number} of {all} workers are in hand"),
        }
    }
    println!("all {all} are in hand {:.1} s after its start", begun.elapsed().as_secs_f64());
    let rest = async {
        tokio::time::sleep(AT_REST).await;
        Ok(())
    };
    let ((), cores) = server.cores_during(rest).await?;
    let (memory, _) = server.memory()?;
    println!("while they report and nobody reads: {cores:.2} cores, {memory} MB");
    let (figures, cores) = server.cores_during(read(&server, cookie)).await?;
    let (memory, most) = server.memory()?;
    println!("at {READS_PER_S} reads/s for {} s: {cores:.2} cores, {memory} MB, at most {most} MB", READ_FOR.as_secs());
    for (name, mut took) in figures.took {
        println!("{name:24} {}   {:8} calls", in_words(&mut took), took.len());
    }
    let due = u64::from(READS_PER_S) * READ_FOR.as_secs();
    println!("{} reads of {due}, {} errors, {:.0} a second", figures.reads, figures.errors, figures.per_s);
    if let Some(ended) = links.try_join_next() {
        bail!("a worker ended: {ended:?}");
    }
    Ok(())
}

struct Figures {
    took: BTreeMap<&'static str, Vec<Duration>>,
    reads: usize,
    errors: usize,
    per_s: f64,
}

/// Each read is due at its time, whatever became of those before: what waits counts as slow.
async fn read(server: &Server, cookie: &str) -> Result<Figures> {
    let client = reqwest::Client::builder().pool_max_idle_per_host(READERS).build()?;
    let (next, begun) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        let (client, next, cookie) = (client.clone(), next.clone(), format!("millrace={cookie}"));
        let base = format!("http://{}/api/v1/teams/{SLUG}", server.address);
        readers.spawn(async move {
            let (mut took, mut errors) = (Vec::new(), 0);
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let due = begun + Duration::from_secs(1) / READS_PER_S * u32::try_from(number).unwrap_or(u32::MAX);
                if due > begun + READ_FOR || Instant::now() > begun + READ_FOR + LATEST {
                    return (took, errors);
                }
                tokio::time::sleep_until(due.into()).await;
                let (name, path) = READS[number % READS.len()];
                let path = path_of(path, number / READS.len());
                let answer = client.get(format!("{base}/{path}")).header(COOKIE, &cookie).send().await;
                let good = match answer {
                    Ok(answer) => answer.status().is_success() && answer.bytes().await.is_ok(),
                    Err(_) => false,
                };
                errors += usize::from(!good);
                took.push((name, due.elapsed()));
            }
        });
    }
    let mut figures = Figures { took: BTreeMap::new(), reads: 0, errors: 0, per_s: 0.0 };
    while let Some(ended) = readers.join_next().await {
        let (took, errors) = ended?;
        figures.errors += errors;
        figures.reads += took.len();
        for (name, time) in took {
            figures.took.entry(name).or_default().push(time);
        }
    }
    figures.per_s = figures.reads as f64 / begun.elapsed().as_secs_f64();
    Ok(figures)
}
