//! What the format of the value has to say about the columns of a table.

use super::*;
use crate::connector::registry::problems;

#[test]
fn the_envelope_of_a_change_is_read_into_metadata_columns() {
    let cluster = Cluster::mock();
    let topic = cluster.topic("envelopes", 1);
    cluster.put(
        &topic,
        0,
        &[
            r#"{"before":null,"after":{"id":1,"name":"a"},"op":"c","ts_ms":1000,"source":{"db":"d","table":"t"}}"#,
            r#"{"before":{"id":1,"name":"a"},"after":{"id":1,"name":"b"},"op":"u","source":{"db":"d","table":"t2"}}"#,
        ],
    );
    let columns = [
        ("o", L::BigInt, "offset"),
        ("t", L::String, "value.source.table"),
        ("at", L::TimestampLtz(3), "value.ingestion-timestamp"),
    ];
    let table = with_metadata(&cluster.bounded(&topic), &columns);
    let table = with_options(&table, &[("format", "debezium-json")]);
    assert_eq!(problems(&table, TableUse::Read), []);
    let rows = read_all(&table, &cluster.context("j-envelope")).unwrap();
    let expected = [
        r#"+I{"id":1,"name":"a","o":0,"t":"t","at":"1970-01-01 00:00:01Z"}"#,
        r#"-U{"id":1,"name":"a","o":1,"t":"t2","at":null}"#,
        r#"+U{"id":1,"name":"b","o":1,"t":"t2","at":null}"#,
    ];
    assert_eq!(rows, expected);
}

#[test]
fn metadata_that_a_format_does_not_have_is_refused() {
    let cluster = Cluster::mock();
    let said = |format: &str, column: (&str, L, &str), use_| {
        let table = with_options(&cluster.table("t", &[]), &[("format", format)]);
        let found = problems(&with_metadata(&table, &[column]), use_);
        found.into_iter().map(|found| found.problem.message).collect::<Vec<_>>().join(" ")
    };
    let table = |ty| ("t", ty, "value.source.table");
    assert_eq!(said("debezium-json", table(L::String), TableUse::Read), "");
    assert!(said("debezium-json", table(L::Int), TableUse::Read).contains("cannot be read as INT"));
    assert!(said("json", table(L::String), TableUse::Read).contains("no metadata 'value.source.table'"));
    assert!(said("canal-json", table(L::String), TableUse::Read).contains("value.pk-names"));
    assert!(said("debezium-json", table(L::String), TableUse::Write).contains("cannot be written"));
    let schema = with_options(&cluster.table("t", &[]), &[("format", "debezium-json")]);
    let schema = with_options(&schema, &[("debezium-json.schema-include", "true")]);
    assert_eq!(problems(&schema, TableUse::Read), []);
    assert_eq!(problems(&schema, TableUse::Write)[0].option, "debezium-json.schema-include");
}
