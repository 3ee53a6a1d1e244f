//! Lines go in and are found: by words, by rights, by place, by group.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::*;
use millrace_logs::{
    Allowed, Error, Facet, Jobs, LineId, Order, Page, Retention, Search, Source, Stream, Wanted, Window,
};
use millrace_wire::log::LogLevel;

#[test]
fn a_line_is_found_by_its_words_with_counts_and_times() {
    let folder = tempfile::tempdir().unwrap();
    let bench = open(folder.path());
    let stream = run(1);
    let mut lines: Vec<_> = (0..100).map(|seq| line(&stream, seq, &format!("Checkpoint {seq} completed"))).collect();
    for line in lines.iter_mut().filter(|line| line.seq % 10 == 0) {
        line.level = LogLevel::Error;
        line.operator = "sink".into();
        line.message.push_str(", broker is away");
    }
    bench.index.append(&lines).unwrap();
    bench.index.sync().unwrap();
    bench.index.flush().unwrap();
    let wanted = Wanted {
        facets: vec![(Facet::Level, 10), (Facet::Operator, 1), (Facet::Run, 10)],
        histogram: Some(4),
        ..newest(3)
    };
    let mut search = query("\"broker is away\"");
    search.window = Window { from: NOW, to: NOW + 100 };
    let answer = bench.index.search(&Allowed::All, &search, &wanted).unwrap();
    assert_eq!(numbers(&answer), [90, 80, 70]);
    assert_eq!(answer.total, Some(10));
    let hit = &answer.hits[0];
    let marked: Vec<_> = hit.marks.iter().map(|span| &hit.line.message[span.clone()]).collect();
    assert_eq!(marked, ["broker", "is", "away"]);
    assert_eq!(hit.line, lines[90]);
    let values: Vec<_> =
        answer.facets.iter().map(|facet| (facet.facet, facet.values.clone(), facet.distinct)).collect();
    assert_eq!(values[0], (Facet::Level, vec![("error".to_owned(), 10)], 1));
    assert_eq!(values[1], (Facet::Operator, vec![("sink".to_owned(), 10)], 1));
    assert_eq!(values[2], (Facet::Run, vec![(stream.to_string(), 10)], 1));
    let histogram = answer.histogram.unwrap();
    assert_eq!((histogram.start, histogram.width), (NOW, 25));
    let errors: Vec<u64> = histogram.buckets.iter().map(|levels| levels[0]).collect();
    assert_eq!(errors, [3, 2, 3, 2]);
}

#[test]
fn pages_go_on_where_they_ended_while_lines_arrive() {
    let folder = tempfile::tempdir().unwrap();
    let bench = open(folder.path());
    let stream = run(1);
    // Some share a millisecond, and they lie in two days.
    let mut lines: Vec<_> = (0..500).map(|seq| line(&stream, seq, "tick")).collect();
    for line in &mut lines {
        line.at = NOW - DAY / 2 + (line.seq / 3) as i64 * 10_000_000 / 50;
    }
    bench.index.append(&lines).unwrap();
    bench.index.flush().unwrap();
    for order in [Order::NewestFirst, Order::OldestFirst] {
        let mut seen = Vec::new();
        let mut after = None;
        let mut extra = 1000;
        loop {
            let wanted = Wanted { page: Some(Page { order, limit: 37, after }), ..Wanted::default() };
            let answer = bench.index.search(&Allowed::All, &query("tick"), &wanted).unwrap();
            seen.extend(answer.hits.iter().map(|hit| (hit.line.at, hit.line.seq)));
            let mut late = line(&run(9), extra, "tick");
            late.at = if order == Order::NewestFirst { NOW + DAY / 3 } else { NOW - DAY };
            extra += 1;
            bench.index.append(&[late]).unwrap();
            bench.index.flush().unwrap();
            after = answer.next.map(|cursor| cursor.to_string().parse().unwrap());
            if after.is_none() {
                break;
            }
        }
        let own: Vec<_> = seen.iter().filter(|(_, seq)| *seq < 500).collect();
        assert_eq!(own.len(), 500, "{order:?}");
        assert_eq!(own.iter().collect::<BTreeSet<_>>().len(), 500);
        let times: Vec<i64> = seen.iter().map(|(at, _)| *at).collect();
        assert!(if order == Order::NewestFirst { times.is_sorted_by(|a, b| a >= b) } else { times.is_sorted() });
    }
    assert!("x".parse::<millrace_logs::Cursor>().is_err());
}

#[test]
fn a_line_that_comes_again_is_shown_once() {
    let folder = tempfile::tempdir().unwrap();
    let bench = open(folder.path());
    let stream = run(1);
    let lines: Vec<_> = (0..20).map(|seq| line(&stream, seq, "once")).collect();
    bench.index.append(&lines[5..15]).unwrap();
    bench.index.append(&lines[10..20]).unwrap();
    bench.index.flush().unwrap();
    bench.index.append(&lines).unwrap();
    bench.index.flush().unwrap();
    let sorted: Vec<u64> = numbers(&ask(&bench, "once")).into_iter().rev().collect();
    assert_eq!(sorted, (0..20).collect::<Vec<_>>());
    drop(bench);
    // A new process knows it from the index.
    let bench = open(folder.path());
    bench.index.append(&lines).unwrap();
    bench.index.append(&[line(&run(2), 3, "once")]).unwrap();
    bench.index.flush().unwrap();
    assert_eq!(ask(&bench, "once").hits.len(), 21);
}

/// Lines of three teams and of the server, by their messages.
fn many_teams(bench: &Bench) -> Vec<LineId> {
    let mut lines = Vec::new();
    for (number, (team, owner)) in [("shop", 1), ("shop", 2), ("bank", 3), ("bank-2", 4)].into_iter().enumerate() {
        let mut line = line(&run(number as u128 + 1), 5, &format!("secret of {team} job {owner}"));
        (line.team, line.job) = (team.to_owned(), Some(job(owner)));
        line.level = LogLevel::Error;
        lines.push(line.clone());
        (line.seq, line.job, line.message) = (6, None, format!("secret of {team} without job"));
        lines.push(line);
    }
    let mut own = line(&Stream::Server("s1".into()), 1, "secret of the server");
    (own.team, own.job, own.source) = (String::new(), None, Source::Server);
    lines.push(own);
    bench.index.append(&lines).unwrap();
    bench.index.flush().unwrap();
    lines.iter().map(|line| line.id()).collect()
}

#[test]
fn nobody_sees_more_than_allowed_by_any_door() {
    let folder = tempfile::tempdir().unwrap();
    let bench = open(folder.path());
    let ids = many_teams(&bench);
    let only = |team: &str, jobs: Jobs| Allowed::Teams(BTreeMap::from([(team.to_owned(), jobs)]));
    let cases: Vec<(Allowed, usize)> = vec![
        (Allowed::All, 9),
        (Allowed::nothing(), 0),
        (Allowed::team("shop"), 4),
        (Allowed::team("SHOP"), 0),
        (Allowed::team("bank"), 2),
        (Allowed::team(""), 0),
        (Allowed::team("nobody"), 0),
        (only("shop", Jobs::Except(BTreeSet::from([job(1)]))), 3),
        (only("shop", Jobs::Only(BTreeSet::from([job(1)]))), 1),
        (only("shop", Jobs::Only(BTreeSet::from([job(3)]))), 0),
        (Allowed::Teams(BTreeMap::from([("shop".into(), Jobs::All), ("bank".into(), Jobs::Only(BTreeSet::new()))])), 4),
    ];
    let tries = [
        "",
        "secret",
        "*",
        "team:*",
        "team:bank OR secret",
        "NOT team:shop",
        "NOT (team:shop OR team:bank)",
        "-team:nobody",
        "(secret) OR (*)",
        "secret OR job:*",
        "level:>=trace",
        "time:<=2099-01-01",
        "message:* OR NOT message:*",
    ];
    for (allowed, visible) in &cases {
        for text in tries {
            let wanted = Wanted {
                facets: vec![(Facet::Team, 9), (Facet::Job, 9), (Facet::Run, 9)],
                histogram: Some(3),
                ..newest(50)
            };
            let answer = bench.index.search(allowed, &query(text), &wanted).unwrap();
            assert!(answer.hits.iter().all(|hit| allowed.sees(&hit.line)), "{allowed:?} {text}");
            let total = answer.total.unwrap() as usize;
            assert_eq!(total, answer.hits.len());
            assert!(total <= *visible);
            if matches!(text, "" | "secret" | "*" | "-team:nobody" | "(secret) OR (*)") {
                assert_eq!(total, *visible, "{allowed:?} {text}");
            }
            let counted: u64 = answer.facets[0].values.iter().map(|(_, count)| count).sum();
            assert!(counted as usize <= *visible);
            let in_time: u64 = answer.histogram.unwrap().buckets.iter().flatten().sum();
            assert!(in_time as usize <= *visible);
            assert!(bench.index.export(allowed.clone(), query(text), Order::OldestFirst).count() <= *visible);
        }
        let mut by_link = 0;
        for id in &ids {
            let seen = bench.index.line(allowed, id).unwrap();
            by_link += usize::from(seen.is_some());
            let context = bench.index.context(allowed, id, 5, 5).unwrap();
            assert_eq!(context.is_some(), seen.is_some());
            let around = context.map(|context| [context.before, context.after].concat()).unwrap_or_default();
            assert!(around.iter().all(|hit| allowed.sees(&hit.line)));
            assert_eq!(bench.index.event(allowed, id).unwrap().is_empty(), seen.is_none());
        }
        assert_eq!(by_link, *visible, "{allowed:?}");
        let groups = bench.index.groups(allowed, &query(""), 50).unwrap();
        assert!(groups.iter().map(|group| group.count).sum::<u64>() <= *visible as u64);
        assert!(groups.iter().all(|group| allowed == &Allowed::All || group.team != "bank-2"));
    }
}

#[test]
fn context_and_permalinks_stay_in_the_run_and_cross_midnight() {
    let folder = tempfile::tempdir().unwrap();
    let bench = open(folder.path());
    let midnight = NOW - 10 * 3_600_000;
    let mut lines = Vec::new();
    for seq in 0..40 {
        let mut of_run = line(&run(1), seq, &format!("line {seq}"));
        of_run.at = midnight + (seq as i64 - 20) * 1000;
        let mut other = of_run.clone();
        other.stream = run(2);
        lines.extend([of_run, other]);
    }
    bench.index.append(&lines).unwrap();
    bench.index.flush().unwrap();
    let id = lines[42].id();
    let parsed: LineId = id.to_string().parse().unwrap();
    assert_eq!(parsed, id);
    let context = bench.index.context(&Allowed::All, &id, 3, 4).unwrap().unwrap();
    let seqs = |hits: &[millrace_logs::Hit]| hits.iter().map(|hit| hit.line.seq).collect::<Vec<_>>();
    assert_eq!(
        (seqs(&context.before), context.line.line.seq, seqs(&context.after)),
        (vec![18, 19, 20], 21, vec![22, 23, 24, 25])
    );
    assert!(context.before.iter().all(|hit| hit.line.stream == run(1)));
    let gone = LineId { seq: 99, ..id.clone() };
    assert!(bench.index.line(&Allowed::All, &gone).unwrap().is_none());
    let never = LineId { day: id.day.plus(-9), ..id };
    assert!(bench.index.line(&Allowed::All, &never).unwrap().is_none());
    for wrong in ["", "x", "2026-11-23~~", "2026-11-23~a~1", "2026-1-2~server:a~1", "9999999-01-01~server:a~1"] {
        assert!(wrong.parse::<LineId>().is_err(), "{wrong}");
    }
    let named: LineId = "2026-11-23~server:a~b~7".parse().unwrap();
    assert_eq!((named.stream, named.seq), (Stream::Server("a~b".into()), 7));
}

#[test]
fn an_export_gives_every_hit_once_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let bench = open(folder.path());
    let mut lines: Vec<_> =
        (0..3000).map(|seq| line(&run(1), seq, if seq % 2 == 0 { "even" } else { "odd" })).collect();
    for line in &mut lines {
        line.at = NOW - DAY + (line.seq as i64) * 60_000;
    }
    bench.index.append(&lines).unwrap();
    bench.index.flush().unwrap();
    let mut search = query("even");
    search.window = Window { from: lines[100].at, to: lines[2000].at };
    let export = |order| -> Vec<u64> {
        bench.index.export(Allowed::team("shop"), search.clone(), order).map(|hit| hit.unwrap().line.seq).collect()
    };
    let expected: Vec<u64> = (100..2000).filter(|seq| seq % 2 == 0).collect();
    assert_eq!(export(Order::OldestFirst), expected);
    assert_eq!(export(Order::NewestFirst), expected.into_iter().rev().collect::<Vec<_>>());
}

#[test]
fn stack_traces_are_one_event_and_errors_are_grouped_by_version() {
    let folder = tempfile::tempdir().unwrap();
    let bench = open(folder.path());
    let mut lines = Vec::new();
    for (number, version) in [(0, "v1"), (1, "v1"), (2, "v2")] {
        let at = number * 10;
        let texts = [
            format!("java.io.IOException: no topic {number}"),
            "\tat org.a.B.c(B.java:12)".into(),
            "Caused by: x".into(),
            "ok".into(),
        ];
        for (offset, text) in texts.into_iter().enumerate() {
            let mut line = line(&run(1), at + offset as u64, &text);
            line.version = version.to_owned();
            line.level = if text == "ok" { LogLevel::Info } else { LogLevel::Error };
            lines.push(line);
        }
    }
    bench.index.append(&lines).unwrap();
    bench.index.flush().unwrap();
    let answer = ask(&bench, "\"org.a.B.c\"");
    assert_eq!(numbers(&answer), [21, 11, 1]);
    let head = answer.hits[0].event.clone().unwrap();
    assert_eq!(head.seq, 20);
    for id in [&answer.hits[0].id, &head] {
        let event = bench.index.event(&Allowed::All, id).unwrap();
        assert_eq!(event.iter().map(|hit| hit.line.seq).collect::<Vec<_>>(), [20, 21, 22]);
    }
    let groups = bench.index.groups(&Allowed::team("shop"), &query(""), 10).unwrap();
    assert_eq!(groups.len(), 1);
    let group = &groups[0];
    assert_eq!((group.count, group.total, group.first_seen, group.last_seen), (3, 3, NOW, NOW + 20));
    assert_eq!(group.versions, BTreeMap::from([("v1".to_owned(), 2), ("v2".to_owned(), 1)]));
    assert_eq!(group.message, "java.io.IOException: no topic 2");
    let of_group = ask(&bench, &format!("group:{:016x}", group.fingerprint));
    assert_eq!(numbers(&of_group), [20, 10, 0]);
}

#[test]
fn old_days_go_by_age_and_size_and_their_groups_are_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let bench = open_with(folder.path(), |options| options.retention = Retention { days: 3, bytes: u64::MAX });
    let mut lines = Vec::new();
    for back in 0..4 {
        let mut line = line(&run(1), 10 - back, &format!("boom {back}"));
        line.at = NOW - back as i64 * DAY;
        line.level = LogLevel::Error;
        lines.push(line);
    }
    let mut too_old = line(&run(1), 99, "ancient");
    too_old.at = NOW - 5 * DAY;
    let mut too_new = line(&run(1), 100, "of tomorrow's tomorrow");
    too_new.at = NOW + 2 * DAY;
    bench.index.append(&lines).unwrap();
    bench.index.append(&[too_old, too_new]).unwrap();
    bench.index.flush().unwrap();
    assert_eq!(bench.index.refused(), 2);
    assert_eq!(bench.index.days().unwrap().len(), 4);
    assert!(bench.index.retain().unwrap().is_empty());
    bench.clock.advance(DAY);
    // The writer lets go of old days when it has something to do.
    bench.index.append(&[line(&run(1), 200, "later")]).unwrap();
    bench.index.flush().unwrap();
    let dropped = bench.index.retain().unwrap();
    assert_eq!(dropped.len(), 1);
    assert_eq!(bench.index.days().unwrap().len(), 3);
    let groups = bench.index.groups(&Allowed::All, &query("boom"), 10).unwrap();
    let group = &groups[0];
    assert_eq!((group.count, group.total, group.first_seen), (3, 4, NOW - 3 * DAY));
    drop(bench);
    let bench = open_with(folder.path(), |options| options.retention = Retention { days: 30, bytes: 1 });
    assert_eq!(bench.index.retain().unwrap().len(), 1);
    assert_eq!(bench.index.days().unwrap().len(), 2, "today and yesterday never go");
    assert_eq!(bench.index.groups(&Allowed::All, &query("boom"), 10).unwrap()[0].total, 4);
}

#[test]
fn a_tail_gets_what_is_allowed_and_matches_once() {
    let folder = tempfile::tempdir().unwrap();
    let bench = open(folder.path());
    let (send, receive) = std::sync::mpsc::channel();
    let subscription = bench.index.watch(Allowed::team("shop"), query("level:>=warn broker").query, move |tailed| {
        send.send(tailed.line.seq).is_ok()
    });
    let mut lines: Vec<_> = (0..4).map(|seq| line(&run(1), seq, "broker away")).collect();
    lines[1].level = LogLevel::Warn;
    lines[2].level = LogLevel::Error;
    lines[3].level = LogLevel::Error;
    lines[3].team = "bank".into();
    bench.index.append(&lines).unwrap();
    bench.index.append(&lines).unwrap();
    bench.index.flush().unwrap();
    assert_eq!(receive.try_iter().collect::<Vec<_>>(), [1, 2]);
    drop(subscription);
    lines[1].seq = 50;
    bench.index.append(&lines).unwrap();
    bench.index.flush().unwrap();
    assert!(receive.try_iter().next().is_none());
}

#[test]
fn one_process_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let bench = open(folder.path());
    let options = millrace_logs::Options::new(folder.path().to_owned(), std::sync::Arc::new(|| NOW));
    assert!(matches!(millrace_logs::LogIndex::open(options), Err(Error::Failed(_))));
    bench.index.close();
    assert!(matches!(bench.index.append(&[line(&run(1), 0, "x")]), Err(Error::Closed)));
    assert!(bench.index.search(&Allowed::All, &Search::new(query("x").query), &newest(1)).is_ok());
}
