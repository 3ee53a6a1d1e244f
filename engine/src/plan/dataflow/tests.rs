//! Ids, sharing, changelog modes and what is refused.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod upsert;

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use millrace_wire::graph::{ChangelogMode, DeliveryGuarantee, Guarantee};

use super::{Dataflow, Endpoints, NodeKind, Partitioning, plan};
use crate::catalog::{CatalogText, TableRef};
use crate::collect::CollectSink;
use crate::connector::{Accepts, Sink, SinkWriter, Source, SourceReader, SplitId, SplitStart};
use crate::error::{EngineError, Result};
use crate::plan::settings::Settings;
use crate::sql::{Problem, bind};

/// Sources and sinks that are only planned with.
struct Planned;

/// Its schema, and whether its rows replace each other.
struct PlannedSource(SchemaRef, bool);

/// What it takes, and the transaction that commits it.
struct PlannedSink(Accepts, Option<String>);

impl Endpoints for Planned {
    fn source(&self, table: &TableRef, columns: &[usize]) -> Result<Arc<dyn Source>> {
        let read = table.read_columns();
        let columns: Vec<usize> = columns.iter().map(|column| read[*column]).collect();
        Ok(Arc::new(PlannedSource(table.schema_of(&columns).to_arrow(), table.connector() == "upsert-kafka")))
    }

    fn sink(&self, table: &TableRef) -> Result<Arc<dyn Sink>> {
        let accepts = if table.primary_key.is_empty() { Accepts::Append } else { Accepts::Upsert };
        Ok(Arc::new(PlannedSink(accepts, table.option("path").map(str::to_owned))))
    }

    fn collect(&self) -> Result<Arc<dyn Sink>> {
        Ok(Arc::new(CollectSink::new(|_| Ok(()))))
    }
}

impl Source for PlannedSource {
    fn bounded(&self) -> bool {
        true
    }

    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.0)
    }

    fn changelog(&self) -> bool {
        false
    }

    fn upserts(&self) -> bool {
        self.1
    }

    fn replayable(&self) -> bool {
        true
    }

    fn splits(&self) -> Result<Vec<SplitId>> {
        Ok(Vec::new())
    }

    fn reader(&self, _splits: Vec<SplitStart>) -> Result<Box<dyn SourceReader>> {
        Err(EngineError::internal("only planned"))
    }
}

impl Sink for PlannedSink {
    fn accepts(&self) -> Accepts {
        self.0
    }

    fn guarantee(&self) -> Guarantee {
        Guarantee { level: DeliveryGuarantee::ExactlyOnce, reason: "test".into() }
    }

    fn transaction(&self) -> Option<String> {
        self.1.clone()
    }

    fn writer(&self, _task: usize, _tasks: usize, _restored: Vec<Vec<u8>>) -> Result<Box<dyn SinkWriter>> {
        Err(EngineError::internal("only planned"))
    }
}

const TABLES: &str = "
CREATE TABLE bid (auction BIGINT, bidder BIGINT, price BIGINT, extra STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
  WITH ('connector' = 'filesystem', 'path' = 'bids', 'format' = 'json');
CREATE TABLE out1 (auction BIGINT, n BIGINT) WITH ('connector' = 'filesystem', 'path' = 'o1', 'format' = 'json');
CREATE TABLE out2 (auction BIGINT, n BIGINT) WITH ('connector' = 'filesystem', 'path' = 'o2', 'format' = 'json');
CREATE TABLE keyed (auction BIGINT, n BIGINT, PRIMARY KEY (auction) NOT ENFORCED)
  WITH ('connector' = 'filesystem', 'path' = 'o3', 'format' = 'json');
";

fn planned(sql: &str, parallelism: u32) -> Result<Dataflow, Vec<Problem>> {
    let script = bind(&format!("{TABLES}{sql}"), &CatalogText::default()).expect("the script is right");
    plan(&script, &Settings { parallelism, ..Settings::default() }, &Planned)
}

fn ids(dataflow: &Dataflow) -> Vec<String> {
    dataflow.nodes.iter().map(|node| node.id.to_string()).collect()
}

const WINDOWED: &str =
    "INSERT INTO out1 SELECT auction, COUNT(*) FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '10' SECOND))
  GROUP BY auction, window_start, window_end;";

#[test]
fn ids_are_the_same_each_time_and_at_any_parallelism() {
    let once = planned(WINDOWED, 1).unwrap();
    assert_eq!(ids(&once), ids(&planned(WINDOWED, 1).unwrap()));
    assert_eq!(ids(&once), ids(&planned(WINDOWED, 4).unwrap()));
    let other = WINDOWED.replace("'10'", "'20'");
    let other = planned(&other, 1).unwrap();
    assert_eq!(once.nodes[0].id, other.nodes[0].id, "the source keeps its positions");
    assert_ne!(once.nodes.last().unwrap().id, other.nodes.last().unwrap().id);
}

#[test]
fn several_inserts_read_a_table_once() {
    let sql = "INSERT INTO out1 SELECT auction, price FROM bid WHERE price > 10;
      INSERT INTO out2 SELECT auction, bidder FROM bid WHERE price < 5;";
    let dataflow = planned(sql, 1).unwrap();
    let sources: Vec<_> = dataflow.nodes.iter().filter(|node| node.kind.is_source()).collect();
    assert_eq!(sources.len(), 1);
    let NodeKind::Source { read, .. } = &sources[0].kind else { panic!("a source") };
    assert_eq!(*read, [0, 1, 2, 4], "`extra` is read by nobody");
    assert_eq!(dataflow.to_wire().edges.len(), dataflow.nodes.iter().map(|node| node.inputs.len()).sum::<usize>());
}

#[test]
fn uses_with_other_columns_and_filters_read_a_table_once() {
    let sql = "INSERT INTO out1 SELECT a.auction, b.price FROM bid a JOIN bid b ON a.auction = b.auction AND b.price > 7
      UNION ALL SELECT bidder, COUNT(extra) OVER (PARTITION BY bidder ORDER BY ts) FROM bid /*+ REUSE_SOURCE */ WHERE auction = 1;";
    let dataflow = planned(sql, 2).unwrap();
    let sources: Vec<_> = dataflow.nodes.iter().filter(|node| node.kind.is_source()).collect();
    assert_eq!(sources.len(), 1);
    let NodeKind::Source { read, .. } = &sources[0].kind else { panic!("a source") };
    assert_eq!(*read, [0, 1, 2, 3, 4], "what any use reads");
    let readers = dataflow.nodes.iter().flat_map(|node| &node.inputs).filter(|input| input.from == 0).count();
    assert_eq!(readers, 3, "filters and columns stand above: {:#?}", dataflow.to_wire());
}

#[test]
fn alignment_needs_a_group_a_drift_and_a_watermark() {
    let planned = |options: &str| {
        planned(&format!("INSERT INTO out1 SELECT auction, price FROM bid /*+ OPTIONS({options}) */;"), 1)
    };
    let group = "'scan.watermark.alignment.group' = 'g'";
    let drift = "'scan.watermark.alignment.max-drift' = '5 s'";
    let dataflow = planned(&format!("{group}, {drift}")).unwrap();
    let NodeKind::Source { alignment: Some(alignment), .. } = &dataflow.nodes[0].kind else { panic!("aligned") };
    assert_eq!((alignment.group.as_str(), alignment.max_drift.as_secs()), ("g", 5));
    assert_eq!(planned(group).err().unwrap()[0].code, "missing-option");
    assert_eq!(planned(drift).err().unwrap()[0].code, "missing-option");
}

#[test]
fn a_window_aggregation_assigns_its_windows_itself_and_only_inserts() {
    let dataflow = planned(WINDOWED, 2).unwrap();
    assert!(!dataflow.nodes.iter().any(|node| matches!(node.kind, NodeKind::Window { .. })), "rows are not repeated");
    let aggregate = dataflow.nodes.iter().find(|node| matches!(node.kind, NodeKind::WindowAggregate { .. })).unwrap();
    assert_eq!(aggregate.changelog, ChangelogMode::Append);
    assert!(matches!(&aggregate.inputs[0].partitioning, Partitioning::Hash(keys) if keys.len() == 1));
}

#[test]
fn a_sink_that_takes_no_updates_refuses_an_updating_query() {
    let sql = |table: &str| format!("INSERT INTO {table} SELECT auction, COUNT(*) FROM bid GROUP BY auction;");
    let problems = planned(&sql("out1"), 1).err().unwrap();
    assert_eq!(problems[0].code, "sink-changelog");
    assert!(problems[0].message.contains("out1"), "{}", problems[0].message);
    let dataflow = planned(&sql("keyed"), 1).unwrap();
    assert_eq!(dataflow.to_wire().edges.last().unwrap().changelog, ChangelogMode::Upsert);
}

#[test]
fn filters_and_projections_are_one_step() {
    let sql =
        "INSERT INTO out1 SELECT a, b + 1 FROM (SELECT auction AS a, price AS b FROM bid WHERE price > 1) WHERE b < 9;";
    let dataflow = planned(sql, 1).unwrap();
    let calcs = dataflow.nodes.iter().filter(|node| matches!(node.kind, NodeKind::Calc { .. })).count();
    assert_eq!(calcs, 1, "{:#?}", dataflow.to_wire());
}

#[test]
fn over_several_transactions_nothing_is_exactly_once() {
    let checkpoints = "SET 'execution.checkpointing.interval' = '1 s';";
    let one = "INSERT INTO out1 SELECT auction, price FROM bid;";
    let level = |sql: &str| planned(&format!("{checkpoints}{sql}"), 1).unwrap().guarantee;
    assert_eq!(level(&format!("{one}{one}")).level, DeliveryGuarantee::ExactlyOnce);
    let both = level(&format!("{one}INSERT INTO out2 SELECT auction, price FROM bid;"));
    assert_eq!(both.level, DeliveryGuarantee::AtLeastOnce);
    assert!(both.reason.contains("2 clusters"), "{}", both.reason);
}

#[test]
fn the_idle_timeout_of_a_table_goes_before_that_of_the_job() {
    let timeout = |hint: &str| {
        let sql = format!(
            "SET 'table.exec.source.idle-timeout' = '7 s'; INSERT INTO out1 SELECT auction, price FROM bid {hint};"
        );
        let dataflow = planned(&sql, 1).unwrap();
        let NodeKind::Source { idle_timeout, .. } = &dataflow.nodes[0].kind else { panic!("a source") };
        idle_timeout.as_secs()
    };
    assert_eq!(timeout(""), 7);
    assert_eq!(timeout("/*+ OPTIONS('scan.watermark.idle-timeout' = '3 s') */"), 3);
}

#[test]
fn without_checkpoints_the_guarantee_says_so() {
    let dataflow = planned(WINDOWED, 1).unwrap();
    assert_eq!(dataflow.guarantee.level, DeliveryGuarantee::BestEffort);
    assert!(dataflow.guarantee.reason.contains("Checkpoints"), "{}", dataflow.guarantee.reason);
}

/// Time to live in days, per side, and the clean-up condition of each join and aggregation.
fn kept(sql: &str) -> Vec<String> {
    let days = |ttl: &std::time::Duration| ttl.as_secs() / 86_400;
    let shown = |node: &super::Node| match &node.kind {
        NodeKind::Join { ttl: [left, right], clean, .. } => {
            let clean = clean.each_ref().map(|clean| clean.as_ref().map_or("-".to_owned(), ToString::to_string));
            Some(format!("join {} {} {}", days(left), days(right), clean.join(" ")))
        }
        NodeKind::GroupAggregate { ttl, clean, .. } => {
            Some(format!("group {} {}", days(ttl), clean.as_ref().map_or("-".to_owned(), ToString::to_string)))
        }
        _ => None,
    };
    let sql = format!("SET 'table.exec.state.ttl' = '9 d'; {sql}");
    planned(&sql, 1).unwrap_or_else(|problems| panic!("{problems:?}")).nodes.iter().filter_map(shown).collect()
}

#[test]
fn hints_say_how_long_state_is_kept() {
    let join = |hint: &str| {
        format!(
            "SELECT {hint} a.auction FROM bid AS a JOIN (SELECT auction AS x, extra AS e FROM bid) AS b
             ON a.auction = b.x JOIN bid AS c ON c.auction = a.auction;"
        )
    };
    assert_eq!(kept(&join("")), ["join 9 9 - -"; 2]);
    assert_eq!(kept(&join("/*+ STATE_TTL('a' = '1d', 'c' = '3 d') */")), ["join 1 9 - -", "join 9 3 - -"]);
    let both = "/*+ STATE_TTL('b' = '2d'), STATE_CLEAN('b' = 'e = ''gone''', 'a' = 'a.price > 7') */";
    assert_eq!(kept(&join(both)), ["join 9 2 ($2 > 7) ($1 = 'gone')", "join 9 9 - -"]);
    let group = |hint: &str| format!("SELECT {hint} auction, COUNT(*) FROM bid GROUP BY auction;");
    assert_eq!(kept(&group("/*+ STATE_TTL('bid' = '1d') */")), ["group 1 -"]);
    assert_eq!(kept(&group("/*+ STATE_CLEAN('bid' = 'extra = ''gone''') */")), ["group 9 a row with $1"]);
    let result = group("/*+ STATE_CLEAN('bid' = 'COUNT(*) > 3 AND MAX(price) > auction') */");
    assert_eq!(kept(&result), ["group 9 AND(($1 > 3), ($2 > $0))"]);
    assert_eq!(kept("SELECT /*+ STATE_TTL('bid' = '4d') */ DISTINCT auction FROM bid;"), ["group 4 -"]);
    // Bounded input is kept to its end.
    let batch = format!("SET 'execution.runtime-mode' = 'batch'; {}", group("/*+ STATE_TTL('bid' = '1d') */"));
    assert_eq!(kept(&batch), ["group 0 -"]);
}

#[test]
fn state_survives_another_time_to_live_and_two_of_them_are_two_nodes() {
    let one = |hint: &str| format!("INSERT INTO keyed SELECT {hint} auction, COUNT(*) FROM bid GROUP BY auction;");
    let (day, week) = (one("/*+ STATE_TTL('bid' = '1d') */"), one("/*+ STATE_TTL('bid' = '7d') */"));
    assert_eq!(ids(&planned(&day, 1).unwrap()), ids(&planned(&one(""), 1).unwrap()));
    assert_eq!(kept(&format!("{day}{day}")), ["group 1 -"]);
    assert_eq!(kept(&format!("{day}{week}")), ["group 1 -", "group 7 -"]);
}

/// Checkpoints hold this text: one that was written before there were constants must still fit.
#[test]
fn the_text_of_a_call_says_of_constants_only_where_there_are_any() {
    use crate::expr::Value;
    use crate::plan::logical::{AggregateCall, AggregateFunction};
    use crate::types::{LogicalType, Type};
    let call = |function, constants| AggregateCall {
        function,
        args: vec![1],
        distinct: false,
        filter: None,
        constants,
        return_type: Type::not_null(LogicalType::BigInt),
        user: None,
    };
    assert_eq!(
        format!("{:?}", call(AggregateFunction::Count, Vec::new())),
        "AggregateCall { function: Count, args: [1], distinct: false, filter: None, \
         return_type: Type { logical: BigInt, nullable: false } }"
    );
    let separators =
        [",", ";"].map(|text| format!("{:?}", call(AggregateFunction::ListAgg, vec![Value::string(text)])));
    assert_ne!(separators[0], separators[1]);
}
