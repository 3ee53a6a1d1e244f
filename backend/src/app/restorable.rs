//! Until when a savepoint or checkpoint is of use: what the retention of its sources leaves of the records after it.
//!
//! Where the sources of a point stand is read by the version that took it. Of Kafka topics the broker tells the rest: what
//! is there, how long it keeps records, and when the first record was written that a start would need. Other sources
//! tell nothing of the kind.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use futures::future::join_all;
use millrace_wire::ids::{ConnectionId, JobId, TeamId};
use millrace_wire::report::SourceRead;
use millrace_wire::run::RestoreKind;
use millrace_wire::savepoint::{Restorability, Restorable, RestorablePoint};

use super::{catalog, connection, script, sql, start};
use crate::access::sight::Sight;
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::kafka::retention::{self, Facts};
use crate::state::App;
use crate::store;
use crate::store::restore_point::RestorePointRow;

/// Of as many points the retention is looked up, the newest.
const MOST_POINTS: usize = 50;
/// A cluster that does not answer holds nobody up for longer.
const ASK_FOR: Duration = Duration::from_secs(12);
/// The same where somebody waits for more than this.
const ASK_FOR_REPORT: Duration = Duration::from_secs(4);

/// All savepoints, and the point that a start would go on from.
pub async fn of_job(app: &App, sight: &Sight, id: JobId) -> Result<Vec<RestorablePoint>> {
    super::job::row(app, sight.team, id).await?;
    let points = start::usable_points(app, id).await?;
    let kept = |(at, point): &(usize, RestorePointRow)| *at == 0 || point.kind == RestoreKind::Savepoint;
    let points = points.into_iter().enumerate().filter(kept).map(|(_, point)| point).take(MOST_POINTS);
    let mut wanted = Vec::new();
    for point in points {
        let needs = needs(app, sight.team, sources(app, sight, &point).await?, point.at).await?;
        wanted.push((point, needs));
    }
    let topics = look(app, wanted.iter().flat_map(|(_, needs)| needs.iter().flatten()), ASK_FOR).await;
    let now = now_ms();
    let shown = wanted.into_iter().map(|(point, needs)| RestorablePoint {
        run: point.run,
        kind: point.kind,
        number: point.number,
        restorable: judge(&needs.unwrap_or_else(|| vec![Need::unreadable()]), &topics, now),
    });
    Ok(shown.collect())
}

/// Of what a start would go on from, read as the version would that is started.
pub(super) async fn of_start(app: &App, team: TeamId, sources: Vec<SourceRead>, taken_at: i64) -> Result<Restorable> {
    let needs = needs(app, team, Some(sources), taken_at).await?.unwrap_or_default();
    let topics = look(app, needs.iter(), ASK_FOR_REPORT).await;
    Ok(judge(&needs, &topics, now_ms()))
}

/// What stands in the way of such a start; none where all is well.
pub(super) fn warning(restorable: &Restorable) -> Option<String> {
    match restorable.kind {
        Restorability::Gone if restorable.missing > 0 => Some(format!(
            "The state is no longer restorable: {} records of topic {} are gone.",
            restorable.missing, restorable.topic
        )),
        Restorability::Gone => Some(format!("The state is no longer restorable: {}", restorable.reason)),
        Restorability::Overdue => Some(format!(
            "Records that the state needs are past the retention of topic {}: the broker may remove them at any moment.",
            restorable.topic
        )),
        Restorability::Until | Restorability::NoLimit | Restorability::Unknown => None,
    }
}

/// `None` when the version cannot be read any more.
async fn sources(app: &App, sight: &Sight, point: &RestorePointRow) -> Result<Option<Vec<SourceRead>>> {
    let Some(version) = store::version::get(&app.store, point.job, point.version).await? else { return Ok(None) };
    let Some(script) = script::if_right(app, sight.team, &version.sql).await? else { return Ok(None) };
    let catalog = catalog::for_version(app, sight, &version).await?;
    let (text, parallelism, path) =
        (script.text().to_owned(), version.settings.parallelism, PathBuf::from(&point.path));
    let report = sql::plan(app, move |engine| engine.state_report(&text, &catalog, parallelism, Some(&path))).await?;
    Ok(report.filter(|report| report.problem.is_none()).map(|report| report.sources))
}

/// A topic of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    team: TeamId,
    connection: ConnectionId,
    topic: String,
}

/// What a start from a point needs of one source.
#[derive(Clone, Debug)]
enum Need {
    /// The next offset of each partition that was read, and when the point was taken.
    Topic {
        place: Place,
        offsets: BTreeMap<i32, i64>,
        taken_at: i64,
    },
    /// A source of which nothing is known, and why.
    Silent {
        reason: String,
    },
    Unreadable {
        reason: String,
    },
}

impl Need {
    fn unreadable() -> Need {
        Need::Unreadable { reason: "The version that took it cannot be read with the tables of today.".to_owned() }
    }
}

async fn needs(app: &App, team: TeamId, sources: Option<Vec<SourceRead>>, taken_at: i64) -> Result<Option<Vec<Need>>> {
    let Some(sources) = sources else { return Ok(None) };
    let mut needs = Vec::new();
    for source in sources.into_iter().filter(|source| source.goes_on) {
        let origin = catalog::origin(app, team, &source.table).await?;
        let kafka = origin.as_ref().filter(|origin| matches!(origin.connector.as_str(), "kafka" | "upsert-kafka"));
        let Some((team, connection)) = kafka.and_then(|origin| origin.connection) else {
            let reason = match origin {
                Some(origin) => format!("{} is read by {}, which tells of no limit.", source.table, origin.connector),
                None => format!("{} is a table of the script, which tells of no limit.", source.table),
            };
            needs.push(Need::Silent { reason });
            continue;
        };
        let mut topics: BTreeMap<String, BTreeMap<i32, i64>> = BTreeMap::new();
        for position in &source.positions {
            let split = position.split.rsplit_once('/').and_then(|(topic, part)| Some((topic, part.parse().ok()?)));
            let (Some((topic, partition)), Ok(offset)) = (split, position.position.parse()) else {
                let reason = format!("Where {} was read to is not known of {}.", source.table, position.split);
                needs.push(Need::Unreadable { reason });
                continue;
            };
            topics.entry(topic.to_owned()).or_default().insert(partition, offset);
        }
        needs.extend(topics.into_iter().map(|(topic, offsets)| {
            let place = Place { team, connection, topic };
            Need::Topic { place, offsets, taken_at }
        }));
    }
    Ok(Some(needs))
}

/// What is found out of a topic: nothing where it is not there, the reason where it cannot be asked.
type Found = std::result::Result<Option<Facts>, String>;

async fn look<'a>(app: &App, needs: impl Iterator<Item = &'a Need>, within: Duration) -> BTreeMap<Place, Found> {
    let mut wanted: BTreeMap<Place, BTreeSet<(i32, i64)>> = BTreeMap::new();
    for need in needs {
        if let Need::Topic { place, offsets, .. } = need {
            wanted.entry(place.clone()).or_default().extend(offsets.iter().map(|(part, offset)| (*part, *offset)));
        }
    }
    let asked = wanted.into_iter().map(|(place, offsets)| async move {
        let ask = async {
            let cluster = connection::cluster(app, place.team, place.connection).await?;
            retention::facts(&cluster, &place.topic, offsets).await
        };
        let found = match tokio::time::timeout(within, ask).await {
            Ok(found) => found.map_err(|error: Error| error.message().to_owned()),
            Err(_) => Err("The broker does not answer in time.".to_owned()),
        };
        (place, found)
    });
    join_all(asked).await.into_iter().collect()
}

/// The worst that is known of any source; what is gone counts before what will be.
fn judge(needs: &[Need], topics: &BTreeMap<Place, Found>, now: i64) -> Restorable {
    let mut all: Vec<Restorable> = needs.iter().map(|need| judge_one(need, topics, now)).collect();
    if all.is_empty() {
        return no_limit("No source goes on from a position.".to_owned());
    }
    let rank = |one: &Restorable| match one.kind {
        Restorability::Gone => (0, 0),
        Restorability::Overdue => (1, one.until.unwrap_or(0)),
        Restorability::Until => (2, one.until.unwrap_or(0)),
        Restorability::Unknown => (3, 0),
        Restorability::NoLimit => (4, 0),
    };
    all.sort_by_key(rank);
    let same = |one: &&Restorable| one.kind == Restorability::Unknown || one.kind == Restorability::NoLimit;
    let mut rest: Vec<String> =
        all.iter().skip(1).filter(same).map(|one| one.reason.clone()).filter(|reason| !reason.is_empty()).collect();
    let Some(mut worst) = all.into_iter().next() else { return no_limit(String::new()) };
    // Of sources that set no limit nothing needs to be said where another one does; what is not known does.
    if !matches!(worst.kind, Restorability::Gone) {
        rest.retain(|reason| *reason != worst.reason);
        rest.dedup();
        let said = std::iter::once(worst.reason.clone()).chain(rest).filter(|reason| !reason.is_empty());
        worst.reason = said.collect::<Vec<_>>().join(" ");
    }
    worst
}

fn judge_one(need: &Need, topics: &BTreeMap<Place, Found>, now: i64) -> Restorable {
    let (place, offsets, taken_at) = match need {
        Need::Silent { reason } => return no_limit(reason.clone()),
        Need::Unreadable { reason } => return unknown(reason.clone()),
        Need::Topic { place, offsets, taken_at } => (place, offsets, *taken_at),
    };
    let topic = &place.topic;
    match topics.get(place) {
        Some(Ok(Some(facts))) => of_topic(topic, offsets, taken_at, facts, now),
        Some(Ok(None)) => gone(topic, 0, format!("Topic {topic} is not there any more.")),
        Some(Err(why)) => unknown(format!("Topic {topic} cannot be looked at: {why}")),
        None => unknown(format!("Topic {topic} was not looked at.")),
    }
}

fn of_topic(topic: &str, offsets: &BTreeMap<i32, i64>, taken_at: i64, facts: &Facts, now: i64) -> Restorable {
    let bounds = |partition: &i32, offset: i64| facts.bounds.get(partition).map(|(low, high)| (*low, *high, offset));
    let places: Vec<_> = offsets.iter().map(|(partition, offset)| bounds(partition, *offset)).collect();
    if places.iter().any(|place| place.is_none_or(|(_, high, offset)| offset > high)) {
        return gone(topic, 0, format!("Topic {topic} ends before the stored offsets: it was made anew."));
    }
    let missing: i64 = places.iter().flatten().map(|(low, _, offset)| low.saturating_sub(*offset).max(0)).sum();
    if missing > 0 {
        return gone(topic, u64::try_from(missing).unwrap_or(0), String::new());
    }
    let Some(rule) = facts.rule else {
        return unknown(format!("The broker does not say how long topic {topic} keeps its records."));
    };
    if !rule.deletes {
        return no_limit(format!("Topic {topic} is compacted: the newest record of each key stays."));
    }
    let Some(time_ms) = rule.time_ms else {
        return no_limit(match rule.by_size {
            true => format!("Topic {topic} is limited by size only."),
            false => format!("Topic {topic} keeps its records for ever."),
        });
    };
    // The oldest record that a start would need. Where none is needed yet, the next one is young.
    let needed = offsets.iter().map(|(partition, offset)| match facts.bounds.get(partition) {
        Some((_, high)) if offset >= high => now,
        _ => facts.times.get(&(*partition, *offset)).copied().filter(|at| *at >= 0).unwrap_or(taken_at),
    });
    let until = needed.min().unwrap_or(now).saturating_add(time_ms);
    let reason = if rule.by_size { format!("Topic {topic} is limited by size as well.") } else { String::new() };
    let kind = if until > now { Restorability::Until } else { Restorability::Overdue };
    Restorable { kind, until: Some(until), missing: 0, topic: topic.to_owned(), reason }
}

fn gone(topic: &str, missing: u64, reason: String) -> Restorable {
    Restorable { kind: Restorability::Gone, until: None, missing, topic: topic.to_owned(), reason }
}

fn no_limit(reason: String) -> Restorable {
    Restorable { kind: Restorability::NoLimit, until: None, missing: 0, topic: String::new(), reason }
}

fn unknown(reason: String) -> Restorable {
    Restorable { kind: Restorability::Unknown, until: None, missing: 0, topic: String::new(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::new_id;
    use crate::kafka::retention::Rule;

    const NOW: i64 = 1_000_000;

    fn facts(rule: Option<Rule>, times: &[((i32, i64), i64)]) -> Facts {
        Facts { bounds: BTreeMap::from([(0, (50, 90)), (1, (0, 10))]), rule, times: times.iter().copied().collect() }
    }

    fn daily() -> Option<Rule> {
        Some(Rule::of("delete", Some(10_000), Some(-1)))
    }

    fn verdict(offsets: &[(i32, i64)], facts: &Facts) -> Restorable {
        of_topic("orders", &offsets.iter().copied().collect(), NOW - 5_000, facts, NOW)
    }

    #[test]
    fn it_ends_with_the_oldest_record_that_is_needed() {
        let facts = facts(daily(), &[((0, 60), NOW - 3_000), ((1, 4), NOW - 7_000)]);
        let found = verdict(&[(0, 60), (1, 4)], &facts);
        assert_eq!((found.kind, found.until), (Restorability::Until, Some(NOW + 3_000)));
        // At the end of its partitions nothing is needed yet: the next record is kept as long as any.
        assert_eq!(verdict(&[(0, 90), (1, 10)], &facts).until, Some(NOW + 10_000));
        // Where no record could be read, it is as old as the point.
        assert_eq!(verdict(&[(0, 61)], &facts).until, Some(NOW + 5_000));
    }

    #[test]
    fn past_the_retention_it_is_not_gone_before_the_records_are() {
        let old = facts(daily(), &[((0, 60), NOW - 20_000)]);
        assert_eq!(verdict(&[(0, 60)], &old).kind, Restorability::Overdue);
        let found = verdict(&[(0, 20), (1, 0)], &old);
        assert_eq!((found.kind, found.missing, found.topic.as_str()), (Restorability::Gone, 30, "orders"));
        assert_eq!(
            warning(&found).as_deref(),
            Some("The state is no longer restorable: 30 records of topic orders are gone.")
        );
        assert_eq!(verdict(&[(0, 95)], &old).kind, Restorability::Gone, "made anew");
        assert_eq!(verdict(&[(7, 0)], &old).kind, Restorability::Gone, "without this partition");
    }

    #[test]
    fn without_a_limit_the_reason_is_told() {
        let reason = |rule: Option<Rule>| {
            let found = verdict(&[(0, 60)], &facts(rule, &[]));
            (found.kind, found.reason)
        };
        let (kind, words) = reason(Some(Rule::of("compact", Some(10), None)));
        assert!(kind == Restorability::NoLimit && words.contains("compacted"), "{words}");
        let (kind, words) = reason(Some(Rule::of("delete", Some(-1), Some(1_000))));
        assert!(kind == Restorability::NoLimit && words.contains("size only"), "{words}");
        let (kind, words) = reason(Some(Rule::of("delete", Some(-1), Some(-1))));
        assert!(kind == Restorability::NoLimit && words.contains("for ever"), "{words}");
        assert_eq!(reason(None).0, Restorability::Unknown);
        // A compacted topic that was shortened is short all the same.
        let compacted = facts(Some(Rule::of("compact", None, None)), &[]);
        assert_eq!(verdict(&[(0, 20)], &compacted).kind, Restorability::Gone);
    }

    #[test]
    fn the_worst_source_counts() {
        let place =
            |topic: &str| Place { team: TeamId(new_id()), connection: ConnectionId(new_id()), topic: topic.to_owned() };
        let (fine, short, down) = (place("fine"), place("short"), place("down"));
        let need = |place: &Place, offset: i64| Need::Topic {
            place: place.clone(),
            offsets: BTreeMap::from([(0, offset)]),
            taken_at: NOW,
        };
        let topics = BTreeMap::from([
            (fine.clone(), Ok(Some(facts(daily(), &[])))),
            (short.clone(), Ok(Some(facts(daily(), &[])))),
            (down.clone(), Err("No answer.".to_owned())),
        ]);
        let file = Need::Silent { reason: "main.f is a source of the kind filesystem.".to_owned() };
        let found = judge(&[file.clone(), need(&fine, 60), need(&short, 10)], &topics, NOW);
        assert_eq!((found.kind, found.missing, found.topic.as_str()), (Restorability::Gone, 40, "short"));
        let found = judge(&[file.clone(), need(&down, 0), need(&fine, 60)], &topics, NOW);
        assert_eq!((found.kind, found.until), (Restorability::Until, Some(NOW + 10_000)));
        assert!(found.reason.contains("down"), "{}", found.reason);
        assert_eq!(judge(&[file], &topics, NOW).kind, Restorability::NoLimit);
        assert_eq!(judge(&[], &topics, NOW).kind, Restorability::NoLimit);
    }
}
