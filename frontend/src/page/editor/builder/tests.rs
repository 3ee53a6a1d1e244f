#![allow(clippy::unwrap_used)]
use std::fmt::Write;

use super::assign::{Fit, assigned, fit, left_out};
use super::check::{Gap, gaps};
use super::model::*;
use super::output::outputs;
use super::sql::sql;
use super::value::bare;

/// The engine's tests bind every statement of this file, and compare the columns that come out.
const QUERIES: &str = "../engine/tests/form/queries.sql";

fn column(name: &str, data_type: &str) -> Column {
    Column { name: name.to_owned(), data_type: data_type.to_owned(), event_time: name == "ts", physical: true }
}

/// As `engine/tests/form/tables.sql` makes it.
fn events() -> Source {
    let columns = [
        ("id", "BIGINT NOT NULL"),
        ("channel", "STRING"),
        ("amount", "DECIMAL(10, 2)"),
        ("ratio", "DOUBLE"),
        ("paid", "BOOLEAN"),
        ("day", "DATE"),
        ("opens", "TIME(0)"),
        ("ts", "TIMESTAMP(3)"),
        ("seen", "TIMESTAMP_LTZ(3)"),
        ("order", "INT"),
        ("odd `name", "CHAR(3)"),
        ("payload", "ROW<`a` INT>"),
    ];
    let columns = columns.into_iter().map(|(name, data_type)| column(name, data_type)).collect();
    Source { database: "shop".to_owned(), name: "events".to_owned(), columns }
}

fn visits() -> Source {
    let seen = Column { event_time: true, ..column("seen", "TIMESTAMP_LTZ(3)") };
    Source { database: "shop".to_owned(), name: "visits".to_owned(), columns: vec![column("person", "STRING"), seen] }
}

fn totals() -> Source {
    let columns = [
        ("window_start", "TIMESTAMP(3)"),
        ("channel", "STRING"),
        ("Bids", "INT"),
        ("total", "DECIMAL(38, 2)"),
        ("remark", "STRING"),
    ];
    let columns = columns.into_iter().map(|(name, data_type)| column(name, data_type)).collect();
    Source { database: "shop".to_owned(), name: "totals".to_owned(), columns }
}

fn of(source: Source) -> Query {
    let mut query = Query::default();
    query.take(source);
    query
}

/// One field and no more.
fn lean() -> Query {
    Query { fields: vec![Picked::plain("id")], ..of(events()) }
}

fn condition(id: u32, subject: &str, operator: Operator, value: &str, upper: &str) -> Condition {
    Condition { id, subject: subject.to_owned(), operator, value: value.to_owned(), upper: upper.to_owned() }
}

fn filtered(joined: Joined, list: &[(&str, Operator, &str, &str)]) -> Query {
    let list = list
        .iter()
        .zip(1..)
        .map(|((subject, operator, value, upper), id)| condition(id, subject, *operator, value, upper))
        .collect();
    Query { filters: Conditions { joined, list }, ..lean() }
}

fn aggregate(id: u32, function: Function, column: &str, alias: &str) -> Aggregate {
    Aggregate { id, function, column: column.to_owned(), alias: alias.to_owned() }
}

fn grouped(shape: Shape, keys: &[&str], aggregates: &[(Function, &str, &str)]) -> Query {
    Query {
        shape,
        keys: keys.iter().map(|key| Picked::plain(key)).collect(),
        aggregates: aggregates
            .iter()
            .zip(1..)
            .map(|((function, column, alias), id)| aggregate(id, *function, column, alias))
            .collect(),
        ..of(events())
    }
}

fn windowed(kind: WindowKind, size: (&str, Unit), step: (&str, Unit)) -> Query {
    let length = |(count, unit): (&str, Unit)| Length { count: count.to_owned(), unit };
    let window = Window { kind, size: length(size), step: length(step), shows_start: true, shows_end: true };
    Query { window, ..grouped(Shape::Windowed, &["channel"], &[(Function::CountAll, "", "bids")]) }
}

/// A value that fits each column that has values.
const VALUES: [(&str, &str, &str); 11] = [
    ("id", "-1", "5"),
    ("channel", "it's, 漢", "z"),
    ("amount", "0.50", "10"),
    ("ratio", "1.5e-3", "2"),
    ("paid", "TRUE", ""),
    ("day", "2026-01-31", "2026-02-28"),
    ("opens", "09:30", "18:00:00.5"),
    ("ts", "2026-01-31 09:30", "2026-02-01"),
    ("seen", "2026-01-31T09:30:00", "2026-02-01"),
    ("order", "1", "2"),
    ("odd `name", "abc", "abd"),
];

fn cases() -> Vec<(String, Query)> {
    let mut cases = vec![("every column of a table".to_owned(), of(events()))];
    let renamed = vec![
        Picked { column: "order".to_owned(), alias: "the order".to_owned() },
        Picked { column: "id".to_owned(), alias: "value".to_owned() },
        Picked::plain("odd `name"),
    ];
    cases.push(("columns in the order of ticking, renamed".to_owned(), Query { fields: renamed, ..of(events()) }));
    for operator in Operator::ALL {
        let list: Vec<(&str, Operator, &str, &str)> = events()
            .columns
            .iter()
            .filter(|column| operator.fits(column.kind()))
            .map(|column| {
                let values = VALUES.iter().find(|(name, ..)| *name == column.name);
                let (name, value, upper) = values.copied().unwrap_or(("payload", "", ""));
                (name, *operator, value, upper)
            })
            .collect();
        cases.push((format!("{} of every type that it fits", operator.word()), filtered(Joined::And, &list)));
    }
    let either = [("order", Operator::In, "1, 2,3", ""), ("channel", Operator::In, "web, 'a, b', it's", "")];
    cases.push(("lists, either of them".to_owned(), filtered(Joined::Or, &either)));
    let all = [
        (Function::CountAll, "", ""),
        (Function::Count, "payload", ""),
        (Function::CountDistinct, "channel", ""),
        (Function::Sum, "order", ""),
        (Function::Sum, "amount", "total"),
        (Function::Avg, "order", ""),
        (Function::Avg, "amount", ""),
        (Function::Avg, "ratio", ""),
        (Function::Min, "odd `name", "least"),
        (Function::Max, "seen", ""),
        (Function::Min, "day", ""),
        (Function::Max, "opens", ""),
        (Function::Min, "channel", ""),
    ];
    cases.push(("every function".to_owned(), grouped(Shape::Grouped, &["channel", "order"], &all)));
    cases.push(("one group of all rows".to_owned(), grouped(Shape::Grouped, &[], &[(Function::CountAll, "", "")])));
    let mut having = grouped(
        Shape::Grouped,
        &["channel"],
        &[(Function::CountAll, "", ""), (Function::Max, "ts", ""), (Function::Sum, "amount", "")],
    );
    having.having.list = vec![
        condition(8, "1", Operator::Greater, "10", ""),
        condition(9, "2", Operator::Between, "2026-01-01", "2026-02-01"),
        condition(10, "3", Operator::IsNotNull, "", ""),
    ];
    cases.push(("only some groups".to_owned(), having));
    let minute = ("1", Unit::Minute);
    cases.push(("tumbling windows".to_owned(), windowed(WindowKind::Tumble, ("10", Unit::Minute), minute)));
    cases.push(("hopping windows".to_owned(), windowed(WindowKind::Hop, ("600", Unit::Second), minute)));
    cases.push(("cumulating windows".to_owned(), windowed(WindowKind::Cumulate, ("1", Unit::Day), ("6", Unit::Hour))));
    cases.push(("sessions of each key".to_owned(), windowed(WindowKind::Session, ("30", Unit::Minute), minute)));
    let all_one = Query { keys: Vec::new(), ..windowed(WindowKind::Session, ("30", Unit::Minute), minute) };
    cases.push(("sessions of all rows".to_owned(), all_one));
    let mut filtered_window = windowed(WindowKind::Tumble, ("100", Unit::Second), minute);
    filtered_window.filters.list = vec![condition(5, "paid", Operator::Equal, "TRUE", "")];
    filtered_window.having.list = vec![condition(6, "1", Operator::Greater, "1", "")];
    filtered_window.window.shows_end = false;
    cases.push(("a window with filters, its end not shown".to_owned(), filtered_window.clone()));
    let by_zone = Query {
        source: Some(visits()),
        keys: vec![Picked::plain("person")],
        ..windowed(WindowKind::Hop, ("1", Unit::Hour), ("15", Unit::Minute))
    };
    cases.push(("windows of a time with zone".to_owned(), by_zone));
    cases.push(("into a table, one column converted, one left empty".to_owned(), written(filtered_window)));
    cases
}

/// Into `totals`: the count is converted, nothing goes into the remark.
fn written(query: Query) -> Query {
    let mut query = query;
    query.aggregates.push(aggregate(2, Function::Sum, "amount", ""));
    query.inserts = true;
    query.target.table = Some(totals());
    query.target.casts.insert("Bids".to_owned());
    query.target.choices.insert("total".to_owned(), Choice::Output("aggregate 2".to_owned()));
    query
}

fn file() -> String {
    let mut text = String::from(
        "-- What the console's form writes. Its tests keep this file; FORM_QUERIES=write writes it anew.\n\
         -- The engine's tests bind every statement and compare the columns.\n",
    );
    for (name, query) in cases() {
        assert_eq!(gaps(&query), vec![], "{name}");
        let columns: Vec<String> = if query.inserts {
            assigned(&query).iter().map(|one| column_text(&one.column.name, &one.column.data_type)).collect()
        } else {
            outputs(&query).iter().map(|output| column_text(&output.name, &output.data_type)).collect()
        };
        let _ = write!(text, "\n-- case {name}\n-- columns {}\n{}\n", columns.join(" | "), sql(&query));
    }
    text
}

fn column_text(name: &str, data_type: &str) -> String {
    format!("{name}: {}", bare(data_type))
}

#[test]
fn queries_are_those_that_the_engine_is_tested_with() {
    let text = file();
    if std::env::var("FORM_QUERIES").is_ok_and(|word| word == "write") {
        std::fs::write(QUERIES, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(QUERIES).unwrap(), text);
}

#[test]
fn a_statement_reads_as_a_person_would_write_it() {
    let mut query = windowed(WindowKind::Hop, ("1", Unit::Hour), ("15", Unit::Minute));
    query.filters.list = vec![
        condition(1, "channel", Operator::Like, "it's%", ""),
        condition(2, "order", Operator::GreaterOrEqual, "3", ""),
    ];
    query.having.list = vec![condition(3, "1", Operator::Greater, "100", "")];
    let expected = "SELECT
  window_start,
  window_end,
  channel,
  COUNT(*) AS bids
FROM TABLE(
  HOP(TABLE shop.events, DESCRIPTOR(ts), INTERVAL '15' MINUTE, INTERVAL '1' HOUR)
)
WHERE channel LIKE 'it''s%'
  AND `order` >= 3
GROUP BY window_start, window_end, channel
HAVING COUNT(*) > 100;";
    assert_eq!(sql(&query), expected);
}

#[test]
fn what_is_not_complete_is_left_out_and_named() {
    let query = filtered(
        Joined::And,
        &[
            ("id", Operator::Equal, "", ""),
            ("id", Operator::Between, "1", ""),
            ("order", Operator::In, "1, x", ""),
            ("payload", Operator::Equal, "1", ""),
            ("gone", Operator::IsNull, "", ""),
            ("channel", Operator::Equal, "", ""),
        ],
    );
    assert_eq!(sql(&query), "SELECT\n  id\nFROM shop.events\nWHERE channel = '';");
    assert_eq!(gaps(&query), (1..=5).map(Gap::Value).collect::<Vec<_>>());
    assert_eq!((sql(&Query::default()), gaps(&Query::default())), (String::new(), vec![Gap::Table]));
    let nothing = Query { fields: Vec::new(), ..of(events()) };
    assert_eq!((sql(&nothing), gaps(&nothing)), (String::new(), vec![Gap::Fields]));
    let wrong = grouped(Shape::Grouped, &[], &[(Function::Sum, "channel", "")]);
    assert_eq!(gaps(&wrong), vec![Gap::Of(1)]);
}

#[test]
fn lengths_of_windows_are_whole_and_fit_each_other() {
    let gaps_of = |kind, size, step| gaps(&windowed(kind, size, step));
    let minute = ("1", Unit::Minute);
    assert_eq!(gaps_of(WindowKind::Tumble, ("0", Unit::Minute), minute), vec![Gap::Size]);
    assert_eq!(gaps_of(WindowKind::Tumble, ("1.5", Unit::Hour), ("x", Unit::Day)), vec![Gap::Size]);
    assert_eq!(gaps_of(WindowKind::Hop, ("10", Unit::Minute), ("", Unit::Minute)), vec![Gap::Step]);
    assert_eq!(gaps_of(WindowKind::Cumulate, ("90", Unit::Second), minute), vec![Gap::Multiple]);
    assert_eq!(gaps_of(WindowKind::Hop, ("2", Unit::Hour), ("30", Unit::Minute)), vec![]);
    let mut without = windowed(WindowKind::Tumble, minute, minute);
    without.source.as_mut().unwrap().columns.iter_mut().for_each(|column| column.event_time = false);
    assert_eq!(gaps(&without), vec![Gap::EventTime]);
}

#[test]
fn results_get_names_that_differ() {
    let query = grouped(
        Shape::Grouped,
        &["channel"],
        &[(Function::CountAll, "", ""), (Function::CountAll, "", ""), (Function::Sum, "amount", " all ")],
    );
    let names: Vec<String> = outputs(&query).into_iter().map(|output| output.name).collect();
    assert_eq!(names, ["channel", "row_count", "row_count_2", "all"]);
}

#[test]
fn columns_of_the_target_are_matched_by_name_and_type() {
    let mut query = written(grouped(Shape::Grouped, &["channel", "day"], &[(Function::CountAll, "", "bids")]));
    let found: Vec<(String, Fit, bool)> =
        assigned(&query).into_iter().map(|one| (one.column.name.clone(), one.fit, one.is_settled())).collect();
    let expected = [
        ("window_start", Fit::Fits, true),
        ("channel", Fit::Fits, true),
        ("Bids", Fit::Convertible, true),
        ("total", Fit::Fits, true),
        ("remark", Fit::Fits, true),
    ];
    assert_eq!(found, expected.map(|(name, fit, settled)| (name.to_owned(), fit, settled)));
    assert_eq!(left_out(&query), ["day"]);
    query.target.casts.clear();
    assert_eq!(gaps(&query), vec![Gap::Column("Bids".to_owned(), Fit::Convertible)]);
    query.target.choices.insert("Bids".to_owned(), Choice::Null);
    assert_eq!(gaps(&query), vec![]);
    query.target.table.as_mut().unwrap().columns[2].data_type = "INT NOT NULL".to_owned();
    assert_eq!(gaps(&query), vec![Gap::Column("Bids".to_owned(), Fit::NeedsValue)]);
    query.target.table = None;
    assert_eq!(gaps(&query), vec![Gap::Target]);
}

#[test]
fn types_fit_as_the_planner_has_it() {
    for (from, to, expected) in [
        ("INT", "BIGINT NOT NULL", Fit::Fits),
        ("BIGINT", "INT", Fit::Convertible),
        ("DOUBLE", "DECIMAL(10, 2)", Fit::Fits),
        ("DOUBLE", "FLOAT", Fit::Convertible),
        ("DECIMAL(10, 2)", "BIGINT", Fit::Convertible),
        ("BIGINT", "STRING", Fit::Convertible),
        ("STRING", "BIGINT", Fit::Convertible),
        ("STRING", "CHAR(3)", Fit::Fits),
        ("TIMESTAMP(3)", "DATE", Fit::Fits),
        ("DATE", "TIMESTAMP_LTZ(3)", Fit::Fits),
        ("TIME(0)", "TIMESTAMP(3)", Fit::Convertible),
        ("BOOLEAN", "INT", Fit::Convertible),
        ("DATE", "BOOLEAN", Fit::Never),
        ("BIGINT", "TIMESTAMP(3)", Fit::Never),
        ("ROW<`a` INT>", "ROW<`a` INT> NOT NULL", Fit::Fits),
        ("ROW<`a` INT>", "ARRAY<INT>", Fit::Never),
        ("BYTES", "VARBINARY(10)", Fit::Fits),
    ] {
        assert_eq!(fit(from, to), expected, "{from} into {to}");
    }
}

#[test]
fn another_table_begins_anew_and_keeps_the_target() {
    let mut query = written(windowed(WindowKind::Tumble, ("10", Unit::Minute), ("1", Unit::Minute)));
    query.take(visits());
    assert_eq!((query.shape, query.filters.list.len(), query.target.choices.len()), (Shape::Plain, 0, 0));
    assert_eq!(query.fields, [Picked::plain("person"), Picked::plain("seen")]);
    assert_eq!(query.target.table, Some(totals()));
}
