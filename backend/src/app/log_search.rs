//! Searching the lines of a team's jobs: what somebody may see is part of every question, whatever the query says.

use std::collections::BTreeMap;
use std::sync::Arc;

use millrace_logs::{
    Allowed, Answer, Cursor, Export, Facet, Hit, Jobs, LineId, LogIndex, Order, Page, Query, Search, Subscription,
    Wanted, Window,
};
use millrace_wire::ids::JobId;
use millrace_wire::log_search::{
    LogContext, LogCounts, LogFacet, LogFacetCounts, LogFacetValue, LogGroup, LogHistogram, LogHit, LogHits,
};
use millrace_wire::overview::OverviewEvent;
use tokio::sync::mpsc;

use crate::access::sight::Sight;
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::log::search::{OF_THE_SERVER, shown};
use crate::state::App;
use crate::store;

const DAY_MS: i64 = 24 * 3600 * 1000;
const FACETS: [(LogFacet, Facet); 7] = [
    (LogFacet::Level, Facet::Level),
    (LogFacet::JobName, Facet::JobName),
    (LogFacet::Run, Facet::Run),
    (LogFacet::Worker, Facet::Worker),
    (LogFacet::Operator, Facet::Operator),
    (LogFacet::Source, Facet::Source),
    (LogFacet::Version, Facet::Version),
];
/// Values of each facet that are told, the most frequent ones.
const FACET_VALUES: usize = 20;
const MOST_GROUPS: usize = 200;
/// Lines that wait for a slow reader of a tail; with more it is cut off, and asks again.
const TAIL_WAITING: usize = 5_000;

/// Whose lines.
#[derive(Clone, Debug)]
pub enum Whose {
    Team(Sight),
    /// The server's own, for administrators.
    Server,
}

/// What is asked, as it came.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub q: String,
    pub from: Option<i64>,
    pub to: Option<i64>,
}

impl Asked {
    fn search(&self) -> Result<Search> {
        let query = Query::parse(&self.q, now_ms()).map_err(|wrong| shown(wrong.into()))?;
        let window = Window { from: self.from.unwrap_or(i64::MIN), to: self.to.unwrap_or(i64::MAX) };
        if window.from >= window.to {
            return Err(Error::field("to", "The end of the time must lie after its beginning."));
        }
        Ok(Search { query, window })
    }
}

/// In the index a team is known by its id: another one may bear its name one day.
async fn allowed(app: &App, whose: &Whose) -> Result<Allowed> {
    let Whose::Team(sight) = whose else { return Ok(Allowed::team(OF_THE_SERVER)) };
    let jobs = match sight.reach() {
        "guest" => return Ok(Allowed::nothing()),
        _ => Jobs::Except(store::log_scope::left_out(&app.store, sight).await?),
    };
    Ok(Allowed::Teams(BTreeMap::from([(sight.team.to_string(), jobs)])))
}

pub struct PageAsked {
    pub newest_first: bool,
    pub limit: usize,
    pub cursor: Option<String>,
}

pub async fn page(app: &App, whose: &Whose, asked: &Asked, page: PageAsked) -> Result<LogHits> {
    let (allowed, search) = (allowed(app, whose).await?, asked.search()?);
    let after = page.cursor.as_deref().map(str::parse::<Cursor>).transpose().map_err(shown)?;
    let order = if page.newest_first { Order::NewestFirst } else { Order::OldestFirst };
    let wanted = Wanted { page: Some(Page { order, limit: page.limit, after }), ..Wanted::default() };
    let answer = app.log_search.ask(move |index| index.search(&allowed, &search, &wanted)).await?;
    Ok(LogHits {
        next: answer.next.map(|cursor| cursor.to_string()),
        left_out: days(&answer),
        hits: answer.hits.into_iter().map(hit).collect(),
    })
}

pub async fn counts(app: &App, whose: &Whose, asked: &Asked, buckets: usize) -> Result<LogCounts> {
    let (allowed, search) = (allowed(app, whose).await?, asked.search()?);
    let facets = FACETS.iter().map(|(_, facet)| (*facet, FACET_VALUES)).collect();
    let wanted = Wanted { page: None, facets, histogram: Some(buckets) };
    let answer = app.log_search.ask(move |index| index.search(&allowed, &search, &wanted)).await?;
    let left_out = days(&answer);
    let histogram = answer.histogram.map(|histogram| LogHistogram {
        start: histogram.start,
        width: histogram.width,
        buckets: histogram.buckets,
    });
    let facets = answer.facets.into_iter().filter_map(|counts| {
        let (facet, _) = FACETS.iter().find(|(_, known)| *known == counts.facet)?;
        let values = counts.values.into_iter().filter(|(value, _)| !value.is_empty());
        let values = values.map(|(value, count)| LogFacetValue { value, count }).collect();
        Some(LogFacetCounts { facet: *facet, values, distinct: counts.distinct as u64 })
    });
    Ok(LogCounts {
        total: answer.total.unwrap_or(0),
        histogram: histogram.unwrap_or(LogHistogram { start: 0, width: 1, buckets: Vec::new() }),
        facets: facets.collect(),
        left_out,
    })
}

pub async fn context(app: &App, whose: &Whose, line: &str, before: usize, after: usize) -> Result<LogContext> {
    let allowed = allowed(app, whose).await?;
    let id = line.parse::<LineId>().map_err(|_| Error::not_found("line"))?;
    let found = app.log_search.ask(move |index| index.context(&allowed, &id, before, after)).await?;
    let found = found.ok_or_else(|| Error::not_found("line"))?;
    Ok(LogContext {
        before: found.before.into_iter().map(hit).collect(),
        line: hit(found.line),
        after: found.after.into_iter().map(hit).collect(),
    })
}

pub async fn groups(app: &App, whose: &Whose, asked: &Asked) -> Result<Vec<LogGroup>> {
    let (allowed, search) = (allowed(app, whose).await?, asked.search()?);
    let groups = app.log_search.ask(move |index| index.groups(&allowed, &search, MOST_GROUPS)).await?;
    let shown = groups.into_iter().map(|group| LogGroup {
        group: group_name(group.fingerprint),
        job: group.job,
        job_name: group.job_name,
        message: group.message,
        newest: group.newest.to_string(),
        count: group.count,
        total: group.total,
        first_seen: group.first_seen,
        last_seen: group.last_seen,
        versions: group.versions.into_iter().collect(),
    });
    Ok(shown.collect())
}

/// What happened to jobs meanwhile.
pub async fn marks(app: &App, sight: &Sight, job: Option<JobId>, from: i64, to: i64) -> Result<Vec<OverviewEvent>> {
    store::job_event::marks_in_team(&app.store, sight, job, (from, to)).await
}

/// Lines as they come. Rights are those of now: whoever keeps a tail asks anew once in a while.
pub struct Tail {
    pub lines: mpsc::Receiver<LogHit>,
    /// Ends the watching when it goes.
    _watch: Subscription,
}

pub async fn tail(app: &App, whose: &Whose, asked: &Asked) -> Result<Tail> {
    let (allowed, search) = (allowed(app, whose).await?, asked.search()?);
    let (out, lines) = mpsc::channel(TAIL_WAITING);
    let query = search.query;
    let watch = app.log_search.index()?.watch(allowed, query, move |tailed| {
        let line = (*tailed.line).clone();
        let event = tailed.event.map(|seq| LineId { seq, ..line.id() }.to_string());
        out.try_send(LogHit { event, ..of_line(line) }).is_ok()
    });
    Ok(Tail { lines, _watch: watch })
}

/// All hits, one after the other, without holding them.
pub async fn export(app: &App, whose: &Whose, asked: &Asked, newest_first: bool) -> Result<Export> {
    let (allowed, search) = (allowed(app, whose).await?, asked.search()?);
    let order = if newest_first { Order::NewestFirst } else { Order::OldestFirst };
    let index: &Arc<LogIndex> = app.log_search.index()?;
    Ok(index.export(allowed, search, order))
}

/// Drops what is too old, and forgets whose lines those were.
pub async fn retain(app: &App, now: i64) -> Result<()> {
    let dropped = app.log_search.ask(|index| index.retain()).await;
    if let Err(error) = dropped {
        tracing::warn!(%error, "old logs cannot be dropped; it is tried again");
    }
    let kept = i64::from(app.config.kept_logs.days).saturating_add(2).saturating_mul(DAY_MS);
    store::log_scope::forget_purged(&app.store, now.saturating_sub(kept)).await
}

pub fn hit(hit: Hit) -> LogHit {
    let marks = hit.marks.iter().map(|mark| (narrow(mark.start), narrow(mark.end))).collect();
    LogHit {
        marks,
        event: hit.event.map(|event| event.to_string()),
        group: hit.group.map(group_name),
        ..of_line(hit.line)
    }
}

fn of_line(line: millrace_logs::Line) -> LogHit {
    LogHit {
        id: line.id().to_string(),
        at: line.at,
        level: line.level,
        source: line.source.as_str().to_owned(),
        run: line.run(),
        target: line.target,
        message: line.message,
        job: line.job,
        job_name: line.job_name,
        seq: line.seq,
        attempt: line.attempt,
        worker: line.worker,
        operator: line.operator,
        version: line.version,
        marks: Vec::new(),
        event: None,
        group: None,
    }
}

fn group_name(fingerprint: u64) -> String {
    format!("{fingerprint:016x}")
}

fn days(answer: &Answer) -> Vec<String> {
    answer.left_out.iter().map(ToString::to_string).collect()
}

fn narrow(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
