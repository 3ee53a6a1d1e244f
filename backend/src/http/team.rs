//! `/teams` and their members.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use millrace_wire::ids::UserId;
use millrace_wire::page::Page;
use millrace_wire::team::{Member, NewTeam, SetMember, Team};

use super::extract::{Json, Path, Query};
use super::page::ListQuery;
use crate::access::audit::Change;
use crate::access::identity::{Caller, TeamCaller};
use crate::app::team;
use crate::error::Result;
use crate::state::App;

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Team>>> {
    let teams = team::list(&app, &caller).await?;
    Ok(Json(query.cut(teams, |team| format!("{} {}", team.slug, team.name))?))
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(request): Json<NewTeam>,
) -> Result<Response> {
    let team = team::create(&app, &caller, request).await?;
    Ok((Extension(Change::new((), &team)), Json(team)).into_response())
}

pub(super) async fn show(State(app): State<Arc<App>>, caller: TeamCaller) -> Result<Json<Team>> {
    Ok(Json(team::get(&app, &caller).await?))
}

pub(super) async fn delete(State(app): State<Arc<App>>, caller: TeamCaller) -> Result<StatusCode> {
    team::delete(&app, &caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn members(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Member>>> {
    let members = team::members(&app, &caller).await?;
    Ok(Json(query.cut(members, |member| format!("{} {}", member.name, member.email))?))
}

pub(super) async fn set_member(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Json(request): Json<SetMember>,
) -> Result<Response> {
    let set = team::set_member(&app, &caller, request).await?;
    Ok((Extension(Change::new(&set.before, &set.after)), Json(set.after)).into_response())
}

pub(super) async fn remove_member(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, user)): Path<(String, UserId)>,
) -> Result<Response> {
    let removed = team::remove_member(&app, &caller, user).await?;
    let (before, grants) = (removed.member, removed.grants);
    let change = Change(serde_json::json!({ "before": before, "after": null, "withdrawn_grants": grants }));
    Ok((Extension(change), StatusCode::NO_CONTENT).into_response())
}
