//! One line of a log, who wrote it, and the id by which it is found again.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate};
use millrace_wire::ids::{JobId, RunId};
use millrace_wire::log::{LogLevel, LogLine};
use serde::{Deserialize, Serialize};

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;
/// 1970-01-01 in days of the common era, as chrono counts them.
const EPOCH: i32 = 719_163;

/// Which kind of process wrote a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Worker,
    Server,
    Broker,
}

impl Source {
    pub const ALL: [Source; 3] = [Source::Worker, Source::Server, Source::Broker];

    pub const fn as_str(self) -> &'static str {
        match self {
            Source::Worker => "worker",
            Source::Server => "server",
            Source::Broker => "broker",
        }
    }
}

/// Lines that are numbered together. A run's stream also takes what the server says about that run.
///
/// The name of a server or broker has to be a new one whenever its numbers begin again, such as after a restart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stream {
    Run(RunId),
    Server(String),
    Broker(String),
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stream::Run(run) => write!(f, "{run}"),
            Stream::Server(name) => write!(f, "server:{name}"),
            Stream::Broker(name) => write!(f, "broker:{name}"),
        }
    }
}

impl FromStr for Stream {
    type Err = UnknownId;

    fn from_str(text: &str) -> Result<Stream, UnknownId> {
        match text.split_once(':') {
            Some(("server", name)) => Ok(Stream::Server(name.to_owned())),
            Some(("broker", name)) => Ok(Stream::Broker(name.to_owned())),
            _ => text.parse().map(Stream::Run).map_err(|_| UnknownId),
        }
    }
}

/// A line as it is stored. Texts that do not apply are empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub stream: Stream,
    /// Goes up within the stream. A line that comes again with the same number is the same line.
    pub seq: u64,
    /// UTC milliseconds.
    pub at: i64,
    pub level: LogLevel,
    pub source: Source,
    pub organisation: String,
    /// The team by the name that rights are told with. Empty for what belongs to no team.
    pub team: String,
    pub job: Option<JobId>,
    pub job_name: String,
    pub attempt: u32,
    pub worker: String,
    pub operator: String,
    /// The version of the job that ran.
    pub version: String,
    pub target: String,
    pub message: String,
}

impl Line {
    pub fn id(&self) -> LineId {
        LineId { day: Day::of(self.at), stream: self.stream.clone(), seq: self.seq }
    }

    /// A line of a worker as it came over the link and was numbered; `None` when it names no run. What the link does not carry is
    /// empty, for the caller to fill in.
    pub fn of_worker(line: LogLine) -> Option<Line> {
        Some(Line {
            stream: Stream::Run(line.run?),
            seq: line.seq,
            at: line.at,
            level: line.level,
            source: Source::Worker,
            organisation: String::new(),
            team: line.team,
            job: line.job,
            job_name: line.job_name,
            attempt: line.attempt,
            worker: line.worker,
            operator: String::new(),
            version: String::new(),
            target: line.target,
            message: line.message,
        })
    }

    pub fn run(&self) -> Option<RunId> {
        match self.stream {
            Stream::Run(run) => Some(run),
            Stream::Server(_) | Stream::Broker(_) => None,
        }
    }
}

/// A UTC day, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(pub i32);

impl Day {
    pub fn of(at: i64) -> Day {
        let days = at.div_euclid(DAY_MILLIS);
        Day(i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX }))
    }

    pub fn start(self) -> i64 {
        i64::from(self.0) * DAY_MILLIS
    }

    /// The first millisecond after it.
    pub fn end(self) -> i64 {
        self.start() + DAY_MILLIS
    }

    pub fn plus(self, days: i32) -> Day {
        Day(self.0.saturating_add(days))
    }

    /// Days that have a date of four digits; only for these is anything stored.
    pub fn is_nameable(self) -> bool {
        (0..=2_932_896).contains(&self.0)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::from_timestamp_millis(self.start()) {
            Some(date) => write!(f, "{}", date.format("%Y-%m-%d")),
            None => write!(f, "day {}", self.0),
        }
    }
}

impl FromStr for Day {
    type Err = UnknownId;

    fn from_str(text: &str) -> Result<Day, UnknownId> {
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| UnknownId)?;
        let day = Day(date.num_days_from_ce() - EPOCH);
        // One spelling per day: "2026-1-2" names nothing.
        if day.is_nameable() && day.to_string() == text { Ok(day) } else { Err(UnknownId) }
    }
}

/// The permanent name of a line: `2026-11-23~<stream>~<number>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LineId {
    pub day: Day,
    pub stream: Stream,
    pub seq: u64,
}

impl fmt::Display for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~{}~{}", self.day, self.stream, self.seq)
    }
}

impl FromStr for LineId {
    type Err = UnknownId;

    fn from_str(text: &str) -> Result<LineId, UnknownId> {
        let (day, rest) = text.split_once('~').ok_or(UnknownId)?;
        let (stream, seq) = rest.rsplit_once('~').ok_or(UnknownId)?;
        Ok(LineId { day: day.parse()?, stream: stream.parse()?, seq: seq.parse().map_err(|_| UnknownId)? })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not the link of a log line")]
pub struct UnknownId;
