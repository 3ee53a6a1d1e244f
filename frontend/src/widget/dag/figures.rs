//! From two reports of a worker to what the graph shows: rates, busy share, back-pressure.

use std::collections::HashMap;

use millrace_wire::metric::{MetricReport, OperatorMetrics};

/// Of one operator; absent is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NodeFigures {
    pub in_per_s: Option<f64>,
    pub out_per_s: Option<f64>,
    /// 0 to 1.
    pub busy: f64,
    /// Waits for what is downstream, 0 to 1.
    pub blocked: f64,
}

impl NodeFigures {
    /// What the node is about: a source gives, all others take.
    pub fn rate(&self) -> Option<f64> {
        match (self.in_per_s, self.out_per_s) {
            (Some(taken), _) if taken > 0.0 => Some(taken),
            (taken, given) => given.or(taken),
        }
    }
}

/// Counters are totals, so a rate needs the report before. Totals that went down mean a new attempt: no rate yet.
pub fn figures(before: Option<&MetricReport>, now: &MetricReport) -> HashMap<String, NodeFigures> {
    now.operators
        .iter()
        .map(|operator| {
            let old = before.and_then(|report| report.operators.iter().find(|old| old.node == operator.node));
            let seconds = before.map_or(0.0, |report| (now.at - report.at) as f64 / 1_000.0);
            let rate = |count: fn(&OperatorMetrics) -> u64| {
                let grown = count(operator).checked_sub(count(old?))?;
                (seconds > 0.0).then(|| grown as f64 / seconds)
            };
            let figures = NodeFigures {
                in_per_s: rate(|operator| operator.records_in),
                out_per_s: rate(|operator| operator.records_out),
                busy: operator.busy,
                blocked: operator.blocked,
            };
            (operator.node.clone(), figures)
        })
        .collect()
}

/// The step of the colour scale for back-pressure: below 10, 30, 60, 85 %, and above.
pub(super) fn pressure(blocked: f64) -> u8 {
    [0.10, 0.30, 0.60, 0.85].iter().filter(|limit| blocked >= **limit).count() as u8
}

/// Width of an edge in pixels: grows with the logarithm of the rate, so that 10 and 10,000 both can be seen.
pub(super) fn width(rate: Option<f64>) -> f64 {
    let rate = rate.unwrap_or(0.0).max(0.0);
    let width = 1.5 + (1.0 + rate).log10();
    ((width * 2.0).round() / 2.0).min(7.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use millrace_wire::metric::ProcessMetrics;

    fn report(at: i64, records_in: u64, records_out: u64) -> MetricReport {
        MetricReport {
            at,
            operators: vec![OperatorMetrics {
                node: "n".into(),
                records_in,
                records_out,
                bytes_in: 0,
                bytes_out: 0,
                busy: 0.5,
                blocked: 0.2,
                watermark: None,
                state_rows: 0,
                state_bytes: 0,
                late: 0,
                dropped: 0,
                lookup: None,
            }],
            sources: vec![],
            process: ProcessMetrics { memory_bytes: 0, cpu_seconds: 0.0, threads: 1 },
        }
    }

    #[test]
    fn rates_come_from_two_reports() {
        let found = figures(Some(&report(1_000, 100, 10)), &report(3_000, 300, 10));
        assert_eq!(found["n"].in_per_s, Some(100.0));
        assert_eq!(found["n"].out_per_s, Some(0.0));
        assert_eq!(found["n"].rate(), Some(100.0));
    }

    #[test]
    fn one_report_or_a_new_attempt_gives_no_rate() {
        assert_eq!(figures(None, &report(1_000, 100, 10))["n"].rate(), None);
        let found = figures(Some(&report(1_000, 100, 10)), &report(3_000, 5, 1));
        assert_eq!(found["n"].rate(), None);
        let same_instant = figures(Some(&report(1_000, 1, 1)), &report(1_000, 2, 2));
        assert_eq!(same_instant["n"].rate(), None);
    }

    #[test]
    fn steps_of_pressure_and_width() {
        let steps: Vec<u8> = [0.0, 0.1, 0.3, 0.6, 0.85, 1.0].into_iter().map(pressure).collect();
        assert_eq!(steps, [0, 1, 2, 3, 4, 4]);
        assert_eq!(width(None), 1.5);
        assert_eq!(width(Some(f64::MAX)), 7.0);
        assert!(width(Some(10_000.0)) > width(Some(10.0)));
    }
}
