//! Results as JUnit XML, which every CI server reads.

use super::Suite;
use super::report::why;

pub(super) fn document(suites: &[Suite]) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for suite in suites {
        let failures = suite.results.iter().filter(|result| !result.passed && result.error.is_none()).count();
        let errors = suite.results.iter().filter(|result| result.error.is_some()).count();
        let ms: u64 = suite.results.iter().map(|result| result.ms).sum();
        text.push_str(&format!(
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{}\">\n",
            escaped(&suite.name),
            suite.results.len(),
            seconds(ms)
        ));
        for result in &suite.results {
            let head = format!(
                "    <testcase classname=\"{}\" name=\"{}\" time=\"{}\"",
                escaped(&suite.name),
                escaped(&result.name),
                seconds(result.ms)
            );
            if result.passed {
                text.push_str(&format!("{head}/>\n"));
                continue;
            }
            let lines = why(result);
            let element = if result.error.is_some() { "error" } else { "failure" };
            let message = escaped(lines.first().map_or("", String::as_str));
            let body = escaped(&lines.join("\n"));
            text.push_str(&format!(
                "{head}>\n      <{element} message=\"{message}\">{body}</{element}>\n    </testcase>\n"
            ));
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

/// XML 1.0 knows no way to write most control characters.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            letter if letter.is_control() => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use millrace_wire::job_test::TestResult;
    use millrace_wire::sql::{Diagnostic, Severity};

    use super::*;

    #[test]
    fn failures_and_errors_are_told_apart_and_text_is_escaped() {
        let result = |name: &str, passed| TestResult {
            test: None,
            name: name.to_owned(),
            passed,
            ms: 1_002,
            error: None,
            sinks: Vec::new(),
        };
        let diagnostic = Diagnostic {
            severity: Severity::Error,
            code: "x".to_owned(),
            message: "no column \"a<b\"\u{0}".to_owned(),
            hint: None,
            span: None,
            replacement: None,
        };
        let broken = TestResult { error: Some(diagnostic), ..result("c", false) };
        let suite = Suite { name: "a & b".to_owned(), results: vec![result("a", true), result("b", false), broken] };
        let text = document(&[suite]);
        assert!(
            text.contains(r#"<testsuite name="a &amp; b" tests="3" failures="1" errors="1" time="3.006">"#),
            "{text}"
        );
        assert!(text.contains(r#"name="a" time="1.002"/>"#), "{text}");
        assert!(text.contains("<error message=\"no column &quot;a&lt;b&quot;\u{fffd}\">"), "{text}");
        assert!(text.contains("<failure message=\"\">"), "{text}");
    }
}
