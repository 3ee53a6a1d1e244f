//! Who belongs to an organisation, and with which role.

use millrace_wire::ids::{OrganisationId, TeamId, UserId};
use millrace_wire::organisation::{OrganisationMember, OrganisationRole};
use sqlx::Row as _;

use super::row::Columns;
use super::{Row, Store, Tx};
use crate::error::Result;

/// One row per person and team of the organisation; `$1`.
const MEMBERS: &str = "SELECT u.id, u.name, u.email, o.role, o.since, COALESCE(t.slug, '') AS team \
     FROM organisation_members o JOIN users u ON u.id = o.user_id \
     LEFT JOIN (SELECT m.user_id, t.slug FROM members m JOIN teams t ON t.id = m.team_id \
     WHERE t.organisation_id = $1) t ON t.user_id = u.id \
     WHERE o.organisation_id = $1 ORDER BY u.name, u.id, team";

fn gather(rows: &[Row]) -> Result<Vec<OrganisationMember>> {
    let mut members: Vec<OrganisationMember> = Vec::new();
    for row in rows {
        let (user, team): (UserId, String) = (row.parsed("id")?, row.text("team")?);
        if members.last().is_none_or(|last| last.user != user) {
            members.push(OrganisationMember {
                user,
                name: row.text("name")?,
                email: row.text("email")?,
                role: row.parsed("role")?,
                since: row.int("since")?,
                teams: Vec::new(),
            });
        }
        if let Some(member) = members.last_mut().filter(|_| !team.is_empty()) {
            member.teams.push(team);
        }
    }
    Ok(members)
}

pub async fn list(store: &Store, id: OrganisationId) -> Result<Vec<OrganisationMember>> {
    gather(&sqlx::query(MEMBERS).bind(id.to_string()).fetch_all(store.reader()).await?)
}

pub async fn find(tx: &mut Tx, id: OrganisationId, user: UserId) -> Result<Option<OrganisationMember>> {
    let all = gather(&sqlx::query(MEMBERS).bind(id.to_string()).fetch_all(&mut **tx).await?)?;
    Ok(all.into_iter().find(|member| member.user == user))
}

pub async fn set(tx: &mut Tx, id: OrganisationId, user: UserId, role: OrganisationRole, now: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO organisation_members (organisation_id, user_id, role, since) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (organisation_id, user_id) DO UPDATE SET role = $3",
    )
    .bind(id.to_string())
    .bind(user.to_string())
    .bind(role.as_str())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// As a member, unless they are in it.
pub async fn join(tx: &mut Tx, slug: &str, user: UserId, now: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO organisation_members (organisation_id, user_id, role, since) \
         SELECT o.id, $2, 'member', $3 FROM organisations o WHERE o.slug = $1 ON CONFLICT DO NOTHING",
    )
    .bind(slug.to_owned())
    .bind(user.to_string())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// As [`join`], the organisation of a team.
pub async fn join_that_of(tx: &mut Tx, team: TeamId, user: UserId, now: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO organisation_members (organisation_id, user_id, role, since) \
         SELECT t.organisation_id, $2, 'member', $3 FROM teams t WHERE t.id = $1 ON CONFLICT DO NOTHING",
    )
    .bind(team.to_string())
    .bind(user.to_string())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub async fn remove(tx: &mut Tx, id: OrganisationId, user: UserId) -> Result<()> {
    sqlx::query("DELETE FROM organisation_members WHERE organisation_id = $1 AND user_id = $2")
        .bind(id.to_string())
        .bind(user.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub async fn owners(tx: &mut Tx, id: OrganisationId) -> Result<i64> {
    let row = sqlx::query("SELECT COUNT(*) FROM organisation_members WHERE organisation_id = $1 AND role = 'owner'")
        .bind(id.to_string())
        .fetch_one(&mut **tx)
        .await?;
    Ok(row.try_get(0)?)
}

/// Whether the user belongs to the organisation that `team` is in. `token`: only that team counts.
pub async fn reaches(tx: &mut Tx, user: UserId, token: Option<TeamId>, team: TeamId) -> Result<bool> {
    let row = sqlx::query(
        "SELECT COUNT(*) FROM teams t JOIN organisation_members o ON o.organisation_id = t.organisation_id \
         WHERE t.id = $1 AND o.user_id = $2 AND ($3 = '' OR EXISTS (SELECT 1 FROM teams own WHERE own.id = $3 \
         AND own.organisation_id = t.organisation_id))",
    )
    .bind(team.to_string())
    .bind(user.to_string())
    .bind(token.map(|token| token.to_string()).unwrap_or_default())
    .fetch_one(&mut **tx)
    .await?;
    Ok(row.try_get::<i64, _>(0)? > 0)
}
