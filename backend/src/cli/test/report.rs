//! Results for people: one line per test, and below a failed one what differs.

use millrace_wire::job_test::{SinkDiff, TestResult};
use millrace_wire::preview::{PreviewRow, ResultColumn};

use super::Suite;

/// Rows of a kind that are printed.
const SHOWN: usize = 20;

pub(super) fn print(suites: &[Suite]) {
    for suite in suites {
        println!("{}", suite.name);
        for result in &suite.results {
            let word = if result.passed { "passed" } else { "FAILED" };
            println!("  {word}  {} ({} ms)", result.name, result.ms);
            why(result).iter().for_each(|line| println!("          {line}"));
        }
    }
    let all = || suites.iter().flat_map(|suite| &suite.results);
    let failed = all().filter(|result| !result.passed).count();
    eprintln!("{} passed, {failed} failed", all().count() - failed);
}

/// Lines that say why a test failed; none when it passed.
pub(super) fn why(result: &TestResult) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(error) = &result.error {
        let place = error.span.as_ref().map_or(String::new(), |span| format!("{}:{}: ", span.line, span.column));
        lines.push(format!("{place}{}", error.message));
        lines.extend(error.hint.clone());
    }
    result.sinks.iter().filter(|sink| !sink.passed).for_each(|sink| differences(sink, &mut lines));
    lines
}

fn differences(sink: &SinkDiff, lines: &mut Vec<String>) {
    lines.push(format!("{}: {} row(s) as expected {}", sink.table, sink.matched, sink.note).trim_end().to_owned());
    let missing = sink.missing.iter().map(|row| format!("- missing     {}", text(row, &sink.columns)));
    let unexpected = sink.unexpected.iter().map(|row| format!("+ unexpected  {}", text(row, &sink.columns)));
    let different = sink.different.iter().flat_map(|pair| {
        let names = pair.columns.iter().filter_map(|column| sink.columns.get(*column as usize));
        let names: Vec<&str> = names.map(|column| column.name.as_str()).collect();
        [
            format!("~ expected    {}", text(&pair.expected, &sink.columns)),
            format!("~ but got     {} (differs in {})", text(&pair.actual, &sink.columns), names.join(", ")),
        ]
    });
    let all: Vec<String> = different.chain(missing).chain(unexpected).collect();
    let more = all.len().saturating_sub(SHOWN);
    lines.extend(all.into_iter().take(SHOWN).map(|line| format!("  {line}")));
    if more > 0 {
        lines.push(format!("  … and {more} more lines"));
    }
}

fn text(row: &PreviewRow, columns: &[ResultColumn]) -> String {
    let named = columns.iter().zip(&row.values);
    let values: Vec<String> = named.map(|(column, value)| format!("{}={value}", column.name)).collect();
    format!("{} {}", row.kind, values.join(" "))
}
