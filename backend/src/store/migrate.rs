//! Bringing the schema up to date. The texts are compiled in; a new one is added to [`MIGRATIONS`], never changed.

use std::borrow::Cow;

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use super::Store;
use crate::error::{Error, Result};

const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "platform", include_str!("../../../migrations/0001_platform.sql")),
    (2, "jobs", include_str!("../../../migrations/0002_jobs.sql")),
    (3, "functions", include_str!("../../../migrations/0003_functions.sql")),
    (5, "job life", include_str!("../../../migrations/0005_job_life.sql")),
    (6, "tests", include_str!("../../../migrations/0006_tests.sql")),
    (7, "metadata", include_str!("../../../migrations/0007_metadata.sql")),
    (8, "audit", include_str!("../../../migrations/0008_audit.sql")),
    (9, "sign on", include_str!("../../../migrations/0009_sign_on.sql")),
    (10, "permissions", include_str!("../../../migrations/0010_permissions.sql")),
    (11, "approvals", include_str!("../../../migrations/0011_approvals.sql")),
    (12, "editor", include_str!("../../../migrations/0012_editor.sql")),
    (13, "table secrets", include_str!("../../../migrations/0013_table_secrets.sql")),
    (14, "editor library", include_str!("../../../migrations/0014_editor_library.sql")),
    (15, "savepoints", include_str!("../../../migrations/0015_savepoints.sql")),
    (16, "servers", include_str!("../../../migrations/0016_servers.sql")),
    (17, "folders", include_str!("../../../migrations/0017_folders.sql")),
    (18, "shadow runs", include_str!("../../../migrations/0018_shadow_runs.sql")),
    (19, "bad records", include_str!("../../../migrations/0019_bad_records.sql")),
    (20, "sandbox targets", include_str!("../../../migrations/0020_sandbox_targets.sql")),
    (21, "seen jobs", include_str!("../../../migrations/0021_seen_jobs.sql")),
    (22, "organisations", include_str!("../../../migrations/0022_organisations.sql")),
    (23, "purged jobs", include_str!("../../../migrations/0023_purged_jobs.sql")),
];

pub async fn run(store: &Store) -> Result<()> {
    let migrations = MIGRATIONS
        .iter()
        .map(|(version, name, sql)| {
            Migration::new(*version, Cow::Borrowed(*name), MigrationType::Simple, sql.into_sql_str(), false)
        })
        .collect();
    Migrator::with_migrations(migrations)
        .run(store.writer())
        .await
        .map_err(|cause| Error::unavailable("The metadata database could not be brought up to date.").because(cause))
}
