//! Teams and their members.

use millrace_wire::ids::{OrganisationId, TeamId, UserId};
use millrace_wire::organisation::OrganisationRef;
use millrace_wire::session::Membership;
use millrace_wire::team::{Member, Role, Team};
use sqlx::Row as _;

use super::row::Columns;
use super::{Row, Store, Tx};
use crate::error::{Error, Result};

fn read_member(row: &Row) -> Result<Member> {
    Ok(Member {
        user: row.parsed("id")?,
        name: row.text("name")?,
        email: row.text("email")?,
        role: row.parsed("role")?,
        since: row.int("since")?,
    })
}

/// Into the organisation that it names.
pub async fn insert(tx: &mut Tx, team: &Team) -> Result<()> {
    let done = sqlx::query(
        "INSERT INTO teams (id, slug, name, created_at, organisation_id) \
         SELECT $1, $2, $3, $4, o.id FROM organisations o WHERE o.slug = $5",
    )
    .bind(team.id.to_string())
    .bind(team.slug.clone())
    .bind(team.name.clone())
    .bind(team.created_at)
    .bind(team.organisation.slug.clone())
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(Error::not_found("organisation"));
    }
    Ok(())
}

pub async fn organisation_of(store: &Store, team: TeamId) -> Result<OrganisationId> {
    let row = sqlx::query("SELECT organisation_id FROM teams WHERE id = $1")
        .bind(team.to_string())
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().ok_or_else(|| Error::not_found("team"))?.parsed("organisation_id")
}

pub async fn by_slug(store: &Store, slug: &str) -> Result<Option<Team>> {
    let row = sqlx::query(
        "SELECT t.*, o.slug AS organisation_slug, o.name AS organisation_name, \
         (SELECT COUNT(*) FROM members m WHERE m.team_id = t.id) AS members \
         FROM teams t JOIN organisations o ON o.id = t.organisation_id WHERE t.slug = $1",
    )
    .bind(slug.to_owned())
    .fetch_optional(store.reader())
    .await?;
    row.map(|row| {
        Ok(Team {
            id: row.parsed("id")?,
            slug: row.text("slug")?,
            name: row.text("name")?,
            organisation: OrganisationRef {
                slug: row.text("organisation_slug")?,
                name: row.text("organisation_name")?,
            },
            members: row.count("members")?,
            created_at: row.int("created_at")?,
        })
    })
    .transpose()
}

pub async fn slug_of(store: &Store, team: TeamId) -> Result<String> {
    let row = sqlx::query("SELECT slug FROM teams WHERE id = $1")
        .bind(team.to_string())
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().ok_or_else(|| Error::not_found("team"))?.text("slug")
}

/// Goes up with every change of the team's tables and connections.
pub async fn catalog_revision(store: &Store, team: TeamId) -> Result<i64> {
    let row = sqlx::query("SELECT catalog_revision FROM teams WHERE id = $1")
        .bind(team.to_string())
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().ok_or_else(|| Error::not_found("team"))?.int("catalog_revision")
}

pub async fn catalog_changed(tx: &mut Tx, team: TeamId) -> Result<()> {
    sqlx::query("UPDATE teams SET catalog_revision = catalog_revision + 1 WHERE id = $1")
        .bind(team.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Ids of all teams: for what the server itself keeps in each of them.
pub async fn all_ids(store: &Store) -> Result<Vec<TeamId>> {
    let rows = sqlx::query("SELECT id FROM teams ORDER BY id").fetch_all(store.reader()).await?;
    rows.iter().map(|row| row.parsed("id")).collect()
}

/// Id and short name of every team.
pub async fn slugs(store: &Store) -> Result<Vec<(TeamId, String)>> {
    let rows = sqlx::query("SELECT id, slug FROM teams ORDER BY slug").fetch_all(store.reader()).await?;
    rows.iter().map(|row| Ok((row.parsed("id")?, row.text("slug")?))).collect()
}

pub async fn delete(tx: &mut Tx, team: TeamId) -> Result<()> {
    // Tables refer to databases and connections without cascading: they go first.
    for sql in ["DELETE FROM stream_tables WHERE team_id = $1", "DELETE FROM teams WHERE id = $1"] {
        sqlx::query(sql).bind(team.to_string()).execute(&mut **tx).await?;
    }
    Ok(())
}

/// The team, and the user's role in it where there is one.
pub async fn membership_or_none(store: &Store, slug: &str, user: UserId) -> Result<Option<(TeamId, Option<Role>)>> {
    let row = sqlx::query(
        "SELECT t.id, COALESCE(m.role, '') AS role FROM teams t \
         LEFT JOIN members m ON m.team_id = t.id AND m.user_id = $2 WHERE t.slug = $1",
    )
    .bind(slug.to_owned())
    .bind(user.to_string())
    .fetch_optional(store.reader())
    .await?;
    row.map(|row| Ok((row.parsed("id")?, row.text("role")?.parse().ok()))).transpose()
}

pub async fn memberships(store: &Store, user: UserId) -> Result<Vec<Membership>> {
    let rows = sqlx::query(
        "SELECT t.id, t.slug, t.name, m.role, o.slug AS organisation FROM teams t \
         JOIN members m ON m.team_id = t.id JOIN organisations o ON o.id = t.organisation_id \
         WHERE m.user_id = $1 ORDER BY t.name, t.id",
    )
    .bind(user.to_string())
    .fetch_all(store.reader())
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Membership {
                team: row.parsed("id")?,
                slug: row.text("slug")?,
                name: row.text("name")?,
                role: row.parsed("role")?,
                organisation: row.text("organisation")?,
            })
        })
        .collect()
}

pub async fn members(store: &Store, team: TeamId) -> Result<Vec<Member>> {
    let rows = sqlx::query(
        "SELECT u.id, u.name, u.email, m.role, m.since FROM members m JOIN users u ON u.id = m.user_id \
         WHERE m.team_id = $1 ORDER BY u.name, u.id",
    )
    .bind(team.to_string())
    .fetch_all(store.reader())
    .await?;
    rows.iter().map(read_member).collect()
}

pub async fn member(tx: &mut Tx, team: TeamId, user: UserId) -> Result<Option<Member>> {
    let row = sqlx::query(
        "SELECT u.id, u.name, u.email, m.role, m.since FROM members m JOIN users u ON u.id = m.user_id \
         WHERE m.team_id = $1 AND m.user_id = $2",
    )
    .bind(team.to_string())
    .bind(user.to_string())
    .fetch_optional(&mut **tx)
    .await?;
    row.as_ref().map(read_member).transpose()
}

/// Whoever is in a team is in its organisation.
pub async fn set_member(tx: &mut Tx, team: TeamId, user: UserId, role: Role, now: i64) -> Result<()> {
    super::organisation_member::join_that_of(tx, team, user, now).await?;
    sqlx::query(
        "INSERT INTO members (team_id, user_id, role, since) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (team_id, user_id) DO UPDATE SET role = $3",
    )
    .bind(team.to_string())
    .bind(user.to_string())
    .bind(role.as_str())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub async fn remove_member(tx: &mut Tx, team: TeamId, user: UserId) -> Result<bool> {
    let done = sqlx::query("DELETE FROM members WHERE team_id = $1 AND user_id = $2")
        .bind(team.to_string())
        .bind(user.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Tokens for a team die with the membership.
pub async fn revoke_tokens(tx: &mut Tx, team: TeamId, user: UserId, now: i64) -> Result<()> {
    sqlx::query("UPDATE api_tokens SET revoked_at = $3 WHERE team_id = $1 AND user_id = $2 AND revoked_at IS NULL")
        .bind(team.to_string())
        .bind(user.to_string())
        .bind(now)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub async fn owners(tx: &mut Tx, team: TeamId) -> Result<i64> {
    let row = sqlx::query("SELECT COUNT(*) FROM members WHERE team_id = $1 AND role = $2")
        .bind(team.to_string())
        .bind(Role::Owner.as_str())
        .fetch_one(&mut **tx)
        .await?;
    Ok(row.try_get(0)?)
}

pub async fn is_last_owner(tx: &mut Tx, team: TeamId, user: UserId) -> Result<bool> {
    let owns = member(tx, team, user).await?.is_some_and(|member| member.role == Role::Owner);
    Ok(owns && owners(tx, team).await? <= 1)
}

pub async fn slug_in(tx: &mut Tx, team: TeamId) -> Result<String> {
    let row = sqlx::query("SELECT slug FROM teams WHERE id = $1").bind(team.to_string()).fetch_optional(&mut **tx);
    row.await?.as_ref().ok_or_else(|| Error::not_found("team"))?.text("slug")
}

/// Names of jobs with a run that has not ended.
pub async fn running_jobs(tx: &mut Tx, team: TeamId) -> Result<Vec<String>> {
    let rows = sqlx::query(
        "SELECT DISTINCT j.name FROM jobs j JOIN job_runs r ON r.job_id = j.id \
         WHERE j.team_id = $1 AND (r.ended_at IS NULL OR j.desired = 'running') ORDER BY j.name",
    )
    .bind(team.to_string())
    .fetch_all(&mut **tx)
    .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}
