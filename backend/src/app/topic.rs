//! Topics of the cluster behind a connection, as a team may see them.
//!
//! All teams share the server's own broker. The platform's topics (`millrace.logs.<team>` and the like) belong to the
//! team they are named after, and are neither listed nor read for others, whichever connection leads to them.

use millrace_wire::connection::{ConsumerGroup, JobRef, Message, NewTopic, TableRef, Topic, TopicDetail};
use millrace_wire::ids::{ConnectionId, JobId};

use super::connection;
use crate::access::identity::TeamCaller;
use crate::error::{Error, Result};
use crate::kafka::{groups, messages, topics};
use crate::state::App;
use crate::store;

pub(super) const PLATFORM_PREFIX: &str = "millrace.";
/// Workers read as `millrace-<job id>…`.
const GROUP_PREFIX: &str = "millrace-";

/// A topic of the platform that belongs to another team, or to the server.
fn belongs_to_others(topic: &str, slug: &str) -> bool {
    let Some(rest) = topic.strip_prefix(PLATFORM_PREFIX) else { return false };
    let own = [format!("logs.{slug}"), format!("metrics.{slug}")];
    !own.iter().any(|name| name == rest)
}

/// Whether a table's option names such a topic; patterns are not looked through but refused when they could.
pub(super) fn is_foreign(option: &str, value: &str, slug: &str) -> bool {
    match option {
        "topic" => value.split(';').any(|topic| belongs_to_others(topic.trim(), slug)),
        "topic-pattern" => true,
        _ => false,
    }
}

pub async fn list(app: &App, caller: &TeamCaller, id: ConnectionId) -> Result<Vec<Topic>> {
    let cluster = connection::cluster(app, caller.team, id).await?;
    let mut found = topics::list(&cluster).await?;
    found.retain(|topic| !belongs_to_others(&topic.name, &caller.slug));
    let tables = store::table::topics_of(&app.store, &caller.sight(), id).await?;
    for topic in &mut found {
        let describing = tables.iter().filter(|(described, ..)| *described == topic.name);
        topic.tables = describing.map(|(_, id, name)| TableRef { id: *id, name: name.clone() }).collect();
    }
    Ok(found)
}

pub async fn detail(app: &App, caller: &TeamCaller, id: ConnectionId, topic: &str) -> Result<TopicDetail> {
    refuse_foreign(topic, &caller.slug)?;
    let cluster = connection::cluster(app, caller.team, id).await?;
    let partitions = topics::partitions(&cluster, topic).await?;
    let groups = groups::list(&cluster, Some(topic.to_owned())).await?;
    let groups = ours(name_jobs(app, caller, groups).await?);
    Ok(TopicDetail { name: topic.to_owned(), partitions, groups })
}

pub async fn create(app: &App, caller: &TeamCaller, id: ConnectionId, request: NewTopic) -> Result<Topic> {
    let cluster = connection::cluster(app, caller.team, id).await?;
    if request.name.starts_with(PLATFORM_PREFIX) {
        return Err(Error::field("name", "Names that start with 'millrace.' belong to the platform."));
    }
    topics::create(&cluster, &request.name, request.partitions).await?;
    let NewTopic { name, partitions } = request;
    Ok(Topic { name, partitions, messages: 0, internal: false, tables: Vec::new() })
}

pub async fn messages(
    app: &App,
    caller: &TeamCaller,
    id: ConnectionId,
    request: messages::Request,
) -> Result<Vec<Message>> {
    refuse_foreign(&request.topic, &caller.slug)?;
    let cluster = connection::cluster(app, caller.team, id).await?;
    messages::read(&cluster, request).await
}

pub async fn groups(app: &App, caller: &TeamCaller, id: ConnectionId) -> Result<Vec<ConsumerGroup>> {
    let cluster = connection::cluster(app, caller.team, id).await?;
    let found = groups::list(&cluster, None).await?;
    let mut groups = ours(name_jobs(app, caller, found).await?);
    for group in &mut groups {
        group.partitions.retain(|partition| !belongs_to_others(&partition.topic, &caller.slug));
    }
    Ok(groups)
}

fn refuse_foreign(topic: &str, slug: &str) -> Result<()> {
    if belongs_to_others(topic, slug) {
        return Err(Error::not_found("topic"));
    }
    Ok(())
}

/// Groups of other teams' jobs, of jobs that the caller may not see, and of the platform itself, are left out.
fn ours(mut groups: Vec<ConsumerGroup>) -> Vec<ConsumerGroup> {
    groups.retain(|group| group.job.is_some() || !group.group.starts_with(GROUP_PREFIX));
    groups
}

async fn name_jobs(app: &App, caller: &TeamCaller, mut groups: Vec<ConsumerGroup>) -> Result<Vec<ConsumerGroup>> {
    let sight = caller.sight();
    for group in &mut groups {
        let Some(id) = job_of(&group.group) else { continue };
        group.job = store::job::name_of(&app.store, &sight, id).await?.map(|name| JobRef { id, name });
    }
    Ok(groups)
}

fn job_of(group: &str) -> Option<JobId> {
    group.strip_prefix(GROUP_PREFIX)?.get(..36)?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn platform_topics_belong_to_their_team() {
        assert!(!belongs_to_others("orders", "demo"));
        assert!(!belongs_to_others("millrace.logs.demo", "demo"));
        assert!(belongs_to_others("millrace.logs.demo2", "demo"));
        assert!(belongs_to_others("millrace.metrics.other", "demo"));
        assert!(belongs_to_others("millrace.server.logs", "demo"));
        assert!(is_foreign("topic", "orders; millrace.logs.other", "demo"));
        assert!(is_foreign("topic-pattern", ".*", "demo"));
        assert!(!is_foreign("format", "millrace.logs.other", "demo"));
    }

    #[test]
    fn a_group_names_its_job() {
        let id = JobId(crate::clock::new_id());
        assert_eq!(job_of(&format!("millrace-{id}")), Some(id));
        assert_eq!(job_of(&format!("millrace-{id}-source-3")), Some(id));
        assert_eq!(job_of("millrace-console"), None);
        assert_eq!(job_of("other"), None);
    }
}
