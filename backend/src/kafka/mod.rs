//! A look into Kafka clusters: what a connection's test tells, topics, messages, consumer groups.
//!
//! librdkafka blocks, so everything here runs on blocking threads, a few at a time and with deadlines. Nothing joins a
//! group or commits: looking changes nothing. Addresses that users name go through `dialer` first.

pub mod dialer;

pub mod cluster;
pub mod groups;
mod hearing;
pub mod messages;
pub mod probe;
pub mod produce;
pub mod retention;
pub mod settings;
pub mod topics;

pub use cluster::Cluster;
