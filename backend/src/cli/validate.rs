//! `millrace validate`: what the editor would say about a script.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use millrace_wire::sql::{Diagnostic, Severity, Validate as Request, Validation};

use super::client::{Client, Credentials};
use super::{Outcome, Output, output, read_script};
use crate::engine::CatalogText;

#[derive(Args)]
pub(super) struct Validate {
    /// A file, or - for standard input.
    script: PathBuf,
    /// Without the server's tables, even when logged in: the script creates its own.
    #[arg(long)]
    local: bool,
}

impl Validate {
    pub(super) async fn run(self, format: Output) -> Outcome {
        let sql = read_script(&self.script)?;
        let credentials = if self.local { None } else { Credentials::load()? };
        let validation = match credentials {
            Some(credentials) => {
                let client = Client::new(credentials)?;
                let path = client.team_path("/sql/validate");
                client.post(&path, &Request { sql, parallelism: None }).await?
            }
            None => validate_here(&sql),
        };
        let name = self.script.display().to_string();
        match format {
            Output::Json => output::json(&validation)?,
            Output::Text => {
                validation.diagnostics.iter().for_each(|diagnostic| println!("{}", line(&name, diagnostic)))
            }
        }
        let wrong = validation.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        if format == Output::Text && !wrong {
            eprintln!("{name}: {} statement(s), no errors", validation.statements.len());
        }
        Ok(if wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

fn validate_here(sql: &str) -> Validation {
    let catalog = CatalogText { default_database: "main".to_owned(), ..CatalogText::default() };
    crate::engine::front().validate(sql, &catalog, 1)
}

/// As compilers write it, so that editors can jump there.
fn line(name: &str, diagnostic: &Diagnostic) -> String {
    let place = diagnostic.span.as_ref().map_or(String::new(), |span| format!(":{}:{}", span.line, span.column));
    let hint = diagnostic.hint.as_ref().map_or(String::new(), |hint| format!("\n  hint: {hint}"));
    format!("{name}{place}: {}[{}]: {}{hint}", diagnostic.severity, diagnostic.code, diagnostic.message)
}
