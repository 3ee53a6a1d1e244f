//! `…/connections/{connection}/topics` and `…/groups`: the topic browser.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use millrace_wire::connection::{ConsumerGroup, Message, NewTopic, Topic, TopicDetail};
use millrace_wire::ids::ConnectionId;
use millrace_wire::page::Page;
use serde::Deserialize;

use super::extract::{Json, Path, Query};
use super::page::{ListQuery, whole};
use crate::access::audit::Change;
use crate::access::identity::TeamCaller;
use crate::app::topic;
use crate::error::{Error, Result};
use crate::kafka::messages::{From, MOST, Request};
use crate::state::App;

const DEFAULT_MESSAGES: usize = 50;

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, ConnectionId)>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Topic>>> {
    let topics = topic::list(&app, &caller, id).await?;
    Ok(Json(query.cut(topics, |topic| topic.name.clone())?))
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, ConnectionId)>,
    Json(request): Json<NewTopic>,
) -> Result<Response> {
    let topic = topic::create(&app, &caller, id, request).await?;
    Ok((Extension(Change::new((), &topic)), Json(topic)).into_response())
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id, name)): Path<(String, ConnectionId, String)>,
) -> Result<Json<TopicDetail>> {
    Ok(Json(topic::detail(&app, &caller, id, &name).await?))
}

/// `?mode=newest|oldest|offset|time&partition=&offset=&at=&limit=&contains=`
#[derive(Deserialize)]
pub(super) struct MessagesQuery {
    mode: Option<String>,
    partition: Option<i32>,
    offset: Option<i64>,
    at: Option<i64>,
    limit: Option<usize>,
    contains: Option<String>,
}

impl MessagesQuery {
    fn request(self, topic: String) -> Result<Request> {
        let from = match self.mode.as_deref().unwrap_or("newest") {
            "newest" => From::Newest,
            "oldest" => From::Oldest,
            "offset" => From::Offset(self.offset.ok_or_else(|| Error::field("offset", "Enter an offset."))?),
            "time" => From::Time(self.at.ok_or_else(|| Error::field("at", "Enter a time."))?),
            other => {
                let message = format!("'{other}' is not a mode: newest, oldest, offset or time.");
                return Err(Error::field("mode", message));
            }
        };
        Ok(Request {
            topic,
            from,
            partition: self.partition,
            limit: self.limit.unwrap_or(DEFAULT_MESSAGES).clamp(1, MOST),
            contains: self.contains.filter(|text| !text.is_empty()),
        })
    }
}

pub(super) async fn messages(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id, name)): Path<(String, ConnectionId, String)>,
    Query(query): Query<MessagesQuery>,
) -> Result<Json<Page<Message>>> {
    let request = query.request(name)?;
    Ok(Json(whole(topic::messages(&app, &caller, id, request).await?)))
}

pub(super) async fn groups(
    State(app): State<Arc<App>>,
    caller: TeamCaller,
    Path((_, id)): Path<(String, ConnectionId)>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<ConsumerGroup>>> {
    let groups = topic::groups(&app, &caller, id).await?;
    Ok(Json(query.cut(groups, |group| group.group.clone())?))
}
