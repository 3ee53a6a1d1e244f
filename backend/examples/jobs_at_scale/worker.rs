//! Workers that run nothing: each opens its link and reports as often, and as much, as one with three operators and two
//! topics of four partitions does.

use std::convert::Infallible;
use std::time::Duration;

use anyhow::{Result, bail};
use futures::{SinkExt as _, StreamExt as _};
use millrace_backend::clock::{new_id, now_ms};
use millrace_backend::store::run::ProcessRow;
use millrace_wire::graph::{DeliveryGuarantee, Graph, GraphNode, Guarantee};
use millrace_wire::ids::{JobId, RunId, WorkerId};
use millrace_wire::link::{CheckpointDone, Command, FromWorker, Hello, LINK_VERSION, Report, ToWorker, WorkerState};
use millrace_wire::metric::{MetricReport, OperatorMetrics, PartitionLag, ProcessMetrics, SourceMetrics};
use millrace_wire::run::RestoreKind;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::{self, Message};

const FIGURES: Duration = Duration::from_secs(2);
const HEARTBEAT: Duration = Duration::from_secs(3);
const CHECKPOINT: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_millis(200);

pub(crate) struct Worker {
    pub(crate) job: JobId,
    pub(crate) run: RunId,
    pub(crate) token: String,
    pub(crate) process: ProcessRow,
}

/// How a link ended.
#[derive(Debug)]
enum Ended {
    Closed,
    Refused(String),
    Broken(String),
}

impl From<tungstenite::Error> for Ended {
    fn from(error: tungstenite::Error) -> Ended {
        Ended::Broken(error.to_string())
    }
}

impl From<serde_json::Error> for Ended {
    fn from(error: serde_json::Error) -> Ended {
        Ended::Broken(error.to_string())
    }
}

pub(crate) fn plan() -> (Graph, Guarantee) {
    let node = |place: usize| GraphNode {
        id: format!("n{place}"),
        kind: ["Kafka source", "Group aggregate", "Kafka sink"][place].to_owned(),
        name: format!("t{place}"),
        detail: String::new(),
        parallelism: 1,
        stateful: place == 1,
        table: (place != 1).then(|| format!("main.t{place}")),
    };
    let guarantee = Guarantee { level: DeliveryGuarantee::ExactlyOnce, reason: String::new() };
    (Graph { nodes: (0..3).map(node).collect(), edges: Vec::new() }, guarantee)
}

impl Worker {
    /// Reports until the server closes the link, which is an error; `welcome` hears when it is taken on. Before that it
    /// comes again, as workers do to a server that has not got to their run yet.
    pub(crate) async fn live(self, link: String, welcome: mpsc::UnboundedSender<()>) -> Result<()> {
        let mut is_welcome = false;
        loop {
            let Err(ended) = self.talk(&link, &welcome, &mut is_welcome).await;
            match ended {
                Ended::Refused(reason) => bail!("the server refuses a link: {reason}"),
                Ended::Broken(why) if is_welcome => bail!("a link broke: {why}"),
                Ended::Closed if is_welcome => bail!("the server closed a link"),
                Ended::Broken(_) | Ended::Closed => {}
            }
            tokio::time::sleep(AGAIN.mul_f64(rand::random())).await;
        }
    }

    async fn talk(
        &self,
        link: &str,
        welcome: &mpsc::UnboundedSender<()>,
        is_welcome: &mut bool,
    ) -> Result<Infallible, Ended> {
        let (mut socket, _) = tokio_tungstenite::connect_async(link).await?;
        let (graph, guarantee) = plan();
        let hello = Report::Hello(Hello {
            worker: WorkerId(new_id()),
            job: self.job,
            run: self.run,
            attempt: 1,
            token: self.token.clone(),
            pid: self.process.pid,
            process_start: self.process.start,
            state: WorkerState::Running { graph, guarantee, restored_from: None },
        });
        let mut frames = 0;
        let mut frame = |report: Report| -> Result<Message, Ended> {
            let text = serde_json::to_string(&FromWorker { v: LINK_VERSION, seq: frames, report })?;
            frames += 1;
            Ok(Message::text(text))
        };
        socket.send(frame(hello)?).await?;
        // All began at some time of their own.
        let after = |period: Duration| tokio::time::Instant::now() + period.mul_f64(rand::random());
        let mut figures = tokio::time::interval_at(after(FIGURES), FIGURES);
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        let mut checkpoint = tokio::time::interval_at(after(CHECKPOINT), CHECKPOINT);
        let (mut reports, mut checkpoints) = (0, 0);
        loop {
            tokio::select! {
                _ = figures.tick() => {
                    reports += 1;
                    socket.send(frame(Report::Metrics(figures_of(reports)))?).await?;
                }
                _ = heartbeat.tick() => socket.send(frame(Report::Heartbeat { at: now_ms() })?).await?,
                _ = checkpoint.tick() => {
                    checkpoints += 1;
                    socket.send(frame(Report::CheckpointDone(checkpoint_of(checkpoints)))?).await?;
                }
                message = socket.next() => {
                    let Some(Ok(Message::Text(text))) = message else { return Err(Ended::Closed) };
                    let said: ToWorker = serde_json::from_str(&text)?;
                    match said.command {
                        Command::Fence { reason } => return Err(Ended::Refused(reason)),
                        Command::Ack { .. } if !*is_welcome => {
                            *is_welcome = true;
                            let _ = welcome.send(());
                        }
                        _ => {}
                    }
                }
            }
        }
    }
}

fn checkpoint_of(number: u64) -> CheckpointDone {
    let path = format!("checkpoint-{number}");
    CheckpointDone { number, kind: RestoreKind::Checkpoint, path, bytes: 1_000_000, ms: 20, at: now_ms() }
}

fn figures_of(number: u64) -> MetricReport {
    let records = number * 10_000;
    let operator = |node: usize| OperatorMetrics {
        node: format!("n{node}"),
        records_in: records,
        records_out: records,
        bytes_in: records * 100,
        bytes_out: records * 100,
        busy: 0.3,
        blocked: 0.0,
        watermark: Some(now_ms()),
        state_rows: 1_000,
        state_bytes: 100_000,
        late: 0,
        dropped: 0,
        lookup: None,
    };
    let partition = |place: i64| PartitionLag {
        partition: format!("topic-{place}"),
        position: place + records as i64,
        end: Some(records as i64 + 100),
        lag: Some(100),
        idle: false,
    };
    let source = |table: usize| SourceMetrics {
        node: "n0".to_owned(),
        table: format!("main.t{table}"),
        records,
        bytes: records * 100,
        bad_records: 0,
        partitions: (0..4).map(partition).collect(),
        lag_ms: Some(120),
    };
    MetricReport {
        at: now_ms(),
        operators: (0..3).map(operator).collect(),
        sources: (1..3).map(source).collect(),
        process: ProcessMetrics { memory_bytes: 80_000_000, cpu_seconds: number as f64, threads: 12 },
    }
}
