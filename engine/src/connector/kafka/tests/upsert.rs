//! Tables that hold the newest row of each key.

use millrace_wire::graph::ChangelogMode;
use rdkafka::Message as _;
use rdkafka::consumer::Consumer as _;

use super::*;
use crate::catalog::{CatalogText, TableDef};
use crate::change::{ChangeBatch, RowKind};
use crate::collect::{CollectSink, RowWriter};
use crate::connector::registry::problems;
use crate::plan::dataflow::{ConnectorEndpoints, plan};
use crate::plan::settings::Settings;
use crate::runtime::{Run, RunCommitters, RunOptions};
use crate::sql::bind;

const OPTIONS: [(&str, &str); 2] = [("key.format", "json"), ("value.format", "json")];

impl Cluster {
    fn upsert_table(&self, topic: &str, options: &[(&str, &str)]) -> TableRef {
        let base = [
            ("connector", "upsert-kafka"),
            ("topic", topic),
            ("properties.bootstrap.servers", self.servers.as_str()),
            ("scan.bounded.mode", "latest-offset"),
        ];
        let table = with_options(&table(&[("id", L::Int), ("name", L::String)], &base), &OPTIONS);
        let mut keyed = TableDef::clone(&with_options(&table, options));
        keyed.primary_key = vec![0];
        Arc::new(keyed)
    }

    /// Keys and values of all records as text; `-` where there is none.
    fn records(&self, topic: &str) -> Vec<String> {
        let table = self.table(topic, &[]);
        let consumer = client::consumer(&client::properties(&table.options).unwrap(), "raw").unwrap();
        let mut found = Vec::new();
        for partition in super::super::source::partitions(&consumer, topic).unwrap() {
            let (low, high) = offset::bounds(&consumer, &partition).unwrap();
            consumer.assign(&offset::offset_list([(&partition, low)].into_iter()).unwrap()).unwrap();
            let deadline = Instant::now() + Duration::from_secs(30);
            let mut next = low;
            while next < high {
                assert!(Instant::now() < deadline, "{next} of {high}");
                let Some(Ok(record)) = consumer.poll(Duration::from_millis(100)) else { continue };
                let text = |bytes: Option<&[u8]>| {
                    bytes.map_or("-".to_owned(), |bytes| String::from_utf8_lossy(bytes).into_owned())
                };
                found.push(format!("{} {}", text(record.key()), text(record.payload())));
                next = record.offset() + 1;
            }
        }
        found
    }
}

/// The rows with these kinds.
fn changes(table: &TableRef, rows: &[(RowKind, &str)]) -> ChangeBatch {
    let all: Vec<&str> = rows.iter().map(|(_, row)| *row).collect();
    ChangeBatch::with_kinds(batch(table, &all).rows, rows.iter().map(|(kind, _)| *kind).collect())
}

#[test]
fn what_is_taken_away_is_a_key_without_a_value() {
    let cluster = Cluster::mock();
    let topic = cluster.topic("upsert", 1);
    let table = cluster.upsert_table(&topic, &[]);
    let context = cluster.context("j-upsert");
    let mut writing = writer(&table, &context);
    let rows = [
        (RowKind::Insert, r#"{"id":1,"name":"a"}"#),
        (RowKind::UpdateAfter, r#"{"id":1,"name":"b"}"#),
        (RowKind::Delete, r#"{"id":2,"name":"c"}"#),
    ];
    writing.write(&changes(&table, &rows)).unwrap();
    writing.prepare(1).unwrap();
    let expected = [r#"{"id":1} {"id":1,"name":"a"}"#, r#"{"id":1} {"id":1,"name":"b"}"#, r#"{"id":2} -"#];
    assert_eq!(cluster.records(&topic), expected);
    let read = read_all(&table, &context).unwrap();
    assert_eq!(read, [r#"+I{"id":1,"name":"a"}"#, r#"+I{"id":1,"name":"b"}"#, r#"-D{"id":2,"name":null}"#]);
}

#[test]
fn of_rows_that_wait_only_the_last_of_each_key_is_written() {
    let cluster = Cluster::mock();
    let topic = cluster.topic("upsert-buffer", 1);
    let options = [("sink.buffer-flush.max-rows", "4"), ("sink.buffer-flush.interval", "1 h")];
    let table = cluster.upsert_table(&topic, &options);
    let mut writing = writer(&table, &cluster.context("j-upsert"));
    let one = |kind, row| changes(&table, &[(kind, row)]);
    writing.write(&one(RowKind::Insert, r#"{"id":1,"name":"a"}"#)).unwrap();
    writing.write(&one(RowKind::Insert, r#"{"id":2,"name":"x"}"#)).unwrap();
    writing.write(&one(RowKind::Delete, r#"{"id":2,"name":"x"}"#)).unwrap();
    writing.poll().unwrap();
    assert_eq!(cluster.records(&topic), Vec::<String>::new());
    writing.write(&one(RowKind::UpdateAfter, r#"{"id":1,"name":"b"}"#)).unwrap();
    writing.write(&one(RowKind::Insert, r#"{"id":3,"name":"c"}"#)).unwrap();
    writing.prepare(1).unwrap();
    let expected = [r#"{"id":2} -"#, r#"{"id":1} {"id":1,"name":"b"}"#, r#"{"id":3} {"id":3,"name":"c"}"#];
    assert_eq!(cluster.records(&topic), expected);
    let hurried = [("sink.buffer-flush.max-rows", "1000"), ("sink.buffer-flush.interval", "1 ms")];
    let topic = cluster.topic("upsert-interval", 1);
    let table = cluster.upsert_table(&topic, &hurried);
    let mut writing = writer(&table, &cluster.context("j-upsert"));
    writing.write(&changes(&table, &[(RowKind::Insert, r#"{"id":1}"#)])).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while cluster.records(&topic).is_empty() {
        assert!(Instant::now() < deadline, "the row was never written");
        writing.poll().unwrap();
    }
}

#[test]
fn the_key_has_its_own_names_and_may_stand_in_the_key_only() {
    let cluster = Cluster::mock();
    let topic = cluster.topic("upsert-prefix", 1);
    let options = [("key.fields-prefix", "i"), ("value.fields-include", "EXCEPT_KEY")];
    let table = cluster.upsert_table(&topic, &options);
    assert_eq!(problems(&table, TableUse::Read), []);
    let context = cluster.context("j-upsert");
    let mut writing = writer(&table, &context);
    writing.write(&changes(&table, &[(RowKind::Insert, r#"{"id":1,"name":"a"}"#)])).unwrap();
    writing.prepare(1).unwrap();
    assert_eq!(cluster.records(&topic), [r#"{"d":1} {"name":"a"}"#]);
    assert_eq!(read_all(&table, &context).unwrap(), [r#"+I{"id":1,"name":"a"}"#]);
    let wrong = cluster.upsert_table(&topic, &[("key.fields-prefix", "x_")]);
    let said: Vec<String> = problems(&wrong, TableUse::Read).into_iter().map(|found| found.problem.message).collect();
    assert_eq!(said.len(), 2, "{said:?}");
}

#[test]
fn a_table_without_key_or_with_a_changelog_format_is_refused() {
    let cluster = Cluster::mock();
    let good = cluster.upsert_table("t", &[]);
    assert_eq!(problems(&good, TableUse::Read), []);
    assert_eq!(problems(&good, TableUse::Write), []);
    let codes = |table: &TableRef| {
        let found = problems(table, TableUse::Write);
        found.into_iter().map(|found| (found.option, found.problem.code)).collect::<Vec<_>>()
    };
    let mut keyless = TableDef::clone(&good);
    keyless.primary_key = Vec::new();
    assert_eq!(codes(&Arc::new(keyless))[0].1, "missing-option");
    let changelog = with_options(&good, &[("value.format", "debezium-json")]);
    assert_eq!(codes(&changelog), [("value.format".to_owned(), "wrong-arguments")]);
    assert_eq!(codes(&with_options(&good, &[("key.fields", "id")]))[0].1, "unknown-option");
    let half = with_options(&good, &[("sink.buffer-flush.max-rows", "5")]);
    assert_eq!(codes(&half), [("sink.buffer-flush.max-rows".to_owned(), "wrong-arguments")]);
    let mut formatless = TableDef::clone(&good);
    formatless.options.remove("key.format");
    assert_eq!(codes(&Arc::new(formatless)), [("key.format".to_owned(), "missing-option")]);
}

#[test]
fn broken_keys_and_values_follow_the_policy_and_leave_nothing() {
    let cluster = Cluster::mock();
    let topic = cluster.topic("upsert-broken", 1);
    let producer: BaseProducer = cluster.config().create().unwrap();
    let put = |key: &str, value: Option<&str>| {
        let mut record = BaseRecord::<str, str>::to(&topic).partition(0).key(key);
        record.payload = value;
        producer.send(record).unwrap();
    };
    put(r#"{"id":1}"#, Some(r#"{"id":1,"name":"a"}"#));
    put("{", Some(r#"{"id":2,"name":"b"}"#));
    put(r#"{"id":3}"#, Some("{"));
    put("", None);
    put(r#"{"id":4}"#, None);
    producer.flush(Duration::from_secs(30)).unwrap();
    let failing = cluster.upsert_table(&topic, &[]);
    assert_eq!(read_all(&failing, &cluster.context("j-upsert")).unwrap_err().code, "bad_record");
    let skipping = cluster.upsert_table(&topic, &[("decode.on-error", "skip")]);
    let rows = read_all(&skipping, &cluster.context("j-upsert")).unwrap();
    assert_eq!(rows, [r#"+I{"id":1,"name":"a"}"#, r#"-D{"id":4,"name":null}"#]);
}

/// From one compacted topic through a query into another, with the changes in between.
fn through(cluster: &Cluster) {
    let (from, to) = (cluster.topic("people", 2), cluster.topic("counts", 1));
    let people = cluster.upsert_table(&from, &[]);
    let mut writing = writer(&people, &cluster.context("j-upsert"));
    let rows = [
        (RowKind::Insert, r#"{"id":1,"name":"a"}"#),
        (RowKind::Insert, r#"{"id":2,"name":"a"}"#),
        (RowKind::Insert, r#"{"id":3,"name":"b"}"#),
        (RowKind::UpdateAfter, r#"{"id":1,"name":"b"}"#),
        (RowKind::Delete, r#"{"id":2,"name":"a"}"#),
        (RowKind::Insert, r#"{"id":4,"name":"c"}"#),
        (RowKind::Delete, r#"{"id":4,"name":"c"}"#),
    ];
    writing.write(&changes(&people, &rows)).unwrap();
    writing.prepare(1).unwrap();
    let ddl = |name: &str, columns: &str, topic: &str| {
        format!(
            "CREATE TABLE {name} ({columns}) WITH ('connector'='upsert-kafka','topic'='{topic}',\
             'properties.bootstrap.servers'='{}','key.format'='json','value.format'='json',\
             'scan.bounded.mode'='latest-offset');",
            cluster.servers
        )
    };
    let tables = ddl("people", "id INT, name STRING, PRIMARY KEY (id) NOT ENFORCED", &from)
        + &ddl("counts", "name STRING, n BIGINT, PRIMARY KEY (name) NOT ENFORCED", &to);
    let counted =
        run(cluster, &format!("{tables} INSERT INTO counts SELECT name, COUNT(*) FROM people GROUP BY name;"));
    assert!(counted.is_empty());
    let mut last = std::collections::BTreeMap::new();
    for record in cluster.records(&to) {
        let (key, value) = record.split_once(' ').unwrap();
        last.insert(key.to_owned(), value.to_owned());
    }
    last.retain(|_, value| value != "-");
    let left: Vec<&str> = last.values().map(String::as_str).collect();
    assert_eq!(left, [r#"{"name":"b","n":2}"#]);
    let changes = run(cluster, &format!("{tables} SELECT id, name FROM people;"));
    assert_eq!(table_of(&changes), [r#"[1,"b"]"#, r#"[3,"b"]"#]);
    assert!(
        changes.contains(&r#"-U[1,"a"]"#.to_owned()) && changes.contains(&r#"-D[2,"a"]"#.to_owned()),
        "{changes:?}"
    );
}

/// What the changes leave; every row that is taken back has to be there.
fn table_of(changes: &[String]) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for change in changes {
        let (kind, row) = change.split_at(2);
        if kind == "+I" || kind == "+U" {
            rows.push(row.to_owned());
        } else {
            let at = rows.iter().position(|held| held == row);
            rows.remove(at.unwrap_or_else(|| panic!("{change} takes back what is not there: {rows:?}")));
        }
    }
    sorted(rows)
}

/// The changes of the script's SELECT.
fn run(cluster: &Cluster, script: &str) -> Vec<String> {
    let bound = bind(script, &CatalogText { default_database: "default".to_owned(), ..CatalogText::default() });
    let bound = bound.unwrap_or_else(|problems| panic!("{problems:?}"));
    let schema = bound.sinks[0].query.schema.clone();
    let changes: Arc<parking_lot::Mutex<Vec<String>>> = Arc::default();
    let (rows, into) = (RowWriter::new(&schema), Arc::clone(&changes));
    let collect = CollectSink::new(move |batch: &ChangeBatch| {
        let row = |row: usize| format!("{}{}", batch.kind(row).mark(), serde_json::Value::Array(rows.row(batch, row)));
        into.lock().extend((0..batch.len()).map(row));
        Ok(())
    });
    let committers = Arc::new(RunCommitters::default());
    let context = ConnectorContext { committers: committers.clone(), ..cluster.context("j-run") };
    let endpoints = ConnectorEndpoints { context, collect: Some(Arc::new(collect)) };
    let dataflow = plan(&bound, &Settings::default(), &endpoints).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(dataflow.nodes[0].changelog, ChangelogMode::Upsert);
    let options = RunOptions {
        store: None,
        run: "test".to_owned(),
        kept: 1,
        committers,
        restored: None,
        next_checkpoint: 1,
        batch_rows: 100,
        state: crate::state::StateOptions::default(),
    };
    let mut run = Run::inline(&dataflow, options).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while run.round().unwrap().is_none() {
        assert!(Instant::now() < deadline, "it does not end");
    }
    let changes = changes.lock();
    changes.clone()
}

#[test]
fn changes_go_from_topic_to_topic() {
    through(&Cluster::mock());
}

#[test]
fn changes_go_from_topic_to_topic_of_apache_kafka() {
    if let Some(cluster) = Cluster::real("upsert") {
        through(&cluster);
    }
}
