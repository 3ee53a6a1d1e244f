//! The index and the matcher of one line say the same, whatever the query and the lines.

use std::collections::BTreeSet;

use crate::support::*;
use millrace_logs::{LineWords, Query};
use millrace_wire::log::LogLevel;
use proptest::prelude::*;

const WORDS: &[&str] = &[
    "kafka",
    "kafkaSource",
    "kafka_source",
    "maxPollRecords",
    "MAX",
    "poll",
    "0xdeadBEEF",
    "12",
    "500ms",
    "检查点",
    "点",
    "a.b",
    "b",
    "Straße",
    "/var/log/x",
    "key=value",
    "HTTPServer",
    "http",
    "server",
];

fn message() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(WORDS), 0..7).prop_map(|words| words.join(" "))
}

fn value() -> impl Strategy<Value = String> {
    let word = proptest::sample::select(WORDS);
    prop_oneof![
        word.clone().prop_map(str::to_owned),
        (word.clone(), word.clone()).prop_map(|(one, two)| format!("\"{one} {two}\"")),
        (word, 1_usize..5).prop_map(|(word, length)| format!("{}*", word.chars().take(length).collect::<String>())),
        proptest::sample::select(vec![
            "level:error",
            "level:>=warn",
            "level:<warn",
            "attempt:>1",
            "attempt:{1 TO 3]",
            "team:shop",
            "team:b*",
            "operator:*",
            "operator:join",
            "target:kafka",
            "target:engine::kafka",
            "source:worker",
            "time:>=now",
            "seq:[3 TO 9]",
            "version:V*",
            "job_name:\"orders per minute\"",
            "run:*",
            "*",
        ])
        .prop_map(str::to_owned),
    ]
}

fn text() -> impl Strategy<Value = String> {
    value().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(one, two)| format!("{one} {two}")),
            (inner.clone(), inner.clone()).prop_map(|(one, two)| format!("({one} OR {two})")),
            inner.clone().prop_map(|one| format!("NOT ({one})")),
            inner.prop_map(|one| format!("({one})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn index_and_matcher_agree(
        lines in proptest::collection::vec((message(), 0_usize..5, 0_u32..4, any::<bool>(), any::<bool>()), 1..40),
        texts in proptest::collection::vec(text(), 40),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let bench = open(folder.path());
        let mut all = Vec::new();
        for (seq, (message, level, attempt, other_team, joins)) in lines.iter().enumerate() {
            let mut line = line(&run(1), seq as u64, message);
            line.level = LogLevel::ALL[*level];
            line.attempt = *attempt;
            line.team = if *other_team { "bank".into() } else { "shop".into() };
            line.operator = if *joins { "join".into() } else { String::new() };
            line.job_name = "Orders per minute".into();
            line.at = NOW - 10 + seq as i64;
            all.push(line);
        }
        let (first, second) = all.split_at(all.len() / 2);
        bench.index.append(first).unwrap();
        bench.index.flush().unwrap();
        bench.index.append(second).unwrap();
        bench.index.flush().unwrap();
        for text in &texts {
            let query = Query::parse(text, NOW).unwrap();
            let matched: BTreeSet<u64> =
                all.iter().filter(|line| query.matches(&LineWords::of(line))).map(|line| line.seq).collect();
            let found: BTreeSet<u64> = numbers(&ask(&bench, text)).into_iter().collect();
            prop_assert_eq!(&found, &matched, "{}", text);
        }
    }
}
