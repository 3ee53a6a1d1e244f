//! MERGE INTO: which join it becomes, and what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::catalog::CatalogText;
use crate::plan::logical::{JoinKind, Rel, RelNode};
use crate::sql::bind_all;

const TABLES: &str = "SET 'execution.runtime-mode' = 'batch';
CREATE TABLE t (id INT, v INT, note STRING NOT NULL, PRIMARY KEY (id) NOT ENFORCED)
  WITH ('connector' = 'filesystem', 'path' = '/t', 'format' = 'json');
CREATE TABLE s (id INT, v BIGINT, gone BOOLEAN) WITH ('connector' = 'filesystem', 'path' = '/s', 'format' = 'json');
CREATE TABLE keyless (id INT, v INT) WITH ('connector' = 'filesystem', 'path' = '/k', 'format' = 'json');
";

fn joins(rel: &Rel) -> Vec<JoinKind> {
    let own = match &rel.node {
        RelNode::Join { join, .. } => Some(join.kind),
        _ => None,
    };
    own.into_iter().chain(rel.inputs().into_iter().flat_map(joins)).collect()
}

fn merge(clauses: &str) -> String {
    format!("MERGE INTO t USING s ON t.id = s.id {clauses};")
}

fn planned(clauses: &str) -> (Vec<JoinKind>, bool) {
    let bound = bind_all(&format!("{TABLES}{}", merge(clauses)), &CatalogText::default());
    assert!(bound.problems.is_empty(), "{:?}", bound.problems);
    let query = &bound.script.sinks[0].query;
    assert_eq!(query.schema.fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>(), ["id", "v", "note"]);
    (joins(query), matches!(query.node, RelNode::Merge { .. }))
}

const INSERT: &str = "WHEN NOT MATCHED AND NOT s.gone THEN INSERT (id, note) VALUES (s.id, 'new')";

#[test]
fn the_join_is_the_cheapest_that_the_actions_allow() {
    assert_eq!(planned(INSERT), (vec![JoinKind::Anti], false), "rows are only added");
    assert_eq!(planned("WHEN MATCHED THEN DELETE"), (vec![JoinKind::Inner], true));
    assert_eq!(planned("WHEN MATCHED AND s.gone THEN UPDATE SET note = 'gone', v = t.v + 1").0, [JoinKind::Inner]);
    let both = format!("WHEN MATCHED AND s.gone THEN DELETE WHEN MATCHED THEN UPDATE SET t.v = t.v + 1 {INSERT}");
    assert_eq!(planned(&both), (vec![JoinKind::Left], true));
}

/// `text|message` of the only problem.
fn problem(script: &str) -> String {
    let bound = bind_all(script, &CatalogText::default());
    let [problem] = bound.problems.as_slice() else { panic!("{script}: {:?}", bound.problems) };
    let span = problem.span.unwrap();
    format!("{}|{}", &script[span.start..span.end], problem.message)
}

#[test]
fn what_is_wrong_is_said_where_it_stands() {
    let of = |clauses: &str| problem(&format!("{TABLES}{}", merge(clauses)));
    assert!(of("WHEN MATCHED THEN UPDATE SET id = 1").starts_with("id|'id' is in the primary key"));
    assert!(of("WHEN MATCHED THEN UPDATE SET nite = 'x'").starts_with("nite|"));
    assert!(of("WHEN MATCHED THEN UPDATE SET v = s.v").starts_with("s.v|This is BIGINT, and v is INT."));
    assert!(of("WHEN MATCHED THEN UPDATE SET v = 1, v = 2").starts_with("v|'v' is set twice."));
    assert!(of("WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)").contains("note is NOT NULL and gets no value."));
    assert!(of("WHEN NOT MATCHED THEN INSERT VALUES (s.id)").contains("1 value(s) are given for 3 column(s)."));
    let reads_target = of("WHEN NOT MATCHED THEN INSERT (id, note) VALUES (t.id, 'x')");
    assert!(reads_target.starts_with("t.id|There is no column 't.id'"), "{reads_target}");
    let streaming = TABLES.replace("SET 'execution.runtime-mode' = 'batch';", "");
    assert!(problem(&format!("{streaming}{}", merge(INSERT))).contains("bounded input only"));
    let keyless = "MERGE INTO keyless AS k USING s ON k.id = s.id WHEN MATCHED THEN DELETE;";
    assert!(problem(&format!("{TABLES}{keyless}")).starts_with("keyless|MERGE INTO needs a primary key"));
    assert!(problem(&format!("{TABLES}{}", merge(""))).contains("expected WHEN MATCHED"));
}
