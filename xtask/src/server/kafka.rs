//! Apache Kafka in KRaft mode, one node: the only judge of exactly-once.

use super::child::{Child, free_port};
use super::wait_until;
use crate::need::{self, hex};
use crate::{command, place, say};
use anyhow::Context;
use rustix::process::Signal;
use sha2::{Digest, Sha256};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const COPY_JARS: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
const STARTED: &str = "Kafka Server started";

/// A broker on a free port, with its data in a temporary directory.
pub(crate) struct Kafka {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Kafka {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let jars = jars()?;
        let folder = tempfile::Builder::new().prefix("millrace-kafka-").tempdir()?;
        let (port, controller) = (free_port()?, free_port()?);
        let settings = folder.path().join("server.properties");
        std::fs::write(&settings, properties(port, controller, &folder))?;

        let java = |memory: &str, class: &str| {
            let mut java = Command::new("java");
            java.arg(memory).arg("-cp").arg(jars.join("*")).arg(class);
            java
        };
        let mut format = java("-Xmx128m", "kafka.tools.StorageTool");
        format.args(["format", "--cluster-id", "bWlsbHJhY2UtdGVzdHMtMQ", "--config"]);
        command::quietly(format.arg(&settings))?;

        let log = folder.path().join("kafka.log");
        let mut broker = java("-Xmx512m", "kafka.Kafka");
        broker.arg(&settings);
        let mut child = Child::start(&mut broker, log.clone(), Signal::TERM)?;
        wait_until("Apache Kafka", &mut child, Duration::from_secs(90), || {
            Child::has_logged(&log, STARTED) && TcpStream::connect(("127.0.0.1", port)).is_ok()
        })?;
        Ok(Self { child, port, _folder: folder })
    }

    /// `host:port` for clients.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        self.child.stop(Duration::from_secs(20)).map(|_| ())
    }
}

/// The folder of jars, resolved once per content of the pom.
fn jars() -> anyhow::Result<PathBuf> {
    need::programs(&[("java", "openjdk-17-jre-headless"), ("mvn", "maven")])?;
    let pom = place::root().join("e2e/kafka/pom.xml");
    let content = std::fs::read(&pom).context("e2e/kafka/pom.xml is missing")?;
    let folder = place::target().join(format!("kafka-{}", &hex(&Sha256::digest(content))[..12]));
    let complete = folder.join(".complete");
    if complete.is_file() {
        return Ok(folder);
    }
    say::note("fetch the jars of Apache Kafka from Maven Central");
    let mut mvn = Command::new("mvn");
    mvn.args(["-q", "-B", "-f"]).arg(&pom).arg(COPY_JARS).arg("-DincludeScope=runtime");
    mvn.arg(format!("-DoutputDirectory={}", folder.display()));
    command::quietly(&mut mvn).context("the jars of Apache Kafka could not be fetched")?;
    std::fs::write(&complete, "")?;
    Ok(folder)
}

fn properties(port: u16, controller: u16, folder: &TempDir) -> String {
    let data = folder.path().join("data");
    format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
         controller.listener.names=CONTROLLER\n\
         log.dirs={}\n\
         auto.create.topics.enable=false\n\
         offsets.topic.replication.factor=1\n\
         offsets.topic.num.partitions=4\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         transaction.state.log.num.partitions=4\n\
         group.initial.rebalance.delay.ms=0\n",
        data.display()
    )
}
