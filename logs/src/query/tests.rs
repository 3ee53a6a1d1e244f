#![allow(clippy::unwrap_used)]

use millrace_wire::ids::{JobId, RunId};
use millrace_wire::log::LogLevel;
use proptest::prelude::*;

use super::*;
use crate::line::{Line, Source, Stream};

const NOW: i64 = 1_795_428_000_000;

fn line(message: &str) -> Line {
    Line {
        stream: Stream::Run(RunId(uuid::Uuid::from_u128(7))),
        seq: 12,
        at: NOW,
        level: LogLevel::Warn,
        source: Source::Worker,
        organisation: "acme".into(),
        team: "shop".into(),
        job: Some(JobId(uuid::Uuid::from_u128(9))),
        job_name: "Orders per minute".into(),
        attempt: 3,
        worker: "host-a:4711".into(),
        operator: "join_2".into(),
        version: "v4".into(),
        target: "engine::kafka_source".into(),
        message: message.into(),
    }
}

fn finds(query: &str, message: &str) -> bool {
    let line = line(message);
    Query::parse(query, NOW).unwrap().matches(&LineWords::of(&line))
}

fn fails(query: &str) -> (Range<usize>, String) {
    let error = Query::parse(query, NOW).unwrap_err();
    (error.span, error.message)
}

#[test]
fn words_have_to_be_there_all_in_any_order() {
    assert!(finds("broker away", "away is the Broker"));
    assert!(!finds("broker away", "the broker is back"));
    assert!(finds("", "anything"));
    assert!(finds("*", "anything"));
    assert!(finds("= --", "anything"));
}

#[test]
fn a_phrase_stands_in_its_order() {
    assert!(finds("\"broker is away\"", "The broker is away."));
    assert!(!finds("\"broker is away\"", "away is the broker"));
    assert!(finds(r#""say \"no\" twice""#, "say no twice"));
}

#[test]
fn identifiers_are_found_whole_and_by_their_parts() {
    let message = "maxPollRecords=500 of kafka_source, /var/log/x.log 0xdeadBEEF HTTPServer 42ms";
    for query in [
        "maxPollRecords",
        "maxpollrecords",
        "poll",
        "records",
        "kafka_source",
        "kafka",
        "source",
        "/var/log",
        "x.log",
        "0xDEADBEEF",
        "httpserver",
        "HTTPServer",
        "server",
        "42ms",
        "maxPollRecords=500",
        "\"kafka_source /var\"",
        "kaf*",
        "kafka_sou*",
        "maxPo*",
    ] {
        assert!(finds(query, message), "{query}");
    }
    for query in ["ollRec", "source_kafka", "x.var", "dead", "42"] {
        assert!(!finds(query, message), "{query}");
    }
}

#[test]
fn other_scripts_are_found() {
    assert!(finds("检查点", "作业的检查点失败了"));
    assert!(!finds("查检", "作业的检查点失败了"));
    assert!(finds("チェック", "チェックポイント"));
    assert!(finds("straße", "Die STRASSE heißt Straße"));
    assert!(finds("ошибка", "Ошибка записи"));
}

#[test]
fn fields_hold_their_value() {
    for query in [
        "level:warn",
        "level:warning",
        "level:>=warn",
        "level:>=info",
        "level:(error OR warn)",
        "job_name:\"orders per minute\"",
        "job_name:ord*",
        "team:SHOP",
        "run:00000000-0000-0000-0000-000000000007",
        "attempt:3",
        "attempt:>2",
        "attempt:[1 TO 3]",
        "attempt:>=3",
        "worker:host-a:4711",
        "operator:join_2",
        "source:worker",
        "target:kafka",
        "target:engine::kafka_source",
        "target:eng*",
        "version:v4",
        "operator:*",
        "time:2026-11-23",
        "time:>now-1h",
        "time:[2026-11-22 TO 2026-11-23]",
        "time:<=now",
        "organisation:acme",
        "seq:12",
        "message:hello",
        "LEVEL:warn",
    ] {
        assert!(finds(query, "hello"), "{query}");
    }
    for query in [
        "level:error",
        "level:>warn",
        "level:<warn AND level:>warn",
        "job_name:orders",
        "attempt:{1 TO 3}",
        "attempt:<3",
        "team:sho",
        "time:<2026-11-23",
        "time:>now",
        "time:{now TO *]",
        "NOT hello",
        "-hello",
        "source:server",
        "message:bye",
    ] {
        assert!(!finds(query, "hello"), "{query}");
    }
}

#[test]
fn and_binds_before_or_and_brackets_before_both() {
    assert!(finds("a b OR c", "c"));
    assert!(finds("a AND b OR c", "a b"));
    assert!(!finds("a AND (b OR c)", "c"));
    assert!(finds("a -b", "a c"));
    assert!(finds("NOT (a b)", "a"));
    assert!(!finds("NOT NOT a", "b"));
}

#[test]
fn errors_say_where_and_what_to_do() {
    assert_eq!(fails("foo AND"), (4..7, "After AND something to look for is missing.".into()));
    assert_eq!(fails("OR foo"), (0..2, "Before OR something to look for is missing.".into()));
    assert_eq!(fails("a (b"), (2..3, "This bracket is not closed.".into()));
    assert_eq!(fails("a b)"), (3..4, "This bracket closes nothing.".into()));
    assert_eq!(fails("x \"abc"), (2..6, "The closing quotation mark is missing.".into()));
    assert_eq!(fails("level:loud").0, 6..10);
    assert_eq!(fails("colour:red").0, 0..6);
    assert_eq!(fails("attempt:many").0, 8..12);
    assert_eq!(fails("a*b*"), (1..2, "A star can stand at the end of a word only.".into()));
    assert_eq!(fails("time:soon").0, 5..9);
    assert_eq!(fails("team:>a").0, 6..7);
    assert_eq!(fails("level: error").0, 0..6);
    assert_eq!(fails("attempt:[1 2]").0, 8..13);
    assert!(Query::parse("error: no such topic", NOW).is_ok());
    assert!(Query::parse("engine::kafka http://host", NOW).is_ok());
}

#[test]
fn deep_and_long_queries_are_refused() {
    assert!(Query::parse(&"(".repeat(3000), NOW).is_err());
    assert!(Query::parse(&"NOT ".repeat(900), NOW).is_err());
    assert!(Query::parse(&"-".repeat(4000), NOW).is_ok());
    assert!(Query::parse(&"a ".repeat(250), NOW).is_err());
    assert!(Query::parse(&"a".repeat(5000), NOW).is_err());
    assert!(Query::parse(&format!("{}a{}", "(".repeat(30), ")".repeat(30)), NOW).is_ok());
}

#[test]
fn what_was_looked_for_is_marked() {
    let line = line("The broker is away, the broker is back");
    let marks = |query: &str| {
        let found = Query::parse(query, NOW).unwrap().marks(&LineWords::of(&line));
        found.into_iter().map(|span| &line.message[span]).collect::<Vec<_>>()
    };
    assert_eq!(marks("broker"), ["broker", "broker"]);
    assert_eq!(marks("\"broker is away\" NOT foo"), ["broker", "is", "away"]);
    assert_eq!(marks("bro* OR away"), ["broker", "away", "broker"]);
    assert_eq!(marks("level:warn"), [""; 0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,200}") {
        if let Err(error) = Query::parse(&text, NOW) {
            prop_assert!(error.span.end <= text.len() && error.span.start <= error.span.end);
            prop_assert!(text.is_char_boundary(error.span.start) && text.is_char_boundary(error.span.end));
        }
    }

    #[test]
    fn no_text_of_signs_makes_the_parser_panic(text in "([()\\[\\]{}:*\"<>=\\\\-]|AND|OR|NOT|TO|level|time|now|é| |a|1){0,40}") {
        if let Ok(query) = Query::parse(&text, NOW) {
            let line = line(&text);
            let words = LineWords::of(&line);
            query.matches(&words);
            for span in query.marks(&words) {
                prop_assert!(line.message.get(span).is_some());
            }
        }
    }
}
