//! The live hub: what the server tells browsers by itself, per team, with numbered events and resume.
//!
//! Every team has a ring of its newest events. A reader that comes back with the id of the last event it saw gets what
//! it missed; when the ring no longer holds that, it gets `reset` and reloads what it shows. A reader that falls
//! behind by more than the channel holds is dropped and comes back the same way, so that it never slows others down.
//!
//! ```text
//! publish ─▶ ring (512 events or 1 MB) ─▶ broadcast (256 events per reader) ─▶ SSE
//! pass ─▶ of many jobs each in its turn ─▶ broadcast
//! ```
//!
//! What passes are figures: the next ones replace them, so nobody who comes back asks for them.

mod passing;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use millrace_wire::ids::{JobId, TeamId};
use millrace_wire::live::LiveEvent;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use uuid::Uuid;

use self::passing::Passing;
use crate::clock;

const RING_EVENTS: usize = 512;
const RING_BYTES: usize = 1024 * 1024;
const READER_EVENTS: usize = 256;
/// Another server that falls behind by more comes back and has its readers load anew.
const SERVER_EVENTS: usize = 8_192;

/// One event as it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbered {
    pub seq: u64,
    pub json: Arc<String>,
    /// The job or table it tells of.
    pub object: Option<Uuid>,
    /// What is shown has to be loaded again, and rights have to be asked for again.
    pub reset: bool,
}

#[derive(Default)]
struct Channel {
    ring: VecDeque<Numbered>,
    bytes: usize,
    last: u64,
    /// Of these events, those after which lists are read anew.
    changes: u64,
    passing: Passing,
    sender: Option<broadcast::Sender<Numbered>>,
}

impl Channel {
    fn push(&mut self, event: &LiveEvent, json: Arc<String>) {
        self.last += 1;
        self.changes += u64::from(changes_lists(event));
        let reset = matches!(event, LiveEvent::Reset);
        let event = Numbered { seq: self.last, json, object: object_of(event), reset };
        self.bytes += event.json.len();
        self.ring.push_back(event.clone());
        while self.ring.len() > RING_EVENTS || (self.bytes > RING_BYTES && self.ring.len() > 1) {
            if let Some(dropped) = self.ring.pop_front() {
                self.bytes -= dropped.json.len();
            }
        }
        // No receiver is no failure: nobody looks at this team now.
        if let Some(sender) = &self.sender {
            let _ = sender.send(event);
        }
    }

    /// Not kept: it has the number of what came before it. Nothing is written where nobody reads.
    fn pass(&mut self, event: &LiveEvent) {
        let Some(sender) = self.sender.as_ref().filter(|sender| sender.receiver_count() > 0) else { return };
        let object = object_of(event);
        if object.is_some_and(|object| !self.passing.admits(object, event, Instant::now())) {
            return;
        }
        if let Some(json) = encode(event) {
            // The last reader may have left in between.
            let _ = sender.send(Numbered { seq: self.last, json, object, reset: false });
        }
    }

    /// What came after `seq`; `None` when the ring no longer reaches back that far.
    fn since(&self, seq: u64) -> Option<Vec<Numbered>> {
        if seq > self.last {
            return None;
        }
        let oldest_needed = seq + 1;
        let oldest_held = self.ring.front().map_or(self.last + 1, |event| event.seq);
        (oldest_held <= oldest_needed).then(|| self.ring.iter().filter(|event| event.seq > seq).cloned().collect())
    }
}

/// What the other servers of the installation hear.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Told {
    Event { team: TeamId, event: Box<LiveEvent> },
    Figures { team: TeamId, event: Box<LiveEvent> },
    Forget { team: TeamId, object: Uuid },
}

/// Cheap to clone.
#[derive(Clone)]
pub struct LiveHub {
    /// Part of every event's id: numbers of another run of the server cannot be resumed.
    epoch: i64,
    channels: Arc<Mutex<HashMap<TeamId, Channel>>>,
    to_servers: broadcast::Sender<Told>,
}

/// A reader's start: what it missed, or that it has to reload, and from then on what comes.
pub struct Subscription {
    pub missed: Vec<Numbered>,
    pub reset: bool,
    pub receiver: broadcast::Receiver<Numbered>,
}

impl Default for LiveHub {
    fn default() -> Self {
        LiveHub { epoch: clock::now_ms(), channels: Arc::default(), to_servers: broadcast::channel(SERVER_EVENTS).0 }
    }
}

impl LiveHub {
    /// Sends to everybody who watches the team, at whatever server.
    pub fn publish(&self, team: TeamId, event: &LiveEvent) {
        self.tell_servers(|| Told::Event { team, event: Box::new(event.clone()) });
        self.publish_here(team, event);
    }

    /// What is published from now on, for another server. What comes from another server is not among it.
    pub fn told(&self) -> broadcast::Receiver<Told> {
        self.to_servers.subscribe()
    }

    fn tell_servers(&self, told: impl FnOnce() -> Told) {
        if self.to_servers.receiver_count() > 0 {
            // One that left in between hears it no more.
            let _ = self.to_servers.send(told());
        }
    }

    /// Sends to everybody who watches the team at this server.
    pub fn publish_here(&self, team: TeamId, event: &LiveEvent) {
        let Some(json) = encode(event) else { return };
        self.channels.lock().entry(team).or_default().push(event, json);
    }

    /// Figures, for everybody who watches the team now, at whatever server.
    pub fn pass(&self, team: TeamId, event: &LiveEvent) {
        self.tell_servers(|| Told::Figures { team, event: Box::new(event.clone()) });
        self.pass_here(team, event);
    }

    pub fn pass_here(&self, team: TeamId, event: &LiveEvent) {
        if let Some(channel) = self.channels.lock().get_mut(&team) {
            channel.pass(event);
        }
    }

    /// Somebody opened the job: its figures are told as they come, however many others there are.
    pub fn look_at(&self, team: TeamId, job: JobId) {
        self.channels.lock().entry(team).or_default().passing.look_at(job.0, Instant::now());
    }

    /// How often what lists show has changed, besides the states and figures of runs.
    pub fn changes(&self, team: TeamId) -> u64 {
        self.channels.lock().get(&team).map_or(0, |channel| channel.changes)
    }

    /// Sends to all teams somebody has watched since the server started.
    pub fn publish_to_all(&self, event: &LiveEvent) {
        let Some(json) = encode(event) else { return };
        for channel in self.channels.lock().values_mut() {
            channel.push(event, json.clone());
        }
    }

    /// Rights in the team changed: every reader is asked again what it may see, and loads what it shows again.
    pub fn rights_changed(&self, team: TeamId) {
        self.publish(team, &LiveEvent::Reset);
    }

    /// Drops what is held of an object for readers that come back, at every server.
    pub fn forget(&self, team: TeamId, object: Uuid) {
        self.tell_servers(|| Told::Forget { team, object });
        self.forget_here(team, object);
    }

    pub fn forget_here(&self, team: TeamId, object: Uuid) {
        if let Some(channel) = self.channels.lock().get_mut(&team) {
            channel.ring.retain(|event| event.object != Some(object));
            channel.bytes = channel.ring.iter().map(|event| event.json.len()).sum();
        }
    }

    /// `last_event_id`: what the browser sends after a lost connection.
    pub fn subscribe(&self, team: TeamId, last_event_id: Option<&str>) -> Subscription {
        let mut channels = self.channels.lock();
        let channel = channels.entry(team).or_default();
        let receiver = channel.sender.get_or_insert_with(|| broadcast::channel(READER_EVENTS).0).subscribe();
        let missed = match last_event_id {
            None => Some(Vec::new()),
            Some(id) => self.seq_of(id).and_then(|seq| channel.since(seq)),
        };
        Subscription { reset: missed.is_none(), missed: missed.unwrap_or_default(), receiver }
    }

    /// The id to send with an event.
    pub fn id_of(&self, seq: u64) -> String {
        format!("{}-{seq}", self.epoch)
    }

    fn seq_of(&self, id: &str) -> Option<u64> {
        let (epoch, seq) = id.split_once('-')?;
        (epoch.parse() == Ok(self.epoch)).then(|| seq.parse().ok()).flatten()
    }
}

/// Runs of thousands of jobs tell of themselves hundreds of times a second; browsers put that into their lists by
/// themselves, and a list that is read anew shows it within a second.
const fn changes_lists(event: &LiveEvent) -> bool {
    !matches!(
        event,
        LiveEvent::Job { .. } | LiveEvent::RunEvent { .. } | LiveEvent::Metrics { .. } | LiveEvent::Broker { .. }
    )
}

fn object_of(event: &LiveEvent) -> Option<Uuid> {
    match event {
        LiveEvent::Job { job, .. }
        | LiveEvent::Metrics { job, .. }
        | LiveEvent::RunEvent { job, .. }
        | LiveEvent::JobsChanged { job } => Some(job.0),
        LiveEvent::TablesChanged { table } => Some(table.0),
        LiveEvent::FunctionsChanged { .. }
        | LiveEvent::ConnectionsChanged
        | LiveEvent::VariablesChanged
        | LiveEvent::SnippetsChanged
        | LiveEvent::PreviewKept
        | LiveEvent::Broker { .. }
        | LiveEvent::Reset => None,
    }
}

fn encode(event: &LiveEvent) -> Option<Arc<String>> {
    match serde_json::to_string(event) {
        Ok(json) => Some(Arc::new(json)),
        Err(cause) => {
            tracing::error!("live event cannot be written: {cause}");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn team() -> TeamId {
        TeamId(clock::new_id())
    }

    #[test]
    fn a_reader_that_comes_back_gets_what_it_missed() {
        let (hub, team) = (LiveHub::default(), team());
        hub.publish(team, &LiveEvent::ConnectionsChanged);
        hub.publish(team, &LiveEvent::ConnectionsChanged);
        hub.publish(team, &LiveEvent::ConnectionsChanged);
        let back = hub.subscribe(team, Some(&hub.id_of(1)));
        assert!(!back.reset);
        assert_eq!(back.missed.iter().map(|event| event.seq).collect::<Vec<_>>(), [2, 3]);
        assert!(hub.subscribe(team, Some(&hub.id_of(3))).missed.is_empty());
    }

    #[test]
    fn figures_pass_and_are_not_kept() {
        let (hub, team) = (LiveHub::default(), team());
        let figures = LiveEvent::JobsChanged { job: JobId(clock::new_id()) };
        hub.pass(team, &figures);
        hub.publish(team, &LiveEvent::ConnectionsChanged);
        let mut receiver = hub.subscribe(team, None).receiver;
        hub.pass(team, &figures);
        assert_eq!((receiver.try_recv().unwrap().seq, hub.changes(team)), (1, 1));
        let back = hub.subscribe(team, Some(&hub.id_of(1)));
        assert!(!back.reset && back.missed.is_empty());
    }

    #[test]
    fn too_old_or_foreign_ids_reset() {
        let (hub, team) = (LiveHub::default(), team());
        for _ in 0..RING_EVENTS + 2 {
            hub.publish(team, &LiveEvent::ConnectionsChanged);
        }
        assert!(hub.subscribe(team, Some(&hub.id_of(1))).reset);
        assert!(!hub.subscribe(team, Some(&hub.id_of(2))).reset);
        assert!(hub.subscribe(team, Some("7-1")).reset);
        assert!(hub.subscribe(team, Some("nonsense")).reset);
        assert!(hub.subscribe(team, Some(&hub.id_of(9_999))).reset);
    }

    #[test]
    fn teams_do_not_hear_each_other() {
        let (hub, ours, theirs) = (LiveHub::default(), team(), team());
        let mut receiver = hub.subscribe(ours, None).receiver;
        hub.publish(theirs, &LiveEvent::ConnectionsChanged);
        assert!(receiver.try_recv().is_err());
        hub.publish(ours, &LiveEvent::ConnectionsChanged);
        assert_eq!(receiver.try_recv().unwrap().seq, 1);
    }

    #[test]
    fn a_slow_reader_is_told_so_and_blocks_nobody() {
        let (hub, team) = (LiveHub::default(), team());
        let mut slow = hub.subscribe(team, None).receiver;
        for _ in 0..READER_EVENTS + 1 {
            hub.publish(team, &LiveEvent::ConnectionsChanged);
        }
        assert!(matches!(slow.try_recv(), Err(broadcast::error::TryRecvError::Lagged(_))));
    }
}
