use std::sync::Arc;
use std::time::{Duration, Instant};

use millrace_wire::job::StopMode;
use millrace_wire::run::{RestoreKind, RunState};

use super::fake_worker::Fleet;
use super::surroundings::{PATIENCE, World};
use crate::job::steps::{Step, Steps};
use crate::job::{SavepointBy, process};
use crate::log::{LogQuery, LogStore};
use crate::store::{job_event, restore_point};

const LINK: Duration = Duration::from_secs(10);
/// Short, where a worker that cannot come is waited for.
const SHORT: Duration = Duration::from_millis(1500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn starts_runs_and_stops_with_a_savepoint() {
    let world = World::new().await;
    let fleet = Fleet::new(world.run_folder(), world.job, world.run);
    let (server, _shutdown) = world.server(Steps::default(), LINK).await;
    fleet.talk_to(&server);
    let row = world.until("running", |row| row.state == RunState::Running).await;
    assert_eq!((row.attempt, row.phase.as_str()), (1, "linked"));
    assert!(server.current(&row).last_seen_at.is_some());
    assert!(!server.current(&row).stale);
    let assignment = fleet.seen(1).assignments.pop().unwrap();
    assert_eq!(assignment.tables.keys().collect::<Vec<_>>(), ["d.used"]);
    assert_eq!(assignment.tables["d.used"].ddl, "CREATE TABLE then");
    assert_eq!(assignment.tables["d.used"].hidden_options["password"], "needed");
    assert_eq!(assignment.team, "blue");

    world.ask_stop(&server, StopMode::Savepoint).await;
    let row = world.until("stopped", |row| row.state == RunState::Stopped).await;
    assert_eq!(row.reason, "Stopped with savepoint 9.");
    assert!(row.ended_at.is_some() && row.token_hash.is_empty());
    let points = restore_point::list(&world.store, world.job).await.unwrap();
    let kinds: Vec<_> = points.iter().map(|point| (point.kind, point.number)).collect();
    assert_eq!(kinds, [(RestoreKind::Savepoint, 9), (RestoreKind::Checkpoint, 1)]);
    assert_eq!(points[0].by, "ann");
    // The worker leaves when its last report is acknowledged, a moment after the state is stored.
    let deadline = Instant::now() + PATIENCE;
    while !fleet.active().is_empty() {
        assert!(Instant::now() < deadline, "{:?} still run", fleet.active());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    // Whose a line is, the server says.
    let logs = LogStore::new(world.folder.path().join("logs"));
    let page = logs.page(world.run, LogQuery { limit: 100, ..LogQuery::default() }).await.unwrap();
    let line = page.lines.iter().find(|line| line.message == "worker runs").unwrap();
    assert_eq!((line.attempt, line.job_name.as_str(), line.team.as_str()), (1, "count", "blue"));
    let events = job_event::list(&world.store, world.job, None, 50).await.unwrap();
    let texts: Vec<_> = events.iter().rev().map(|(_, event)| event.message.as_str()).collect();
    assert_eq!(texts.first(), Some(&"Starting version 1."));
    assert_eq!(texts.last(), Some(&"Stopped with savepoint 9."));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn savepoints_of_the_schedule_are_told_from_those_of_people() {
    let world = World::new().await;
    let fleet = Fleet::new(world.run_folder(), world.job, world.run);
    let (server, _shutdown) = world.server(Steps::default(), LINK).await;
    fleet.talk_to(&server);
    world.until("running", |row| row.state == RunState::Running).await;
    let deadline = Instant::now() + PATIENCE;
    let until = async |number: u64| loop {
        let points = restore_point::list(&world.store, world.job).await.unwrap();
        if let Some(point) = points.into_iter().find(|point| point.number == number) {
            return (point.by, point.scheduled);
        }
        assert!(Instant::now() < deadline, "savepoint {number} does not come");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert!(server.take_savepoint(&world.row().await, SavepointBy::Schedule).await);
    assert_eq!(until(21).await, ("the schedule".to_owned(), true));
    assert!(server.take_savepoint(&world.row().await, SavepointBy::Person("ann".to_owned())).await);
    assert_eq!(until(22).await, ("ann".to_owned(), false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_lines_are_on_the_disk_before_they_are_acknowledged() {
    let world = World::new().await;
    let fleet = Fleet::new(world.run_folder(), world.job, world.run);
    let (server, _shutdown) = world.server(Steps::default(), LINK).await;
    fleet.talk_to(&server);
    world.until("running", |row| row.state == RunState::Running).await;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = fleet.seen(1);
        if seen.lines > 0 && seen.acknowledged >= seen.lines {
            break;
        }
        assert!(Instant::now() < deadline, "{seen:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(server.shared.logs.is_synced(world.run));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_worker_is_replaced_from_its_checkpoint() {
    let world = World::new().await;
    let fleet = Fleet::new(world.run_folder(), world.job, world.run);
    let (server, _shutdown) = world.server(Steps::default(), LINK).await;
    fleet.talk_to(&server);
    let row =
        world.until("running with a checkpoint", |row| row.state == RunState::Running && row.restore.is_some()).await;
    process::kill(row.process.unwrap());
    world.until("recovering", |row| row.state == RunState::Recovering || row.attempt > 1).await;
    let row = world.until("running again", |row| row.state == RunState::Running && row.attempt == 2).await;
    assert_eq!(row.stop_mode, None);
    let assignment = fleet.seen(2).assignments.pop().unwrap();
    assert!(assignment.restore.unwrap().path.ends_with("checkpoints/checkpoint-1"));
    assert_eq!(fleet.active(), [2]);
    let events = job_event::list(&world.store, world.job, None, 50).await.unwrap();
    assert!(events.iter().any(|(_, event)| event.message.contains("killed by signal 9")), "{events:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_while_a_job_runs_adopts_it() {
    let world = World::new().await;
    let fleet = Fleet::new(world.run_folder(), world.job, world.run);
    let (server, shutdown) = world.server(Steps::default(), LINK).await;
    fleet.talk_to(&server);
    let before = world.until("running", |row| row.state == RunState::Running).await;
    fleet.server_is_gone();
    shutdown.cancel();
    drop(server);

    let (server, _shutdown) = world.server(Steps::default(), LINK).await;
    fleet.talk_to(&server);
    let deadline = Instant::now() + PATIENCE;
    while server.current(&world.row().await).stale || fleet.seen(1).links < 2 {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let after = world.row().await;
    assert_eq!((after.attempt, after.state, after.process), (1, RunState::Running, before.process));
    assert_eq!(fleet.seen(1).assignments.len(), 1, "the work was handed out twice");
    world.ask_stop(&server, StopMode::Cancel).await;
    world.until("stopped", |row| row.state == RunState::Stopped).await;
}

/// The server is killed at each instant between two steps of starting a worker. The next one brings the run to running,
/// with one worker, and the run can be stopped.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_any_two_steps_no_run_is_stuck() {
    for step in Step::ALL {
        let world = World::new().await;
        let fleet = Fleet::new(world.run_folder(), world.job, world.run);
        let died = Arc::new(tokio::sync::Notify::new());
        let (first, shutdown) = world.server(Steps { die_at: Some((step, died.clone())) }, LINK).await;
        fleet.talk_to(&first);
        tokio::time::timeout(PATIENCE, died.notified()).await.unwrap_or_else(|_| panic!("{step:?} was never reached"));
        fleet.server_is_gone();
        shutdown.cancel();
        drop(first);

        let (second, _shutdown) = world.server(Steps::default(), SHORT).await;
        fleet.talk_to(&second);
        let row = world.until(&format!("running after {step:?}"), |row| row.state == RunState::Running).await;
        let deadline = Instant::now() + PATIENCE;
        while fleet.active() != [row.attempt] {
            assert!(Instant::now() < deadline, "{step:?}: {:?} run, not only {}", fleet.active(), row.attempt);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        world.ask_stop(&second, StopMode::Cancel).await;
        world.until(&format!("stopped after {step:?}"), |row| row.state == RunState::Stopped).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn states_follow_each_other_though_the_clock_was_set_back() {
    let world = World::new().await;
    let ahead = world.row().await.state_at + 3_600_000;
    sqlx::query("UPDATE job_runs SET state_at = $1").bind(ahead).execute(world.store.writer()).await.unwrap();
    let fleet = Fleet::new(world.run_folder(), world.job, world.run);
    let (server, _shutdown) = world.server(Steps::default(), LINK).await;
    fleet.talk_to(&server);
    let running = world.until("running", |row| row.state == RunState::Running).await;
    assert!(running.state_at > ahead, "{} is not after {ahead}", running.state_at);
    world.ask_stop(&server, StopMode::Cancel).await;
    let stopped = world.until("stopped", |row| row.state == RunState::Stopped).await;
    assert!(stopped.state_at > running.state_at);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_that_was_asked_for_while_no_server_ran_is_obeyed() {
    let world = World::new().await;
    let fleet = Fleet::new(world.run_folder(), world.job, world.run);
    let (server, shutdown) = world.server(Steps::default(), LINK).await;
    fleet.talk_to(&server);
    world.until("running", |row| row.state == RunState::Running).await;
    fleet.server_is_gone();
    shutdown.cancel();
    world.ask_stop(&server, StopMode::Cancel).await;
    let (server, _shutdown) = world.server(Steps::default(), LINK).await;
    fleet.talk_to(&server);
    let row = world.until("stopped", |row| row.state == RunState::Stopped).await;
    assert_eq!(row.attempt, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_dies_at_once_is_given_up_with_its_last_words() {
    let world = World::new().await;
    std::fs::remove_file(world.folder.path().join("worker.sh")).unwrap();
    std::fs::write(world.folder.path().join("worker.sh"), "#!/bin/sh\nread token; echo 'no such plugin' >&2; exit 4\n")
        .unwrap();
    use std::os::unix::fs::PermissionsExt;
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(world.folder.path().join("worker.sh"), executable).unwrap();
    let (_server, _shutdown) = world.server(Steps::default(), LINK).await;
    let row = world.until("failed", |row| row.state == RunState::Failed).await;
    assert!(row.reason.contains("exit code 4: no such plugin"), "{}", row.reason);
    assert!(row.reason.contains("restarted 5 times"), "{}", row.reason);
    let logs = LogStore::new(world.folder.path().join("logs"));
    let page = logs.page(world.run, LogQuery { limit: 100, ..LogQuery::default() }).await.unwrap();
    assert!(page.lines.iter().any(|line| line.target == "stderr" && line.message == "no such plugin"));
}
