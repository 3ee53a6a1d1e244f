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

/// The password of the store that holds the broker's key; the store lives as long as the broker.
const STORE_PASSWORD: &str = "millrace-tests";
/// Users that tests sign in as: `scram` by SCRAM, `plain` by PLAIN; the password is the same word with `-secret`.
const SCRAM: [&str; 2] = ["SCRAM-SHA-256", "SCRAM-SHA-512"];

/// A broker on free ports, with its data in a temporary directory.
pub(crate) struct Kafka {
    child: Child,
    ports: Ports,
    folder: TempDir,
}

/// One per listener.
struct Ports {
    plain: u16,
    controller: u16,
    tls: u16,
    sasl: u16,
}

impl Kafka {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let jars = jars()?;
        let folder = tempfile::Builder::new().prefix("millrace-kafka-").tempdir()?;
        let ports = Ports { plain: free_port()?, controller: free_port()?, tls: free_port()?, sasl: free_port()? };
        make_certificate(&folder)?;
        let settings = folder.path().join("server.properties");
        std::fs::write(&settings, properties(&ports, &folder))?;

        let java = |memory: &str, class: &str| {
            let mut java = Command::new("java");
            java.arg(memory).arg("-cp").arg(jars.join("*")).arg(class);
            java
        };
        let mut format = java("-Xmx128m", "kafka.tools.StorageTool");
        format.args(["format", "--cluster-id", "bWlsbHJhY2UtdGVzdHMtMQ", "--config"]).arg(&settings);
        for mechanism in SCRAM {
            format.args(["--add-scram", &format!("{mechanism}=[name=scram,password=scram-secret]")]);
        }
        command::quietly(&mut format)?;

        let log = folder.path().join("kafka.log");
        let mut broker = java("-Xmx512m", "kafka.Kafka");
        broker.arg(&settings);
        let mut child = Child::start(&mut broker, log.clone(), Signal::TERM)?;
        wait_until("Apache Kafka", &mut child, Duration::from_secs(90), || {
            Child::has_logged(&log, STARTED) && TcpStream::connect(("127.0.0.1", ports.plain)).is_ok()
        })?;
        Ok(Self { child, ports, folder })
    }

    /// The variables by which tests find it.
    pub(crate) fn variables(&self) -> [(&'static str, String); 4] {
        [
            ("MILLRACE_TEST_KAFKA", self.address()),
            ("MILLRACE_TEST_KAFKA_TLS", format!("localhost:{}", self.ports.tls)),
            ("MILLRACE_TEST_KAFKA_SASL", format!("localhost:{}", self.ports.sasl)),
            ("MILLRACE_TEST_KAFKA_CA", authority(&self.folder).display().to_string()),
        ]
    }

    /// `host:port` for clients.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.ports.plain)
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

fn store(folder: &TempDir) -> PathBuf {
    folder.path().join("broker.p12")
}

fn authority(folder: &TempDir) -> PathBuf {
    folder.path().join("ca.pem")
}

/// A key with a certificate for `localhost` that signs itself, by the tool that every Java brings.
fn make_certificate(folder: &TempDir) -> anyhow::Result<()> {
    let keytool = |arguments: &[&str]| {
        let mut keytool = Command::new("keytool");
        keytool.args(arguments).args(["-alias", "broker", "-storetype", "PKCS12", "-storepass", STORE_PASSWORD]);
        keytool.arg("-keystore").arg(store(folder));
        keytool
    };
    let names = "SAN=dns:localhost,ip:127.0.0.1";
    let mut make = keytool(&["-genkeypair", "-keyalg", "EC", "-dname", "CN=localhost", "-ext", names, "-ext", "bc:c"]);
    command::quietly(make.args(["-validity", "30"]))?;
    let mut export = keytool(&["-exportcert", "-rfc"]);
    command::quietly(export.arg("-file").arg(authority(folder)))
}

fn properties(ports: &Ports, folder: &TempDir) -> String {
    let data = folder.path().join("data");
    let Ports { plain, controller, tls, sasl } = ports;
    let security = "org.apache.kafka.common.security";
    format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{plain},CONTROLLER://127.0.0.1:{controller},SSL://127.0.0.1:{tls},SASL_SSL://127.0.0.1:{sasl}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{plain},SSL://localhost:{tls},SASL_SSL://localhost:{sasl}\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL\n\
         ssl.keystore.location={}\n\
         ssl.keystore.type=PKCS12\n\
         ssl.keystore.password={STORE_PASSWORD}\n\
         ssl.key.password={STORE_PASSWORD}\n\
         sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512\n\
         listener.name.sasl_ssl.plain.sasl.jaas.config={security}.plain.PlainLoginModule required user_plain=\"plain-secret\";\n\
         listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config={security}.scram.ScramLoginModule required;\n\
         listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={security}.scram.ScramLoginModule required;\n\
         controller.listener.names=CONTROLLER\n\
         log.dirs={}\n\
         auto.create.topics.enable=false\n\
         offsets.topic.replication.factor=1\n\
         offsets.topic.num.partitions=4\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         transaction.state.log.num.partitions=4\n\
         group.initial.rebalance.delay.ms=0\n",
        store(folder).display(),
        data.display()
    )
}
