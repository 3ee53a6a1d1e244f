//! Tables, and which jobs use them.

use std::collections::{BTreeMap, HashSet};

use millrace_wire::connection::JobRef;
use millrace_wire::ids::{ConnectionId, DatabaseId, TableId, TeamId, UserId};
use millrace_wire::table::{ResolvedColumn, TableDraft};
use millrace_wire::table_version::Compatibility;
use sqlx::Row as _;

use super::row::Columns;
use super::sight::{visible, with_sight};
use super::{Query, Row, Store, Tx, table_search, team};
use crate::access::sight::Sight;
use crate::error::{Error, Result};

#[derive(Clone, Debug)]
pub struct TableRow {
    pub id: TableId,
    pub team: TeamId,
    pub draft: TableDraft,
    /// Sealed, by the name of their option; not in the draft.
    pub secrets: BTreeMap<String, String>,
    pub ddl: String,
    pub resolved: Vec<ResolvedColumn>,
    pub owner: String,
    pub tags: Vec<String>,
    pub sharers: Vec<String>,
    pub compatibility: Compatibility,
    /// Empty where it describes no topic.
    pub topic: String,
    pub built_in: bool,
    pub revision: u32,
    pub created_at: i64,
    pub updated_at: i64,
    pub updated_by: String,
    /// The user whose table it is; none for the platform's own, and for what is older than this.
    pub owner_id: Option<UserId>,
    pub restricted: bool,
    pub listed: bool,
    /// Worked out when read.
    pub connection_name: String,
}

/// A job that writes or reads a table by its newest version.
#[derive(Clone, Debug)]
pub struct TableUse {
    pub job: JobRef,
    pub writes: bool,
}

/// What planning needs of a table: little, since all of a team's are read at once.
#[derive(Clone, Debug)]
pub struct Descriptor {
    pub id: TableId,
    /// `database.table`
    pub name: String,
    pub connector: String,
    pub connection: Option<ConnectionId>,
    pub ddl: String,
    /// Only of tables that keep secrets of their own.
    pub draft: Option<TableDraft>,
}

/// What every query for tables begins with; `more` are columns on top.
macro_rules! select {
    ($($more:literal)?) => {
        concat!(
            "SELECT s.*, d.name AS database_name, COALESCE(c.name, '') AS connection_name",
            $($more,)?
            " FROM stream_tables s JOIN table_databases d ON d.id = s.database_id \
             LEFT JOIN connections c ON c.id = s.connection_id "
        )
    };
}

const SELECT_ONE: &str = concat!(select!(), "WHERE s.team_id = $1 AND s.id = $2");
const SELECT_BY_NAME: &str = concat!(select!(), "WHERE s.team_id = $1 AND d.name = $2 AND s.name = $3");

fn read(row: &Row) -> Result<TableRow> {
    Ok(TableRow {
        id: row.parsed("id")?,
        team: row.parsed("team_id")?,
        draft: row.json("draft")?,
        secrets: row.json("secrets")?,
        ddl: row.text("ddl")?,
        resolved: row.json("resolved")?,
        owner: row.text("owner")?,
        tags: row.json("tags")?,
        sharers: row.json("sharers")?,
        compatibility: row.parsed("compatibility")?,
        topic: row.text("topic")?,
        built_in: row.flag("built_in")?,
        revision: u32::try_from(row.int("revision")?).unwrap_or(0),
        created_at: row.int("created_at")?,
        updated_at: row.int("updated_at")?,
        updated_by: row.text("updated_by")?,
        owner_id: row.text("owner_id")?.parse().ok(),
        restricted: row.flag("restricted")?,
        listed: row.flag("listed")?,
        connection_name: row.text("connection_name")?,
    })
}

/// Of all tables of a team, whoever may see them.
pub async fn descriptors(store: &Store, team: TeamId) -> Result<Vec<Descriptor>> {
    let rows = sqlx::query(
        "SELECT s.id, d.name || '.' || s.name AS full_name, s.connector, s.connection_id, s.ddl, \
         CASE WHEN s.secrets <> '{}' THEN s.draft END AS sealed_draft \
         FROM stream_tables s JOIN table_databases d ON d.id = s.database_id WHERE s.team_id = $1",
    )
    .bind(team.to_string())
    .fetch_all(store.reader())
    .await?;
    let connection =
        |row: &Row| row.text_or_null("connection_id")?.map(|id| id.parse().map_err(Error::internal)).transpose();
    rows.iter()
        .map(|row| {
            Ok(Descriptor {
                id: row.parsed("id")?,
                name: row.text("full_name")?,
                connector: row.text("connector")?,
                connection: connection(row)?,
                ddl: row.text("ddl")?,
                draft: match row.text_or_null("sealed_draft")? {
                    Some(draft) => Some(serde_json::from_str(&draft)?),
                    None => None,
                },
            })
        })
        .collect()
}

/// Whole tables of one database that these eyes see, or of all when it is empty: for scripts.
pub async fn rows(store: &Store, sight: &Sight, database: &str) -> Result<Vec<TableRow>> {
    let sql = concat!(
        select!(),
        "WHERE s.team_id = $1 AND ($6 = '' OR d.name = $6) AND ",
        visible!("s", "table_id"),
        " ORDER BY d.name, s.name"
    );
    let rows = with_sight(sqlx::query(sql), sight).bind(database.to_owned()).fetch_all(store.reader()).await?;
    rows.iter().map(read).collect()
}

/// The form of each table that these eyes see, by `database.table`.
pub async fn drafts(store: &Store, sight: &Sight) -> Result<BTreeMap<String, TableDraft>> {
    let all = rows(store, sight, "").await?;
    Ok(all.into_iter().map(|row| (format!("{}.{}", row.draft.database, row.draft.name), row.draft)).collect())
}

/// Topic, id and `database.table` of the tables that describe topics of a connection, as far as these eyes see them.
pub async fn topics_of(
    store: &Store,
    sight: &Sight,
    connection: ConnectionId,
) -> Result<Vec<(String, TableId, String)>> {
    let sql = concat!(
        "SELECT s.topic, s.id, d.name || '.' || s.name AS full_name \
         FROM stream_tables s JOIN table_databases d ON d.id = s.database_id \
         WHERE s.team_id = $1 AND s.connection_id = $6 AND s.topic <> '' AND ",
        visible!("s", "table_id"),
        " ORDER BY d.name, s.name"
    );
    let rows = with_sight(sqlx::query(sql), sight).bind(connection.to_string()).fetch_all(store.reader()).await?;
    rows.iter().map(|row| Ok((row.text("topic")?, row.parsed("id")?, row.text("full_name")?))).collect()
}

/// Which tables of the team are closed to somebody, as far as scripts go.
#[derive(Clone, Debug, Default)]
pub struct Closed {
    /// Those that they do not see.
    pub hidden: HashSet<TableId>,
    /// Those into which they may not write, with the hidden ones.
    pub read_only: HashSet<TableId>,
}

pub async fn closed(store: &Store, sight: &Sight) -> Result<Closed> {
    if sight.reach() == "all" {
        return Ok(Closed::default());
    }
    let hidden = concat!("SELECT s.id FROM stream_tables s WHERE s.team_id = $1 AND NOT ", visible!("s", "table_id"));
    let read_only = "SELECT s.id FROM stream_tables s WHERE s.team_id = $1 AND NOT ($2 = 'all' \
                     OR ($2 = 'member' AND (s.restricted = 0 OR s.owner_id = $3)) \
                     OR EXISTS (SELECT 1 FROM grants g WHERE g.table_id = s.id AND g.level <> 'read' \
                     AND (g.user_id = $3 OR g.team_id IN (SELECT m.team_id FROM members m WHERE m.user_id = $4 \
                     AND ($5 = '' OR m.team_id = $5)))))";
    Ok(Closed { hidden: ids(store, sight, hidden).await?, read_only: ids(store, sight, read_only).await? })
}

async fn ids(store: &Store, sight: &Sight, sql: &'static str) -> Result<HashSet<TableId>> {
    let rows = with_sight(sqlx::query(sql), sight).fetch_all(store.reader()).await?;
    rows.iter().map(|row| row.parsed("id")).collect()
}

/// A table of another team.
#[derive(Clone, Debug)]
pub struct ForeignTable {
    pub team_slug: String,
    pub table: TableRow,
    /// It may be written, too.
    pub writes: bool,
}

impl ForeignTable {
    /// As scripts name it: `team.database.table`.
    pub fn name(&self) -> String {
        format!("{}.{}.{}", self.team_slug, self.table.draft.database, self.table.draft.name)
    }
}

/// Tables of other teams that are open to this team, or to the person in it, by name.
pub async fn open_to(store: &Store, sight: &Sight) -> Result<Vec<ForeignTable>> {
    if sight.reach() == "guest" {
        return Ok(Vec::new());
    }
    let sql = concat!(
        select!(
            ", t.slug AS team_slug, CAST((SELECT MAX(CASE g.level WHEN 'read' THEN 0 ELSE 1 END) FROM grants g \
             WHERE g.table_id = s.id AND (g.team_id = $1 OR g.user_id = $2)) AS BIGINT) AS writes"
        ),
        "JOIN teams t ON t.id = s.team_id WHERE s.team_id <> $1 AND s.built_in = 0 AND s.id IN \
         (SELECT g.table_id FROM grants g WHERE g.table_id IS NOT NULL AND (g.team_id = $1 OR g.user_id = $2)) \
         ORDER BY t.slug, d.name, s.name"
    );
    let rows = sqlx::query(sql)
        .bind(sight.team.to_string())
        .bind(sight.in_person_elsewhere().map(|user| user.to_string()).unwrap_or_default())
        .fetch_all(store.reader())
        .await?;
    rows.iter()
        .map(|row| {
            Ok(ForeignTable { team_slug: row.text("team_slug")?, table: read(row)?, writes: row.flag("writes")? })
        })
        .collect()
}

/// Whether it is open or not: for the supervisor, never for a request. `name`: `team.database.table`.
pub async fn of_any_team(store: &Store, name: &str) -> Result<Option<TableRow>> {
    let mut parts = name.splitn(3, '.');
    let (Some(team), Some(database), Some(table)) = (parts.next(), parts.next(), parts.next()) else {
        return Ok(None);
    };
    let sql = concat!(select!(), "JOIN teams t ON t.id = s.team_id WHERE t.slug = $1 AND d.name = $2 AND s.name = $3");
    let row = sqlx::query(sql)
        .bind(team.to_owned())
        .bind(database.to_owned())
        .bind(table.to_owned())
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().map(read).transpose()
}

pub async fn get(store: &Store, team: TeamId, id: TableId) -> Result<Option<TableRow>> {
    let row =
        sqlx::query(SELECT_ONE).bind(team.to_string()).bind(id.to_string()).fetch_optional(store.reader()).await?;
    row.as_ref().map(read).transpose()
}

pub async fn get_in(tx: &mut Tx, team: TeamId, id: TableId) -> Result<Option<TableRow>> {
    let row = sqlx::query(SELECT_ONE).bind(team.to_string()).bind(id.to_string()).fetch_optional(&mut **tx).await?;
    row.as_ref().map(read).transpose()
}

/// Whoever may see it: for what the server itself keeps, never for a request.
pub async fn by_name(store: &Store, team: TeamId, database: &str, name: &str) -> Result<Option<TableRow>> {
    let row = sqlx::query(SELECT_BY_NAME)
        .bind(team.to_string())
        .bind(database.to_owned())
        .bind(name.to_owned())
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().map(read).transpose()
}

/// What both a new and a changed table write, `$1` to `$20`. `database`: the id that belongs to the draft's database name.
fn written<'q>(query: Query<'q>, table: &TableRow, database: DatabaseId) -> Result<Query<'q>> {
    Ok(query
        .bind(table.team.to_string())
        .bind(table.id.to_string())
        .bind(database.to_string())
        .bind(table.draft.connection.map(|id: ConnectionId| id.to_string()))
        .bind(table.draft.name.clone())
        .bind(table.draft.connector.clone())
        .bind(table.draft.comment.clone())
        .bind(serde_json::to_string(&table.draft)?)
        .bind(table.ddl.clone())
        .bind(serde_json::to_string(&table.resolved)?)
        .bind(table.topic.clone())
        .bind(i64::from(table.revision))
        .bind(table.updated_at)
        .bind(table.updated_by.clone())
        .bind(table.owner.clone())
        .bind(serde_json::to_string(&table.tags)?)
        .bind(serde_json::to_string(&table.sharers)?)
        .bind(table.compatibility.as_str())
        .bind(i64::try_from(table.resolved.len()).unwrap_or(i64::MAX))
        .bind(serde_json::to_string(&table.secrets)?))
}

pub async fn insert(tx: &mut Tx, table: &TableRow, database: DatabaseId) -> Result<()> {
    let query = sqlx::query(
        "INSERT INTO stream_tables (team_id, id, database_id, connection_id, name, connector, comment, draft, ddl, \
         resolved, topic, revision, updated_at, updated_by, owner, tags, sharers, compatibility, column_count, \
         secrets, built_in, created_at, owner_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, \
         $23)",
    );
    let owner = table.owner_id.map(|user| user.to_string()).unwrap_or_default();
    let query = written(query, table, database)?.bind(i64::from(table.built_in)).bind(table.created_at).bind(owner);
    query.execute(&mut **tx).await?;
    written_beside(tx, table).await
}

pub async fn update(tx: &mut Tx, table: &TableRow, database: DatabaseId) -> Result<()> {
    let query = sqlx::query(
        "UPDATE stream_tables SET database_id = $3, connection_id = $4, name = $5, connector = $6, comment = $7, \
         draft = $8, ddl = $9, resolved = $10, topic = $11, revision = $12, updated_at = $13, updated_by = $14, \
         owner = $15, tags = $16, sharers = $17, compatibility = $18, column_count = $19, \
         secrets = $20 WHERE team_id = $1 AND id = $2",
    );
    written(query, table, database)?.execute(&mut **tx).await?;
    written_beside(tx, table).await
}

/// The database's id stays as it is: for what does not change the name.
pub async fn update_in_place(tx: &mut Tx, table: &TableRow) -> Result<()> {
    let row = sqlx::query("SELECT database_id FROM stream_tables WHERE id = $1")
        .bind(table.id.to_string())
        .fetch_one(&mut **tx)
        .await?;
    update(tx, table, row.parsed("database_id")?).await
}

async fn written_beside(tx: &mut Tx, table: &TableRow) -> Result<()> {
    table_search::write(tx, table).await?;
    team::catalog_changed(tx, table.team).await
}

pub async fn delete(tx: &mut Tx, team: TeamId, id: TableId) -> Result<()> {
    sqlx::query("DELETE FROM stream_tables WHERE team_id = $1 AND id = $2")
        .bind(team.to_string())
        .bind(id.to_string())
        .execute(&mut **tx)
        .await?;
    team::catalog_changed(tx, team).await
}

const USES: &str = concat!(
    "SELECT u.direction, j.id AS job_id, j.name AS job_name \
     FROM job_table_use u JOIN jobs j ON j.id = u.job_id AND j.deleted_at IS NULL \
     WHERE u.team_id = $1 AND u.database_name = $6 AND u.table_name = $7 AND u.version_number = \
     (SELECT MAX(v.number) FROM job_versions v WHERE v.job_id = u.job_id) AND ",
    visible!("j", "job_id"),
    " ORDER BY j.name"
);

fn read_use(row: &Row) -> Result<TableUse> {
    Ok(TableUse {
        job: JobRef { id: row.parsed("job_id")?, name: row.text("job_name")? },
        writes: row.text("direction")? == "write",
    })
}

/// By the newest version of each job of the team that these eyes see.
pub async fn uses(store: &Store, sight: &Sight, database: &str, table: &str) -> Result<Vec<TableUse>> {
    let rows = with_sight(sqlx::query(USES), sight)
        .bind(database.to_owned())
        .bind(table.to_owned())
        .fetch_all(store.reader())
        .await?;
    rows.iter().map(read_use).collect()
}

/// A use of any table of a team.
#[derive(Clone, Debug)]
pub struct TeamUse {
    /// `database.table`
    pub table: String,
    pub job: JobRef,
    pub writes: bool,
}

/// Of all tables, by the newest version of each job, whoever may see it.
pub async fn uses_in_team(store: &Store, team: TeamId) -> Result<Vec<TeamUse>> {
    let rows = sqlx::query(
        "SELECT u.database_name || '.' || u.table_name AS full_name, u.direction, j.id AS job_id, j.name AS job_name \
         FROM job_table_use u JOIN jobs j ON j.id = u.job_id AND j.deleted_at IS NULL \
         WHERE u.team_id = $1 AND u.version_number = \
         (SELECT MAX(v.number) FROM job_versions v WHERE v.job_id = u.job_id) ORDER BY j.name",
    )
    .bind(team.to_string())
    .fetch_all(store.reader())
    .await?;
    rows.iter()
        .map(|row| {
            let TableUse { job, writes } = read_use(row)?;
            Ok(TeamUse { table: row.text("full_name")?, job, writes })
        })
        .collect()
}

/// A version of a job that names a table.
#[derive(Clone, Debug)]
pub struct UsingVersion {
    pub team: TeamId,
    pub job: JobRef,
    pub number: u32,
    pub sql: String,
    pub settings: serde_json::Value,
    pub running: bool,
}

/// The newest version of each job, of whichever team, and the one that runs now, whoever may see it.
pub async fn versions_using(store: &Store, table: &TableRow) -> Result<Vec<UsingVersion>> {
    let rows = sqlx::query(
        "SELECT j.id, j.team_id, j.name, v.number, v.sql_text, v.settings, \
         (SELECT COUNT(*) FROM job_runs r WHERE r.version_id = v.id AND r.ended_at IS NULL) AS running \
         FROM job_versions v JOIN jobs j ON j.id = v.job_id AND j.deleted_at IS NULL \
         WHERE (v.id IN (SELECT u.version_id FROM job_table_use u \
         WHERE u.team_id = $1 AND u.database_name = $2 AND u.table_name = $3) \
         OR v.id IN (SELECT f.version_id FROM job_foreign_use f WHERE f.table_id = $4)) AND ( \
         v.number = (SELECT MAX(n.number) FROM job_versions n WHERE n.job_id = v.job_id) \
         OR EXISTS (SELECT 1 FROM job_runs r WHERE r.version_id = v.id AND r.ended_at IS NULL)) \
         ORDER BY j.name, v.number DESC",
    )
    .bind(table.team.to_string())
    .bind(table.draft.database.clone())
    .bind(table.draft.name.clone())
    .bind(table.id.to_string())
    .fetch_all(store.reader())
    .await?;
    rows.iter()
        .map(|row| {
            Ok(UsingVersion {
                team: row.parsed("team_id")?,
                job: JobRef { id: row.parsed("id")?, name: row.text("name")? },
                number: u32::try_from(row.int("number")?).unwrap_or(0),
                sql: row.text("sql_text")?,
                settings: row.json("settings")?,
                running: row.flag("running")?,
            })
        })
        .collect()
}

/// Jobs of whichever team that would break when the table went: by their newest version, or by one that runs now.
pub async fn jobs_using(tx: &mut Tx, table: &TableRow) -> Result<Vec<JobRef>> {
    let rows = sqlx::query(
        "SELECT j.id, j.name FROM jobs j WHERE j.deleted_at IS NULL AND (j.id IN (SELECT u.job_id FROM job_table_use u \
         WHERE u.team_id = $1 AND u.database_name = $2 AND u.table_name = $3 AND ( \
         u.version_number = (SELECT MAX(v.number) FROM job_versions v WHERE v.job_id = u.job_id) \
         OR EXISTS (SELECT 1 FROM job_runs r WHERE r.version_id = u.version_id AND r.ended_at IS NULL))) \
         OR j.id IN (SELECT f.job_id FROM job_foreign_use f WHERE f.table_id = $4 AND ( \
         f.version_number = (SELECT MAX(v.number) FROM job_versions v WHERE v.job_id = f.job_id) \
         OR EXISTS (SELECT 1 FROM job_runs r WHERE r.version_id = f.version_id AND r.ended_at IS NULL)))) \
         ORDER BY j.name",
    )
    .bind(table.team.to_string())
    .bind(table.draft.database.clone())
    .bind(table.draft.name.clone())
    .bind(table.id.to_string())
    .fetch_all(&mut **tx)
    .await?;
    rows.iter().map(|row| Ok(JobRef { id: row.parsed("id")?, name: row.text("name")? })).collect()
}

/// How many these eyes see.
pub async fn count(store: &Store, sight: &Sight) -> Result<u64> {
    let sql = concat!("SELECT COUNT(*) FROM stream_tables s WHERE s.team_id = $1 AND ", visible!("s", "table_id"));
    let row = with_sight(sqlx::query(sql), sight).fetch_one(store.reader()).await?;
    Ok(u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0))
}

pub async fn set_listed(tx: &mut Tx, id: TableId, listed: bool) -> Result<()> {
    sqlx::query("UPDATE stream_tables SET listed = $1 WHERE id = $2")
        .bind(i64::from(listed))
        .bind(id.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}
