//! A schema registry with Confluent's interface: schemas by id, and ids for schemas.

use std::net::ToSocketAddrs as _;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::blocking::{Client, RequestBuilder};
use serde_json::{Value, json};

use crate::connector::is_local;
use crate::error::{EngineError, Result};
use crate::format::FormatOptions;

const PATIENCE: Duration = Duration::from_secs(10);
/// A registry that answers for a load balancer may be away for a moment.
const TRIES: u32 = 3;
const BETWEEN_TRIES: Duration = Duration::from_millis(300);
/// A schema is text that people write.
const ANSWER_LIMIT: usize = 8 << 20;

pub(super) struct Registry {
    settings: Settings,
    client: Option<Client>,
}

#[derive(Clone)]
struct Settings {
    /// Any of them.
    urls: Vec<String>,
    user: Option<(String, String)>,
    token: Option<String>,
    no_local: bool,
}

pub(super) enum Lookup {
    Found(String),
    Unknown,
}

impl Registry {
    /// Nothing is asked before it is needed.
    pub(super) fn new(options: &FormatOptions) -> Result<Self> {
        let urls = options.get("url").unwrap_or_default().split(',').map(|url| url.trim().trim_end_matches('/'));
        let urls: Vec<String> = urls.filter(|url| !url.is_empty()).map(str::to_owned).collect();
        if urls.is_empty() {
            return Err(EngineError::user("missing_option", "The option 'url' of the schema registry is missing."));
        }
        let user = options.get("basic-auth.user-info").and_then(|text| text.split_once(':'));
        let settings = Settings {
            urls,
            user: user.map(|(name, password)| (name.to_owned(), password.to_owned())),
            token: options.get("bearer-auth.token").map(str::to_owned),
            no_local: options.no_local(),
        };
        Ok(Registry { settings, client: None })
    }

    /// The text of a schema.
    pub(super) fn schema(&mut self, id: u32) -> Result<Lookup> {
        let path = format!("/schemas/ids/{id}");
        let Some(answer) = self.ask(&path, None)? else { return Ok(Lookup::Unknown) };
        let kind = answer.get("schemaType").and_then(Value::as_str).unwrap_or("AVRO");
        if kind != "AVRO" {
            return Err(EngineError::user(
                "bad_schema",
                format!("The schema {id} in the registry is {kind}, not Avro."),
            ));
        }
        let text = answer.get("schema").and_then(Value::as_str);
        let text = text.ok_or_else(|| failed("The schema registry gave no schema."))?;
        Ok(Lookup::Found(text.to_owned()))
    }

    /// The id of a schema, which is made known under the subject where it is not.
    pub(super) fn register(&mut self, subject: &str, schema: &str) -> Result<u32> {
        let path = format!("/subjects/{}/versions", escaped(subject));
        let answer = self.ask(&path, Some(&json!({ "schema": schema })))?;
        let id = answer.as_ref().and_then(|answer| answer.get("id")).and_then(Value::as_u64);
        let id = id.and_then(|id| u32::try_from(id).ok());
        id.ok_or_else(|| failed(&format!("The schema registry gave no id for the subject '{subject}'.")))
    }

    /// `None` where there is no such thing.
    fn ask(&mut self, path: &str, body: Option<&Value>) -> Result<Option<Value>> {
        let mut last = failed("The schema registry cannot be reached.");
        for attempt in 0..TRIES {
            if attempt > 0 {
                // Nothing is ever sent: the channel gives the time out.
                let _ = crossbeam_channel::after(BETWEEN_TRIES * attempt).recv();
            }
            for url in self.settings.urls.clone() {
                match self.ask_one(&url, path, body) {
                    Err(error) if error.retry => last = error,
                    answered => return answered,
                }
            }
        }
        Err(last)
    }

    fn ask_one(&mut self, url: &str, path: &str, body: Option<&Value>) -> Result<Option<Value>> {
        let full = format!("{url}{path}");
        let client = self.client(url)?;
        let request = match body {
            None => client.get(&full),
            Some(body) => client.post(&full).json(body),
        };
        let unreachable =
            |error: reqwest::Error| failed("The schema registry cannot be reached.").with_detail(error.without_url());
        let accept = "application/vnd.schemaregistry.v1+json, application/json";
        let answer = self.signed(request).header("Accept", accept).send().map_err(unreachable)?;
        let status = answer.status();
        let bytes = answer.bytes().map_err(unreachable)?;
        let value = serde_json::from_slice::<Value>(bytes.get(..bytes.len().min(ANSWER_LIMIT)).unwrap_or_default());
        if status.is_success() {
            let no_json = |error| failed("The schema registry's answer cannot be understood.").with_detail(error);
            return value.map(Some).map_err(no_json);
        }
        let said = value.ok().and_then(|value| value.get("message")?.as_str().map(str::to_owned));
        let said = said.map_or_else(|| status.to_string(), |said| format!("{status}: {said}"));
        match status {
            StatusCode::NOT_FOUND if body.is_none() => Ok(None),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(failed("The schema registry refuses the credentials.").with_detail(said).without_retry())
            }
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(failed(&format!("The schema registry answers {said}.")))
            }
            _ => Err(failed(&format!("The schema registry refuses the request: {said}.")).without_retry()),
        }
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        match (&self.settings.user, &self.settings.token) {
            (Some((name, password)), _) => request.basic_auth(name, Some(password)),
            (None, Some(token)) => request.bearer_auth(token),
            (None, None) => request,
        }
    }

    /// One that connects to the addresses that were checked, and follows nobody elsewhere.
    fn client(&mut self, url: &str) -> Result<Client> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        let mut builder = Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).no_proxy();
        for url in self.settings.urls.iter().map(String::as_str).chain([url]) {
            let parsed = reqwest::Url::parse(url).ok();
            let place = parsed.as_ref().and_then(|url| Some((url.host_str()?, url.port_or_known_default()?)));
            let Some((host, port)) = place else {
                return Err(EngineError::user("bad_option", format!("'{url}' is no address of a schema registry.")));
            };
            if !self.settings.no_local {
                continue;
            }
            let bare = host.trim_start_matches('[').trim_end_matches(']');
            let addresses: Vec<_> = (bare, port).to_socket_addrs().into_iter().flatten().collect();
            if addresses.is_empty() || addresses.iter().any(|at| is_local(at.ip())) {
                let message = format!(
                    "The schema registry '{host}' leads to this machine or to a local-only address, or nowhere."
                );
                return Err(EngineError::user("registry_refused", message));
            }
            // What was checked is what is connected to, whatever the name leads to later.
            builder = builder.resolve_to_addrs(host, &addresses);
        }
        let client = builder.build();
        let client = client.map_err(|error| EngineError::internal("no HTTP client can be made").with_detail(error))?;
        Ok(self.client.insert(client).clone())
    }
}

fn failed(message: &str) -> EngineError {
    EngineError::external("registry_failed", message)
}

/// As a part of a path.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte.into()),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
