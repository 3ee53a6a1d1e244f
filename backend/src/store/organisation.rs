//! Organisations and the teams in them.

use millrace_wire::ids::{OrganisationId, TeamId, UserId};
use millrace_wire::organisation::{Organisation, OrganisationRef, OrganisationRole, OrganisationTeam};
use sqlx::Row as _;

use super::row::Columns;
use super::{Row, Store, Tx};
use crate::error::Result;

/// `None` as the role: the user does not belong to it.
fn read(row: &Row) -> Result<(Organisation, Option<OrganisationRole>)> {
    let role = row.text("role")?.parse().ok();
    let organisation = Organisation {
        id: row.parsed("id")?,
        slug: row.text("slug")?,
        name: row.text("name")?,
        teams: row.count("teams")?,
        created_at: row.int("created_at")?,
        role: role.unwrap_or(OrganisationRole::Member),
    };
    Ok((organisation, role))
}

/// All there are, with the user's role in each.
pub async fn list(store: &Store, user: UserId) -> Result<Vec<(Organisation, Option<OrganisationRole>)>> {
    let rows = sqlx::query(
        "SELECT o.*, (SELECT COUNT(*) FROM teams t WHERE t.organisation_id = o.id) AS teams, \
         COALESCE(m.role, '') AS role FROM organisations o \
         LEFT JOIN organisation_members m ON m.organisation_id = o.id AND m.user_id = $1 ORDER BY o.slug",
    )
    .bind(user.to_string())
    .fetch_all(store.reader())
    .await?;
    rows.iter().map(read).collect()
}

pub async fn insert(tx: &mut Tx, organisation: &Organisation) -> Result<()> {
    sqlx::query("INSERT INTO organisations (id, slug, name, created_at) VALUES ($1, $2, $3, $4)")
        .bind(organisation.id.to_string())
        .bind(organisation.slug.clone())
        .bind(organisation.name.clone())
        .bind(organisation.created_at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub async fn rename(tx: &mut Tx, id: OrganisationId, name: &str) -> Result<()> {
    sqlx::query("UPDATE organisations SET name = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(name.to_owned())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// False, and nothing is done, while it has teams.
pub async fn delete_empty(tx: &mut Tx, id: OrganisationId) -> Result<bool> {
    let done = sqlx::query(
        "DELETE FROM organisations WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM teams t WHERE t.organisation_id = $1)",
    )
    .bind(id.to_string())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn teams(store: &Store, id: OrganisationId) -> Result<Vec<OrganisationTeam>> {
    let rows = sqlx::query(
        "SELECT t.slug, t.name, t.created_at, COALESCE(u.name, '') AS owner, \
         (SELECT COUNT(*) FROM members m WHERE m.team_id = t.id) AS members FROM teams t \
         LEFT JOIN members o ON o.team_id = t.id AND o.role = 'owner' LEFT JOIN users u ON u.id = o.user_id \
         WHERE t.organisation_id = $1 ORDER BY t.name, t.slug, u.name",
    )
    .bind(id.to_string())
    .fetch_all(store.reader())
    .await?;
    let mut teams: Vec<OrganisationTeam> = Vec::new();
    for row in &rows {
        let (slug, owner) = (row.text("slug")?, row.text("owner")?);
        if teams.last().is_none_or(|last| last.slug != slug) {
            teams.push(OrganisationTeam {
                slug,
                name: row.text("name")?,
                members: row.count("members")?,
                owners: Vec::new(),
                created_at: row.int("created_at")?,
            });
        }
        if let Some(team) = teams.last_mut().filter(|_| !owner.is_empty()) {
            team.owners.push(owner);
        }
    }
    Ok(teams)
}

/// The team of that short name, and where it is.
pub async fn of_team(tx: &mut Tx, slug: &str) -> Result<Option<(TeamId, OrganisationId, OrganisationRef)>> {
    let row = sqlx::query(
        "SELECT t.id, o.id AS organisation, o.slug, o.name FROM teams t \
         JOIN organisations o ON o.id = t.organisation_id WHERE t.slug = $1",
    )
    .bind(slug.to_owned())
    .fetch_optional(&mut **tx)
    .await?;
    let read = |row: &Row| -> Result<_> {
        let at = OrganisationRef { slug: row.text("slug")?, name: row.text("name")? };
        Ok((row.parsed("id")?, row.parsed("organisation")?, at))
    };
    row.as_ref().map(read).transpose()
}

pub async fn team_ids(tx: &mut Tx, id: OrganisationId) -> Result<Vec<TeamId>> {
    let rows = sqlx::query("SELECT id FROM teams WHERE organisation_id = $1 ORDER BY id")
        .bind(id.to_string())
        .fetch_all(&mut **tx)
        .await?;
    rows.iter().map(|row| row.parsed("id")).collect()
}

/// With its members, who belong to both then.
pub async fn move_team(tx: &mut Tx, team: TeamId, to: OrganisationId, now: i64) -> Result<()> {
    sqlx::query("UPDATE teams SET organisation_id = $2 WHERE id = $1")
        .bind(team.to_string())
        .bind(to.to_string())
        .execute(&mut **tx)
        .await?;
    sqlx::query(
        "INSERT INTO organisation_members (organisation_id, user_id, role, since) \
         SELECT $2, m.user_id, 'member', $3 FROM members m WHERE m.team_id = $1 ON CONFLICT DO NOTHING",
    )
    .bind(team.to_string())
    .bind(to.to_string())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Grants of the team's objects, or to the team, that lead out of an organisation; how many there were.
pub async fn withdraw_across_the_border(tx: &mut Tx, team: TeamId) -> Result<u64> {
    let done = sqlx::query(
        "DELETE FROM grants WHERE id IN (SELECT g.id FROM grants g LEFT JOIN jobs j ON j.id = g.job_id \
         LEFT JOIN stream_tables s ON s.id = g.table_id JOIN teams own ON own.id = COALESCE(j.team_id, s.team_id) \
         LEFT JOIN teams given ON given.id = g.team_id WHERE (own.id = $1 OR g.team_id = $1) \
         AND (given.organisation_id <> own.organisation_id OR (g.user_id IS NOT NULL AND NOT EXISTS \
         (SELECT 1 FROM organisation_members m WHERE m.organisation_id = own.organisation_id \
         AND m.user_id = g.user_id))))",
    )
    .bind(team.to_string())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// The team of that short name, where it is in the same organisation as `beside`.
pub async fn sibling(tx: &mut Tx, slug: &str, beside: TeamId) -> Result<Option<TeamId>> {
    let row = sqlx::query(
        "SELECT t.id FROM teams t JOIN teams own ON own.organisation_id = t.organisation_id \
         WHERE t.slug = $1 AND own.id = $2",
    )
    .bind(slug.to_owned())
    .bind(beside.to_string())
    .fetch_optional(&mut **tx)
    .await?;
    row.as_ref().map(|row| row.parsed("id")).transpose()
}

/// Whether both teams are in one organisation.
pub async fn together(tx: &mut Tx, one: TeamId, other: TeamId) -> Result<bool> {
    let row = sqlx::query(
        "SELECT COUNT(*) FROM teams a JOIN teams b ON b.organisation_id = a.organisation_id \
         WHERE a.id = $1 AND b.id = $2",
    )
    .bind(one.to_string())
    .bind(other.to_string())
    .fetch_one(&mut **tx)
    .await?;
    Ok(row.try_get::<i64, _>(0)? > 0)
}
