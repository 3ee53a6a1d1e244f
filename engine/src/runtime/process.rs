//! What this process takes from the machine, as the kernel tells it.

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ProcessFigures {
    pub memory_bytes: u64,
    pub cpu_seconds: f64,
    pub threads: u32,
}

/// Clock ticks per second in `/proc`: 100 on every Linux that Rust runs on.
const TICKS: f64 = 100.0;

/// Zeros where `/proc` cannot be read.
pub fn process_figures() -> ProcessFigures {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    let stat = stat_fields();
    let ticks = |index: usize| stat.get(index).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    ProcessFigures {
        memory_bytes: field("VmRSS:").unwrap_or(0) * 1024,
        // utime and stime, counted after the command's name.
        cpu_seconds: (ticks(11) + ticks(12)) / TICKS,
        threads: field("Threads:").and_then(|threads| u32::try_from(threads).ok()).unwrap_or(0),
    }
}

/// When this process began, in clock ticks since boot: tells it from a later one with the same pid.
pub fn process_start() -> u64 {
    stat_fields().get(19).and_then(|field| field.parse().ok()).unwrap_or(0)
}

/// The fields of `/proc/self/stat` after the command's name, which may hold blanks.
fn stat_fields() -> Vec<String> {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    after.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_threads_and_a_start() {
        let figures = process_figures();
        assert!(figures.memory_bytes > 1 << 20, "{figures:?}");
        assert!(figures.threads >= 1);
        assert!(process_start() > 0);
    }
}
