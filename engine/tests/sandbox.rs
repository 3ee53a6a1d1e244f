//! A test run of a script with Kafka, PostgreSQL and file sinks changes nothing in any of them, nor the offsets of the
//! group that reads in production.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use crossbeam_channel::bounded;
use millrace_engine::link::test_run::test_run;
use millrace_wire::link::{SettledInput, TestRunAssignment};
use millrace_wire::preview::PreviewRow;
use millrace_wire::test_run::{InputRange, SuppliedRow, TestRunEvent, TestRunFrom, TestRunSink, TestRunSource};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::json;

fn assignment(sql: String) -> TestRunAssignment {
    TestRunAssignment {
        sql,
        tables: BTreeMap::new(),
        functions: BTreeMap::new(),
        secrets: BTreeMap::new(),
        default_database: "main".to_owned(),
        from: TestRunFrom::Earliest,
        at_ms: None,
        rows: BTreeMap::new(),
        max_rows: 2,
        max_seconds: 60,
        memory_limit_mb: 0,
        parallelism: 2,
        file_roots: Vec::new(),
        identity: format!("sandbox-{}", uuid::Uuid::now_v7().simple()),
        settled: None,
    }
}

#[derive(Default)]
struct Told {
    sinks: Vec<TestRunSink>,
    sources: Vec<TestRunSource>,
    rows: BTreeMap<u32, Vec<PreviewRow>>,
    inputs: BTreeMap<String, Vec<SuppliedRow>>,
    ranges: BTreeMap<String, InputRange>,
    end: Option<(String, Vec<u64>)>,
}

fn run(assignment: &TestRunAssignment, runtime: &tokio::runtime::Runtime) -> Told {
    let told = Mutex::new(Told::default());
    let (_open, closed) = bounded(1);
    let outcome = test_run(assignment, runtime.handle().clone(), &closed, &|event| {
        let mut told = told.lock().unwrap();
        match event.clone() {
            TestRunEvent::Planned { sinks, sources } => (told.sinks, told.sources) = (sinks, sources),
            TestRunEvent::Rows { sink, rows } => told.rows.entry(sink).or_default().extend(rows),
            TestRunEvent::Inputs { rows } => told.inputs = rows,
            TestRunEvent::Settled { ranges } => told.ranges = ranges,
            TestRunEvent::End { reason, progress } => told.end = Some((reason, progress.changes)),
            TestRunEvent::Progress { .. } | TestRunEvent::Failed { .. } => {}
        }
    });
    outcome.unwrap_or_else(|diagnostic| panic!("{diagnostic:?}"));
    told.into_inner().unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Names, bytes and times of change of everything below.
fn snapshot(folder: &Path) -> Vec<(String, Vec<u8>, std::time::SystemTime)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        let facts = std::fs::metadata(&path).unwrap();
        let mut bytes = Vec::new();
        if facts.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            bytes = std::fs::read(&path).unwrap();
        }
        found.push((path.display().to_string(), bytes, facts.modified().unwrap()));
    }
    found.sort();
    found
}

fn files(folder: &Path) {
    let lines: String = (0..5).map(|id| format!("{{\"id\":{id},\"name\":\"n{}\"}}\n", id % 2)).collect();
    std::fs::create_dir(folder.join("in")).unwrap();
    std::fs::create_dir(folder.join("out")).unwrap();
    std::fs::write(folder.join("in/a.json"), lines).unwrap();
    std::fs::write(folder.join("out/part-0"), "{\"id\":100}\n").unwrap();
    std::fs::write(folder.join("out/.hidden.inprogress"), "half a row").unwrap();
}

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
    let reader = consumer(kafka, group);
    let ends = |topic: &str| reader.fetch_watermarks(topic, 0, Duration::from_secs(30)).unwrap();
    (committed(kafka, topic_in, group), ends(topic_in), ends(topic_out))
}
