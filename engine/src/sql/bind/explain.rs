//! EXPLAIN: the plan of a statement as the text that it gives.

use crate::expr::Value;
use crate::plan::dataflow::plan;
use crate::plan::logical::{BoundScript, BoundSink, Rel, RelNode, SinkTarget};
use crate::plan::settings::Settings;
use crate::sql::{Problem, Span};
use crate::types::{Field, LogicalType, Schema, Type};

/// A statement that is not run.
pub(super) struct Explained {
    /// The sink that its text takes the place of.
    pub(super) place: usize,
    pub(super) sink: BoundSink,
    pub(super) span: Span,
}

/// What EXPLAIN gives: one row with one text.
pub(super) fn result(text: &str) -> BoundSink {
    let field = Field::new("result", Type::not_null(LogicalType::String));
    let node = RelNode::Values { rows: vec![vec![Value::string(text)]] };
    BoundSink { target: SinkTarget::Collect, query: Rel { node, schema: Schema::new(vec![field]) } }
}

/// The plan as it would run.
pub(super) fn explain(explained: &Explained, settings: &[(String, String)]) -> Result<String, Vec<Problem>> {
    let failed = |message: &str| vec![Problem::error("unsupported", message, explained.span)];
    let mut script = BoundScript { sinks: vec![explained.sink.clone()], settings: settings.to_vec() };
    crate::plan::rewrite::rewrite(&mut script).map_err(|message| failed(&message))?;
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|_| failed("No resources are left to plan the statement. Try again."))?;
    let endpoints = crate::sql::validate::endpoints(&runtime);
    let placed = |problem: Problem| Problem { span: problem.span.or(Some(explained.span)), ..problem };
    let dataflow = plan(&script, &Settings::default(), &endpoints)
        .map_err(|problems| problems.into_iter().map(placed).collect::<Vec<_>>())?;
    Ok(dataflow.explain())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use crate::catalog::CatalogText;
    use crate::plan::logical::{RelNode, SinkTarget};
    use crate::sql::{bind, bind_all, parse};

    const TABLES: &str = "
CREATE TABLE t (k STRING, v INT) WITH ('connector' = 'filesystem', 'path' = '/in', 'format' = 'json');
CREATE TABLE s (k STRING, n BIGINT) WITH ('connector' = 'print');
";

    fn explained(sql: &str) -> String {
        let script = bind(&format!("{TABLES}{sql}"), &CatalogText::default()).unwrap();
        let [sink] = script.sinks.as_slice() else { panic!("one result") };
        assert!(matches!(sink.target, SinkTarget::Collect), "nothing is written");
        let RelNode::Values { rows } = &sink.query.node else { panic!("a text") };
        rows[0][0].to_string().trim_matches('\'').to_owned()
    }

    #[test]
    fn a_statement_is_explained_from_its_sink_to_its_source() {
        let text = explained("EXPLAIN INSERT INTO s SELECT k, COUNT(*) FROM t WHERE v > 1 GROUP BY k;");
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("Print sink: "), "{text}");
        let place = |start: &str| lines.iter().position(|line| line.trim_start().starts_with(start));
        let aggregate = place("Group aggregate: k [+I -U +U -D, ").unwrap_or_else(|| panic!("{text}"));
        let filter = place("Filter and projection: k [+I, ").unwrap_or_else(|| panic!("{text}"));
        let source = place("Filesystem source: t [+I, ").unwrap_or_else(|| panic!("{text}"));
        assert!(aggregate < filter && filter < source, "{text}");
        let indent = |line: usize| lines[line].len() - lines[line].trim_start().len();
        assert!(indent(aggregate) < indent(filter) && indent(filter) < indent(source), "{text}");
        assert!(explained("EXPLAIN PLAN FOR SELECT * FROM t").starts_with("Result"));
        assert!(explained("EXPLAIN CHANGELOG_MODE SELECT * FROM t").starts_with("Result"));
        assert!(explained("EXPLAIN SELECT a.k FROM t AS a JOIN t AS b ON a.k = b.k").contains("(as above)"));
    }

    #[test]
    fn what_cannot_run_cannot_be_explained() {
        let insert =
            "CREATE TABLE f (k STRING, n BIGINT) WITH ('connector' = 'filesystem', 'path' = '/o', 'format' = 'json');
          EXPLAIN INSERT INTO f SELECT k, COUNT(*) FROM t GROUP BY k;";
        let problems = bind_all(&format!("{TABLES}{insert}"), &CatalogText::default()).problems;
        assert_eq!(problems.first().map(|problem| problem.code), Some("sink-changelog"));
        assert!(parse("EXPLAIN ESTIMATED_COST SELECT 1")[0].message.contains("ESTIMATED_COST"));
    }
}
