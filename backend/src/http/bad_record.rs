//! `/teams/{team}/tables/{table}/bad-records`.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream::{self, Stream};
use millrace_wire::bad_record::{
    BadRecord, BadRecordCause, BadRecordDetail, DecodeCause, DecodeRecord, DecodedCause, DecodedRecord, ReplayRecord,
};
use millrace_wire::ids::{BadRecordId, JobId, TableId};
use millrace_wire::page::Page;
use serde::Deserialize;

use super::extract::{Json, Path, Query};
use super::page::{ListQuery, cut_by_store, whole};
use crate::access::audit::Change;
use crate::access::identity::TeamCaller;
use crate::access::sight::Sight;
use crate::app::bad_record;
use crate::error::{Error, Result};
use crate::state::App;
use crate::store::bad_record::BadRecordFilter;

#[derive(Deserialize)]
pub(super) struct BadRecordsQuery {
    cursor: Option<String>,
    limit: Option<usize>,
    cause: Option<String>,
    job: Option<JobId>,
    from: Option<i64>,
    to: Option<i64>,
}

impl BadRecordsQuery {
    fn split(self) -> (BadRecordFilter, ListQuery) {
        let BadRecordsQuery { cursor, limit, cause, job, from, to } = self;
        (BadRecordFilter { cause, job, from, to }, ListQuery { cursor, limit, q: None })
    }
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, table)): Path<(String, TableId)>,
    Query(query): Query<BadRecordsQuery>,
) -> Result<Json<Page<BadRecord>>> {
    let (filter, list) = query.split();
    let part = list.part()?;
    let (items, total) = bad_record::list(&app, &caller.sight(), table, &filter, part).await?;
    Ok(Json(cut_by_store(items, part, total)))
}

pub(super) async fn causes(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, table)): Path<(String, TableId)>,
) -> Result<Json<Page<BadRecordCause>>> {
    Ok(Json(whole(bad_record::causes(&app, caller.team, table).await?)))
}

pub(super) async fn export(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, table)): Path<(String, TableId)>,
    Query(query): Query<BadRecordsQuery>,
) -> Result<Response> {
    let (filter, _) = query.split();
    let sight = caller.sight();
    // What is wrong is told before the file begins.
    let first = bad_record::next(&app, &sight, table, &filter, "").await?;
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=bad-records-{table}.jsonl")),
    ];
    Ok((headers, Body::from_stream(lines(app, sight, table, filter, first))).into_response())
}

/// One record in a line, as they are read: there may be many.
fn lines(
    app: Arc<App>,
    sight: Sight,
    table: TableId,
    filter: BadRecordFilter,
    first: Vec<BadRecordDetail>,
) -> impl Stream<Item = Result<Bytes>> {
    stream::try_unfold((app, filter, first), move |(app, filter, details)| async move {
        let Some(last) = details.last().map(|detail| detail.record.id.to_string()) else { return Ok(None) };
        let mut text = String::new();
        for detail in &details {
            text.push_str(&serde_json::to_string(detail)?);
            text.push('\n');
        }
        let more = bad_record::next(&app, &sight, table, &filter, &last).await?;
        Ok(Some((Bytes::from(text), (app, filter, more))))
    })
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, table, id)): Path<(String, TableId, BadRecordId)>,
) -> Result<Json<BadRecordDetail>> {
    Ok(Json(bad_record::get(&app, &caller.sight(), table, id).await?))
}

pub(super) async fn decode(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, table, id)): Path<(String, TableId, BadRecordId)>,
    Json(request): Json<DecodeRecord>,
) -> Result<Json<DecodedRecord>> {
    Ok(Json(bad_record::decode(&app, &caller, table, id, request).await?))
}

pub(super) async fn decode_cause(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, table)): Path<(String, TableId)>,
    Json(request): Json<DecodeCause>,
) -> Result<Json<DecodedCause>> {
    Ok(Json(bad_record::decode_cause(&app, &caller, table, request.cause).await?))
}

pub(super) async fn replay(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, table, id)): Path<(String, TableId, BadRecordId)>,
    Json(request): Json<ReplayRecord>,
) -> Result<Response> {
    let done = bad_record::replay(&app, &caller, table, id, request).await?;
    // Where from and where to; the bytes stay out of the trail.
    let before = serde_json::json!({ "split": done.before.split, "offset": done.before.offset });
    let after = serde_json::json!({ "to": done.to, "edited": done.edited });
    Ok((Extension(Change::new(before, after)), Json(done.to)).into_response())
}

pub(super) async fn dismiss(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, table, id)): Path<(String, TableId, BadRecordId)>,
) -> Result<Response> {
    let gone = bad_record::dismiss(&app, caller.team, table, id).await?;
    let before = serde_json::json!({ "split": gone.split, "offset": gone.offset, "cause": gone.cause });
    Ok((Extension(Change::new(before, ())), StatusCode::NO_CONTENT).into_response())
}

#[derive(Deserialize)]
pub(super) struct CauseQuery {
    cause: Option<String>,
}

pub(super) async fn dismiss_cause(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, table)): Path<(String, TableId)>,
    Query(query): Query<CauseQuery>,
) -> Result<Response> {
    let cause = query.cause.ok_or_else(|| Error::field("cause", "Say which cause."))?;
    let records = bad_record::dismiss_cause(&app, caller.team, table, &cause).await?;
    let before = serde_json::json!({ "cause": cause, "records": records });
    Ok((Extension(Change::new(before, ())), StatusCode::NO_CONTENT).into_response())
}
