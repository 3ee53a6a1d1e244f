//! The API from the command line: which server, with which token, and errors in the server's own words.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow, bail};
use millrace_wire::error::ApiError;
use millrace_wire::page::Page;
use reqwest::{Method, RequestBuilder, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What `login` remembers. The environment (`MILLRACE_SERVER`, `MILLRACE_TOKEN`, `MILLRACE_TEAM`) wins over it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Credentials {
    pub(super) server: String,
    pub(super) token: String,
    pub(super) team: String,
}

impl Credentials {
    fn path() -> anyhow::Result<PathBuf> {
        let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = from("XDG_CONFIG_HOME").or_else(|| from("HOME").map(|home| home.join(".config")));
        let folder = folder.ok_or_else(|| anyhow!("neither XDG_CONFIG_HOME nor HOME is set"))?;
        Ok(folder.join("millrace").join("credentials.toml"))
    }

    /// `None` when nobody has logged in.
    pub(super) fn load() -> anyhow::Result<Option<Credentials>> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let given = (variable("MILLRACE_SERVER"), variable("MILLRACE_TOKEN"), variable("MILLRACE_TEAM"));
        if let (Some(server), Some(token), Some(team)) = given {
            return Ok(Some(Credentials { server, token, team }));
        }
        let path = Self::path()?;
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let credentials = toml::from_str(&text);
                Ok(Some(credentials.with_context(|| format!("{} is not valid; log in again", path.display()))?))
            }
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(cause).with_context(|| format!("{} cannot be read", path.display())),
        }
    }

    /// Only the user may read the file.
    pub(super) fn save(&self) -> anyhow::Result<PathBuf> {
        use std::os::unix::fs::OpenOptionsExt;
        let path = Self::path()?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        // Written beside and renamed, so that a file with other rights is replaced, not filled.
        let fresh = path.with_extension("new");
        let _ = std::fs::remove_file(&fresh);
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        file.write_all(toml::to_string(self)?.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&fresh, &path)?;
        Ok(path)
    }
}

pub(super) struct Client {
    http: reqwest::Client,
    credentials: Credentials,
}

impl Client {
    pub(super) fn new(credentials: Credentials) -> anyhow::Result<Client> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(std::time::Duration::from_secs(10))
            .user_agent(concat!("millrace/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Client { http, credentials })
    }

    pub(super) fn logged_in() -> anyhow::Result<Client> {
        let credentials = Credentials::load()?.ok_or_else(|| anyhow!("log in first: millrace login <server>"))?;
        Self::new(credentials)
    }

    /// `path` below `/api/v1`.
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/api/v1{path}", self.credentials.server.trim_end_matches('/'));
        self.http.request(method, url).bearer_auth(&self.credentials.token)
    }

    /// A path below the team.
    pub(super) fn team_path(&self, path: &str) -> String {
        format!("/teams/{}{path}", self.credentials.team)
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<T> {
        Ok(self.send(self.request(Method::GET, path).query(query)).await?.json().await?)
    }

    pub(super) async fn post<B: Serialize, T: DeserializeOwned>(&self, path: &str, body: &B) -> anyhow::Result<T> {
        Ok(self.send(self.request(Method::POST, path).json(body)).await?.json().await?)
    }

    pub(super) async fn put<B: Serialize, T: DeserializeOwned>(&self, path: &str, body: &B) -> anyhow::Result<T> {
        Ok(self.send(self.request(Method::PUT, path).json(body)).await?.json().await?)
    }

    pub(super) async fn patch<B: Serialize, T: DeserializeOwned>(&self, path: &str, body: &B) -> anyhow::Result<T> {
        Ok(self.send(self.request(Method::PATCH, path).json(body)).await?.json().await?)
    }

    pub(super) async fn delete(&self, path: &str) -> anyhow::Result<()> {
        self.send(self.request(Method::DELETE, path)).await.map(drop)
    }

    /// Any call; the answer as it came.
    pub(super) async fn call<B: Serialize>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> anyhow::Result<String> {
        let request = self.request(method, path);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        Ok(self.send(request).await?.text().await?)
    }

    pub(super) async fn bytes(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        Ok(self.send(self.request(Method::GET, path)).await?.bytes().await?.to_vec())
    }

    /// Sends a WebAssembly module.
    pub(super) async fn upload(&self, path: &str, query: &[(&str, String)], module: Vec<u8>) -> anyhow::Result<()> {
        let request = self.request(Method::POST, path).query(query).header("content-type", "application/wasm");
        self.send(request.body(module)).await.map(drop)
    }

    /// Every item of a list.
    pub(super) async fn all<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<Vec<T>> {
        self.all_of(path, &[]).await
    }

    pub(super) async fn all_of<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> anyhow::Result<Vec<T>> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let part = [("limit", "500".to_owned()), ("cursor", cursor)];
            let page: Page<T> = self.get(path, &[query, &part].concat()).await?;
            items.extend(page.items);
            match page.next {
                Some(next) => cursor = next,
                None => return Ok(items),
            }
        }
    }

    /// Which team on which server, as the name of a file: `orders@127.0.0.1_7878`.
    pub(super) fn place(&self) -> String {
        let server = self.credentials.server.split("://").last().unwrap_or_default();
        let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') { c } else { '_' };
        format!("{}@{}", self.credentials.team, server.chars().map(safe).collect::<String>())
    }

    /// For streams of events; the answer is read piece by piece.
    pub(super) async fn stream(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<Response> {
        self.send(self.request(Method::GET, path).query(query)).await
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let server = &self.credentials.server;
        let response = request.send().await.with_context(|| format!("{server} does not answer"))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = response.text().await.unwrap_or_default();
        let Ok(error) = serde_json::from_str::<ApiError>(&text) else { bail!("{server} answered {status}") };
        let mut message = error.message;
        for detail in &error.details {
            message.push_str(&format!("\n  {}: {}", detail.field, detail.message));
        }
        if let Some(hint) = error.hint {
            message.push_str(&format!("\n  {hint}"));
        }
        bail!("{message}")
    }
}
