//! The store itself, on both databases: transactions, constraints, migrations.

use millrace_backend::error::{Error, Result};
use millrace_backend::state::App;
use millrace_backend::store::run::RunRow;
use millrace_backend::store::{self, Backend, installation};
use millrace_backend::transact;
use millrace_wire::ids::{JobId, RunId, TeamId, VersionId};
use millrace_wire::run::{RunCause, RunState};

use crate::support::{People, TestApp};

/// A version of the job that reads the table, as freezing a draft writes it.
pub(crate) async fn use_table(app: &App, team: TeamId, job: JobId, database: &str, table: &str) {
    let version = uuid::Uuid::now_v7().to_string();
    let done: Result<()> = transact!(app.store, tx => {
        sqlx::query(
            "INSERT INTO job_versions (id, job_id, number, sql_text, settings, graph, guarantee, reads, writes, tables, \
             created_by, created_at, comment) VALUES ($1, $2, 1, '', '{}', '{}', '{}', '[]', '[]', '{}', '', 0, '')",
        )
        .bind(version.clone())
        .bind(job.to_string())
        .execute(&mut **tx)
        .await?;
        sqlx::query(
            "INSERT INTO job_table_use (version_id, team_id, job_id, version_number, database_name, table_name, direction) \
             VALUES ($1, $2, $3, 1, $4, $5, 'read')",
        )
        .bind(version.clone())
        .bind(team.to_string())
        .bind(job.to_string())
        .bind(database.to_owned())
        .bind(table.to_owned())
        .execute(&mut **tx)
        .await?;
        Ok(())
    });
    done.unwrap();
}

/// A run that waits to start.
pub(crate) fn run_row(team: TeamId, job: JobId, version: VersionId, id: RunId, now: i64) -> RunRow {
    RunRow {
        id,
        job,
        team,
        number: 1,
        version,
        version_number: 1,
        cause: RunCause::Manual,
        started_by: "test".to_owned(),
        state: RunState::Pending,
        reason: String::new(),
        state_at: now,
        attempt: 0,
        phase: "over".to_owned(),
        token_hash: String::new(),
        process: None,
        stop_mode: None,
        restored_from: String::new(),
        restore: None,
        start_at_ms: None,
        checkpoint_root: "/nowhere".to_owned(),
        graph: None,
        guarantee: None,
        created_at: now,
        running_at: None,
        ended_at: None,
        last_seen_at: None,
        records_in: 0,
        records_out: 0,
        base_in: 0,
        base_out: 0,
        keeper: String::new(),
        host: String::new(),
    }
}

#[tokio::test]
async fn migrations_can_run_again() {
    for test in TestApp::on_each_database().await {
        store::migrate::run(&test.app.store).await.unwrap();
        assert!(test.app.store.answers().await);
        test.close().await;
    }
}

#[tokio::test]
async fn what_fails_leaves_nothing_behind() {
    for test in TestApp::on_each_database().await {
        let outcome: Result<()> = transact!(test.app.store, tx => {
            installation::set(tx, "half", "done").await?;
            Err(Error::bad_request("stop"))
        });
        assert!(outcome.is_err());
        assert_eq!(installation::get(&test.app.store, "half").await.unwrap(), None);
        test.close().await;
    }
}

#[tokio::test]
async fn increments_at_once_are_all_counted() {
    for test in TestApp::on_each_database().await {
        let add = || {
            let store = test.app.store.clone();
            tokio::spawn(async move {
                let done: Result<()> = transact!(store, tx => {
                    let now = sqlx::query_scalar::<_, String>("SELECT value FROM installation WHERE name = 'counter'")
                        .fetch_optional(&mut **tx)
                        .await?;
                    let next = now.map_or(0, |value| value.parse::<u32>().unwrap()) + 1;
                    installation::set(tx, "counter", &next.to_string()).await
                });
                done
            })
        };
        let tasks: Vec<_> = (0..8).map(|_| add()).collect();
        let mut done = 0;
        for task in tasks {
            done += u32::from(task.await.unwrap().is_ok());
        }
        let counted = installation::get(&test.app.store, "counter").await.unwrap().unwrap();
        // Whoever was told that it worked is counted; on SQLite nobody has to give up.
        assert_eq!(counted, done.to_string());
        assert!(done == 8 || test.app.store.backend() == Backend::Postgres, "{done}");
        test.close().await;
    }
}

#[tokio::test]
async fn a_team_goes_with_everything_it_owns() {
    for test in TestApp::on_each_database().await {
        let people = People::settle(&test.app).await;
        test.post(&people.developer, &people.path("/connections"), crate::connection::draft("c")).await.good();
        test.post(&people.developer, &people.path("/tables"), crate::table::draft("t")).await.good();
        let job = serde_json::json!({ "name": "j", "sql": "SELECT 1" });
        test.post(&people.developer, &people.path("/jobs"), job).await.good();
        test.call(&people.owner, "DELETE", &people.path(""), None).await.good();
        for table in ["members", "connections", "table_databases", "stream_tables", "jobs", "api_tokens"] {
            let sql = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table} WHERE team_id = $1"));
            let left: i64 =
                sqlx::query_scalar(sql).bind(people.team.to_string()).fetch_one(test.app.store.reader()).await.unwrap();
            assert_eq!(left, 0, "{table}");
        }
        test.close().await;
    }
}
