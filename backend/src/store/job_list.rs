//! Lists of jobs at scale: one narrow row per job, written together with what it repeats, so that filters, counters and
//! pages of a team with thousands of jobs read neither scripts nor runs.
//!
//! Jobs in the recycle bin have no row here: what asks this table does not see them.

use millrace_wire::ids::{JobId, RunId};
use millrace_wire::job::{DesiredState, JobKind};
use millrace_wire::job_life::JobFilter;
use millrace_wire::overview::StateCount;
use millrace_wire::run::RunState;
use sqlx::AssertSqlSafe;

use super::job::JobRow;
use super::row::Columns;
use super::run::{self, RunRow};
use super::sight::{sight_values, visible};
use super::{Query, Row, Store, Tx};
use crate::access::sight::Sight;
use crate::error::Result;

/// A job as lists show it.
#[derive(Clone, Debug)]
pub struct ListedJob {
    pub id: JobId,
    pub name: String,
    pub description: String,
    pub owner: String,
    pub tags: Vec<String>,
    pub folder: String,
    pub kind: JobKind,
    pub desired: DesiredState,
    pub restricted: bool,
    /// Somebody has a grant.
    pub shared: bool,
    pub updated_at: i64,
    /// The newest run, without its graph.
    pub run: Option<RunRow>,
}

/// In which order a list stands. Ties go by name, so that pages fit each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobOrder {
    /// What is not right first, then the most late.
    Trouble,
    Name,
    Rate,
    Lag,
    Changed,
}

impl JobOrder {
    /// The columns with their usual way, and turned round.
    const fn columns(self, reversed: bool) -> &'static str {
        match (self, reversed) {
            (JobOrder::Trouble, false) => "l.trouble DESC, l.lag_ms DESC, l.name_key, l.job_id",
            (JobOrder::Trouble, true) => "l.trouble, l.lag_ms, l.name_key, l.job_id",
            (JobOrder::Name, false) => "l.name_key, l.job_id",
            (JobOrder::Name, true) => "l.name_key DESC, l.job_id DESC",
            (JobOrder::Rate, false) => "l.rate_in DESC, l.name_key, l.job_id",
            (JobOrder::Rate, true) => "l.rate_in, l.name_key, l.job_id",
            (JobOrder::Lag, false) => "l.lag_ms DESC, l.name_key, l.job_id",
            (JobOrder::Lag, true) => "l.lag_ms, l.name_key, l.job_id",
            (JobOrder::Changed, false) => "l.updated_at DESC, l.name_key, l.job_id",
            (JobOrder::Changed, true) => "l.updated_at, l.name_key, l.job_id",
        }
    }
}

/// What a query over `job_list l` asks for: the text of its WHERE, and the values of `$1`, `$2` and on.
///
/// Every question about the jobs of a team comes through here: what narrows what somebody sees is added here.
struct Condition {
    sql: String,
    values: Vec<String>,
}

impl Condition {
    /// The jobs of the team that these eyes see.
    fn of_sight(sight: &Sight) -> Condition {
        let team = "l.team_id = $1".to_owned();
        if sight.reach() == "all" {
            return Condition { sql: team, values: vec![sight.team.to_string()] };
        }
        let seen = visible!("l", "job_id", "job_id");
        Condition { sql: format!("{team} AND {seen}"), values: sight_values(sight).into() }
    }

    fn of(sight: &Sight, filter: &JobFilter) -> Condition {
        let mut condition = Condition::of_sight(sight);
        condition.equals("l.state", &filter.state);
        condition.equals("l.owner", &filter.owner);
        condition.equals("l.kind", &filter.kind);
        if !filter.tag.is_empty() {
            // Tags are JSON texts in a list. Taking this one out changes the list where it is in it.
            let written = serde_json::Value::from(filter.tag.as_str()).to_string();
            condition.and(|n| format!("REPLACE(l.tags, ${n}, '') <> l.tags"), written);
        }
        if !filter.folder.is_empty() {
            // With the mark behind it, so that `bill` is no folder above `billing`.
            condition
                .and(|n| format!("SUBSTR(l.folder || '/', 1, LENGTH(${n})) = ${n}"), format!("{}/", filter.folder));
        }
        for word in filter.q.to_lowercase().split_whitespace() {
            condition.and(|n| format!("l.words LIKE ${n} ESCAPE '\\'"), containing(word));
        }
        condition
    }

    fn equals(&mut self, column: &str, wanted: &str) {
        if !wanted.is_empty() {
            self.and(|n| format!("{column} = ${n}"), wanted.to_owned());
        }
    }

    fn and(&mut self, text: impl FnOnce(usize) -> String, value: String) {
        self.values.push(value);
        self.sql.push_str(" AND ");
        self.sql.push_str(&text(self.values.len()));
    }

    /// `before` and `after` stand around the condition.
    fn query(self, before: &str, after: &str) -> Query<'static> {
        let query = sqlx::query(AssertSqlSafe(format!("{before} WHERE {} {after}", self.sql)));
        self.values.into_iter().fold(query, Query::bind)
    }
}

/// A pattern of LIKE for what contains the word, whatever is in it. A text of the database holds no zero character.
fn containing(word: &str) -> String {
    let escaped = word.replace('\0', "\u{fffd}").replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

/// Values of a filter that no row can have are left as they are; those that a database refuses are not.
fn printable(filter: &JobFilter) -> JobFilter {
    let clean = |text: &str| text.replace('\0', "\u{fffd}");
    JobFilter {
        q: filter.q.clone(),
        state: clean(&filter.state),
        tag: clean(&filter.tag),
        owner: clean(&filter.owner),
        kind: clean(&filter.kind),
        folder: clean(&filter.folder),
    }
}

const LISTED: &str = "SELECT j.id, j.name, j.description, j.owner, j.tags, j.folder, j.kind, j.desired, j.updated_at, l.run_number, \
                      j.restricted, (SELECT COUNT(*) FROM grants g WHERE g.job_id = j.id) AS grants \
                      FROM job_list l JOIN jobs j ON j.id = l.job_id";

fn read(row: &Row) -> Result<ListedJob> {
    Ok(ListedJob {
        id: row.parsed("id")?,
        name: row.text("name")?,
        description: row.text("description")?,
        owner: row.text("owner")?,
        tags: row.json("tags")?,
        folder: row.text("folder")?,
        kind: row.parsed("kind")?,
        desired: row.parsed("desired")?,
        restricted: row.flag("restricted")?,
        shared: row.int("grants")? > 0,
        updated_at: row.int("updated_at")?,
        run: None,
    })
}

/// A part of the list, with the newest run of each.
pub async fn page(
    store: &Store,
    sight: &Sight,
    filter: &JobFilter,
    order: (JobOrder, bool),
    offset: u64,
    limit: u64,
) -> Result<Vec<ListedJob>> {
    let (column, reversed) = order;
    // Numbers of our own; the values of people are bound.
    let after = format!("ORDER BY {} LIMIT {limit} OFFSET {offset}", column.columns(reversed));
    with_runs(store, Condition::of(sight, &printable(filter)).query(LISTED, &after)).await
}

/// Live jobs, those that are furthest behind first; unknown lag comes last.
pub async fn most_late(store: &Store, sight: &Sight, limit: u64) -> Result<Vec<ListedJob>> {
    let live = RunState::ALL.iter().filter(|state| !state.is_terminal()).map(|state| format!("'{state}'"));
    let after = format!(
        "AND l.state IN ({}) ORDER BY l.lag_ms DESC, l.name_key, l.job_id LIMIT {limit}",
        live.collect::<Vec<_>>().join(", ")
    );
    with_runs(store, Condition::of_sight(sight).query(LISTED, &after)).await
}

async fn with_runs(store: &Store, query: Query<'_>) -> Result<Vec<ListedJob>> {
    let rows = query.fetch_all(store.reader()).await?;
    let mut jobs: Vec<ListedJob> = rows.iter().map(read).collect::<Result<_>>()?;
    let numbers: Vec<i64> = rows.iter().map(|row| row.int("run_number")).collect::<Result<_>>()?;
    let ran = jobs.iter().zip(&numbers).filter(|(_, number)| **number > 0).map(|(job, _)| job.id).collect();
    let mut runs = run::newest_of(store, ran).await?;
    for job in &mut jobs {
        job.run = runs.remove(&job.id);
    }
    Ok(jobs)
}

/// Jobs of each state under the filter, whatever state the filter names.
pub async fn counts(store: &Store, sight: &Sight, filter: &JobFilter) -> Result<Vec<StateCount>> {
    let filter = JobFilter { state: String::new(), ..printable(filter) };
    let rows = Condition::of(sight, &filter)
        .query("SELECT l.state AS state, COUNT(*) AS n FROM job_list l", "GROUP BY l.state ORDER BY l.state")
        .fetch_all(store.reader())
        .await?;
    rows.iter().map(|row| Ok(StateCount { state: row.text("state")?, jobs: row.count("n")? })).collect()
}

/// The ids and names of all that the filter admits, by name.
pub async fn names(store: &Store, sight: &Sight, filter: &JobFilter, limit: u64) -> Result<Vec<(JobId, String)>> {
    let rows = Condition::of(sight, &printable(filter))
        .query(
            "SELECT j.id, j.name FROM job_list l JOIN jobs j ON j.id = l.job_id",
            &format!("ORDER BY l.name_key, l.job_id LIMIT {limit}"),
        )
        .fetch_all(store.reader())
        .await?;
    rows.iter().map(|row| Ok((row.parsed("id")?, row.text("name")?))).collect()
}

/// A job that a search found.
#[derive(Clone, Debug)]
pub struct FoundJob {
    pub id: JobId,
    pub name: String,
    pub description: String,
    pub tags: Vec<String>,
}

/// Jobs that contain the text, those whose name is or begins with it first.
pub async fn search(store: &Store, sight: &Sight, text: &str, limit: u64) -> Result<Vec<FoundJob>> {
    let mut condition = Condition::of_sight(sight);
    let pattern = containing(text);
    condition.and(|n| format!("l.words LIKE ${n} ESCAPE '\\'"), pattern.clone());
    let (all, begins) = (condition.values.len(), pattern.trim_start_matches('%').to_owned());
    condition.values.push(begins);
    let after = format!(
        "ORDER BY CASE WHEN l.name_key LIKE ${} ESCAPE '\\' THEN 0 WHEN l.name_key LIKE ${all} ESCAPE '\\' THEN 1 ELSE 2 END, \
         LENGTH(l.name_key), l.name_key LIMIT {limit}",
        all + 1
    );
    let columns = "SELECT j.id, j.name, j.description, j.tags FROM job_list l JOIN jobs j ON j.id = l.job_id";
    let rows = condition.query(columns, &after).fetch_all(store.reader()).await?;
    let read = |row: &Row| {
        Ok(FoundJob {
            id: row.parsed("id")?,
            name: row.text("name")?,
            description: row.text("description")?,
            tags: row.json("tags")?,
        })
    };
    rows.iter().map(read).collect()
}

/// All jobs by name, each with the state of its newest run.
pub async fn states(store: &Store, sight: &Sight) -> Result<Vec<(JobId, String, Option<RunState>)>> {
    let rows = Condition::of_sight(sight)
        .query(
            "SELECT j.id, j.name, l.state FROM job_list l JOIN jobs j ON j.id = l.job_id",
            "ORDER BY l.name_key, l.job_id",
        )
        .fetch_all(store.reader())
        .await?;
    // The word for what never ran is no state.
    rows.iter().map(|row| Ok((row.parsed("id")?, row.text("name")?, row.text("state")?.parse().ok()))).collect()
}

/// Records per second that a team's jobs, as far as these eyes see them, read and write, as they were last written down.
pub async fn rates(store: &Store, sight: &Sight) -> Result<(f64, f64)> {
    let columns = "SELECT CAST(COALESCE(SUM(l.rate_in), 0) AS BIGINT) AS read, \
                   CAST(COALESCE(SUM(l.rate_out), 0) AS BIGINT) AS written FROM job_list l";
    let row = Condition::of_sight(sight).query(columns, "").fetch_one(store.reader()).await?;
    Ok((row.int("read")? as f64 / 1000.0, row.int("written")? as f64 / 1000.0))
}

/// What a list shows and searches of the job itself. Makes the row when there is none; who may see the job is changed by
/// [`set_restricted`] alone.
pub async fn put(tx: &mut Tx, job: &JobRow) -> Result<()> {
    sqlx::query(
        "INSERT INTO job_list (job_id, team_id, name_key, words, tags, owner, kind, state, trouble, run_number, \
         updated_at, folder, owner_id, restricted) VALUES ($1, $2, $3, $4, $5, $6, $7, 'draft', 0, 0, $8, $9, $10, $11) \
         ON CONFLICT (job_id) DO UPDATE SET name_key = excluded.name_key, words = excluded.words, \
         tags = excluded.tags, owner = excluded.owner, kind = excluded.kind, updated_at = excluded.updated_at, \
         folder = excluded.folder",
    )
    .bind(job.id.to_string())
    .bind(job.team.to_string())
    .bind(job.name.to_lowercase())
    .bind(words(job))
    .bind(serde_json::to_string(&job.tags)?)
    .bind(job.owner.clone())
    .bind(job.kind.as_str())
    .bind(job.updated_at)
    .bind(job.folder.clone())
    .bind(job.owner_id.map(|user| user.to_string()).unwrap_or_default())
    .bind(i64::from(job.restricted))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Where the words of a search are looked for.
fn words(job: &JobRow) -> String {
    let tags = job.tags.join(" ");
    [&job.name, &job.description, &job.owner, &tags, &job.folder].map(String::as_str).join(" ").to_lowercase()
}

pub async fn touch(tx: &mut Tx, job: JobId, updated_at: i64) -> Result<()> {
    sqlx::query("UPDATE job_list SET updated_at = $1 WHERE job_id = $2")
        .bind(updated_at)
        .bind(job.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub async fn set_restricted(tx: &mut Tx, job: JobId, restricted: bool) -> Result<()> {
    sqlx::query("UPDATE job_list SET restricted = $1 WHERE job_id = $2")
        .bind(i64::from(restricted))
        .bind(job.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The job goes into the bin.
pub async fn remove(tx: &mut Tx, job: JobId) -> Result<()> {
    sqlx::query("DELETE FROM job_list WHERE job_id = $1").bind(job.to_string()).execute(&mut **tx).await?;
    Ok(())
}

const fn trouble(state: RunState) -> i64 {
    match state {
        RunState::Failed => 4,
        RunState::Recovering => 3,
        state if state.is_terminal() => 0,
        _ => 1,
    }
}

/// A run is the job's newest one from now on.
pub async fn set_run(tx: &mut Tx, job: JobId, number: u32, state: RunState) -> Result<()> {
    sqlx::query("UPDATE job_list SET run_number = $1, state = $2, trouble = $3, lag_ms = -1, rate_in = 0, rate_out = 0 WHERE job_id = $4")
        .bind(i64::from(number))
        .bind(state.as_str())
        .bind(trouble(state))
        .bind(job.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The run got another state. Figures of what is over are not those of now.
pub async fn set_state(tx: &mut Tx, run: RunId, state: RunState) -> Result<()> {
    sqlx::query(
        "UPDATE job_list SET state = $1, trouble = $2, \
         lag_ms = CASE WHEN $3 = 1 THEN -1 ELSE lag_ms END, \
         rate_in = CASE WHEN $3 = 1 THEN 0 ELSE rate_in END, \
         rate_out = CASE WHEN $3 = 1 THEN 0 ELSE rate_out END \
         WHERE job_id = (SELECT r.job_id FROM job_runs r WHERE r.id = $4) \
         AND run_number = (SELECT r.number FROM job_runs r WHERE r.id = $4)",
    )
    .bind(state.as_str())
    .bind(trouble(state))
    .bind(i64::from(state.is_terminal()))
    .bind(run.to_string())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Out of the bin again: the newest run is what it was.
pub async fn recall_run(tx: &mut Tx, job: JobId) -> Result<()> {
    let newest = sqlx::query("SELECT number, state FROM job_runs WHERE job_id = $1 ORDER BY number DESC LIMIT 1")
        .bind(job.to_string())
        .fetch_optional(&mut **tx)
        .await?;
    match newest {
        None => Ok(()),
        Some(row) => set_run(tx, job, u32::try_from(row.int("number")?).unwrap_or(0), row.parsed("state")?).await,
    }
}

/// Figures to sort by; rates in thousandths of records per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortFigures {
    pub lag_ms: i64,
    pub rate_in: i64,
    pub rate_out: i64,
}

pub async fn set_figures(tx: &mut Tx, job: JobId, figures: SortFigures) -> Result<()> {
    sqlx::query("UPDATE job_list SET lag_ms = $1, rate_in = $2, rate_out = $3 WHERE job_id = $4 AND trouble IN (1, 3)")
        .bind(figures.lag_ms)
        .bind(figures.rate_in)
        .bind(figures.rate_out)
        .bind(job.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use millrace_wire::ids::TeamId;

    use super::*;

    #[test]
    fn what_people_type_is_no_pattern() {
        assert_eq!(containing("50%_a\\b"), "%50\\%\\_a\\\\b%");
        assert_eq!(containing("a\0b"), "%a\u{fffd}b%");
    }

    #[test]
    fn every_value_has_its_placeholder() {
        let filter = JobFilter {
            q: "two words".to_owned(),
            state: "running".to_owned(),
            tag: "a\"b".to_owned(),
            owner: "Ann".to_owned(),
            kind: "stream".to_owned(),
            folder: "a/b".to_owned(),
        };
        let condition = Condition::of(&Sight::platform(TeamId(uuid::Uuid::nil())), &filter);
        assert_eq!(condition.values.len(), 8);
        assert!(condition.sql.ends_with("l.words LIKE $8 ESCAPE '\\'"), "{}", condition.sql);
        assert_eq!(condition.values[4], r#""a\"b""#);
    }
}
