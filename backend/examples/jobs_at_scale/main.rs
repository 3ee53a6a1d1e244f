//! A team of 15,000 jobs and 20,000 tables, 2,000 of the jobs running: how long lists, filters, search and the overview
//! take; how long a server that starts needs until it has all that runs in hand; what 1,000 reads a second cost it.
//!
//! ```text
//! cargo xtask scale [--release]
//! ```
//! or, for the first part alone: `cargo run --release -p millrace-backend --example jobs_at_scale [database url]`. Without
//! a URL it uses SQLite in a folder that is removed at the end. The second part runs where `MILLRACE_BIN` names a server.

#![allow(clippy::print_stdout)]

mod fill;
mod served;
mod worker;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use millrace_backend::clock::new_id;
use millrace_backend::config::Config;
use millrace_backend::engine;
use millrace_backend::http::router;
use millrace_backend::state::App;
use tower::ServiceExt as _;

const JOBS: usize = 15_000;
/// How many of them run.
const LIVE: usize = 2_000;
const TABLES: usize = 20_000;
const CALLS: usize = 200;
const HOST: &str = "127.0.0.1:7878";
const SLUG: &str = "large";

/// What people look at, below the team. `#40` stands for a number below 40, another one with each call: few look at the
/// same page under the same filter in the same second.
const READS: [(&str, &str); 11] = [
    ("list", "jobs"),
    ("list by name, any page", "jobs?sort=name&cursor=#150.00"),
    ("list by change", "jobs?sort=changed"),
    ("filter by state", "jobs?state=failed"),
    ("filter by tag", "jobs?tag=team-#40"),
    ("filter by words", "jobs?q=payments+department+#97"),
    ("filter without a match", "jobs?q=nothing-has-this"),
    ("counters", "jobs/counts"),
    ("counters under words", "jobs/counts?q=department+#97"),
    ("search", "search?q=payments+hourly+#150"),
    ("overview", "overview"),
];

fn path_of(pattern: &str, number: usize) -> String {
    let Some((before, rest)) = pattern.split_once('#') else { return pattern.to_owned() };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (below, after) = rest.split_at(digits);
    let number = number % below.parse::<usize>().unwrap_or(1).max(1);
    // A point keeps the zeros behind it from being read as part of the number.
    format!("{before}{number}{}", after.replacen('.', "", 1))
}

#[tokio::main]
async fn main() -> Result<()> {
    let folder = std::env::temp_dir().join(format!("millrace-scale-{}", new_id().simple()));
    std::fs::create_dir_all(&folder)?;
    let outcome = measure(&folder).await;
    std::fs::remove_dir_all(&folder)?;
    outcome
}

async fn measure(folder: &Path) -> Result<()> {
    let url = std::env::args().nth(1);
    let mut settings =
        BTreeMap::from([("data_dir".to_owned(), folder.display().to_string()), ("listen".to_owned(), HOST.to_owned())]);
    settings.extend(url.clone().map(|url| ("database_url".to_owned(), url)));
    let config = Config::from_sources(None, settings)?;
    let app = Arc::new(App::open(config, engine::front()).await?);
    let begun = Instant::now();
    let (team, cookie) = fill::people(&app).await?;
    let live = fill::jobs(&app, team).await?;
    fill::tables(&app, team).await?;
    println!("{JOBS} jobs and {TABLES} tables in {:.1} s", begun.elapsed().as_secs_f64());
    in_process(app.clone(), &cookie).await?;
    let stand_in = served::StandIn::start()?;
    let workers = fill::runs(&app, team, &live, stand_in.process()).await?;
    app.store.close().await;
    match std::env::var_os("MILLRACE_BIN") {
        Some(server) => served::measure(PathBuf::from(server), folder, url.as_deref(), &cookie, workers).await,
        None => Ok(()),
    }
}

/// Through the router, without a network and one call after the other.
async fn in_process(app: Arc<App>, cookie: &str) -> Result<()> {
    let router = router::server(app);
    println!("\none call after the other, without a network:");
    for (name, path) in READS {
        let mut took = Vec::with_capacity(CALLS);
        let mut bytes = 0;
        for number in 0..CALLS {
            let (time, length) = call(&router, cookie, &path_of(path, number)).await?;
            took.push(time);
            bytes = length;
        }
        println!("{name:24} {}   {bytes:8} bytes", in_words(&mut took));
    }
    Ok(())
}

/// The middle and the slowest hundredth.
fn in_words(took: &mut [Duration]) -> String {
    took.sort_unstable();
    let last = took.len().saturating_sub(1);
    let at = |part: f64| {
        let place = ((took.len() as f64 * part) as usize).min(last);
        took.get(place).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
    };
    format!("p50 {:7.1} ms   p99 {:7.1} ms", at(0.5), at(0.99))
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
