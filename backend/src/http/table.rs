//! `/teams/{team}/tables`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use millrace_wire::connection::ConnectionTest;
use millrace_wire::ids::TableId;
use millrace_wire::page::Page;
use millrace_wire::table::{FetchSchema, FetchedSchema, Sample, Table, TableCheck, TableDraft};
use millrace_wire::table_version::{SaveTable, TableImpact};
use serde::Deserialize;

use super::answers;
use super::extract::{Json, Path, Query};
use super::page::{ListQuery, cut_by_store, whole};
use crate::access::audit::Change;
use crate::access::identity::TeamCaller;
use crate::app::table;
use crate::error::{Error, Result};
use crate::state::App;
use crate::store::table_search::{Direction, TableFilter, TableOrder};

const DEFAULT_SAMPLE: u32 = 20;

/// The usual list, narrowed down and put in order.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct TablesQuery {
    cursor: String,
    limit: Option<usize>,
    q: String,
    database: String,
    connector: String,
    tag: String,
    owner: String,
    /// `name`, `connector`, `columns`, `written`, `read`, `changed`; with a minus in front the other way round.
    sort: String,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Query(query): Query<TablesQuery>,
) -> Result<Response> {
    let order = order_of(&query.sort)?;
    let TablesQuery { database, connector, tag, owner, q: words, .. } = query;
    let filter = TableFilter { database, connector, tag, owner, words };
    let part = ListQuery { cursor: Some(query.cursor), limit: query.limit, q: None }.part()?;
    let sight = caller.sight();
    let read = async {
        let (items, total) = table::list(&app, &sight, &filter, order, part).await?;
        Ok(cut_by_store(items, part, total))
    };
    answers::json(&app, &sight, ("tables", &filter, order, part), read).await
}

fn order_of(sort: &str) -> Result<(TableOrder, Direction)> {
    let (word, direction) = sort.strip_prefix('-').map_or((sort, Direction::Usual), |word| (word, Direction::Reversed));
    let order = match word {
        "" | "name" => TableOrder::Name,
        "connector" => TableOrder::Connector,
        "columns" => TableOrder::Columns,
        "written" => TableOrder::Written,
        "read" => TableOrder::Read,
        "changed" => TableOrder::Changed,
        _ => return Err(Error::bad_request("Tables are not put in order by that.")),
    };
    Ok((order, direction))
}

pub(super) async fn tags(State(app): State<Arc<App>>, caller: TeamCaller) -> Result<Json<Page<String>>> {
    Ok(Json(whole(table::tags(&app, &caller.sight()).await?)))
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(draft): Json<TableDraft>,
) -> Result<Response> {
    let table = table::create(&app, &caller, draft).await?;
    Ok((Extension(Change::new((), &table.draft)), Json(table)).into_response())
}

pub(super) async fn check(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(draft): Json<TableDraft>,
) -> Result<Json<TableCheck>> {
    Ok(Json(table::check(&app, &caller, draft).await?))
}

pub(super) async fn test(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(draft): Json<TableDraft>,
) -> Result<Json<ConnectionTest>> {
    Ok(Json(table::test(&app, &caller, draft).await?))
}

pub(super) async fn fetch(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(request): Json<FetchSchema>,
) -> Result<Json<FetchedSchema>> {
    Ok(Json(table::fetch(&app, &caller, request).await?))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, TableId)>,
) -> Result<Json<Table>> {
    Ok(Json(table::get(&app, &caller.sight(), id).await?))
}

pub(super) async fn update(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, TableId)>,
    Json(request): Json<SaveTable>,
) -> Result<Response> {
    let edited = table::update(&app, &caller, id, request).await?;
    let change = match &edited.broke {
        None => Change::new(&edited.before, &edited.after.draft),
        // What was broken on purpose is part of what was done.
        Some(broke) => {
            let jobs: Vec<&str> = broke.jobs.iter().map(|job| job.job.name.as_str()).collect();
            let accepted = serde_json::json!({ "incompatible": broke.incompatible, "jobs": jobs });
            Change::new(
                &edited.before,
                serde_json::json!({ "table": edited.after.draft, "accepted_breaking": accepted }),
            )
        }
    };
    Ok((Extension(change), Json(edited.after)).into_response())
}

pub(super) async fn impact(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, TableId)>,
    Json(request): Json<SaveTable>,
) -> Result<Json<TableImpact>> {
    Ok(Json(table::impact(&app, &caller, id, request).await?))
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, TableId)>,
) -> Result<Response> {
    let deleted = table::delete(&app, &caller, id).await?;
    Ok((Extension(Change::new(deleted, ())), StatusCode::NO_CONTENT).into_response())
}

#[derive(Deserialize)]
pub(super) struct SampleQuery {
    limit: Option<u32>,
}

pub(super) async fn sample(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, TableId)>,
    Query(query): Query<SampleQuery>,
) -> Result<Json<Sample>> {
    let limit = query.limit.unwrap_or(DEFAULT_SAMPLE);
    Ok(Json(table::sample(&app, &caller, id, limit).await?))
}
