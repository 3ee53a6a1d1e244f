//! The promises of the module, against random histories of workers, links, crashes and people.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::{Duration, Instant};

use millrace_wire::job::StopMode;
use millrace_wire::link::Failure;
use millrace_wire::run::RunState;
use proptest::prelude::*;

use super::*;
use crate::job::observed::{Observed, Stored};

#[derive(Clone, Debug)]
enum Event {
    Wait(u64),
    Report { attempts_ago: u32, report: Report },
    Link,
    LinkLost,
    ProcessDies,
    AskStop(StopMode),
    ServerDies { knows_process: bool },
}

/// A run in a world where the spawned process does only what the events say.
struct World {
    now: Instant,
    stored: Stored,
    attempt: u32,
    observed: Observed,
    process_alive: bool,
    next_spawn_fails: bool,
    links: u64,
    history: Vec<RunState>,
    launches: u32,
}

impl World {
    fn new() -> World {
        let now = Instant::now();
        World {
            now,
            stored: Stored {
                state: RunState::Pending,
                phase: Phase::Over,
                stop: None,
                restarts: 0,
                restart_limit: 3,
                back_off: Duration::from_secs(1),
                limits: Limits::default(),
            },
            attempt: 0,
            observed: Observed::new(0, now),
            process_alive: false,
            next_spawn_fails: false,
            links: 0,
            history: vec![RunState::Pending],
            launches: 0,
        }
    }

    /// Runs the reconcile loop until it has nothing to do at this instant.
    fn settle(&mut self) {
        for _ in 0..50 {
            match decide(&self.observed.facts(&self.stored, self.now)) {
                Decision::Stay => return,
                Decision::Launch => self.launch(),
                Decision::Ask(mode) => self.observed.was_asked(mode),
                Decision::Kill => {
                    self.process_alive = false;
                    if self.observed.is_linked() {
                        self.observed.unlinked(self.links);
                    }
                    self.observed.process_ended(self.attempt, "killed by signal 9".into());
                }
                Decision::Move(to) => self.go(to),
            }
        }
        panic!("the loop does not come to rest in {:?}", self.stored);
    }

    fn launch(&mut self) {
        let known = self.observed.facts(&self.stored, self.now).process;
        assert_ne!(known, Process::Alive, "launched beside an attempt that is known to live");
        assert!(self.stored.stop.is_none(), "launched although a stop was asked for");
        assert!(!self.stored.state.is_terminal());
        self.launches += 1;
        self.attempt += 1;
        self.observed.new_attempt(self.attempt, self.now);
        self.stored.phase = Phase::Spawned;
        if self.stored.state == RunState::Pending {
            self.enter(RunState::Starting);
        } else {
            self.stored.restarts += 1;
        }
        if self.next_spawn_fails {
            self.observed.process_ended(self.attempt, "no such file".into());
        } else {
            self.process_alive = true;
            self.observed.process_is(self.attempt, Process::Alive);
        }
    }

    fn go(&mut self, to: Move) {
        if to.attempt == AttemptAfter::IsOver {
            self.stored.phase = Phase::Over;
        }
        self.enter(to.to);
    }

    fn enter(&mut self, state: RunState) {
        let last = *self.history.last().unwrap();
        assert!(!last.is_terminal(), "{last} was left for {state}");
        // Recovering again: the attempt that was to end it was lost as well.
        assert!(last != state || state == RunState::Recovering, "{state} follows itself");
        self.stored.state = state;
        self.history.push(state);
        self.observed.new_state(self.now);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Wait(seconds) => self.now += Duration::from_secs(seconds),
            Event::Report { attempts_ago, report } => {
                let attempt = self.attempt.saturating_sub(attempts_ago);
                let before = format!("{:?}", self.observed);
                let taken = self.observed.reported(attempt, report, self.now);
                if attempt != self.attempt {
                    assert!(!taken);
                    assert_eq!(before, format!("{:?}", self.observed), "a late report changed something");
                }
            }
            Event::Link if self.process_alive && self.stored.phase != Phase::Over => {
                self.links += 1;
                self.observed.linked(self.attempt, self.links, self.now);
                self.stored.phase = Phase::Linked;
            }
            Event::Link => {}
            Event::LinkLost => {
                self.observed.unlinked(self.links);
            }
            Event::ProcessDies if self.process_alive => {
                self.process_alive = false;
                self.observed.unlinked(self.links);
                self.observed.process_ended(self.attempt, "exit code 1".into());
            }
            Event::ProcessDies => self.next_spawn_fails = true,
            Event::AskStop(mode) => self.stored.stop = Some(mode),
            Event::ServerDies { knows_process } => {
                self.observed = Observed::new(self.attempt, self.now);
                if knows_process {
                    let process = if self.process_alive { Process::Alive } else { Process::Gone };
                    self.observed.process_is(self.attempt, process);
                } else if self.stored.phase == Phase::Spawned {
                    self.stored.phase = Phase::Intent;
                }
            }
        }
        self.settle();
    }
}

fn failure(retry: bool) -> Failure {
    Failure { code: "kafka".into(), message: "the broker is away".into(), retry, operator: None }
}

fn any_report() -> impl Strategy<Value = Report> {
    prop_oneof![
        Just(Report::Starting),
        Just(Report::Running),
        Just(Report::Stopping),
        Just(Report::Finished),
        Just(Report::Stopped { savepoint: Some(4) }),
        Just(Report::Stopped { savepoint: None }),
        any::<bool>().prop_map(|retry| Report::Failed(failure(retry))),
    ]
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (0_u64..400).prop_map(Event::Wait),
        2 => Just(Event::Report { attempts_ago: 0, report: Report::Running }),
        2 => (0_u32..3, any_report()).prop_map(|(attempts_ago, report)| Event::Report { attempts_ago, report }),
        3 => Just(Event::Link),
        1 => Just(Event::LinkLost),
        1 => Just(Event::ProcessDies),
        1 => prop_oneof![Just(StopMode::Savepoint), Just(StopMode::Drain), Just(StopMode::Cancel)].prop_map(Event::AskStop),
        1 => any::<bool>().prop_map(|knows_process| Event::ServerDies { knows_process }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// One live attempt, final ends, no launch after a stop, no answer to late reports: asserted on the way.
    /// And whatever has happened, a worker that never reports again does not hold the run for ever.
    #[test]
    fn every_history_comes_to_an_end(events in prop::collection::vec(any_event(), 0..40)) {
        let mut world = World::new();
        world.settle();
        for event in events {
            world.happen(event);
        }
        for _ in 0..200 {
            world.happen(Event::Wait(60));
        }
        prop_assert!(world.stored.state.is_terminal(), "stuck in {:?}, {:?}", world.stored, world.history);
    }

    /// After a stop was asked for, the run is over within the longest patience, and never restarted.
    #[test]
    fn stop_wins(events in prop::collection::vec(any_event(), 0..20), after in prop::collection::vec(any_event(), 0..10)) {
        let mut world = World::new();
        world.settle();
        for event in events {
            world.happen(event);
        }
        world.happen(Event::AskStop(StopMode::Savepoint));
        let launches = world.launches;
        for event in after {
            world.happen(event);
        }
        for _ in 0..40 {
            world.happen(Event::Wait(15));
        }
        prop_assert!(world.stored.state.is_terminal(), "{:?}", world.history);
        prop_assert_eq!(world.launches, launches);
    }
}

#[test]
fn silence_makes_no_failure() {
    let mut facts = Facts::of(RunState::Running);
    facts.phase = Phase::Linked;
    facts.report = Report::Running;
    facts.process = Process::Alive;
    facts.silent_for = facts.limits.silence - Duration::from_secs(1);
    assert_eq!(decide(&facts), Decision::Stay);
    facts.process = Process::Unknown;
    facts.silent_for = LEASE;
    assert_eq!(decide(&facts), Decision::Stay);
}

#[test]
fn a_killed_worker_is_replaced_and_a_crash_loop_is_given_up() {
    let mut facts = Facts::of(RunState::Running);
    facts.process = Process::Gone;
    facts.process_end = "killed by signal 9".into();
    let Decision::Move(to) = decide(&facts) else { panic!() };
    assert_eq!((to.to, to.attempt), (RunState::Recovering, AttemptAfter::IsOver));
    assert_eq!(to.reason, "The worker process ended: killed by signal 9.");
    facts.restarts = facts.restart_limit;
    let Decision::Move(to) = decide(&facts) else { panic!() };
    assert_eq!(to.to, RunState::Failed);
    assert!(to.reason.contains("restarted 3 times"), "{}", to.reason);
}

#[test]
fn what_cannot_get_better_is_not_tried_again() {
    let mut facts = Facts::of(RunState::Running);
    facts.report = Report::Failed(failure(false));
    assert!(matches!(decide(&facts), Decision::Move(to) if to.to == RunState::Failed));
    facts.report = Report::Failed(failure(true));
    assert!(matches!(decide(&facts), Decision::Move(to) if to.to == RunState::Recovering));
}

#[test]
fn a_savepoint_that_never_comes_is_escalated() {
    let mut facts = Facts::of(RunState::Stopping);
    facts.phase = Phase::Linked;
    facts.linked = true;
    facts.stop = Some(StopMode::Savepoint);
    facts.report = Report::Running;
    facts.process = Process::Alive;
    assert_eq!(decide(&facts), Decision::Ask(StopMode::Savepoint));
    facts.asked = Some(StopMode::Savepoint);
    assert_eq!(decide(&facts), Decision::Stay);
    facts.in_state = Duration::from_secs(121);
    assert_eq!(decide(&facts), Decision::Ask(StopMode::Cancel));
    facts.asked = Some(StopMode::Cancel);
    facts.in_state = Duration::from_secs(136);
    assert_eq!(decide(&facts), Decision::Kill);
    facts.in_state = Duration::from_secs(146);
    assert!(matches!(decide(&facts), Decision::Move(to) if to.to == RunState::Stopped));
}

#[test]
fn a_worker_spawned_but_not_written_down_is_waited_for_then_replaced() {
    let mut facts = Facts::of(RunState::Starting);
    facts.phase = Phase::Intent;
    assert_eq!(decide(&facts), Decision::Stay);
    facts.since_launch = facts.limits.link;
    assert!(
        matches!(decide(&facts), Decision::Move(to) if to.to == RunState::Recovering && to.attempt == AttemptAfter::IsOver)
    );
}
