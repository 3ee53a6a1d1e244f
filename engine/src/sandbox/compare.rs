//! Rows against rows: what is missing, what is too much, what differs under the same key.

use std::collections::HashMap;

use millrace_wire::job_test::RowOrder;
use millrace_wire::preview::{PreviewRow, ResultColumn};
use serde_json::Value;

/// Beyond so many cells the longest common order is not looked for.
const MOST_CELLS: usize = 4_000_000;

#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    pub order: RowOrder,
    pub float_tolerance: f64,
    /// Names of columns that are not compared.
    pub ignore: &'a [String],
}

impl Rules<'_> {
    /// The same rows, in any order, to the last digit.
    pub const fn strict() -> Self {
        Rules { order: RowOrder::Any, float_tolerance: 0.0, ignore: &[] }
    }
}

#[derive(Debug, Default)]
pub struct Comparison {
    pub matched: u64,
    /// Expected, not there.
    pub missing: Vec<PreviewRow>,
    /// There, not expected.
    pub unexpected: Vec<PreviewRow>,
    /// Expected and actual row of the same key, and which columns differ.
    pub different: Vec<(PreviewRow, PreviewRow, Vec<u32>)>,
    /// The rows are the same; their order is not.
    pub reordered: bool,
}

impl Comparison {
    pub fn passed(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.different.is_empty() && !self.reordered
    }
}

pub fn compare(
    expected: &[PreviewRow],
    actual: &[PreviewRow],
    columns: &[ResultColumn],
    rules: &Rules<'_>,
) -> Comparison {
    let table = Table::new(columns, rules);
    let (missing, unexpected) = table.unmatched(expected, actual);
    let mut comparison = Comparison {
        matched: (expected.len() - missing.len()) as u64,
        reordered: false,
        missing: Vec::new(),
        unexpected: Vec::new(),
        different: Vec::new(),
    };
    if missing.is_empty() && unexpected.is_empty() {
        let in_order = expected.iter().zip(actual).all(|(expected, actual)| table.same(expected, actual));
        comparison.reordered = rules.order == RowOrder::Exact && !in_order;
        if comparison.reordered {
            // Said by the rows that would have to move.
            let (moved_from, moved_to) = table.out_of_order(expected, actual);
            comparison.missing = moved_from;
            comparison.unexpected = moved_to;
        }
        return comparison;
    }
    table.pair(missing, unexpected, &mut comparison);
    comparison
}

struct Table<'a> {
    /// Per column whether it is compared, and whether it is a floating-point number.
    columns: Vec<(bool, bool)>,
    key: Vec<usize>,
    rules: &'a Rules<'a>,
}

impl<'a> Table<'a> {
    fn new(columns: &[ResultColumn], rules: &'a Rules<'a>) -> Self {
        let float = |column: &ResultColumn| matches!(column.data_type.as_str(), "FLOAT" | "DOUBLE");
        let compared = |column: &ResultColumn| !rules.ignore.contains(&column.name);
        let keys = columns.iter().enumerate().filter(|(_, column)| column.key).map(|(index, _)| index);
        Table {
            columns: columns.iter().map(|column| (compared(column), float(column))).collect(),
            key: keys.collect(),
            rules,
        }
    }

    /// Text that is the same for all rows that can be the same.
    fn bucket(&self, row: &PreviewRow) -> String {
        let exact = |(at, value): (usize, &'_ Value)| {
            let (compared, float) = self.columns.get(at).copied().unwrap_or((true, false));
            let counts = compared && !(float && self.rules.float_tolerance > 0.0);
            counts.then(|| value.to_string())
        };
        let values: Vec<String> = row.values.iter().enumerate().filter_map(exact).collect();
        format!("{}{}", row.kind, values.join("\u{1f}"))
    }

    fn same(&self, left: &PreviewRow, right: &PreviewRow) -> bool {
        left.kind == right.kind && self.differing(left, right).is_empty()
    }

    fn differing(&self, left: &PreviewRow, right: &PreviewRow) -> Vec<u32> {
        let pairs = left.values.iter().zip(&right.values).enumerate();
        let differs = |(at, (left, right)): &(usize, (&Value, &Value))| {
            let (compared, float) = self.columns.get(*at).copied().unwrap_or((true, false));
            compared && left != right && !(float && self.close(left, right))
        };
        pairs.filter(differs).map(|(at, _)| at as u32).collect()
    }

    fn close(&self, left: &Value, right: &Value) -> bool {
        let (Some(left), Some(right)) = (left.as_f64(), right.as_f64()) else { return false };
        (left - right).abs() <= self.rules.float_tolerance * left.abs().max(right.abs()).max(1.0)
    }

    /// Rows of either side without a partner on the other, in their order.
    fn unmatched(&self, expected: &[PreviewRow], actual: &[PreviewRow]) -> (Vec<PreviewRow>, Vec<PreviewRow>) {
        let mut waiting: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, row) in actual.iter().enumerate().rev() {
            waiting.entry(self.bucket(row)).or_default().push(at);
        }
        let mut taken = vec![false; actual.len()];
        let mut missing = Vec::new();
        for row in expected {
            let partner = waiting.get_mut(&self.bucket(row)).and_then(|places| {
                let fits = |place: &usize| actual.get(*place).is_some_and(|other| self.same(row, other));
                let found = places.iter().rposition(fits)?;
                Some(places.remove(found))
            });
            match partner.and_then(|place| taken.get_mut(place)) {
                Some(taken) => *taken = true,
                None => missing.push(row.clone()),
            }
        }
        let left = actual.iter().zip(taken).filter(|(_, taken)| !taken);
        (missing, left.map(|(row, _)| row.clone()).collect())
    }

    /// Rows that are not part of the longest order that both sides have in common.
    fn out_of_order(&self, expected: &[PreviewRow], actual: &[PreviewRow]) -> (Vec<PreviewRow>, Vec<PreviewRow>) {
        let (rows, columns) = (expected.len(), actual.len());
        if rows * columns > MOST_CELLS {
            return (Vec::new(), Vec::new());
        }
        // lengths[i][j]: of the common order of what follows i and j.
        let width = columns + 1;
        let mut lengths = vec![0u32; (rows + 1) * width];
        let at = |lengths: &[u32], i: usize, j: usize| lengths.get(i * width + j).copied().unwrap_or(0);
        let mut equal = vec![false; rows * columns];
        for (i, left) in expected.iter().enumerate().rev() {
            for (j, right) in actual.iter().enumerate().rev() {
                let same = self.same(left, right);
                let best = if same {
                    at(&lengths, i + 1, j + 1) + 1
                } else {
                    at(&lengths, i + 1, j).max(at(&lengths, i, j + 1))
                };
                if let Some(cell) = lengths.get_mut(i * width + j) {
                    *cell = best;
                }
                if let Some(cell) = equal.get_mut(i * columns + j) {
                    *cell = same;
                }
            }
        }
        let (mut i, mut j) = (0, 0);
        let (mut from, mut to) = (Vec::new(), Vec::new());
        while let (Some(left), Some(right)) = (expected.get(i), actual.get(j)) {
            if equal.get(i * columns + j).copied().unwrap_or(false) {
                (i, j) = (i + 1, j + 1);
            } else if at(&lengths, i + 1, j) >= at(&lengths, i, j + 1) {
                from.push(left.clone());
                i += 1;
            } else {
                to.push(right.clone());
                j += 1;
            }
        }
        from.extend(expected.iter().skip(i).cloned());
        to.extend(actual.iter().skip(j).cloned());
        (from, to)
    }

    /// Those of the same key and kind stand side by side.
    fn pair(&self, missing: Vec<PreviewRow>, unexpected: Vec<PreviewRow>, into: &mut Comparison) {
        if self.key.is_empty() {
            (into.missing, into.unexpected) = (missing, unexpected);
            return;
        }
        let mut by_key: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, row) in unexpected.iter().enumerate().rev() {
            by_key.entry(self.key_of(row)).or_default().push(at);
        }
        let mut left: Vec<Option<PreviewRow>> = unexpected.into_iter().map(Some).collect();
        for row in missing {
            let place = by_key.get_mut(&self.key_of(&row)).and_then(Vec::pop);
            match place.and_then(|place| left.get_mut(place)).and_then(Option::take) {
                Some(actual) => {
                    let columns = self.differing(&row, &actual);
                    into.different.push((row, actual, columns));
                }
                None => into.missing.push(row),
            }
        }
        into.unexpected = left.into_iter().flatten().collect();
    }

    fn key_of(&self, row: &PreviewRow) -> String {
        let values = self.key.iter().filter_map(|index| row.values.get(*index));
        let values: Vec<String> = values.map(Value::to_string).collect();
        format!("{}{}", row.kind, values.join("\u{1f}"))
    }
}
