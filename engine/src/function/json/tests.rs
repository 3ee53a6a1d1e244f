#![allow(clippy::unwrap_used, clippy::expect_used)]
//! Reading, walking and writing JSON, beside what Jackson and JsonPath do.

use proptest::prelude::*;

use super::parse::Json;
use super::path::Path;
use super::walk::{Answer, answer, read};

/// What a path finds, as JSON; `-` where it leads nowhere.
fn found(json: &str, path: &str) -> String {
    let document = Json::parse(json).unwrap();
    let path = Path::parse(path).unwrap();
    read(&path, &document, &document).map_or("-".to_owned(), |value| value.to_text())
}

fn again(json: &str) -> String {
    Json::parse(json).map_or("-".to_owned(), |value| value.to_text())
}

#[test]
fn numbers_are_written_as_java_writes_them() {
    for (text, expected) in [
        ("1", "1"),
        ("-0", "0"),
        ("-12", "-12"),
        ("1.50", "1.50"),
        ("1.5e2", "1.5E+2"),
        ("1e3", "1E+3"),
        ("100e0", "100"),
        ("12.34e1", "123.4"),
        ("0.000001", "0.000001"),
        ("0.0000001", "1E-7"),
        ("-0.0", "0.0"),
        ("-2.5E-10", "-2.5E-10"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
    ] {
        assert_eq!(again(text), expected, "{text}");
    }
    for wrong in ["01", "+1", "1.", ".5", "1e", "1e99999999999", "--1", "NaN", "1x", "-", "truex"] {
        assert_eq!(again(wrong), "-", "{wrong}");
    }
}

#[test]
fn whole_numbers_are_cut() {
    use super::number::whole;
    for (text, expected) in [
        ("1.9", Some(1)),
        ("-1.9", Some(-1)),
        ("1.5E+2", Some(150)),
        ("1E-400", Some(0)),
        ("0.05E+2", Some(5)),
        ("1E+400", None),
        ("170141183460469231731687303715884105728", None),
        ("0E+999", Some(0)),
    ] {
        assert_eq!(whole(text), expected, "{text}");
    }
}

#[test]
fn texts_are_read_with_their_escapes() {
    assert_eq!(again(r#" {"b":[1,"x\u00e9\n"],"a":null} "#), "{\"a\":null,\"b\":[1,\"x\u{e9}\\n\"]}");
    assert_eq!(again(r#""\ud83d\ude00 \u0001""#), "\"\u{1f600} \\u0001\"");
    assert_eq!(again(r#"{"a":1,"a":2}"#), r#"{"a":2}"#);
    // As Jackson, which does not look behind the first value.
    assert_eq!(again("{} x"), "{}");
    for wrong in
        ["", " ", "{", "[1,]", "{\"a\"}", "{a:1}", "\"a", "\"\\x\"", "\"\u{1}\"", "\"\\u12\"", "[1 2]", "not json"]
    {
        assert_eq!(again(wrong), "-", "{wrong}");
    }
    assert_eq!(again(&format!("{}{}", "[".repeat(400), "]".repeat(400))).len(), 800);
    assert_eq!(again(&"[".repeat(100_000)), "-");
}

const STORE: &str = r#"{"store":{"book":[{"category":"reference","price":8.95,"title":"A"},
    {"category":"fiction","price":12.99,"title":"B","isbn":"1"},{"category":"fiction","price":8.99,"title":"C","isbn":"2"}],
    "bicycle":{"color":"red","price":19.95}},"max":10,"a b":1}"#;

#[test]
fn paths_lead_where_json_path_leads() {
    for (path, expected) in [
        ("$.max", "10"),
        ("max", "10"),
        ("$['a b']", "1"),
        ("$[\"max\"]", "10"),
        ("$.nothing", "-"),
        ("$.max.deeper", "-"),
        ("$.store.book[1].title", "\"B\""),
        ("$.store.book[-1].title", "\"C\""),
        ("$.store.book[9]", "-"),
        ("$.store.book[0,2].title", "[\"A\",\"C\"]"),
        ("$.store.book[:2].title", "[\"A\",\"B\"]"),
        ("$.store.book[-2:].title", "[\"B\",\"C\"]"),
        ("$.store.book[*].isbn", "[\"1\",\"2\"]"),
        ("$.max[*]", "[]"),
        ("$..price", "[8.95,12.99,8.99,19.95]"),
        ("$.store.*.color", "[\"red\"]"),
        ("$.store.bicycle['color','price','x']", "{\"color\":\"red\",\"price\":19.95}"),
        ("$.store.book[?(@.price < 10)].title", "[\"A\",\"C\"]"),
        ("$.store.book[?(@.price < $.max && @.category == 'fiction')].title", "[\"C\"]"),
        ("$.store.book[?(@.isbn)].title", "[\"B\",\"C\"]"),
        ("$.store.book[?(!@.isbn || @.title =~ /b/i)].title", "[\"A\",\"B\"]"),
        ("$.store.book.length()", "3"),
        ("$..book.length()", "[3]"),
    ] {
        assert_eq!(found(STORE, path), expected, "{path}");
    }
}

#[test]
fn strict_paths_miss_what_lax_ones_leave_empty() {
    let document = Json::parse("{\"a\":null}").unwrap();
    let how = |path: &str, document: Option<&Json>| match answer(&Path::parse(path).unwrap(), document) {
        Answer::Value(value) => value.to_text(),
        Answer::Empty => "empty".to_owned(),
        Answer::Error => "error".to_owned(),
    };
    assert_eq!(how("$.a", Some(&document)), "error");
    assert_eq!(how("strict $.b", Some(&document)), "error");
    assert_eq!(how("LAX $.b", Some(&document)), "empty");
    assert_eq!(how("lax $", None), "empty");
    assert_eq!(how("$", None), "error");
    assert_eq!(how("lax $", Some(&Json::Null)), "error");
}

#[test]
fn wrong_paths_are_told() {
    for wrong in
        ["", "$.", "$[", "$[]", "$[1", "$['a]", "$.a b", "$..", "$.a.min()", "$[?(@.a ~ 1)]", "$[?(@.a == )]", "$x"]
    {
        assert!(Path::parse(wrong).is_err(), "{wrong}");
    }
    assert!(Path::parse(&format!("$[?({}@.a{})]", "(".repeat(5000), ")".repeat(5000))).is_err());
    assert!(Path::parse(&format!("$[?({}@.a)]", "!".repeat(5000))).is_err());
}

#[test]
fn a_path_that_finds_too_much_leads_nowhere() {
    let wide = format!("[{}1]", "1,".repeat(2000));
    let deep = format!("{}{}", "[".repeat(300), "]".repeat(300));
    assert_eq!(found(&format!("[{wide},{deep}]"), "$..*..*..*..*"), "-");
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        ".{0,6}".prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 30, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::vec(("[a-c\"\\\\é]{0,3}", inner), 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back_the_same(value in any_json()) {
        let ours = Json::parse(&value.to_string()).unwrap().to_text();
        prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&ours).unwrap(), value);
        prop_assert_eq!(again(&ours), ours);
    }

    #[test]
    fn what_serde_takes_is_taken_and_nothing_panics(text in "[\\[\\]{}\",:0-9eE.+\\-a-fu\\\\ \u{1}é]{0,20}") {
        let strict = serde_json::from_str::<serde_json::Value>(&text).is_ok();
        let ours = Json::parse(&text);
        // Jackson takes what has something behind it; apart from that the two agree.
        if strict && !text.contains(['e', 'E']) {
            prop_assert!(ours.is_some(), "{text}");
        }
        let _ = Path::parse(&text);
        let _ = Path::parse(&format!("$[?({text})]"));
    }

    #[test]
    fn no_path_panics(path in "(\\.[a-c*]|\\[[0-9:*,-]{1,3}\\]|\\.\\.|\\[\\?\\(@\\.a[<>=]{1,2}1\\)\\]|\\.length\\(\\)){0,5}", value in any_json()) {
        if let Ok(path) = Path::parse(&format!("lax ${path}")) {
            let document = Json::parse(&value.to_string()).unwrap();
            let _ = read(&path, &document, &document);
        }
    }
}
