//! `millrace run`: a script on this machine, without a server. Rows go to standard output, progress to standard error.

use std::path::PathBuf;

use clap::Args;

use super::{Outcome, Output, read_script};
use crate::engine::{Rows, run_here};

#[derive(Args)]
pub(super) struct Run {
    /// A file, or - for standard input.
    script: PathBuf,
}

impl Run {
    pub(super) fn run(self, format: Output) -> Outcome {
        let sql = read_script(&self.script)?;
        let rows = match format {
            Output::Text => Rows::Text,
            Output::Json => Rows::Json,
        };
        run_here(&sql, &self.script.display().to_string(), rows)
    }
}
