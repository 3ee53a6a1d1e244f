//! What a chart draws, and the few figures read from it.

use millrace_wire::metric::{Mark, MetricSeries, Series};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChartData {
    pub times: Vec<i64>,
    pub lines: Vec<Line>,
    pub marks: Vec<Mark>,
    /// The whole range asked for, which may be wider than what was measured.
    pub from: i64,
    pub to: i64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    pub label: String,
    /// One value per time; none is a gap.
    pub values: Vec<Option<f64>>,
}

impl ChartData {
    /// The series that `pick` names, in the order of the answer.
    pub fn of(answer: &MetricSeries, (from, to): (i64, i64), pick: impl Fn(&Series) -> Option<String>) -> ChartData {
        let lines = answer
            .series
            .iter()
            .filter_map(|series| {
                let mut values = series.values.clone();
                values.resize(answer.times.len(), None);
                pick(series).map(|label| Line { label, values })
            })
            .collect();
        ChartData { times: answer.times.clone(), lines, marks: answer.marks.clone(), from, to }
    }

    pub fn is_empty(&self) -> bool {
        !self.lines.iter().any(|line| line.values.iter().any(Option::is_some))
    }

    /// Index of the newest time at which any line has a value.
    pub fn newest(&self) -> Option<usize> {
        (0..self.times.len()).rev().find(|index| self.lines.iter().any(|line| line.at(*index).is_some()))
    }

    pub(super) fn json(&self) -> String {
        let values: Vec<&Vec<Option<f64>>> = self.lines.iter().map(|line| &line.values).collect();
        let marks: Vec<serde_json::Value> =
            self.marks.iter().map(|mark| serde_json::json!({ "at": mark.at, "label": mark.label })).collect();
        serde_json::json!({ "times": self.times, "values": values, "marks": marks, "from": self.from, "to": self.to })
            .to_string()
    }
}

impl Line {
    pub fn at(&self, index: usize) -> Option<f64> {
        self.values.get(index).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn answer() -> MetricSeries {
        let series = |name: &str, values: Vec<Option<f64>>| Series {
            name: name.into(),
            labels: BTreeMap::new(),
            unit: "records/s".into(),
            values,
        };
        MetricSeries {
            times: vec![1, 2, 3],
            series: vec![
                series("records_in", vec![Some(1.0), None, Some(3.0)]),
                series("lag_ms", vec![Some(9.0)]),
                series("records_out", vec![None, Some(2.0)]),
            ],
            marks: vec![],
        }
    }

    #[test]
    fn lines_are_picked_and_as_long_as_the_times() {
        let data =
            ChartData::of(&answer(), (0, 9), |series| series.name.starts_with("records").then(|| series.name.clone()));
        let labels: Vec<&str> = data.lines.iter().map(|line| line.label.as_str()).collect();
        assert_eq!(labels, ["records_in", "records_out"]);
        assert!(data.lines.iter().all(|line| line.values.len() == 3));
        assert_eq!(data.newest(), Some(2));
    }

    #[test]
    fn a_chart_of_gaps_is_empty() {
        let mut data = ChartData::of(&answer(), (0, 9), |_| Some("x".into()));
        assert!(!data.is_empty());
        for line in &mut data.lines {
            line.values.fill(None);
        }
        assert!(data.is_empty());
        assert_eq!(data.newest(), None);
    }
}
