//! A case file, section by section.

use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(crate) struct Case {
    pub(crate) batch: bool,
    pub(crate) config: Vec<(String, String)>,
    pub(crate) tables: String,
    pub(crate) inputs: BTreeMap<String, String>,
    /// Names of inputs, one mention per row.
    pub(crate) arrival: Option<Vec<String>>,
    pub(crate) query: String,
    pub(crate) key: Vec<String>,
    pub(crate) compare: Compare,
    /// Name and type without nullability.
    pub(crate) columns: Vec<(String, String)>,
    pub(crate) expected: Option<Vec<String>>,
    pub(crate) last: Vec<String>,
    /// Category of the error.
    pub(crate) error: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Compare {
    #[default]
    Changelog,
    Ordered,
    Final,
}

const WORDS: [&str; 14] = [
    "about",
    "mode",
    "config",
    "tables",
    "input",
    "arrival",
    "query",
    "key",
    "compare",
    "columns",
    "expected-error",
    "expected",
    "final",
    "position",
];

impl Case {
    pub(crate) fn parse(text: &str) -> Self {
        let mut case = Case::default();
        let mut sections: Vec<(String, String, Vec<&str>)> = Vec::new();
        for line in text.lines() {
            let header = line.strip_prefix("-- ").map(|rest| rest.split_once(' ').unwrap_or((rest, "")));
            match header.filter(|(word, _)| WORDS.contains(word)) {
                Some((word, rest)) => sections.push((word.to_owned(), rest.trim().to_owned(), Vec::new())),
                None => {
                    if let Some((_, _, body)) = sections.last_mut() {
                        body.push(line);
                    }
                }
            }
        }
        for (word, rest, body) in sections {
            let lines =
                || body.iter().filter(|line| !line.is_empty()).map(|line| (*line).to_owned()).collect::<Vec<_>>();
            match word.as_str() {
                "mode" => case.batch = rest == "batch",
                "config" => case.config = lines().iter().filter_map(|line| pair(line)).collect(),
                "tables" => case.tables = body.join("\n"),
                "input" => {
                    let rows: String = body.iter().map(|line| format!("{line}\n")).collect();
                    case.inputs.insert(rest, rows);
                }
                "arrival" => {
                    case.arrival =
                        Some(lines().iter().flat_map(|line| line.split_whitespace()).map(str::to_owned).collect())
                }
                "query" => case.query = body.join("\n").trim_end().to_owned(),
                "key" => case.key = rest.split(',').map(|name| name.trim().to_owned()).collect(),
                "compare" => case.compare = if rest == "ordered" { Compare::Ordered } else { Compare::Final },
                "columns" => case.columns = lines().iter().map(|line| column(line)).collect(),
                "expected" => case.expected = Some(lines()),
                "final" => case.last = lines(),
                "expected-error" => {
                    let first = if rest.is_empty() { lines().first().cloned().unwrap_or_default() } else { rest };
                    case.error = Some(first.split_whitespace().next().unwrap_or_default().to_owned());
                }
                _ => {}
            }
        }
        case
    }
}

fn pair(line: &str) -> Option<(String, String)> {
    line.split_once('=').map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
}

fn column(line: &str) -> (String, String) {
    let (name, ty) = line.split_once(' ').unwrap_or((line, ""));
    (name.to_owned(), ty.replace(" NOT NULL", ""))
}
