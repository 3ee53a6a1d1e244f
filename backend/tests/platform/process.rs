//! Processes of this machine, found by what their environment says.

use std::process::Command;

/// Workers whose environment has this variable with this value.
pub(crate) fn workers_with(name: &str, value: &str) -> Vec<u32> {
    let entry = format!("{name}={value}");
    workers(|environment| environment.split('\0').any(|variable| variable == entry))
}

/// Which run and attempt a worker was started for.
pub(crate) fn describe(pid: u32) -> String {
    let environment = read(pid, "environ");
    let value =
        |name: &str| environment.split('\0').find_map(|variable| variable.strip_prefix(name)).unwrap_or("?").to_owned();
    format!("{pid} of run {} attempt {}", value("MILLRACE_RUN_ID="), value("MILLRACE_ATTEMPT="))
}

/// Workers that were started below a folder.
pub(crate) fn workers_below(folder: &std::path::Path) -> Vec<u32> {
    let start = format!("PWD={}", folder.display());
    workers(|environment| environment.split('\0').any(|variable| variable.starts_with(&start)))
}

/// What it has to itself and its part of what it shares.
pub(crate) fn memory_mb(pid: u32) -> u64 {
    let sums = read(pid, "smaps_rollup");
    let kb = sums.lines().find_map(|line| line.strip_prefix("Pss:")?.split_whitespace().next()?.parse::<u64>().ok());
    kb.unwrap_or(0) / 1024
}

/// As the kernel does when memory is out.
pub(crate) fn kill(pid: u32) {
    let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
}

fn workers(fits: impl Fn(&str) -> bool) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").unwrap();
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    // What is only a remainder of a process has neither a command line nor an environment.
    pids.filter(|pid| read(*pid, "cmdline").contains("millrace-worker") && fits(&read(*pid, "environ"))).collect()
}

fn read(pid: u32, file: &str) -> String {
    std::fs::read(format!("/proc/{pid}/{file}"))
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}
