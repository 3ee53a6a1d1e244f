//! Grants on single jobs and tables, and how somebody stands to one.

use std::collections::HashSet;

use millrace_wire::access::{Because, Grantee, Level, ObjectKind, Permission, SharedObject};
use millrace_wire::ids::{GrantId, JobId, TeamId, UserId};
use millrace_wire::session::GuestTeam;

use super::row::Columns;
use super::sight::with_sight;
use super::{Row, Store, Tx, job_list};
use crate::access::sight::{Object, Sight, Standing};
use crate::error::Result;

/// To whom something is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantedTo {
    Person(UserId),
    Team(TeamId),
}

impl GrantedTo {
    fn columns(self) -> (Option<String>, Option<String>) {
        match self {
            GrantedTo::Person(user) => (Some(user.to_string()), None),
            GrantedTo::Team(team) => (None, Some(team.to_string())),
        }
    }
}

macro_rules! level_number {
    () => {
        "CASE g.level WHEN 'manage' THEN 3 WHEN 'write' THEN 2 ELSE 1 END"
    };
}

fn level_of(number: i64) -> Option<Level> {
    match number {
        3 => Some(Level::Manage),
        2 => Some(Level::Write),
        1 => Some(Level::Read),
        _ => None,
    }
}

macro_rules! standing {
    ($objects:literal, $column:literal) => {
        concat!(
            "SELECT o.restricted, o.owner_id, CAST(COALESCE((SELECT MAX(",
            level_number!(),
            ") FROM grants g WHERE g.",
            $column,
            " = o.id AND (g.user_id = $3 OR g.team_id IN (SELECT m.team_id FROM members m WHERE m.user_id = $4 \
             AND ($5 = '' OR m.team_id = $5)))), 0) AS BIGINT) AS level, \
             (SELECT COUNT(*) FROM grants g WHERE g.",
            $column,
            " = o.id) AS grants FROM ",
            $objects,
            " o WHERE o.team_id = $1 AND $2 <> '' AND o.id = $6"
        )
    };
}

/// `None` when the team has no such object.
pub async fn standing(store: &Store, sight: &Sight, object: Object) -> Result<Option<Standing>> {
    let sql = match object {
        Object::Job(_) => standing!("jobs", "job_id"),
        Object::Table(_) => standing!("stream_tables", "table_id"),
    };
    let query = with_sight(sqlx::query(sql), sight).bind(object.id().to_string());
    let row = query.fetch_optional(store.reader()).await?;
    row.map(|row| {
        let owner = row.text("owner_id")?;
        Ok(Standing {
            role: sight.role(),
            restricted: row.flag("restricted")?,
            owns: sight.in_person().is_some_and(|user| user.to_string() == owner),
            grant: level_of(row.int("level")?),
            shared: row.int("grants")? > 0,
            scope: sight.scope(),
        })
    })
    .transpose()
}

/// Jobs and tables of the team that are hidden from these eyes: what a stream of the team leaves out.
pub async fn hidden(store: &Store, sight: &Sight) -> Result<HashSet<uuid::Uuid>> {
    let sql = concat!(
        "SELECT j.id FROM jobs j WHERE j.team_id = $1 AND j.restricted = 1 AND NOT ",
        super::sight::visible!("j", "job_id"),
        " UNION ALL SELECT s.id FROM stream_tables s WHERE s.team_id = $1 AND s.restricted = 1 AND NOT ",
        super::sight::visible!("s", "table_id")
    );
    let rows = with_sight(sqlx::query(sql), sight).fetch_all(store.reader()).await?;
    rows.iter().map(|row| row.parsed("id")).collect()
}

/// All restricted jobs, whoever's: what the platform's own topics leave out.
pub async fn restricted_jobs(store: &Store) -> Result<HashSet<JobId>> {
    let rows = sqlx::query("SELECT id FROM jobs WHERE restricted = 1").fetch_all(store.reader()).await?;
    rows.iter().map(|row| row.parsed("id")).collect()
}

macro_rules! object_columns {
    ($object:expr) => {
        match $object {
            Object::Job(id) => (Some(id.to_string()), None::<String>),
            Object::Table(id) => (None::<String>, Some(id.to_string())),
        }
    };
}

/// Gives, or changes the level of what was given.
pub async fn give(tx: &mut Tx, object: Object, to: GrantedTo, level: Level, by: &str, now: i64) -> Result<()> {
    let (job, table) = object_columns!(object);
    let (user, team) = to.columns();
    let changed = sqlx::query(
        "UPDATE grants SET level = $1, granted_by = $2, granted_at = $3 \
         WHERE (job_id = $4 OR table_id = $5) AND (user_id = $6 OR team_id = $7)",
    )
    .bind(level.as_str())
    .bind(by.to_owned())
    .bind(now)
    .bind(job.clone())
    .bind(table.clone())
    .bind(user.clone())
    .bind(team.clone())
    .execute(&mut **tx)
    .await?;
    if changed.rows_affected() > 0 {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO grants (id, job_id, table_id, user_id, team_id, level, granted_by, granted_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(GrantId(crate::clock::new_id()).to_string())
    .bind(job)
    .bind(table)
    .bind(user)
    .bind(team)
    .bind(level.as_str())
    .bind(by.to_owned())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

const SELECT: &str = "SELECT g.*, u.name AS user_name, u.email AS user_email, t.slug AS team_slug, \
                      t.name AS team_name FROM grants g LEFT JOIN users u ON u.id = g.user_id \
                      LEFT JOIN teams t ON t.id = g.team_id WHERE (g.job_id = $1 OR g.table_id = $1) \
                      ORDER BY g.id";

fn read(row: &Row) -> Result<Permission> {
    let grantee = match row.text_or_null("user_id")? {
        Some(_) => Grantee::Person {
            user: row.parsed("user_id")?,
            name: row.text("user_name")?,
            email: row.text("user_email")?,
        },
        None => Grantee::Team { slug: row.text("team_slug")?, name: row.text("team_name")? },
    };
    let because = Because::Grant { grant: row.parsed("id")?, by: row.text("granted_by")?, at: row.int("granted_at")? };
    Ok(Permission { grantee, level: row.parsed("level")?, because })
}

/// In the order they were given.
pub async fn list(store: &Store, object: Object) -> Result<Vec<Permission>> {
    let rows = sqlx::query(SELECT).bind(object.id().to_string()).fetch_all(store.reader()).await?;
    rows.iter().map(read).collect()
}

/// What was withdrawn; `None` when the object has no such grant.
pub async fn withdraw(tx: &mut Tx, object: Object, grant: GrantId) -> Result<Option<Permission>> {
    let rows = sqlx::query(SELECT).bind(object.id().to_string()).fetch_all(&mut **tx).await?;
    let is_it = |known: &Permission| matches!(&known.because, Because::Grant { grant: id, .. } if *id == grant);
    let found = rows.iter().map(read).collect::<Result<Vec<_>>>()?.into_iter().find(is_it);
    if found.is_some() {
        sqlx::query("DELETE FROM grants WHERE id = $1").bind(grant.to_string()).execute(&mut **tx).await?;
    }
    Ok(found)
}

pub async fn set_restricted(tx: &mut Tx, object: Object, restricted: bool) -> Result<()> {
    if let Object::Job(job) = object {
        job_list::set_restricted(tx, job, restricted).await?;
    }
    let sql = match object {
        Object::Job(_) => "UPDATE jobs SET restricted = $1 WHERE id = $2",
        Object::Table(_) => "UPDATE stream_tables SET restricted = $1 WHERE id = $2",
    };
    sqlx::query(sql).bind(i64::from(restricted)).bind(object.id().to_string()).execute(&mut **tx).await?;
    Ok(())
}

macro_rules! shared {
    () => {
        "SELECT 'job' AS kind, j.id, j.name, j.description, t.slug, t.name AS team_name, g.level, g.user_id \
         FROM grants g JOIN jobs j ON j.id = g.job_id AND j.deleted_at IS NULL JOIN teams t ON t.id = j.team_id \
         WHERE j.team_id <> $1 AND (g.team_id = $1 OR g.user_id = $2) \
         UNION ALL SELECT 'table' AS kind, s.id, d.name || '.' || s.name AS name, s.comment AS description, t.slug, \
         t.name AS team_name, g.level, g.user_id FROM grants g JOIN stream_tables s ON s.id = g.table_id \
         JOIN table_databases d ON d.id = s.database_id JOIN teams t ON t.id = s.team_id \
         WHERE s.team_id <> $1 AND (g.team_id = $1 OR g.user_id = $2)"
    };
}

/// What other teams opened to this one, or to the person; by name. The same object may be there both ways.
pub async fn shared_with(store: &Store, sight: &Sight) -> Result<Vec<SharedObject>> {
    let rows = sqlx::query(concat!("SELECT * FROM (", shared!(), ") AS opened ORDER BY name, id"))
        .bind(sight.team.to_string())
        .bind(sight.in_person_elsewhere().map(|user| user.to_string()).unwrap_or_default())
        .fetch_all(store.reader())
        .await?;
    rows.iter()
        .map(|row| {
            Ok(SharedObject {
                kind: row.parsed::<ObjectKind>("kind")?,
                id: row.text("id")?,
                name: row.text("name")?,
                description: row.text("description")?,
                team_slug: row.text("slug")?,
                team_name: row.text("team_name")?,
                level: row.parsed("level")?,
                personal: row.text_or_null("user_id")?.is_some(),
            })
        })
        .collect()
}

/// Teams that opened something to the user, of which the user is no member.
pub async fn guest_of(store: &Store, user: UserId, token: Option<TeamId>) -> Result<Vec<GuestTeam>> {
    let rows = sqlx::query(
        "SELECT t.slug, t.name FROM teams t WHERE t.id NOT IN (SELECT m.team_id FROM members m WHERE m.user_id = $1) \
         AND t.id IN (SELECT COALESCE(j.team_id, s.team_id) FROM grants g LEFT JOIN jobs j ON j.id = g.job_id \
         LEFT JOIN stream_tables s ON s.id = g.table_id WHERE ($2 = '' AND g.user_id = $1) \
         OR g.team_id IN (SELECT m.team_id FROM members m WHERE m.user_id = $1 AND ($2 = '' OR m.team_id = $2))) \
         ORDER BY t.slug",
    )
    .bind(user.to_string())
    .bind(token.map(|team| team.to_string()).unwrap_or_default())
    .fetch_all(store.reader())
    .await?;
    rows.iter().map(|row| Ok(GuestTeam { slug: row.text("slug")?, name: row.text("name")? })).collect()
}

/// What the person was given of this team's jobs and tables; how much it was.
pub async fn withdraw_of_person(tx: &mut Tx, team: TeamId, user: UserId) -> Result<u64> {
    let done = sqlx::query(
        "DELETE FROM grants WHERE user_id = $2 AND (job_id IN (SELECT id FROM jobs WHERE team_id = $1) \
         OR table_id IN (SELECT id FROM stream_tables WHERE team_id = $1))",
    )
    .bind(team.to_string())
    .bind(user.to_string())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// The team of that short name, by whomever it is asked.
pub async fn team_by_slug(tx: &mut Tx, slug: &str) -> Result<Option<TeamId>> {
    let row = sqlx::query("SELECT id FROM teams WHERE slug = $1").bind(slug.to_owned()).fetch_optional(&mut **tx);
    row.await?.as_ref().map(|row| row.parsed("id")).transpose()
}

/// What this very person or team was given.
pub async fn level_of_grant(tx: &mut Tx, object: Object, to: GrantedTo) -> Result<Option<Level>> {
    let (user, team) = to.columns();
    let row =
        sqlx::query("SELECT level FROM grants WHERE (job_id = $1 OR table_id = $1) AND (user_id = $2 OR team_id = $3)")
            .bind(object.id().to_string())
            .bind(user)
            .bind(team)
            .fetch_optional(&mut **tx)
            .await?;
    row.as_ref().map(|row| row.parsed("level")).transpose()
}
