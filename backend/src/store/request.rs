//! The catalogue, requests for access and ingestion.

use millrace_wire::ids::{RequestId, TableId, TeamId, UserId};
use millrace_wire::request::{AccessRequest, CatalogueEntry, RequestKind, RequestState};

use super::row::Columns;
use super::{Row, Store, Tx};
use crate::error::Result;

/// Listed tables of all teams in the user's organisations, by team and name. `token`: an API token's team, whose
/// organisation and grants alone count.
pub async fn catalogue(store: &Store, user: UserId, token: Option<TeamId>) -> Result<Vec<CatalogueEntry>> {
    let rows = sqlx::query(
        "SELECT s.id, s.name, s.comment, s.resolved, d.name AS database_name, t.slug, t.name AS team_name, \
         CASE WHEN EXISTS (SELECT 1 FROM members m WHERE m.user_id = $1 AND ($2 = '' OR m.team_id = $2) \
         AND m.team_id = s.team_id AND (s.restricted = 0 OR s.owner_id = $1 OR m.role = 'owner')) \
         OR EXISTS (SELECT 1 FROM grants g WHERE g.table_id = s.id AND (($2 = '' AND g.user_id = $1) \
         OR g.team_id IN (SELECT m.team_id FROM members m WHERE m.user_id = $1 AND ($2 = '' OR m.team_id = $2)))) \
         THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS is_open \
         FROM stream_tables s JOIN table_databases d ON d.id = s.database_id JOIN teams t ON t.id = s.team_id \
         WHERE s.listed = 1 AND (t.organisation_id IN (SELECT o.organisation_id FROM organisation_members o \
         WHERE o.user_id = $1) AND ($2 = '' OR t.organisation_id = (SELECT own.organisation_id FROM teams own \
         WHERE own.id = $2))) ORDER BY t.slug, d.name, s.name",
    )
    .bind(user.to_string())
    .bind(token.map(|team| team.to_string()).unwrap_or_default())
    .fetch_all(store.reader())
    .await?;
    rows.iter()
        .map(|row| {
            Ok(CatalogueEntry {
                id: row.parsed("id")?,
                team_slug: row.text("slug")?,
                team_name: row.text("team_name")?,
                database: row.text("database_name")?,
                name: row.text("name")?,
                description: row.text("comment")?,
                columns: row.json("resolved")?,
                open: row.flag("is_open")?,
            })
        })
        .collect()
}

/// A request as it is stored.
#[derive(Clone, Debug)]
pub struct NewRequest {
    pub id: RequestId,
    pub kind: RequestKind,
    pub team: TeamId,
    pub table: Option<TableId>,
    pub asked_by: UserId,
    pub for_team: Option<TeamId>,
    pub level: String,
    pub reason: String,
    /// JSON.
    pub source: Option<String>,
    pub asked_at: i64,
}

pub async fn insert(tx: &mut Tx, request: &NewRequest) -> Result<()> {
    sqlx::query(
        "INSERT INTO access_requests (id, kind, team_id, table_id, asked_by, for_team, level, reason, source, state, \
         asked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open', $10)",
    )
    .bind(request.id.to_string())
    .bind(request.kind.as_str())
    .bind(request.team.to_string())
    .bind(request.table.map(|table| table.to_string()))
    .bind(request.asked_by.to_string())
    .bind(request.for_team.map(|team| team.to_string()))
    .bind(request.level.clone())
    .bind(request.reason.clone())
    .bind(request.source.clone())
    .bind(request.asked_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT r.*, t.slug AS team_slug, COALESCE(d.name || '.' || s.name, '') AS table_name, \
             u.name AS asker, u.email AS asker_email, f.name AS for_team_name FROM access_requests r \
             JOIN teams t ON t.id = r.team_id JOIN users u ON u.id = r.asked_by \
             LEFT JOIN stream_tables s ON s.id = r.table_id LEFT JOIN table_databases d ON d.id = s.database_id \
             LEFT JOIN teams f ON f.id = r.for_team ",
            $rest
        )
    };
}

fn read(row: &Row) -> Result<AccessRequest> {
    let source: Option<millrace_wire::request::IngestionSource> = match row.text_or_null("source")? {
        Some(json) => Some(serde_json::from_str(&json).map_err(crate::error::Error::internal)?),
        None => None,
    };
    let table_name = row.text("table_name")?;
    Ok(AccessRequest {
        id: row.parsed("id")?,
        kind: row.parsed("kind")?,
        team_slug: row.text("team_slug")?,
        table: row.text_or_null("table_id")?.and_then(|id| id.parse().ok()),
        title: source.as_ref().map_or(table_name, |source| source.table.clone()),
        asker: row.text("asker")?,
        asker_email: row.text("asker_email")?,
        for_team: row.text_or_null("for_team_name")?,
        level: row.text("level")?.parse().ok(),
        reason: row.text("reason")?,
        source,
        state: row.parsed::<RequestState>("state")?,
        asked_at: row.int("asked_at")?,
        decided_by: row.text("decided_by")?,
        decided_at: row.int_or_null("decided_at")?,
        answer: row.text("answer")?,
    })
}

/// Requests that the person may decide: to the tables that they manage, and ingestions of teams where they are at least
/// operator. Open ones and accepted ingestions, the oldest first.
pub async fn to_decide(store: &Store, user: UserId, token: Option<TeamId>) -> Result<Vec<AccessRequest>> {
    let rows = sqlx::query(select!(
        "WHERE (r.state = 'open' OR (r.state = 'accepted' AND r.kind = 'ingestion')) AND ( \
         EXISTS (SELECT 1 FROM members m WHERE m.team_id = r.team_id AND m.user_id = $1 \
         AND ($2 = '' OR m.team_id = $2) AND m.role IN ('operator', 'owner') \
         AND (r.table_id IS NULL OR s.restricted = 0 OR s.owner_id = $1 OR m.role = 'owner')) \
         OR EXISTS (SELECT 1 FROM grants g WHERE g.table_id = r.table_id AND g.level = 'manage' \
         AND (($2 = '' AND g.user_id = $1) OR g.team_id IN (SELECT m.team_id FROM members m \
         WHERE m.user_id = $1 AND ($2 = '' OR m.team_id = $2))))) ORDER BY r.asked_at, r.id"
    ))
    .bind(user.to_string())
    .bind(token.map(|team| team.to_string()).unwrap_or_default())
    .fetch_all(store.reader())
    .await?;
    rows.iter().map(read).collect()
}

/// The newest first.
pub async fn asked_by(store: &Store, user: UserId) -> Result<Vec<AccessRequest>> {
    let rows = sqlx::query(select!("WHERE r.asked_by = $1 ORDER BY r.asked_at DESC, r.id DESC LIMIT 100"))
        .bind(user.to_string())
        .fetch_all(store.reader())
        .await?;
    rows.iter().map(read).collect()
}

/// What a decision needs beyond what is shown.
#[derive(Clone, Debug)]
pub struct OpenRequest {
    pub shown: AccessRequest,
    pub asked_by: UserId,
    pub for_team: Option<TeamId>,
}

/// An open request to this team, for this table or for an ingestion.
pub async fn open_in(
    tx: &mut Tx,
    team: TeamId,
    table: Option<TableId>,
    request: RequestId,
) -> Result<Option<OpenRequest>> {
    let row = sqlx::query(select!(
        "WHERE r.id = $1 AND r.team_id = $2 AND COALESCE(r.table_id, '') = $3 AND r.state = 'open'"
    ))
    .bind(request.to_string())
    .bind(team.to_string())
    .bind(table.map(|table| table.to_string()).unwrap_or_default())
    .fetch_optional(&mut **tx)
    .await?;
    row.map(|row| {
        Ok(OpenRequest {
            shown: read(&row)?,
            asked_by: row.parsed("asked_by")?,
            for_team: row.text_or_null("for_team")?.and_then(|id| id.parse().ok()),
        })
    })
    .transpose()
}

/// Open requests of the person for the same: asked once is enough.
pub async fn count_open(tx: &mut Tx, user: UserId, table: Option<TableId>) -> Result<i64> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS open_ones FROM access_requests WHERE asked_by = $1 AND state = 'open' \
         AND ($2 = '' OR table_id = $2)",
    )
    .bind(user.to_string())
    .bind(table.map(|table| table.to_string()).unwrap_or_default())
    .fetch_one(&mut **tx)
    .await?;
    row.int("open_ones")
}

pub async fn decide(tx: &mut Tx, decided: &AccessRequest) -> Result<()> {
    sqlx::query(
        "UPDATE access_requests SET state = $1, level = $2, decided_by = $3, decided_at = $4, answer = $5 WHERE id = $6",
    )
    .bind(decided.state.as_str())
    .bind(decided.level.map(|level| level.as_str()).unwrap_or_default().to_owned())
    .bind(decided.decided_by.clone())
    .bind(decided.decided_at)
    .bind(decided.answer.clone())
    .bind(decided.id.to_string())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Who is to be told of a request: those who may decide it.
pub async fn deciders(tx: &mut Tx, team: TeamId, table: Option<TableId>) -> Result<Vec<UserId>> {
    let rows = sqlx::query(
        "SELECT u.id AS user_id FROM users u WHERE u.disabled = 0 AND u.id IN ( \
         SELECT m.user_id FROM members m WHERE m.team_id = $1 AND m.role IN ('operator', 'owner') \
         AND ($2 = '' OR EXISTS (SELECT 1 FROM stream_tables s WHERE s.id = $2 \
         AND (s.restricted = 0 OR s.owner_id = m.user_id OR m.role = 'owner'))) \
         UNION SELECT g.user_id FROM grants g WHERE g.table_id = $2 AND g.level = 'manage' AND g.user_id IS NOT NULL \
         UNION SELECT m.user_id FROM grants g JOIN members m ON m.team_id = g.team_id \
         WHERE g.table_id = $2 AND g.level = 'manage')",
    )
    .bind(team.to_string())
    .bind(table.map(|table| table.to_string()).unwrap_or_default())
    .fetch_all(&mut **tx)
    .await?;
    rows.iter().map(|row| row.parsed("user_id")).collect()
}

/// A listed table and whose it is.
pub async fn listed(tx: &mut Tx, table: TableId) -> Result<Option<(TeamId, String)>> {
    let row = sqlx::query(
        "SELECT s.team_id, d.name || '.' || s.name AS name FROM stream_tables s \
         JOIN table_databases d ON d.id = s.database_id WHERE s.id = $1 AND s.listed = 1",
    )
    .bind(table.to_string())
    .fetch_optional(&mut **tx)
    .await?;
    row.map(|row| Ok((row.parsed("team_id")?, row.text("name")?))).transpose()
}
