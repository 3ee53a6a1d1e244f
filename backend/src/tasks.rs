//! What the server does by itself, beside answering requests: keeping the broker, adopting runs, writing the history of
//! metrics, keeping each team's built-in tables, making the demo.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use millrace_wire::ids::TeamId;

use crate::app::{
    approval, bad_record, bin, function, job_list, log_search, savepoint_schedule, schedule, start as runs, table,
};
use crate::broker::{self, Keeper};
use crate::clock::now_ms;
use crate::demo;
use crate::error::{Error, Result};
use crate::log::feed::LogFeed;
use crate::mail;
use crate::peer;
use crate::state::App;
use crate::store;
use crate::watch::{OwnUsage, tables, topics};

/// A worker that is stopped with the server gets so long for a last checkpoint.
const CHECKPOINT_TAKES: Duration = Duration::from_secs(60);
const FLUSH_EVERY: Duration = Duration::from_secs(10);
const ROLL_UP_EVERY: Duration = Duration::from_secs(60);
/// How old the figures may be that lists of jobs are sorted by.
const LIST_EVERY: Duration = Duration::from_secs(4);
const PURGE_EVERY: Duration = Duration::from_secs(600);
/// How late something starts that is due.
const TICK: Duration = Duration::from_secs(1);
/// How soon a new team gets its tables, and a broker that came up its topics.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Starts everything. Call it when the server listens: workers that run come back at once.
pub async fn start(app: &Arc<App>) -> Result<()> {
    app.worker_tables.belong_to(app);
    let keeper = Keeper {
        config: app.config.clone(),
        live: app.live.clone(),
        status: app.broker.clone(),
        shutdown: app.shutdown.clone(),
    };
    tokio::spawn(keeper.keep());
    app.membership.renew(&app.store).await?;
    tokio::spawn(app.membership.clone().keep(app.store.clone(), app.shutdown.clone()));
    let adopted = app.jobs.claim().await?;
    if adopted > 0 {
        tracing::info!(runs = adopted, "runs of the last server are taken over");
    }
    tokio::spawn(app.jobs.clone().keep_claiming());
    tokio::spawn(peer::follow(app.clone()));
    tokio::spawn(function::tidy_up(app.clone()));
    tokio::spawn(keep_history(app.clone()));
    index_logs(app);
    tokio::spawn(keep_jobs(app.clone()));
    if app.mailer.is_some() {
        tokio::spawn(mail::keep_sending(app.clone()));
    }
    tokio::spawn(watch_itself(app.clone()));
    if app.config.demo {
        tokio::spawn(demo::keep(app.clone()));
    }
    Ok(())
}

/// Ends the workers, each after a checkpoint, and the demo broker. The server is asked to stop on the way.
pub async fn stop_all(app: &App) -> Result<()> {
    let rested = app.jobs.put_to_rest(CHECKPOINT_TAKES).await?;
    tracing::info!(workers = rested.workers, with_checkpoint = rested.with_checkpoint, "workers are stopped");
    // With workers and the keeper gone nobody needs it any more.
    if broker::stop(&app.config.data_dir).await {
        tracing::info!("the demo broker is stopped");
    }
    Ok(())
}

/// Call it when the server ends, after `shutdown` was cancelled.
pub async fn finish(app: &App) {
    if let Err(error) = app.metrics.flush(now_ms()).await {
        tracing::warn!(%error, "the last figures are not in the history");
    }
    app.metrics.close().await;
    app.log_search.close().await;
    if let Err(error) = app.membership.leave(&app.store).await {
        tracing::warn!(%error, "the other servers take this one's runs over when its lease has run out");
    }
}

/// Brings lines into the log index, until the server stops.
pub fn index_logs(app: &Arc<App>) {
    let Some(own) = app.log_search.take_own_lines() else { return };
    let feed = LogFeed {
        logs: app.logs.clone(),
        search: app.log_search.clone(),
        store: app.store.clone(),
        membership: app.membership.clone(),
        own,
        folder: app.config.log_index_folder(),
    };
    tokio::spawn(feed.keep(app.shutdown.clone()));
}

async fn keep_history(app: Arc<App>) {
    let mut own = OwnUsage::default();
    let mut flush = tokio::time::interval(FLUSH_EVERY);
    let mut roll_up = tokio::time::interval(ROLL_UP_EVERY);
    loop {
        let outcome = tokio::select! {
            _ = flush.tick() => {
                app.mirror.own_figures(&mut own);
                app.metrics.flush(now_ms()).await
            }
            _ = roll_up.tick() => app.metrics.roll_up(now_ms()).await,
            () = app.shutdown.cancelled() => return,
        };
        if let Err(error) = outcome {
            tracing::warn!(%error, "the history of metrics cannot be written");
        }
    }
}

/// What is due of jobs: restarts, schedules, figures of lists, the end of what lies in the recycle bin.
async fn keep_jobs(app: Arc<App>) {
    let mut written = HashMap::new();
    let mut tick = tokio::time::interval(TICK);
    let mut list = tokio::time::interval(LIST_EVERY);
    let mut purge = tokio::time::interval(PURGE_EVERY);
    for interval in [&mut tick, &mut list, &mut purge] {
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    }
    loop {
        let outcome = tokio::select! {
            _ = tick.tick() => start_what_is_due(&app).await,
            _ = list.tick() => job_list::write_figures(&app, &mut written).await,
            _ = purge.tick() => purge_what_is_old(&app).await,
            () = app.shutdown.cancelled() => return,
        };
        if let Err(error) = outcome {
            tracing::warn!(%error, "what is due of jobs is tried again");
        }
    }
}

async fn purge_what_is_old(app: &App) -> Result<()> {
    bin::purge(app, now_ms()).await?;
    log_search::retain(app, now_ms()).await?;
    bad_record::purge(app, now_ms()).await.map(drop)
}

async fn start_what_is_due(app: &App) -> Result<()> {
    runs::start_again(app).await?;
    approval::start_due(app).await?;
    schedule::tick(app, now_ms()).await?;
    savepoint_schedule::tick(app, now_ms()).await
}

/// The mirror follows the broker; every team has its two topics and its two tables.
async fn watch_itself(app: Arc<App>) {
    let mut connected_to = String::new();
    let mut ready = BTreeSet::new();
    loop {
        let broker = app.broker.borrow().clone();
        if broker.up && broker.bootstrap != connected_to {
            let options = [("bootstrap.servers", broker.bootstrap.as_str())];
            match connect(&app, &options).await {
                Ok(()) => {
                    connected_to.clone_from(&broker.bootstrap);
                    ready.clear();
                }
                Err(error) => tracing::warn!(%error, "the platform's own topics cannot be written yet"),
            }
        }
        let is_up = broker.up && !connected_to.is_empty();
        match store::team::slugs(&app.store).await {
            Ok(teams) => {
                for (team, slug) in teams {
                    if is_up && !ready.contains(&team) && prepare(&app, team, &slug, &connected_to).await {
                        ready.insert(team);
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "teams cannot be listed"),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = app.shutdown.cancelled() => return,
        }
    }
}

async fn connect(app: &App, options: &[(&str, &str)]) -> Result<()> {
    let own = [topics::SERVER_LOGS.to_owned(), topics::SERVER_METRICS.to_owned()];
    topics::ensure(options.iter().copied(), &own, 1).await?;
    app.mirror.connect(options.iter().copied())
}

async fn prepare(app: &App, team: TeamId, slug: &str, bootstrap: &str) -> bool {
    let outcome = async {
        let names = [topics::logs(slug), topics::metrics(slug)];
        topics::ensure([("bootstrap.servers", bootstrap)], &names, 1).await?;
        let connection = store::connection::built_in(&app.store, team).await?;
        let connection = connection.ok_or_else(|| Error::not_found("built-in connection"))?;
        for draft in tables::drafts(slug, connection.id) {
            table::ensure_built_in(app, team, slug, draft).await?;
        }
        Ok::<_, Error>(())
    };
    match outcome.await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%error, team = slug, "a team's own tables are not there yet");
            false
        }
    }
}
