#![allow(clippy::unwrap_used)]

use millrace_wire::ids::RunId;
use millrace_wire::job::{CurrentRun, JobFigures};

use super::*;

fn job(name: &str, state: Option<RunState>, lag_ms: Option<u64>) -> JobSummary {
    let id = |last: u8| uuid::Uuid::from_bytes([last; 16]);
    JobSummary {
        id: JobId(id(name.bytes().next().unwrap_or(0))),
        name: name.into(),
        description: String::new(),
        owner: "Lin Chen".into(),
        tags: vec!["feeds".into()],
        desired: DesiredState::Running,
        current: state.map(|state| CurrentRun {
            run: RunId(id(1)),
            number: 1,
            version: 1,
            attempt: 1,
            state,
            reason: String::new(),
            since: 0,
            last_seen_at: None,
            stale: false,
            restarts: 0,
            guarantee: None,
            figures: Some(JobFigures {
                at: 0,
                records_in_per_s: 1.0,
                records_out_per_s: 1.0,
                lag_records: None,
                lag_ms,
                watermark: None,
                bad_records: 0,
                late_records: 0,
                state_bytes: 0,
                memory_bytes: 0,
                cpu_cores: 0.0,
                checkpoint_at: None,
                checkpoint_ms: None,
            }),
        }),
        throughput: vec![],
        updated_at: 0,
    }
}

fn names(jobs: &[JobSummary], order: &[JobId]) -> Vec<String> {
    order.iter().map(|id| jobs.iter().find(|job| job.id == *id).unwrap().name.clone()).collect()
}

#[test]
fn what_is_not_right_comes_first_then_the_most_late() {
    let jobs = [
        job("a", Some(RunState::Running), Some(10)),
        job("b", Some(RunState::Running), Some(900)),
        job("c", Some(RunState::Failed), None),
        job("d", None, None),
        job("e", Some(RunState::Recovering), Some(5)),
    ];
    assert_eq!(names(&jobs, &sorted(&jobs, None)), ["c", "e", "b", "a", "d"]);
    assert_eq!(names(&jobs, &sorted(&jobs, Some((BY_NAME, false)))), ["a", "b", "c", "d", "e"]);
    assert_eq!(names(&jobs, &sorted(&jobs, Some((BY_NAME, true)))), ["e", "d", "c", "b", "a"]);
    assert_eq!(names(&jobs, &sorted(&jobs, Some((BY_LAG, false)))), ["b", "a", "e", "c", "d"]);
}

#[test]
fn counters_ignore_the_state_filter_but_not_the_others() {
    let mut jobs = vec![
        job("a", Some(RunState::Running), None),
        job("b", Some(RunState::Failed), None),
        job("c", Some(RunState::Failed), None),
    ];
    jobs[2].owner = "Bo Wang".into();
    let filter = Filter { state: "failed".into(), owner: "Lin Chen".into(), ..Filter::default() };
    assert_eq!(counts(&jobs, &filter), [("running", 1), ("failed", 1)]);
    let shown: Vec<&str> = jobs.iter().filter(|job| filter.admits(job)).map(|job| job.name.as_str()).collect();
    assert_eq!(shown, ["b"]);
}

#[test]
fn a_chosen_state_keeps_its_counter_at_zero() {
    let filter = Filter { state: "stopping".into(), ..Filter::default() };
    assert_eq!(counts(&[job("a", Some(RunState::Running), None)], &filter), [("running", 1), ("stopping", 0)]);
}

#[test]
fn words_are_looked_for_in_name_tags_and_owner() {
    let jobs = job("clicks", Some(RunState::Running), None);
    for (words, found) in [("CLI", true), ("feeds lin", true), ("missing", false), ("", true)] {
        let filter = Filter { words: words.into(), ..Filter::default() };
        assert_eq!(filter.admits(&jobs), found, "{words}");
    }
}

#[test]
fn wanted_is_said_only_where_it_differs() {
    assert_eq!(wanted(&job("a", Some(RunState::Running), None)), None);
    assert_eq!(wanted(&job("a", Some(RunState::Failed), None)), Some("running"));
    assert_eq!(wanted(&job("a", Some(RunState::Recovering), None)), None);
    assert_eq!(wanted(&job("a", None, None)), None);
}
