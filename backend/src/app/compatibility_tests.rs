#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;

use super::*;

fn reads_as(writer: &str, reader: &str) -> bool {
    let parse = |text: &str| parse_type(text).unwrap().logical;
    reads(&parse(writer), &parse(reader))
}

/// Every type against every other: exactly the pairs of docs/tables.md.
#[test]
fn what_reads_as_what() {
    const TYPES: [&str; 26] = [
        "BOOLEAN",
        "TINYINT",
        "SMALLINT",
        "INT",
        "BIGINT",
        "FLOAT",
        "DOUBLE",
        "DECIMAL(10, 2)",
        "DECIMAL(12, 2)",
        "DECIMAL(19, 0)",
        "CHAR(3)",
        "CHAR(5)",
        "VARCHAR(3)",
        "VARCHAR(5)",
        "STRING",
        "BINARY(3)",
        "VARBINARY(3)",
        "VARBINARY(5)",
        "BYTES",
        "DATE",
        "TIME(0)",
        "TIME(3)",
        "TIMESTAMP(3)",
        "TIMESTAMP(6)",
        "TIMESTAMP_LTZ(3)",
        "TIMESTAMP_LTZ(6)",
    ];
    const WIDENS: [(&str, &[&str]); 18] = [
        (
            "TINYINT",
            &["SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL(10, 2)", "DECIMAL(12, 2)", "DECIMAL(19, 0)"],
        ),
        ("SMALLINT", &["INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL(10, 2)", "DECIMAL(12, 2)", "DECIMAL(19, 0)"]),
        ("INT", &["BIGINT", "DOUBLE", "DECIMAL(12, 2)", "DECIMAL(19, 0)"]),
        ("BIGINT", &["DECIMAL(19, 0)"]),
        ("FLOAT", &["DOUBLE"]),
        ("DECIMAL(10, 2)", &["DECIMAL(12, 2)"]),
        ("CHAR(3)", &["VARCHAR(3)", "VARCHAR(5)", "STRING"]),
        ("CHAR(5)", &["VARCHAR(5)", "STRING"]),
        ("VARCHAR(3)", &["VARCHAR(5)", "STRING"]),
        ("VARCHAR(5)", &["STRING"]),
        ("BINARY(3)", &["VARBINARY(3)", "VARBINARY(5)", "BYTES"]),
        ("VARBINARY(3)", &["VARBINARY(5)", "BYTES"]),
        ("VARBINARY(5)", &["BYTES"]),
        ("TIME(0)", &["TIME(3)"]),
        ("TIMESTAMP(3)", &["TIMESTAMP(6)"]),
        ("TIMESTAMP_LTZ(3)", &["TIMESTAMP_LTZ(6)"]),
        ("BOOLEAN", &[]),
        ("DATE", &[]),
    ];
    for writer in TYPES {
        let wider: &[&str] = WIDENS.iter().find(|(known, _)| *known == writer).map_or(&[], |(_, wider)| *wider);
        for reader in TYPES {
            let expected = writer == reader || wider.contains(&reader);
            assert_eq!(reads_as(writer, reader), expected, "{writer} read as {reader}");
        }
    }
}

#[test]
fn nested_types_widen_inside() {
    for (writer, reader) in [
        ("ARRAY<INT>", "ARRAY<BIGINT>"),
        ("ARRAY<INT NOT NULL>", "ARRAY<INT>"),
        ("MAP<STRING, FLOAT>", "MAP<STRING, DOUBLE>"),
        ("MULTISET<VARCHAR(3)>", "MULTISET<STRING>"),
        ("ROW<a INT, b STRING>", "ROW<b STRING, a BIGINT>"),
        // A field more may be NULL, a field less is left out.
        ("ROW<a INT>", "ROW<a INT, b STRING>"),
        ("ROW<a INT, b STRING>", "ROW<a INT>"),
    ] {
        assert!(reads_as(writer, reader), "{writer} read as {reader}");
    }
    for (writer, reader) in [
        ("ARRAY<BIGINT>", "ARRAY<INT>"),
        ("ARRAY<INT>", "ARRAY<INT NOT NULL>"),
        ("ARRAY<INT>", "MULTISET<INT>"),
        ("MAP<STRING, INT>", "MAP<BYTES, INT>"),
        ("ROW<a INT>", "ROW<a INT, b STRING NOT NULL>"),
        ("ROW<a BIGINT>", "ROW<a INT>"),
        ("ROW<a INT>", "INT"),
    ] {
        assert!(!reads_as(writer, reader), "{writer} read as {reader}");
    }
}

/// `name type`, nullable unless it says NOT NULL.
fn draft(columns: &[&str]) -> TableDraft {
    let column = |text: &&str| {
        let (name, data_type) = text.split_once(' ').unwrap();
        Column {
            name: name.to_owned(),
            data_type: data_type.to_owned(),
            kind: ColumnKind::Physical,
            source: None,
            nullable: true,
            comment: String::new(),
        }
    };
    TableDraft {
        database: "main".to_owned(),
        name: "t".to_owned(),
        comment: String::new(),
        connector: "kafka".to_owned(),
        connection: None,
        format: Some("json".to_owned()),
        options: BTreeMap::new(),
        columns: columns.iter().map(column).collect(),
        event_time: None,
        primary_key: Vec::new(),
    }
}

/// Whether the change is backward and forward compatible.
fn verdict(old: &[&str], new: &[&str]) -> (bool, bool) {
    let (old, new) = (draft(old), draft(new));
    (backward(&old, &new).is_empty(), forward(&old, &new).is_empty())
}

#[test]
fn columns_that_come_and_go() {
    assert_eq!(verdict(&["a INT"], &["a INT", "b STRING"]), (true, true));
    assert_eq!(verdict(&["a INT"], &["a INT", "b STRING NOT NULL"]), (false, true));
    assert_eq!(verdict(&["a INT", "b STRING"], &["a INT"]), (true, true));
    assert_eq!(verdict(&["a INT", "b STRING NOT NULL"], &["a INT"]), (true, false));
    assert_eq!(verdict(&["a INT NOT NULL"], &["b INT NOT NULL"]), (false, false));
}

#[test]
fn columns_that_change() {
    assert_eq!(verdict(&["a INT"], &["a BIGINT"]), (true, false));
    assert_eq!(verdict(&["a BIGINT"], &["a INT"]), (false, true));
    assert_eq!(verdict(&["a INT"], &["a STRING"]), (false, false));
    assert_eq!(verdict(&["a INT NOT NULL"], &["a INT"]), (true, false));
    assert_eq!(verdict(&["a INT"], &["a INT NOT NULL"]), (false, true));
    assert_eq!(verdict(&["a INT", "b INT"], &["b INT", "a INT"]), (true, true));
}

#[test]
fn what_is_not_in_the_rows_does_not_matter() {
    let old = draft(&["a INT"]);
    let mut new = draft(&["a INT", "b INT NOT NULL"]);
    for (kind, source) in [(ColumnKind::Computed, "a + 1"), (ColumnKind::Metadata, "offset")] {
        new.columns[1].kind = kind;
        new.columns[1].source = Some(source.to_owned());
        assert!(backward(&old, &new).is_empty() && forward(&old, &new).is_empty(), "{kind}");
    }
}

#[test]
fn keys_and_formats_hold_in_both_directions() {
    let old = draft(&["a INT"]);
    let mut keyed = draft(&["a INT NOT NULL"]);
    keyed.primary_key = vec!["a".to_owned()];
    assert!(!backward(&old, &keyed).is_empty() && !forward(&old, &keyed).is_empty());
    let mut avro = draft(&["a INT"]);
    avro.format = Some("avro".to_owned());
    assert!(!backward(&old, &avro).is_empty() && !forward(&old, &avro).is_empty());
}

#[test]
fn csv_keeps_its_places() {
    let csv = |columns: &[&str]| TableDraft { format: Some("csv".to_owned()), ..draft(columns) };
    let good = |old: &[&str], new: &[&str]| backward(&csv(old), &csv(new)).is_empty();
    assert!(good(&["a INT", "b INT"], &["a INT", "b INT", "c INT"]));
    assert!(!good(&["a INT", "b INT"], &["b INT", "a INT"]));
    assert!(!good(&["a INT", "b INT"], &["b INT"]));
    assert!(!good(&["a INT", "b INT"], &["a INT", "c INT", "b INT"]));
}

#[test]
fn the_mode_decides_what_counts() {
    let (old, new) = (draft(&["a INT"]), draft(&["a BIGINT"]));
    assert!(against(Compatibility::None, &old, &new).is_empty());
    assert!(against(Compatibility::Backward, &old, &new).is_empty());
    assert_eq!(against(Compatibility::Forward, &old, &new).len(), 1);
    assert_eq!(against(Compatibility::Full, &old, &new), against(Compatibility::Forward, &old, &new));
}
