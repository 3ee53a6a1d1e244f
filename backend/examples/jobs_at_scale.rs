//! Fills a database with 15,000 jobs and 20,000 tables of one team and prints how long lists, filters, search and the
//! overview take, through the router and without a network:
//!
//! ```text
//! cargo run --release -p millrace-backend --example jobs_at_scale [database url]
//! ```
//! Without a URL it uses SQLite in a folder that is removed at the end.

#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use millrace_backend::access::secret::{hash_token, random_token};
use millrace_backend::access::sight::Sight;
use millrace_backend::app::team;
use millrace_backend::clock::{new_id, now_ms};
use millrace_backend::config::Config;
use millrace_backend::http::router;
use millrace_backend::state::App;
use millrace_backend::store::job::{DraftRow, JobRow};
use millrace_backend::store::table::TableRow;
use millrace_backend::store::user::UserRow;
use millrace_backend::{engine, error, store, transact};
use millrace_wire::ids::{DatabaseId, JobId, TableId, TeamId, UserId};
use millrace_wire::job::{DesiredState, JobKind, JobSettings};
use millrace_wire::run::RunState;
use millrace_wire::table::TableDraft;
use millrace_wire::table_version::Compatibility;
use millrace_wire::team::Role;
use tower::ServiceExt as _;

const JOBS: usize = 15_000;
const TABLES: usize = 20_000;
const AT_ONCE: usize = 500;
const CALLS: usize = 200;
const HOST: &str = "127.0.0.1:7878";
const SLUG: &str = "large";

#[tokio::main]
async fn main() -> Result<()> {
    let folder = std::env::temp_dir().join(format!("millrace-scale-{}", new_id().simple()));
    let mut settings =
        BTreeMap::from([("data_dir".to_owned(), folder.display().to_string()), ("listen".to_owned(), HOST.to_owned())]);
    settings.extend(std::env::args().nth(1).map(|url| ("database_url".to_owned(), url)));
    std::fs::create_dir_all(&folder)?;
    let outcome = measure(settings).await;
    std::fs::remove_dir_all(&folder)?;
    outcome
}

async fn measure(settings: BTreeMap<String, String>) -> Result<()> {
    let config = Config::from_sources(None, settings)?;
    let app = Arc::new(App::open(config, engine::front()).await?);
    let begun = Instant::now();
    let (team, cookie) = people(&app).await?;
    fill_jobs(&app, team).await?;
    fill_tables(&app, team).await?;
    println!("{JOBS} jobs and {TABLES} tables in {:.1} s", begun.elapsed().as_secs_f64());
    let router = router::server(app.clone());
    let calls = [
        ("list", "jobs"),
        ("list by name, page 100", "jobs?sort=name&cursor=10000"),
        ("list by change", "jobs?sort=changed"),
        ("filter by state", "jobs?state=failed"),
        ("filter by tag", "jobs?tag=team-7"),
        ("filter by words", "jobs?q=payments+hourly"),
        ("filter without a match", "jobs?q=nothing-has-this"),
        ("counters", "jobs/counts"),
        ("counters under words", "jobs/counts?q=payments"),
        ("search", "search?q=payments"),
        ("overview", "overview"),
    ];
    for (name, path) in calls {
        let mut took = Vec::with_capacity(CALLS);
        let mut bytes = 0;
        for _ in 0..CALLS {
            let (time, length) = call(&router, &cookie, path).await?;
            took.push(time);
            bytes = length;
        }
        took.sort_unstable();
        let at = |part: f64| took[((took.len() as f64 * part) as usize).min(took.len() - 1)].as_secs_f64() * 1000.0;
        println!("{name:24} p50 {:7.1} ms   p99 {:7.1} ms   {bytes:8} bytes", at(0.5), at(0.99));
    }
    app.store.close().await;
    Ok(())
}

async fn call(router: &Router, cookie: &str, path: &str) -> Result<(Duration, usize)> {
    let request = Request::get(format!("/api/v1/teams/{SLUG}/{path}"))
        .header(header::HOST, HOST)
        .header(header::COOKIE, format!("millrace={cookie}"))
        .body(Body::empty())?;
    let begun = Instant::now();
    let answer = router.clone().oneshot(request).await?;
    let status = answer.status();
    let body = to_bytes(answer.into_body(), usize::MAX).await?;
    let took = begun.elapsed();
    ensure!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&body));
    Ok((took, body.len()))
}

async fn people(app: &App) -> Result<(TeamId, String)> {
    let made = team::new_team(SLUG, "Large", now_ms());
    let (team, user, now) = (made.id, UserId(new_id()), now_ms());
    let row = UserRow {
        id: user,
        name: "Scale".to_owned(),
        email: "scale@example.org".to_owned(),
        password_hash: String::new(),
        administrator: false,
        disabled: false,
        created_at: now,
    };
    let cookie = random_token();
    let hash = hash_token(&cookie);
    transact!(app.store, tx => {
        team::insert_with_basics(tx, &made, "scale").await?;
        store::user::insert(tx, &row).await?;
        store::team::set_member(tx, team, user, Role::Viewer, now).await?;
        store::session::insert(tx, &hash, user, now, now + 3_600_000).await
    })?;
    Ok((team, cookie))
}

fn job(team: TeamId, number: usize) -> JobRow {
    let topic = ["payments", "orders", "clicks", "sensors", "sessions"][number % 5];
    let step = ["hourly", "daily", "raw"][number % 3];
    let now = now_ms() - number as i64;
    // As long as scripts are.
    let sql = format!("INSERT INTO main.t{number} SELECT * FROM main.t{} -- {}", number + 1, "x".repeat(1_500));
    JobRow {
        id: JobId(new_id()),
        team,
        name: format!("{topic} {step} {number}"),
        description: format!("Aggregates {topic} for the {step} report of department {}.", number % 97),
        owner: format!("person-{}", number % 300),
        tags: vec![format!("team-{}", number % 40), topic.to_owned()],
        folder: format!("{topic}/{step}"),
        kind: JobKind::Stream,
        owner_id: None,
        restricted: false,
        desired: DesiredState::Stopped,
        demo: false,
        draft: DraftRow {
            sql,
            settings: JobSettings::default(),
            revision: 1,
            updated_by: "scale".to_owned(),
            updated_at: now,
        },
        created_at: now,
        updated_at: now,
    }
}

async fn fill_jobs(app: &App, team: TeamId) -> Result<()> {
    let states = [RunState::Running, RunState::Stopped, RunState::Finished, RunState::Failed];
    for first in (0..JOBS).step_by(AT_ONCE) {
        let some: Vec<JobRow> = (first..(first + AT_ONCE).min(JOBS)).map(|number| job(team, number)).collect();
        transact!(app.store, tx => {
            for (place, job) in some.iter().enumerate() {
                store::job::insert(tx, job).await?;
                // Most have run; the runs themselves are not what lists are slow by.
                if let Some(state) = states.get((first + place) % 7) {
                    store::job_list::set_run(tx, job.id, 0, *state).await?;
                }
            }
            Ok::<_, error::Error>(())
        })?;
    }
    Ok(())
}

async fn fill_tables(app: &App, team: TeamId) -> Result<()> {
    let databases = store::database::list(&app.store, &Sight::platform(team)).await?;
    let database: DatabaseId = databases.first().context("a team has a database")?.id;
    for first in (0..TABLES).step_by(AT_ONCE) {
        let rows = (first..(first + AT_ONCE).min(TABLES)).map(|number| table(team, number));
        let rows = rows.collect::<Result<Vec<TableRow>>>()?;
        transact!(app.store, tx => {
            for row in &rows {
                store::table::insert(tx, row, database).await?;
            }
            Ok::<_, error::Error>(())
        })?;
    }
    Ok(())
}

fn table(team: TeamId, number: usize) -> Result<TableRow> {
    let name = format!("t{number}");
    let draft: TableDraft = serde_json::from_value(serde_json::json!({
        "database": "main", "name": name, "connector": "kafka", "connection": null, "format": "json",
        "options": { "topic": name }, "columns": [{ "name": "id", "data_type": "BIGINT", "kind": "physical" }],
        "primary_key": [], "comment": format!("Table {number} of many"),
    }))?;
    let now = now_ms();
    Ok(TableRow {
        id: TableId(new_id()),
        team,
        draft,
        secrets: BTreeMap::new(),
        ddl: format!("CREATE TABLE {name} (id BIGINT) WITH ('connector' = 'kafka')"),
        resolved: Vec::new(),
        topic: name,
        built_in: false,
        revision: 1,
        created_at: now,
        updated_at: now,
        updated_by: "scale".to_owned(),
        connection_name: String::new(),
        owner: String::new(),
        tags: Vec::new(),
        sharers: Vec::new(),
        compatibility: Compatibility::None,
        owner_id: None,
        restricted: false,
        listed: false,
    })
}
