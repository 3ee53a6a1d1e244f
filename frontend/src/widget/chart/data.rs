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

    /// As it is drawn: lines that are equal all along are one, and of the others only the highest, in the order that
    /// they had. Tells also how many are not drawn.
    pub(super) fn drawn(&self, most: usize) -> (ChartData, usize) {
        let mut lines: Vec<Line> = Vec::new();
        for line in &self.lines {
            match lines.iter_mut().find(|known| known.values == line.values) {
                Some(known) => known.label = format!("{} = {}", known.label, line.label),
                None => lines.push(line.clone()),
            }
        }
        let mut peaks: Vec<(usize, f64)> = lines.iter().map(Line::peak).enumerate().collect();
        peaks.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        let kept: Vec<usize> = peaks.iter().take(most).map(|(index, _)| *index).collect();
        let hidden = lines.len() - kept.len();
        let lines =
            lines.into_iter().enumerate().filter(|(index, _)| kept.contains(index)).map(|(_, line)| line).collect();
        let rest = ChartData { lines: Vec::new(), ..self.clone() };
        (ChartData { lines, ..rest }, hidden)
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
    fn peak(&self) -> f64 {
        self.values.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max)
    }

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
    fn equal_lines_are_one_and_only_the_highest_are_drawn() {
        let line = |label: &str, values: &[f64]| Line {
            label: label.into(),
            values: values.iter().map(|value| Some(*value)).collect(),
        };
        let lines = vec![
            line("read", &[9.0, 1.0]),
            line("idle", &[0.0, 0.0]),
            line("map", &[9.0, 1.0]),
            line("join", &[3.0, 4.0]),
            line("sink", &[2.0, 2.0]),
        ];
        let data = ChartData { times: vec![1, 2], lines, ..ChartData::default() };
        let (drawn, hidden) = data.drawn(3);
        let labels: Vec<&str> = drawn.lines.iter().map(|line| line.label.as_str()).collect();
        assert_eq!((labels, hidden), (vec!["read = map", "join", "sink"], 1));
        assert_eq!(drawn.times, [1, 2]);
        let (all, hidden) = drawn.drawn(3);
        assert_eq!((all, hidden), (drawn, 0));
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
