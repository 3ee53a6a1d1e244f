//! The table of contents of the API: each route names its handler. Who may call it stands in `access::policy`.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, Method, Uri};
use axum::middleware::from_fn_with_state;

use super::assets::Assets;
use super::envelope::envelope;
use super::routes::Routes;
use super::{
    audit, bin, catalog, connection, database, function, health, job, job_list, job_test, link, live, log, openapi,
    overview, preview, prometheus, report, run, schedule, search, session, setup, sign_on, start, table, table_script,
    table_version, team, test_run, token, topic, version,
};
use crate::error::Error;
use crate::state::App;

/// Scripts are text of a few kilobytes. Modules, which are larger, are read by their own routes.
const LARGEST_BODY: usize = 2 * 1024 * 1024;

/// Everything below `/api/v1`, in the order of docs/api.md.
pub fn api(app: Arc<App>) -> Routes {
    Routes::new(app)
        .get("/health", health::show)
        .get("/openapi.json", openapi::show)
        .get("/setup", setup::show)
        .post("/setup", setup::create)
        .post("/session", session::create)
        .post("/session/demo", session::demo)
        .get("/session/sign-on", sign_on::begin)
        .get("/session/sign-on/back", sign_on::back)
        .get("/session", session::show)
        .delete("/session", session::delete)
        .get("/tokens", token::list)
        .post("/tokens", token::create)
        .delete("/tokens/{token}", token::delete)
        .get("/audit", audit::list)
        .get("/audit/verify", audit::verify)
        .get("/audit/export", audit::export)
        .get("/connectors", catalog::connectors)
        .get("/functions", catalog::functions)
        .get("/teams", team::list)
        .post("/teams", team::create)
        .get("/teams/{team}", team::show)
        .delete("/teams/{team}", team::delete)
        .get("/teams/{team}/members", team::members)
        .put("/teams/{team}/members", team::set_member)
        .delete("/teams/{team}/members/{user}", team::remove_member)
        .get("/teams/{team}/audit", audit::list_of_team)
        .get("/teams/{team}/audit/verify", audit::verify)
        .get("/teams/{team}/audit/export", audit::export_of_team)
        .get("/teams/{team}/overview", overview::show)
        .get("/teams/{team}/search", search::list)
        .get("/teams/{team}/live", live::stream)
        .get("/teams/{team}/connections", connection::list)
        .post("/teams/{team}/connections", connection::create)
        .post("/teams/{team}/connections/test", connection::test_draft)
        .get("/teams/{team}/connections/{connection}", connection::show)
        .put("/teams/{team}/connections/{connection}", connection::update)
        .delete("/teams/{team}/connections/{connection}", connection::delete)
        .post("/teams/{team}/connections/{connection}/test", connection::test_stored)
        .get("/teams/{team}/connections/{connection}/objects", connection::objects)
        .get("/teams/{team}/connections/{connection}/topics", topic::list)
        .post("/teams/{team}/connections/{connection}/topics", topic::create)
        .get("/teams/{team}/connections/{connection}/topics/{topic}", topic::show)
        .get("/teams/{team}/connections/{connection}/topics/{topic}/messages", topic::messages)
        .get("/teams/{team}/connections/{connection}/groups", topic::groups)
        .get("/teams/{team}/databases", database::list)
        .post("/teams/{team}/databases", database::create)
        .delete("/teams/{team}/databases/{database}", database::delete)
        .get("/teams/{team}/tables", table::list)
        .post("/teams/{team}/tables", table::create)
        .post("/teams/{team}/tables/check", table::check)
        .post("/teams/{team}/tables/test", table::test)
        .post("/teams/{team}/tables/fetch", table::fetch)
        .get("/teams/{team}/tables/tags", table::tags)
        .post("/teams/{team}/tables/import", table_script::import)
        .get("/teams/{team}/tables/script", table_script::export)
        .get("/teams/{team}/tables/{table}", table::show)
        .put("/teams/{team}/tables/{table}", table::update)
        .patch("/teams/{team}/tables/{table}", table_version::change)
        .delete("/teams/{team}/tables/{table}", table::delete)
        .get("/teams/{team}/tables/{table}/sample", table::sample)
        .post("/teams/{team}/tables/{table}/impact", table::impact)
        .get("/teams/{team}/tables/{table}/versions", table_version::list)
        .get("/teams/{team}/tables/{table}/versions/{number}", table_version::show)
        .get("/teams/{team}/tables/{table}/diff", table_version::diff)
        .get("/teams/{team}/functions", function::list)
        .post("/teams/{team}/functions", function::create)
        .post("/teams/{team}/functions/modules", function::upload)
        .post("/teams/{team}/functions/inspect", function::inspect)
        .post("/teams/{team}/functions/check", function::check)
        .get("/teams/{team}/functions/{function}", function::show)
        .patch("/teams/{team}/functions/{function}", function::change)
        .delete("/teams/{team}/functions/{function}", function::delete)
        .get("/teams/{team}/functions/{function}/module", function::module_bytes)
        .post("/teams/{team}/functions/{function}/test", function::test)
        .post("/teams/{team}/sql/validate", catalog::validate)
        .post("/teams/{team}/sql/complete", catalog::complete)
        .post("/teams/{team}/sql/format", catalog::format)
        .post("/teams/{team}/previews", preview::start)
        .get("/teams/{team}/previews/{preview}/events", preview::events)
        .delete("/teams/{team}/previews/{preview}", preview::cancel)
        .get("/teams/{team}/test-runs", test_run::list)
        .post("/teams/{team}/test-runs", test_run::start)
        .get("/teams/{team}/test-runs/{run}", test_run::show)
        .delete("/teams/{team}/test-runs/{run}", test_run::cancel)
        .get("/teams/{team}/test-runs/{run}/events", test_run::events)
        .get("/teams/{team}/test-runs/{run}/sinks/{table}/rows", test_run::rows)
        .get("/teams/{team}/test-runs/{run}/compare/{other}", test_run::compare)
        .put("/teams/{team}/tests-gate", job_test::set_team_gate)
        .get("/teams/{team}/saved-filters", job_list::filters)
        .post("/teams/{team}/saved-filters", job_list::save_filter)
        .delete("/teams/{team}/saved-filters/{filter}", job_list::delete_filter)
        .get("/teams/{team}/jobs", job_list::list)
        .post("/teams/{team}/jobs", job::create)
        .get("/teams/{team}/jobs/counts", job_list::counts)
        .post("/teams/{team}/jobs/bulk", job_list::bulk)
        .get("/teams/{team}/jobs/bin", bin::list)
        .post("/teams/{team}/jobs/bin/{job}/restore", bin::restore)
        .delete("/teams/{team}/jobs/bin/{job}", bin::delete)
        .get("/teams/{team}/jobs/{job}", job::show)
        .patch("/teams/{team}/jobs/{job}", job::change)
        .delete("/teams/{team}/jobs/{job}", bin::put)
        .get("/teams/{team}/jobs/{job}/dependents", bin::dependents)
        .put("/teams/{team}/jobs/{job}/draft", job::save_draft)
        .get("/teams/{team}/jobs/{job}/versions", version::list)
        .post("/teams/{team}/jobs/{job}/versions", version::create)
        .get("/teams/{team}/jobs/{job}/versions/{number}", version::show)
        .post("/teams/{team}/jobs/{job}/versions/{number}/rollback", report::roll_back)
        .get("/teams/{team}/jobs/{job}/diff", report::diff)
        .get("/teams/{team}/jobs/{job}/report", report::show)
        .get("/teams/{team}/jobs/{job}/schedule", schedule::show)
        .put("/teams/{team}/jobs/{job}/schedule", schedule::set)
        .delete("/teams/{team}/jobs/{job}/schedule", schedule::delete)
        .post("/teams/{team}/jobs/{job}/schedule/check", schedule::check)
        .get("/teams/{team}/jobs/{job}/fires", schedule::fires)
        .get("/teams/{team}/jobs/{job}/tests", job_test::list)
        .post("/teams/{team}/jobs/{job}/tests", job_test::create)
        .post("/teams/{team}/jobs/{job}/tests/run", job_test::run)
        .put("/teams/{team}/jobs/{job}/tests/{test}", job_test::update)
        .delete("/teams/{team}/jobs/{job}/tests/{test}", job_test::delete)
        .put("/teams/{team}/jobs/{job}/tests-gate", job_test::set_gate)
        .get("/teams/{team}/jobs/{job}/start-options", start::options)
        .post("/teams/{team}/jobs/{job}/start", start::start)
        .post("/teams/{team}/jobs/{job}/stop", start::stop)
        .post("/teams/{team}/jobs/{job}/savepoints", start::take_savepoint)
        .get("/teams/{team}/jobs/{job}/savepoints", start::savepoints)
        .get("/teams/{team}/jobs/{job}/runs", run::list)
        .get("/teams/{team}/jobs/{job}/runs/{number}/report", report::of_run)
        .get("/teams/{team}/jobs/{job}/events", run::events)
        .get("/teams/{team}/jobs/{job}/graph", run::graph)
        .get("/teams/{team}/jobs/{job}/metrics", run::metrics)
        .get("/teams/{team}/jobs/{job}/figures", run::figures)
        .get("/teams/{team}/jobs/{job}/logs", log::page)
        .get("/teams/{team}/jobs/{job}/logs/tail", log::tail)
        .get("/link", link::open)
}

/// What lies beside the API, at the root.
pub fn outside(app: Arc<App>) -> Routes {
    Routes::new(app).get("/metrics", prometheus::show)
}

/// The whole server: the API and the console.
pub fn server(app: Arc<App>) -> Router {
    let api = api(app.clone())
        .into_router()
        .fallback(|| async { Error::not_found("address in the API") })
        .method_not_allowed_fallback(|| async { Error::not_found("call of that method") })
        .layer(DefaultBodyLimit::max(LARGEST_BODY));
    let assets = Assets::from_environment();
    let console = move |method: Method, uri: Uri, headers: HeaderMap| assets.clone().answer(method, uri, headers);
    let outside = outside(app.clone()).into_router();
    Router::new().nest("/api/v1", api).merge(outside).fallback(console).layer(from_fn_with_state(app, envelope))
}
