//! `/organisations`, their teams and members.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use millrace_wire::ids::UserId;
use millrace_wire::organisation::{
    NameTeamOwner, NewOrganisation, Organisation, OrganisationChange, OrganisationMember, OrganisationTeam,
    SetOrganisationMember,
};
use millrace_wire::page::Page;

use super::extract::{Json, Path, Query};
use super::page::ListQuery;
use crate::access::audit::Change;
use crate::access::identity::{Caller, OrganisationCaller};
use crate::app::{organisation, organisation_member};
use crate::error::Result;
use crate::state::App;

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Organisation>>> {
    let found = organisation::list(&app, &caller).await?;
    Ok(Json(query.cut(found, |organisation| format!("{} {}", organisation.slug, organisation.name))?))
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(request): Json<NewOrganisation>,
) -> Result<Response> {
    let made = organisation::create(&app, &caller, request).await?;
    Ok((Extension(Change::new((), &made)), Json(made)).into_response())
}

pub(super) async fn show(caller: OrganisationCaller) -> Json<Organisation> {
    Json(caller.organisation)
}

pub(super) async fn rename(
    State(app): State<Arc<App>>,
    caller: OrganisationCaller,
    Json(change): Json<OrganisationChange>,
) -> Result<Response> {
    let after = organisation::rename(&app, &caller, change).await?;
    Ok((Extension(Change::new(&caller.organisation, &after)), Json(after)).into_response())
}

pub(super) async fn delete(State(app): State<Arc<App>>, caller: Caller, Path(slug): Path<String>) -> Result<Response> {
    let gone = organisation::delete(&app, &caller, &slug).await?;
    Ok((Extension(Change::new(&gone, ())), StatusCode::NO_CONTENT).into_response())
}

pub(super) async fn teams(
    State(app): State<Arc<App>>,
    caller: OrganisationCaller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<OrganisationTeam>>> {
    let teams = organisation::teams(&app, &caller).await?;
    Ok(Json(query.cut(teams, |team| format!("{} {}", team.slug, team.name))?))
}

pub(super) async fn members(
    State(app): State<Arc<App>>,
    caller: OrganisationCaller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<OrganisationMember>>> {
    let members = organisation_member::list(&app, &caller).await?;
    Ok(Json(query.cut(members, |member| format!("{} {}", member.name, member.email))?))
}

pub(super) async fn set_member(
    State(app): State<Arc<App>>,
    caller: OrganisationCaller,
    Json(request): Json<SetOrganisationMember>,
) -> Result<Response> {
    let set = organisation_member::set(&app, &caller, request).await?;
    Ok((Extension(Change::new(&set.before, &set.after)), Json(set.after)).into_response())
}

pub(super) async fn remove_member(
    State(app): State<Arc<App>>,
    caller: OrganisationCaller,
    Path((_, user)): Path<(String, UserId)>,
) -> Result<Response> {
    let removed = organisation_member::remove(&app, &caller, user).await?;
    let (before, grants) = (removed.member, removed.grants);
    let change = Change(serde_json::json!({ "before": before, "after": null, "withdrawn_grants": grants }));
    Ok((Extension(change), StatusCode::NO_CONTENT).into_response())
}

pub(super) async fn name_team_owner(
    State(app): State<Arc<App>>,
    caller: OrganisationCaller,
    Path((_, team)): Path<(String, String)>,
    Json(request): Json<NameTeamOwner>,
) -> Result<Response> {
    let set = organisation::name_team_owner(&app, &caller, &team, request).await?;
    Ok((Extension(Change::new(&set.before, &set.after)), Json(set.after)).into_response())
}

pub(super) async fn take_team(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((into, team)): Path<(String, String)>,
) -> Result<Response> {
    let taken = organisation::take_team(&app, &caller, &into, &team).await?;
    Ok((Extension(Change::new(&taken.from, &taken)), Json(taken)).into_response())
}
