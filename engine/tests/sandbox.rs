//! A test run of a script with Kafka, PostgreSQL and file sinks changes nothing in any of them, nor the offsets of the
//! group that reads in production.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod sandboxed;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use millrace_engine::connector::{Apart, ConnectorContext};
use millrace_engine::sandbox::NoCommitters;
use millrace_wire::link::{SettledInput, TestRunAssignment};
use millrace_wire::sandbox_target::SandboxKind;
use millrace_wire::test_run::{InputRange, SuppliedRow, TestRunFrom};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use sandboxed::{Told, assignment, files, outcome, place, run, runtime, snapshot};
use serde_json::json;

/// A Kafka and a database that answer nobody: whoever tried to connect would fail.
fn script(folder: &Path, kafka: &str, database: &str) -> String {
    let folder = folder.display();
    format!(
        "CREATE TABLE files_in (id INT, name STRING)
           WITH ('connector' = 'filesystem', 'path' = '{folder}/in', 'format' = 'json');
         CREATE TABLE files_out (id INT, name STRING)
           WITH ('connector' = 'filesystem', 'path' = '{folder}/out', 'format' = 'json');
         CREATE TABLE kafka_out (id INT, name STRING)
           WITH ('connector' = 'kafka', {kafka}, 'format' = 'json', 'sink.delivery-guarantee' = 'exactly-once',
                 'sink.transactional-id-prefix' = 'production');
         CREATE TABLE pg_out (name STRING NOT NULL, n BIGINT, PRIMARY KEY (name) NOT ENFORCED)
           WITH ('connector' = 'postgres', {database});\n"
    )
}

const WRITES: &str = "INSERT INTO files_out SELECT id, name FROM input;
     INSERT INTO kafka_out SELECT id, name FROM input WHERE id > 0;
     INSERT INTO pg_out SELECT name, COUNT(*) FROM input GROUP BY name;";

#[test]
fn rows_are_captured_counted_beyond_the_limit_and_nothing_is_opened() {
    let runtime = runtime();
    let folder = tempfile::tempdir().unwrap();
    files(folder.path());
    let before = snapshot(folder.path());
    let kafka = "'topic' = 'out', 'properties.bootstrap.servers' = '127.0.0.1:1'";
    let database = "'hostname' = '127.0.0.1', 'port' = '1', 'database-name' = 'd', 'username' = 'u', 'password' = 'p', \
                    'table-name' = 't'";
    let sql = format!("{}{}", script(folder.path(), kafka, database), WRITES.replace("input", "files_in"));
    let told = run(&assignment(sql), &runtime);
    assert_eq!(snapshot(folder.path()), before);
    let names: Vec<&str> = told.sinks.iter().map(|sink| sink.table.as_str()).collect();
    assert_eq!(names, ["files_out", "kafka_out", "pg_out"]);
    assert_eq!(told.sinks[1].words, "kafka_out (kafka, topic out) was replaced by a sandbox table.");
    assert_eq!(told.sources.len(), 1);
    let (reason, changes) = told.end.unwrap();
    // The file may end before the sinks are seen to be full.
    assert!(["finished", "row limit"].contains(&reason.as_str()), "{reason}");
    // Of the third, only changes in the net of a batch.
    assert_eq!(changes[..2], [5, 4]);
    assert!(changes[2] >= 2, "{changes:?}");
    let kept: Vec<usize> = told.rows.values().map(Vec::len).collect();
    assert_eq!(kept, [2, 2, 2]);
    assert_eq!(told.inputs["files_in"].len(), 5);
    assert_eq!(told.inputs["files_in"][1].values, json!({"id": 1, "name": "n1"}));
}

#[test]
fn supplied_rows_take_the_place_of_a_source() {
    let runtime = runtime();
    let folder = tempfile::tempdir().unwrap();
    files(folder.path());
    let kafka = "'topic' = 'out', 'properties.bootstrap.servers' = '127.0.0.1:1'";
    let mut test = assignment(format!(
        "CREATE TABLE kafka_in (id INT, name STRING) WITH ('connector' = 'kafka', {kafka}, 'format' = 'json');
         CREATE TABLE files_out (id INT) WITH ('connector' = 'filesystem', 'path' = '{}/out', 'format' = 'json');
         INSERT INTO files_out SELECT id FROM kafka_in;",
        folder.path().display()
    ));
    let row =
        |id: i64| SuppliedRow { kind: millrace_wire::preview::RowKind::Insert, at: None, values: json!({ "id": id }) };
    test.rows.insert("kafka_in".to_owned(), vec![row(7), row(8)]);
    let told = run(&test, &runtime);
    assert_eq!(json!(told.rows[&0][1].values), json!([8]));
    assert!(told.sources[0].supplied);
    assert_eq!(told.sources[0].words, "kafka_in gets the 2 rows that were supplied and is not read.");
}

#[test]
fn kafka_postgresql_and_files_stay_as_they_are_and_so_do_the_offsets_of_production() {
    let server = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (Some(kafka), Some(postgres)) = (server("MILLRACE_TEST_KAFKA"), server("MILLRACE_TEST_POSTGRES_URL")) else {
        println!("skipped: no Apache Kafka or no PostgreSQL; set MILLRACE_TEST_KAFKA and MILLRACE_TEST_POSTGRES_URL");
        return;
    };
    let runtime = runtime();
    let folder = tempfile::tempdir().unwrap();
    files(folder.path());
    let unique = uuid::Uuid::now_v7().simple().to_string();
    let (topic_in, topic_out, group) =
        (format!("sandbox-in-{unique}"), format!("sandbox-out-{unique}"), format!("production-{unique}"));
    let table = format!("sandbox_{unique}");
    runtime.block_on(create(&kafka, &postgres, &[&topic_in, &topic_out], &table));
    commit_offset(&kafka, &topic_in, &group, 2);
    let before = (
        snapshot(folder.path()),
        runtime.block_on(rows_of(&postgres, &table)),
        state(&kafka, &topic_in, &topic_out, &group),
    );

    let (database, address) =
        (database_options(&postgres, &table), format!("'properties.bootstrap.servers' = '{kafka}'"));
    let tables = script(folder.path(), &format!("'topic' = '{topic_out}', {address}"), &database);
    let source = format!(
        "CREATE TABLE kafka_in (id INT, name STRING) WITH ('connector' = 'kafka', 'topic' = '{topic_in}', {address}, \
         'properties.group.id' = '{group}', 'scan.bounded.mode' = 'latest-offset', 'format' = 'json');\n"
    );
    let test = assignment(format!("{tables}{source}{}", WRITES.replace("input", "kafka_in")));
    let told = run(&test, &runtime);
    assert_eq!(told.end.unwrap().1[..2], [5, 4], "all records are read, whatever production has read");

    // From a time: production's group is left alone all the same.
    let timed = TestRunAssignment { from: TestRunFrom::Time, at_ms: Some(1_000), ..test.clone() };
    assert_eq!(run(&timed, &runtime).end.unwrap().1[..2], [5, 4]);

    let after = (
        snapshot(folder.path()),
        runtime.block_on(rows_of(&postgres, &table)),
        state(&kafka, &topic_in, &topic_out, &group),
    );
    assert_eq!(after, before);
    let own = committed(&kafka, &topic_in, &test.identity);
    assert_eq!(own, Offset::Invalid, "the group of the test run commits nothing");

    // Written to sandbox targets, the same holds: other objects get the rows.
    let schema = format!("sandbox_schema_{unique}");
    let elsewhere = tempfile::tempdir().unwrap();
    let prefix = format!("sandbox-target-{unique}.");
    let targets = BTreeMap::from([
        ("files_out".to_owned(), place(SandboxKind::Folder, elsewhere.path().display().to_string())),
        ("kafka_out".to_owned(), place(SandboxKind::TopicPrefix, prefix.clone())),
        ("pg_out".to_owned(), place(SandboxKind::Schema, schema.clone())),
    ]);
    let writing = TestRunAssignment { targets, max_rows: 1_000, ..test.clone() };
    let refused = outcome(&writing, &runtime).err().unwrap();
    assert!(
        refused.starts_with("The sandbox target of pg_out: The table ") && refused.contains("has to exist"),
        "{refused}"
    );

    runtime.block_on(execute(&postgres, &format!("CREATE SCHEMA {schema}")));
    // Nothing that is there already is written, and the first run has made a topic and a folder.
    let taken = outcome(&writing, &runtime).err().unwrap();
    assert!(taken.contains("already"), "{taken}");
    let writing = TestRunAssignment { mark: "5e6f7a8b".to_owned(), ..writing };
    let told = run(&writing, &runtime);
    let (reason, changes) = told.end.unwrap();
    assert_eq!((reason.as_str(), &changes[..2]), ("finished", &[5, 4][..]));
    let target = format!("{prefix}{topic_out}-5e6f7a8b");
    assert_eq!(
        told.sinks[1].words,
        format!(
            "kafka_out (kafka, topic {topic_out}) was replaced by a sandbox table, and by the topic {target}, which was made for this run."
        )
    );
    assert_eq!(ends(&kafka, &target, &group), (0, 4));
    let name = format!("{schema}.{table}_5e6f7a8b");
    let rows = runtime.block_on(rows_of(&postgres, &name));
    let rows: Vec<(&str, i64)> = rows.iter().map(|(name, n, _)| (name.as_str(), *n)).collect();
    assert_eq!(rows, [("n0", 3), ("n1", 2)]);
    let written = snapshot(&elsewhere.path().join("files_out-5e6f7a8b"));
    let lines: usize = written.iter().map(|(_, bytes, _)| bytes.iter().filter(|byte| **byte == b'\n').count()).sum();
    assert_eq!(lines, 5);

    let after = (
        snapshot(folder.path()),
        runtime.block_on(rows_of(&postgres, &table)),
        state(&kafka, &topic_in, &topic_out, &group),
    );
    assert_eq!(after, before, "production is as it was, while the targets hold the rows");
    assert_eq!(committed(&kafka, &topic_in, &test.identity), Offset::Invalid);

    // Each of them goes again, and a second time is no mistake.
    for _ in 0..2 {
        remove(&runtime, "kafka", &[("properties.bootstrap.servers", &kafka)], ("topic", &target));
        let options: Vec<(String, String)> = options_of(&database);
        let options: Vec<(&str, &str)> = options.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        remove(&runtime, "postgres", &options, ("table-name", &name));
    }
    let left = format!("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '{schema}'");
    assert_eq!(runtime.block_on(count(&postgres, &left)), 0);
    assert_eq!(runtime.block_on(rows_of(&postgres, &table)), before.1);
}

/// As the server does for whoever has seen enough of it.
fn remove(runtime: &tokio::runtime::Runtime, connector: &str, options: &[(&str, &str)], (name, value): (&str, &str)) {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let names = BTreeMap::from([(name.to_owned(), value.to_owned())]);
    let apart = Apart::again(connector, options.iter().map(owned).collect(), names, "5e6f7a8b").unwrap();
    let context = ConnectorContext {
        file_roots: Vec::new(),
        identity: "sandbox".to_owned(),
        start_at_ms: None,
        committers: Arc::new(NoCommitters),
        read_only: false,
        bad_records: None,
        batch_rows: 1,
        runtime: runtime.handle().clone(),
    };
    runtime.block_on(apart.remove(&context)).unwrap();
}

/// `'name' = 'value', …`
fn options_of(text: &str) -> Vec<(String, String)> {
    let parts: Vec<&str> = text.split('\'').skip(1).step_by(2).collect();
    parts
        .chunks_exact(2)
        .filter(|pair| pair[0] != "table-name")
        .map(|pair| (pair[0].to_owned(), pair[1].to_owned()))
        .collect()
}

async fn execute(postgres: &str, statement: &str) {
    let pool = sqlx::AnyPool::connect(postgres).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&pool).await.unwrap();
    pool.close().await;
}

async fn count(postgres: &str, query: &str) -> i64 {
    let pool = sqlx::AnyPool::connect(postgres).await.unwrap();
    let (found,): (i64,) = sqlx::query_as(sqlx::AssertSqlSafe(query.to_owned())).fetch_one(&pool).await.unwrap();
    pool.close().await;
    found
}

/// As much as there is, unless another run has settled what is read.
fn settled(max_records: u64, newest: bool, ranges: BTreeMap<String, InputRange>) -> Option<SettledInput> {
    Some(SettledInput { at_ms: 0, max_records, newest, offsets: BTreeMap::new(), ranges })
}

#[test]
fn a_second_run_reads_the_files_that_the_first_one_settled_on() {
    let runtime = runtime();
    let folder = tempfile::tempdir().unwrap();
    files(folder.path());
    let kafka = "'topic' = 'out', 'properties.bootstrap.servers' = '127.0.0.1:1'";
    let database = "'hostname' = '127.0.0.1', 'port' = '1', 'database-name' = 'd', 'username' = 'u', 'password' = 'p', \
                    'table-name' = 't'";
    // A folder that is watched has no end of its own.
    let tables =
        script(folder.path(), kafka, database).replacen("'format'", "'source.monitor-interval' = '1 s', 'format'", 1);
    let mut test = assignment(format!("{tables}INSERT INTO files_out SELECT id, name FROM files_in;"));
    test.max_rows = 1_000;
    test.settled = settled(1_000, false, BTreeMap::new());
    let first = run(&test, &runtime);
    assert_eq!(first.end.unwrap(), ("finished".to_owned(), vec![5]));

    std::fs::write(folder.path().join("in/b.json"), "{\"id\":9,\"name\":\"late\"}\n").unwrap();
    test.settled = settled(1_000, false, first.ranges.clone());
    let second = run(&test, &runtime);
    assert_eq!((second.end.unwrap(), &second.ranges), (("finished".to_owned(), vec![5]), &first.ranges));
    assert_eq!(second.rows, first.rows);
    test.settled = settled(1_000, false, BTreeMap::new());
    assert_eq!(run(&test, &runtime).end.unwrap().1, [6], "one that settles for itself reads the new file");
}

#[test]
fn a_second_run_reads_the_records_that_the_first_one_settled_on_and_kafka_stays_as_it_is() {
    let Some(kafka) = std::env::var("MILLRACE_TEST_KAFKA").ok().filter(|value| !value.is_empty()) else {
        println!("skipped: no Kafka; set MILLRACE_TEST_KAFKA");
        return;
    };
    let runtime = runtime();
    let unique = uuid::Uuid::now_v7().simple().to_string();
    let (topic_in, topic_out, group) =
        (format!("shadow-in-{unique}"), format!("shadow-out-{unique}"), format!("production-{unique}"));
    runtime.block_on(create_topics(&kafka, &[&topic_in, &topic_out]));
    produce(&kafka, &topic_in, 0..5);
    commit_offset(&kafka, &topic_in, &group, 2);
    let before = state(&kafka, &topic_in, &topic_out, &group);

    let address = format!("'properties.bootstrap.servers' = '{kafka}', 'format' = 'json'");
    let mut test = assignment(format!(
        "CREATE TABLE kafka_in (id INT, name STRING) WITH ('connector' = 'kafka', 'topic' = '{topic_in}', {address}, \
         'properties.group.id' = '{group}');
         CREATE TABLE kafka_out (id INT) WITH ('connector' = 'kafka', 'topic' = '{topic_out}', {address});
         INSERT INTO kafka_out SELECT id FROM kafka_in;"
    ));
    test.max_rows = 1_000;
    test.settled = settled(1_000, false, BTreeMap::new());
    let first = run(&test, &runtime);
    assert_eq!(first.end.unwrap(), ("finished".to_owned(), vec![5]), "it ends at the end as it was");
    assert_eq!(state(&kafka, &topic_in, &topic_out, &group), before);

    produce(&kafka, &topic_in, 5..8);
    let before = state(&kafka, &topic_in, &topic_out, &group);
    test.settled = settled(1_000, false, first.ranges.clone());
    let second = run(&test, &runtime);
    assert_eq!((second.end.unwrap().1, &second.ranges), (vec![5], &first.ranges));
    assert_eq!(second.rows, first.rows);

    // At most so many, the first ones, the newest ones, or those from an offset on.
    let ids = |told: Told| told.rows[&0].iter().map(|row| row.values[0].clone()).collect::<Vec<_>>();
    test.settled = settled(2, false, BTreeMap::new());
    assert_eq!(json!(ids(run(&test, &runtime))), json!([0, 1]));
    test.settled = settled(2, true, BTreeMap::new());
    assert_eq!(json!(ids(run(&test, &runtime))), json!([6, 7]));
    let offsets = BTreeMap::from([("kafka_in".to_owned(), "partition:0,offset:3".to_owned())]);
    test.from = TestRunFrom::Table;
    test.settled = settled(2, false, BTreeMap::new()).map(|settled| SettledInput { offsets, ..settled });
    assert_eq!(json!(ids(run(&test, &runtime))), json!([3, 4]));

    assert_eq!(state(&kafka, &topic_in, &topic_out, &group), before);
    assert_eq!(committed(&kafka, &topic_in, &test.identity), Offset::Invalid, "its own group commits nothing either");
}

async fn create_topics(kafka: &str, topics: &[&str]) {
    let admin: AdminClient<_> = ClientConfig::new().set("bootstrap.servers", kafka).create().unwrap();
    let wanted: Vec<NewTopic<'_>> =
        topics.iter().map(|name| NewTopic::new(name, 1, TopicReplication::Fixed(1))).collect();
    for made in admin.create_topics(&wanted, &AdminOptions::new()).await.unwrap() {
        made.unwrap();
    }
}

fn produce(kafka: &str, topic: &str, ids: std::ops::Range<i32>) {
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", kafka).create().unwrap();
    for id in ids {
        let value = format!("{{\"id\":{id},\"name\":\"n{}\"}}", id % 2);
        producer.send(BaseRecord::<(), str>::to(topic).partition(0).payload(&value)).unwrap();
    }
    producer.flush(Duration::from_secs(30)).unwrap();
}

async fn create(kafka: &str, postgres: &str, topics: &[&str], table: &str) {
    create_topics(kafka, topics).await;
    produce(kafka, topics[0], 0..5);
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(postgres).await.unwrap();
    for statement in [
        format!("CREATE TABLE {table} (name TEXT PRIMARY KEY, n BIGINT)"),
        format!("INSERT INTO {table} VALUES ('n0', 1000)"),
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&pool).await.unwrap();
    }
    pool.close().await;
}

/// The rows with the transaction that wrote each, and how many tables there are.
async fn rows_of(postgres: &str, table: &str) -> Vec<(String, i64, String)> {
    let pool = sqlx::AnyPool::connect(postgres).await.unwrap();
    let query = format!("SELECT name, n, CAST(xmin AS TEXT) FROM {table} ORDER BY name");
    let rows = sqlx::query_as(sqlx::AssertSqlSafe(query)).fetch_all(&pool).await.unwrap();
    pool.close().await;
    rows
}

fn database_options(url: &str, table: &str) -> String {
    let (user, place) = url.split_once("://").unwrap().1.split_once('@').unwrap();
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    let (server, database) = place.split_once('/').unwrap();
    let (host, port) = server.split_once(':').unwrap();
    format!(
        "'hostname' = '{host}', 'port' = '{port}', 'database-name' = '{database}', 'username' = '{user}', \
         'password' = '{password}', 'table-name' = '{table}'"
    )
}

fn consumer(kafka: &str, group: &str) -> BaseConsumer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", kafka).set("group.id", group).set("enable.auto.commit", "false");
    config.create().unwrap()
}

fn commit_offset(kafka: &str, topic: &str, group: &str, offset: i64) {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, Offset::Offset(offset)).unwrap();
    consumer(kafka, group).commit(&list, CommitMode::Sync).unwrap();
}

fn committed(kafka: &str, topic: &str, group: &str) -> Offset {
    let mut list = TopicPartitionList::new();
    list.add_partition(topic, 0);
    let found = consumer(kafka, group).committed_offsets(list, Duration::from_secs(30)).unwrap();
    found.find_partition(topic, 0).unwrap().offset()
}

/// Offset of the production group, and where both topics begin and end.
fn state(kafka: &str, topic_in: &str, topic_out: &str, group: &str) -> (Offset, (i64, i64), (i64, i64)) {
    (committed(kafka, topic_in, group), ends(kafka, topic_in, group), ends(kafka, topic_out, group))
}

fn ends(kafka: &str, topic: &str, group: &str) -> (i64, i64) {
    consumer(kafka, group).fetch_watermarks(topic, 0, Duration::from_secs(30)).unwrap()
}
