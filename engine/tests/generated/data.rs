//! Small tables with many equal values and NULLs, and the changes by which their rows come to be.

use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::Mode;

/// A table with columns `a`, `b` (numbers), `c` (text), and `id`, which is different in every row.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) rows: Vec<[Value; 4]>,
}

pub(crate) const COLUMNS: [&str; 4] = ["id", "a", "b", "c"];

impl Table {
    pub(crate) fn random(name: &'static str, random: &mut StdRng) -> Self {
        let count = random.random_range(0..10);
        Table { name, rows: (0..count).map(|id| row(id, random)).collect() }
    }

    pub(crate) fn ddl(&self, mode: Mode) -> String {
        let format = if mode == Mode::Changed { "debezium-json" } else { "json" };
        format!(
            "CREATE TABLE {0} (id BIGINT, a BIGINT, b BIGINT, c STRING) WITH ('connector' = 'filesystem', 'path' = '${{input:{0}}}', 'format' = '{format}');\n",
            self.name
        )
    }

    /// The messages that lead to these rows, one a line.
    pub(crate) fn input(&self, mode: Mode, random: &mut StdRng) -> Vec<String> {
        if mode != Mode::Changed {
            return self.rows.iter().map(|row| object(row).to_string()).collect();
        }
        let mut lines = Vec::new();
        for last in &self.rows {
            let mut now = None;
            for _ in 0..random.random_range(0..3) {
                let mut next = row(0, random);
                next[0] = last[0].clone();
                lines.push(message(now.as_ref(), Some(&next)));
                now = Some(next);
                if random.random_bool(0.2) {
                    lines.push(message(now.as_ref(), None));
                    now = None;
                }
            }
            lines.push(message(now.as_ref(), Some(last)));
        }
        for id in 100..100 + random.random_range(0..4) {
            let gone = row(id, random);
            lines.push(message(None, Some(&gone)));
            lines.push(message(Some(&gone), None));
        }
        lines
    }
}

fn row(id: i64, random: &mut StdRng) -> [Value; 4] {
    let text = ["x", "y", "Z", ""];
    [json!(id), small(random), small(random), maybe(random, |random| json!(text[random.random_range(0..text.len())]))]
}

fn small(random: &mut StdRng) -> Value {
    maybe(random, |random| json!(random.random_range(-2..4)))
}

fn maybe(random: &mut StdRng, value: impl Fn(&mut StdRng) -> Value) -> Value {
    if random.random_bool(0.15) { Value::Null } else { value(random) }
}

fn object(row: &[Value; 4]) -> Value {
    COLUMNS.iter().zip(row).map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn message(before: Option<&[Value; 4]>, after: Option<&[Value; 4]>) -> String {
    let op = match (before, after) {
        (None, _) => "c",
        (Some(_), Some(_)) => "u",
        (Some(_), None) => "d",
    };
    json!({ "before": before.map(object), "after": after.map(object), "op": op }).to_string()
}
