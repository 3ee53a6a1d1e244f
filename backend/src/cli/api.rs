//! `millrace api …`: any call of the API, for what has no command of its own.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use reqwest::Method;
use serde_json::Value;

use super::client::Client;
use super::{Outcome, Output, output, read_script};

#[derive(Args)]
pub(super) struct Api {
    /// GET, POST, PUT, PATCH or DELETE, and the path: below /api/v1 with / at its beginning, else below the team.
    #[arg(value_name = "[METHOD] PATH", num_args = 1..=2, required = true)]
    call: Vec<String>,
    /// The body: JSON, `@file`, or `-` for standard input. Makes it a POST where no method is named.
    #[arg(short, long, value_name = "JSON")]
    data: Option<String>,
    /// All pages of a list, as one.
    #[arg(long, conflicts_with = "data")]
    all: bool,
}

impl Api {
    pub(super) async fn run(self, format: Output) -> Outcome {
        let client = Client::logged_in()?;
        let (method, path) = self.method_and_path(&client)?;
        if self.all {
            if method != Method::GET {
                bail!("--all is for lists, which are read by GET");
            }
            output::json(&client.all::<Value>(&path).await?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let body = self.data.as_deref().map(body_of).transpose()?;
        let text = client.call(method, &path, body.as_ref()).await?;
        match serde_json::from_str::<Value>(&text) {
            Ok(answer) if format == Output::Text => output::json(&answer)?,
            // Files, and nothing, are passed on as they are.
            _ => print!("{text}"),
        }
        Ok(ExitCode::SUCCESS)
    }

    fn method_and_path(&self, client: &Client) -> anyhow::Result<(Method, String)> {
        let (method, path) = match self.call.as_slice() {
            [path] if self.data.is_some() => (Method::POST, path),
            [path] => (Method::GET, path),
            [method, path] => {
                (method.to_uppercase().parse().with_context(|| format!("'{method}' is no method"))?, path)
            }
            _ => bail!("name a path"),
        };
        let path = if path.starts_with('/') { path.clone() } else { client.team_path(&format!("/{path}")) };
        Ok((method, path))
    }
}

fn body_of(data: &str) -> anyhow::Result<Value> {
    let text = match data.strip_prefix('@') {
        Some(file) => read_script(&file.into())?,
        None if data == "-" => read_script(&data.into())?,
        None => data.to_owned(),
    };
    serde_json::from_str(&text).context("the body is no JSON")
}
