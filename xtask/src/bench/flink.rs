//! Apache Flink as one Java process, from the jars of its Python package.

use super::Time;
use crate::{command, need, place, say};
use anyhow::{Context, bail};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

const VERSION: &str = "2.3.0";
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

/// Best time of each query.
pub(super) fn run(
    data: &Path,
    backend: &str,
    parallelism: u32,
    rounds: u32,
    queries: &[String],
) -> anyhow::Result<BTreeMap<String, Time>> {
    let jars = jars()?;
    let classes = tempfile::Builder::new().prefix("millrace-flink-").tempdir()?;
    let sources = place::root().join("engine/benches/nexmark");
    std::fs::write(classes.path().join("log4j2.properties"), "rootLogger.level = OFF\n")?;
    let class_path = format!("{}:{}/*", classes.path().display(), jars.display());
    let mut javac = Command::new("javac");
    javac.args(["-nowarn", "-cp", &class_path, "-d"]).arg(classes.path()).arg(sources.join("flink/Nexmark.java"));
    command::quietly(&mut javac)?;

    let mut java = Command::new("java");
    java.args(OPENED.map(|package| format!("--add-opens=java.base/{package}=ALL-UNNAMED")));
    java.args(["-Xmx8g", "-Duser.timezone=UTC", "-cp", &class_path, "Nexmark"]);
    java.arg(sources.join("queries.sql")).arg(data).arg(backend);
    java.arg(parallelism.to_string()).arg(rounds.to_string()).args(queries);
    let text = command::capture(&mut java)?;
    let mut times = BTreeMap::new();
    for line in text.lines() {
        say::note(line);
        let mut fields = line.split_whitespace();
        if let (Some(name), Some(Ok(seconds)), Some(Ok(cpu))) =
            (fields.next(), fields.next().map(str::parse), fields.next().map(str::parse))
        {
            times.insert(name.to_owned(), Time { seconds, cpu });
        }
    }
    if times.is_empty() { bail!("it printed no times") } else { Ok(times) }
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
