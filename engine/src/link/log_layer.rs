//! Log lines with the worker's identity: to standard error and over the link.

use std::io::Write as _;
use std::sync::Arc;

use millrace_wire::log::LogLine;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::said::Said;
use super::{Identity, Outbox};

/// A line longer than this is cut, so that one record in a message cannot fill the log.
const LONGEST: usize = 16 * 1024;

pub struct LogLayer {
    identity: Identity,
    outbox: Arc<Outbox>,
}

impl LogLayer {
    pub const fn new(identity: Identity, outbox: Arc<Outbox>) -> Self {
        LogLayer { identity, outbox }
    }
}

impl<S: Subscriber> Layer<S> for LogLayer {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let Said { level, target, mut message } = Said::by(event);
        if message.len() > LONGEST {
            let end = (0..=LONGEST).rev().find(|at| message.is_char_boundary(*at)).unwrap_or(0);
            message.truncate(end);
            message.push('…');
        }
        let line = LogLine {
            seq: 0,
            at: chrono::Utc::now().timestamp_millis(),
            level,
            target,
            message,
            job: Some(self.identity.job),
            job_name: self.identity.job_name.clone(),
            run: Some(self.identity.run),
            attempt: self.identity.attempt,
            worker: self.identity.worker.to_string(),
            team: self.identity.team.clone(),
        };
        // Nothing can be said where standard error is closed.
        let _ = writeln!(std::io::stderr(), "{}", shown(&line));
        self.outbox.log(line);
    }
}

fn shown(line: &LogLine) -> String {
    let at = chrono::DateTime::from_timestamp_millis(line.at)
        .map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true));
    let run = line.run.map(|run| run.to_string()).unwrap_or_default();
    format!(
        "{} {} team={} job={} run={run} attempt={} worker={} {}: {}",
        at.unwrap_or_default(),
        line.level.as_str().to_uppercase(),
        line.team,
        line.job_name,
        line.attempt,
        line.worker,
        line.target,
        line.message
    )
}
