//! The topics' names, and making them.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::types::RDKafkaErrorCode;

use crate::error::{Error, Result};

pub const SERVER_LOGS: &str = "millrace.server.logs";
pub const SERVER_METRICS: &str = "millrace.server.metrics";

/// `team` is the slug: letters, digits and dashes.
pub fn logs(team: &str) -> String {
    format!("millrace.logs.{team}")
}

pub fn metrics(team: &str) -> String {
    format!("millrace.metrics.{team}")
}

/// Makes those that are not there.
pub async fn ensure<'a>(
    options: impl IntoIterator<Item = (&'a str, &'a str)>,
    topics: &[String],
    partitions: i32,
) -> Result<()> {
    let mut config = ClientConfig::new();
    for (name, value) in options {
        config.set(name, value);
    }
    config.set_log_level(RDKafkaLogLevel::Critical);
    let admin: AdminClient<DefaultClientContext> = config.create().map_err(Error::internal)?;
    let wanted: Vec<NewTopic<'_>> =
        topics.iter().map(|name| NewTopic::new(name, partitions, TopicReplication::Fixed(1))).collect();
    // Both: the one is for the broker, the other for a broker that is not there.
    let wait = Some(Duration::from_secs(10));
    let options = AdminOptions::new().operation_timeout(wait).request_timeout(wait);
    let unreachable = |cause| {
        Error::external("The broker does not make the platform's own topics.").because(anyhow::Error::new(cause))
    };
    for result in admin.create_topics(&wanted, &options).await.map_err(unreachable)? {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => {
                return Err(Error::external(format!("The broker does not make the topic '{topic}': {code}.")));
            }
        }
    }
    Ok(())
}
