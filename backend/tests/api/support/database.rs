//! A database per test: a file, or a fresh database on the PostgreSQL that the tests were given.

use sqlx::{AnyPool, AssertSqlSafe};

pub(crate) enum Database {
    Sqlite,
    Postgres { server: String, name: String },
}

impl Database {
    pub(crate) fn sqlite() -> Database {
        Database::Sqlite
    }

    pub(crate) async fn postgres() -> Option<Database> {
        let server = std::env::var("MILLRACE_TEST_POSTGRES_URL").ok().filter(|url| !url.is_empty())?;
        let name = format!("millrace_test_{}", uuid::Uuid::now_v7().simple());
        execute(&server, format!("CREATE DATABASE {name}")).await;
        Some(Database::Postgres { server, name })
    }

    /// `None`: the default below the data directory.
    pub(crate) fn url(&self) -> Option<String> {
        match self {
            Database::Sqlite => None,
            Database::Postgres { server, name } => {
                let (base, query) = server.split_once('?').map_or((server.as_str(), ""), |(base, query)| (base, query));
                let authority_end = base.find("://").map_or(0, |at| at + 3);
                let base = match base[authority_end..].find('/') {
                    Some(slash) => &base[..authority_end + slash],
                    None => base,
                };
                Some(if query.is_empty() { format!("{base}/{name}") } else { format!("{base}/{name}?{query}") })
            }
        }
    }

    pub(crate) async fn drop(self) {
        if let Database::Postgres { server, name } = self {
            execute(&server, format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}

async fn execute(server: &str, sql: String) {
    sqlx::any::install_default_drivers();
    let pool = AnyPool::connect(server).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool).await.unwrap();
    pool.close().await;
}
