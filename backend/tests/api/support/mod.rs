//! A server without a port, people who call it, and the databases it runs on.

mod database;
mod engine;
mod people;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use millrace_backend::config::Config;
use millrace_backend::http::router;
use millrace_backend::state::App;
use serde_json::Value;
use tower::ServiceExt as _;

pub(crate) use database::Database;
pub(crate) use people::{As, People, join, make_account, make_organisation, session, token};

pub(crate) const HOST: &str = "127.0.0.1:7878";

pub(crate) struct TestApp {
    pub(crate) app: Arc<App>,
    pub(crate) router: Router,
    pub(crate) folder: tempfile::TempDir,
    database: Database,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    #[track_caller]
    pub(crate) fn good(self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.body);
        self.body
    }

    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.code()), (status, code), "{}", self.body);
        assert!(!self.body["request_id"].as_str().unwrap().is_empty());
    }
}

impl TestApp {
    /// On SQLite, with these settings on top of the defaults.
    pub(crate) async fn with(settings: &[(&str, &str)]) -> TestApp {
        Self::on(Database::sqlite(), settings).await
    }

    pub(crate) async fn new() -> TestApp {
        Self::with(&[]).await
    }

    /// One on every database there is.
    pub(crate) async fn on_each_database() -> Vec<TestApp> {
        let mut apps = vec![Self::new().await];
        match Database::postgres().await {
            Some(database) => apps.push(Self::on(database, &[]).await),
            None => println!("skipped: no PostgreSQL (MILLRACE_TEST_POSTGRES_URL is not set)"),
        }
        apps
    }

    /// With the engine inside the binary instead of the one that believes everything.
    pub(crate) async fn with_real_engine() -> TestApp {
        Self::on_with(Database::sqlite(), &[], millrace_backend::engine::front()).await
    }

    async fn on(database: Database, settings: &[(&str, &str)]) -> TestApp {
        Self::on_with(database, settings, Arc::new(engine::FormEngine)).await
    }

    async fn on_with(
        database: Database,
        settings: &[(&str, &str)],
        engine: Arc<dyn millrace_backend::engine::EngineFront>,
    ) -> TestApp {
        let folder = tempfile::tempdir().unwrap();
        let mut all = BTreeMap::from([
            ("data_dir".to_owned(), folder.path().display().to_string()),
            ("listen".to_owned(), HOST.to_owned()),
        ]);
        all.extend(database.url().map(|url| ("database_url".to_owned(), url)));
        all.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let config = Config::from_sources(None, all).unwrap();
        let app = Arc::new(App::open(config, engine).await.unwrap());
        // Runs are acted on by a server whose lease holds.
        app.membership.renew(&app.store).await.unwrap();
        tokio::spawn(app.membership.clone().keep(app.store.clone(), app.shutdown.clone()));
        let router = router::server(app.clone());
        TestApp { app, router, folder, database }
    }

    /// As our own pages send it. `path` below `/api/v1`.
    pub(crate) async fn call(&self, who: &As, method: &str, path: &str, body: Option<Value>) -> Answer {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(format!("/api/v1{path}"))
            .header(header::HOST, HOST);
        request = match who {
            As::Nobody => request.header("x-millrace", "1").header(header::ORIGIN, format!("http://{HOST}")),
            As::Session(cookie) => request
                .header("x-millrace", "1")
                .header(header::ORIGIN, format!("http://{HOST}"))
                .header(header::COOKIE, format!("millrace={cookie}")),
            As::Token(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
        };
        let request = match body {
            Some(body) => request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.send(request.unwrap()).await
    }

    pub(crate) async fn get(&self, who: &As, path: &str) -> Answer {
        self.call(who, "GET", path, None).await
    }

    pub(crate) async fn post(&self, who: &As, path: &str, body: Value) -> Answer {
        self.call(who, "POST", path, Some(body)).await
    }

    /// Streams are not read: their head is the answer.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let content = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let body = if content.starts_with("text/event-stream") {
            Value::Null
        } else {
            let bytes = axum::body::to_bytes(body, 8 * 1024 * 1024).await.unwrap();
            serde_json::from_slice(&bytes)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()))
        };
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn close(self) {
        self.app.shutdown.cancel();
        self.app.store.close().await;
        self.database.drop().await;
    }
}
