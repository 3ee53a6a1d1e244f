//! What this process uses, as the kernel counts it (`/proc/self`, see proc(5)).

use std::time::Instant;

/// Remembers the last reading: the use of processors is a rate.
pub struct OwnUsage {
    read_at: Instant,
    cpu_ticks: u64,
}

impl Default for OwnUsage {
    fn default() -> Self {
        OwnUsage { read_at: Instant::now(), cpu_ticks: cpu_ticks().unwrap_or(0) }
    }
}

impl OwnUsage {
    pub(super) fn read(&mut self) -> Vec<(&'static str, f64)> {
        let mut figures = Vec::new();
        if let Some(pages) = resident_pages() {
            figures.push(("memory_bytes", pages as f64 * rustix::param::page_size() as f64));
        }
        if let Some(ticks) = cpu_ticks() {
            let seconds = self.read_at.elapsed().as_secs_f64().max(0.001);
            let used = ticks.saturating_sub(self.cpu_ticks) as f64 / rustix::param::clock_ticks_per_second() as f64;
            figures.push(("cpu_cores", used / seconds));
            (self.read_at, self.cpu_ticks) = (Instant::now(), ticks);
        }
        figures
    }
}

fn resident_pages() -> Option<u64> {
    std::fs::read_to_string("/proc/self/statm").ok()?.split_whitespace().nth(1)?.parse().ok()
}

/// User and system time of all threads: fields 14 and 15.
fn cpu_ticks() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, after_name) = text.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_process_uses_something() {
        let figures = OwnUsage::default().read();
        let memory = figures.iter().find(|(name, _)| *name == "memory_bytes").unwrap().1;
        assert!((1e6..1e11).contains(&memory), "{memory}");
        assert!(figures.iter().any(|(name, cores)| *name == "cpu_cores" && *cores >= 0.0));
    }
}
