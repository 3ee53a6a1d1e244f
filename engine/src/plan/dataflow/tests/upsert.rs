//! Rows by key.

use super::*;

fn has(dataflow: &Dataflow, is: impl Fn(&NodeKind) -> bool) -> bool {
    dataflow.nodes.iter().any(|node| is(&node.kind))
}

#[test]
fn a_keyed_sink_whose_rows_may_share_a_key_keeps_them_apart() {
    let materializes =
        |sql: &str| has(&planned(sql, 2).unwrap(), |kind| matches!(kind, NodeKind::UpsertMaterialize { .. }));
    assert!(!materializes("INSERT INTO keyed SELECT auction, COUNT(*) FROM bid GROUP BY auction;"));
    assert!(!materializes("INSERT INTO keyed SELECT auction, price FROM bid;"), "nothing is ever taken back");
    assert!(materializes("INSERT INTO keyed SELECT COUNT(*), auction FROM bid GROUP BY auction;"));
    let renamed = "INSERT INTO keyed SELECT a, n + 1 FROM (SELECT auction AS a, COUNT(*) AS n FROM bid GROUP BY auction) WHERE n < 5;";
    assert!(!materializes(renamed));
    let two = "INSERT INTO keyed SELECT auction, SUM(n) FROM (SELECT auction, bidder, COUNT(*) AS n FROM bid GROUP BY auction, bidder) GROUP BY auction;";
    assert!(!materializes(two));
    assert!(materializes("INSERT INTO keyed SELECT auction, COUNT(*) FROM bid GROUP BY auction, bidder;"));
}

#[test]
fn what_merge_takes_back_reaches_its_target() {
    let merge = |clauses: &str| {
        let sql = format!(
            "SET 'execution.runtime-mode' = 'batch'; MERGE INTO keyed AS t USING bid AS s ON t.auction = s.auction {clauses};"
        );
        planned(&sql, 2).unwrap_or_else(|problems| panic!("{problems:?}"))
    };
    let both = merge(
        "WHEN MATCHED AND s.price > 9 THEN DELETE WHEN MATCHED THEN UPDATE SET n = t.n + 1
         WHEN NOT MATCHED THEN INSERT VALUES (s.auction, 1)",
    );
    assert!(has(&both, |kind| matches!(kind, NodeKind::Merge { .. })));
    assert!(!has(&both, |kind| matches!(kind, NodeKind::UpsertMaterialize { .. })), "it would leave unknown rows out");
    assert_eq!(both.to_wire().edges.last().unwrap().changelog, ChangelogMode::Upsert);
    let inserts = merge("WHEN NOT MATCHED THEN INSERT VALUES (s.auction, 1)");
    assert!(!has(&inserts, |kind| matches!(kind, NodeKind::Merge { .. })));
    assert_eq!(inserts.to_wire().edges.last().unwrap().changelog, ChangelogMode::Append);
}

#[test]
fn rows_by_key_are_made_a_changelog_before_anything_else() {
    let people = "CREATE TABLE people (id INT, name STRING, extra STRING, PRIMARY KEY (id) NOT ENFORCED) WITH (
      'connector' = 'upsert-kafka', 'topic' = 't', 'properties.bootstrap.servers' = 'localhost:1',
      'key.format' = 'json', 'value.format' = 'json');";
    let script = bind(&format!("{people} SELECT name FROM people;"), &CatalogText::default());
    let script = script.unwrap_or_else(|problems| panic!("{problems:?}"));
    let dataflow = plan(&script, &Settings { parallelism: 2, ..Settings::default() }, &Planned).unwrap();
    let [source, normalize, ..] = dataflow.nodes.as_slice() else { panic!("a source and more") };
    assert_eq!((source.changelog, normalize.changelog), (ChangelogMode::Upsert, ChangelogMode::Retract));
    let NodeKind::Source { used, .. } = &source.kind else { panic!("a source") };
    assert_eq!(used, &[0, 1], "the key is read though nobody asks for it");
    assert!(matches!(&normalize.inputs[0].partitioning, Partitioning::Hash(keys) if keys == &[0]));
    assert!(normalize.state.contains("name STRING") && !normalize.state.contains("extra"), "{}", normalize.state);
}
