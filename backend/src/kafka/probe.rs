//! The test of a connection, step by step, so that one sees how far it got.

use std::collections::BTreeMap;
use std::time::Instant;

use millrace_wire::connection::{ConnectionTest, TestStep};
use rdkafka::consumer::Consumer;

use super::cluster::{ASK, Cluster, Trust, unreachable_broker};
use crate::error::Result;

/// Never fails: what does not work is a step that is not ok, with the reason.
pub async fn test(settings: BTreeMap<String, String>, trust: Trust) -> ConnectionTest {
    let mut steps = Vec::new();
    let started = Instant::now();
    let cluster = Cluster::new(settings, trust).await;
    let address = cluster.as_ref().map(|_| "The names resolve to addresses that may be used.".to_owned());
    steps.push(step("Address", started, address.map_err(|error| told(error.message(), error.hint_text()))));
    if let Ok(cluster) = cluster {
        let started = Instant::now();
        let answer = brokers_and_topics(&cluster).await;
        let answer = answer
            .map(|(brokers, topics)| format!("{brokers} broker(s) answer, {topics} topic(s) are visible."))
            .map_err(|error| told(error.message(), error.hint_text()));
        steps.push(step("Brokers", started, answer));
    }
    ConnectionTest { ok: steps.iter().all(|step| step.ok), steps }
}

async fn brokers_and_topics(cluster: &Cluster) -> Result<(usize, usize)> {
    cluster
        .ask("millrace-console", |client| {
            let metadata = client.fetch_metadata(None, ASK).map_err(|cause| unreachable_broker(&cause))?;
            Ok((metadata.brokers().len(), metadata.topics().len()))
        })
        .await
}

fn told(message: &str, hint: Option<&str>) -> String {
    hint.map_or_else(|| message.to_owned(), |hint| format!("{message} {hint}"))
}

fn step(name: &str, started: Instant, outcome: std::result::Result<String, String>) -> TestStep {
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (ok, detail) = match outcome {
        Ok(detail) => (true, detail),
        Err(reason) => (false, reason),
    };
    TestStep { name: name.to_owned(), ok, detail, ms }
}
