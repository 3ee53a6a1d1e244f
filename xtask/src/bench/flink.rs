//! Apache Flink as one Java process, from the jars of its Python package.

use super::Time;
use crate::{command, need, place, say};
use anyhow::{Context, bail};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const VERSION: &str = "2.3.0";
/// Built for Flink 2.2; there is none for 2.3.
const CONNECTOR: &str = "5.0.0-2.2";
const CLIENT: &str = "4.1.1";
/// Java 17 does not let libraries look into these without being told.
const OPENED: [&str; 12] = [
    "java.lang",
    "java.net",
    "java.io",
    "java.nio",
    "sun.nio.ch",
    "java.lang.reflect",
    "java.text",
    "java.time",
    "java.util",
    "java.util.concurrent",
    "java.util.concurrent.atomic",
    "java.util.concurrent.locks",
];

/// What one Java process runs.
pub(super) struct Job<'a> {
    /// The folder of the files.
    pub(super) data: &'a Path,
    pub(super) backend: &'a str,
    pub(super) parallelism: u32,
    pub(super) rounds: u32,
    pub(super) queries: &'a [String],
    /// Of Kafka, to read from.
    pub(super) servers: Option<&'a str>,
    pub(super) into_topics: bool,
}

/// The least times of each query.
pub(super) fn times(job: &Job<'_>) -> anyhow::Result<BTreeMap<String, Time>> {
    let mode = job.servers.filter(|_| job.into_topics).unwrap_or("time");
    let text = java(job, mode)?;
    let mut times = BTreeMap::new();
    for line in text.lines() {
        let mut fields = line.split_whitespace();
        if let (Some(name), Some(Ok(seconds)), Some(Ok(cpu))) =
            (fields.next(), fields.next().map(str::parse), fields.next().map(str::parse))
        {
            times.insert(name.to_owned(), Time { seconds, cpu });
        }
    }
    if times.is_empty() { bail!("it printed no times") } else { Ok(times) }
}

/// Rows and checksum of the final table of each query.
pub(super) fn sums(job: &Job<'_>) -> anyhow::Result<BTreeMap<String, (i64, String)>> {
    let text = java(job, "sum")?;
    let sum = |line: &str| {
        let mut fields = line.split_whitespace();
        Some((fields.next()?.to_owned(), (fields.next()?.parse().ok()?, fields.next()?.to_owned())))
    };
    Ok(text.lines().filter_map(sum).collect())
}

fn java(job: &Job<'_>, mode: &str) -> anyhow::Result<String> {
    let jars = jars()?;
    let classes = tempfile::Builder::new().prefix("millrace-flink-").tempdir()?;
    let sources = place::root().join("engine/benches/nexmark");
    std::fs::write(classes.path().join("log4j2.properties"), "rootLogger.level = OFF\n")?;
    let mut class_path = format!("{}:{}/*", classes.path().display(), jars.display());
    if job.servers.is_some() {
        let _ = write!(class_path, ":{}/*", connector()?.display());
    }
    let script = classes.path().join("queries.sql");
    std::fs::write(&script, with_tables(std::fs::read_to_string(sources.join("queries.sql"))?, job))?;
    let mut javac = Command::new("javac");
    javac.args(["-nowarn", "-cp", &class_path, "-d"]).arg(classes.path()).arg(sources.join("flink/Nexmark.java"));
    command::quietly(&mut javac)?;

    let mut java = Command::new("java");
    java.args(OPENED.map(|package| format!("--add-opens=java.base/{package}=ALL-UNNAMED")));
    java.arg(format!("-Djava.io.tmpdir={}", classes.path().display()));
    java.args(["-Xmx8g", "-Duser.timezone=UTC", "-cp", &class_path, "Nexmark", mode]).arg(&script);
    java.arg(job.backend).arg(job.parallelism.to_string()).arg(job.rounds.to_string()).args(job.queries);
    command::capture(&mut java)
}

/// The script with the options of its tables.
fn with_tables(mut script: String, job: &Job<'_>) -> String {
    let side_input =
        format!("'connector'='filesystem','path'='file://{}/side_input.csv','format'='csv'", job.data.display());
    script = script.replace("${side_input}", &side_input);
    let prefix = job.data.file_name().unwrap_or_default().to_string_lossy();
    for table in ["person", "auction", "bid"] {
        let options = match job.servers {
            None => {
                format!("'connector'='filesystem','path'='file://{}/{table}.json','format'='json'", job.data.display())
            }
            Some(servers) => format!(
                "'connector'='kafka','topic'='{prefix}-{table}','properties.bootstrap.servers'='{servers}',\
                 'scan.startup.mode'='earliest-offset','scan.bounded.mode'='latest-offset','format'='json'"
            ),
        };
        script = script.replace(&format!("${{{table}}}"), &options);
    }
    script
}

/// Flink's connector for Kafka and the client that it was built with, out of the local Maven repository.
fn connector() -> anyhow::Result<PathBuf> {
    let folder = place::target().join(format!("flink-connector-kafka-{CONNECTOR}"));
    if folder.join(".complete").is_file() {
        return Ok(folder);
    }
    need::programs(&[("mvn", "maven")])?;
    for artifact in [
        format!("org.apache.flink:flink-connector-kafka:{CONNECTOR}"),
        format!("org.apache.flink:flink-connector-base:{VERSION}"),
        format!("org.apache.kafka:kafka-clients:{CLIENT}"),
    ] {
        let mut mvn = Command::new("mvn");
        mvn.args(["-q", "-B", "dependency:copy"]).arg(format!("-Dartifact={artifact}"));
        mvn.arg(format!("-DoutputDirectory={}", folder.display()));
        command::quietly(&mut mvn).context("the connector of Flink for Kafka could not be had")?;
    }
    std::fs::write(folder.join(".complete"), "")?;
    Ok(folder)
}

/// Downloaded once, kept below the target folder.
fn jars() -> anyhow::Result<PathBuf> {
    let folder = place::target().join(format!("flink-{VERSION}"));
    let lib = folder.join("pyflink/lib");
    if lib.join(format!("flink-dist-{VERSION}.jar")).exists() {
        return Ok(lib);
    }
    need::programs(&[("javac", "openjdk-17-jdk-headless"), ("unzip", "unzip"), ("pip3", "python3-pip")])?;
    std::fs::create_dir_all(&folder)?;
    say::note(format!("downloading Apache Flink {VERSION}, 330 MB"));
    let mut pip = Command::new("pip3");
    pip.args(["download", "--quiet", "--no-deps", "--dest"]).arg(&folder);
    pip.arg(format!("apache-flink-libraries=={VERSION}"));
    command::quietly(&mut pip).context("its jars could not be had")?;
    let mut files = std::fs::read_dir(&folder)?.flatten().map(|entry| entry.path());
    let wheel = files.find(|path| path.extension().is_some_and(|extension| extension == "whl"));
    let wheel = wheel.context("the package is of another kind")?;
    command::quietly(Command::new("unzip").args(["-q", "-o"]).arg(&wheel).arg("pyflink/lib/*").arg("-d").arg(&folder))?;
    std::fs::remove_file(wheel)?;
    Ok(lib)
}
