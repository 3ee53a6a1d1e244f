//! `millrace login`: remembers a server and an API token.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use millrace_wire::session::Session;

use super::client::{Client, Credentials};
use super::{Outcome, Output, output};

#[derive(Args)]
pub(super) struct Login {
    /// Where the server is, for example http://127.0.0.1:7878
    server: String,
    /// The token is asked for, or read from standard input: it should not stand on a command line.
    #[arg(long, env = "MILLRACE_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

impl Login {
    pub(super) async fn run(self, format: Output) -> Outcome {
        if !self.server.starts_with("http://") && !self.server.starts_with("https://") {
            bail!("the server must start with http:// or https://");
        }
        let token = match self.token {
            Some(token) => token,
            None => ask_for_token(&self.server)?,
        };
        let server = self.server.trim_end_matches('/').to_owned();
        let credentials = Credentials { server, token: token.trim().to_owned(), team: String::new() };
        let session: Session = Client::new(credentials.clone())?.get("/session", &[]).await?;
        let team = session.teams.first().ok_or_else(|| anyhow!("the token belongs to no team"))?;
        let path = Credentials { team: team.slug.clone(), ..credentials }.save()?;
        match format {
            Output::Json => output::json(&session)?,
            Output::Text => {
                println!("Signed in as {} for the team {}. Kept in {}.", session.user.email, team.slug, path.display());
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn ask_for_token(server: &str) -> anyhow::Result<String> {
    if std::io::stdin().is_terminal() {
        eprint!("API token (made at {server}/settings): ");
        std::io::stderr().flush()?;
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("the token cannot be read")?;
    if line.trim().is_empty() {
        bail!("no token was given");
    }
    Ok(line)
}
