//! Test runs and SQL tests of a job, for the editor and for the page of the job.

mod comparison;
mod diff;
mod edit;
mod form;
mod history;
mod lines;
mod results;
mod shadow;
mod start;
mod tables;
mod targets;
mod tests;
mod watch;

use std::collections::BTreeMap;

use leptos::prelude::*;
use millrace_wire::ids::JobId;
use millrace_wire::table::{ColumnKind, Table};

pub use edit::EditTest;
pub use form::TestForm;
pub use history::TestRunHistory;
pub use results::{TestResults, TestRunTools};
pub use shadow::ShadowRuns;
pub use start::StartTestRunDialog;
pub use tables::named_tables;
pub use tests::SqlTests;
pub use watch::TestRunWatch;

/// What is tested.
#[derive(Clone, Copy)]
pub struct Subject {
    pub team: StoredValue<String>,
    pub job: Option<JobId>,
    /// The text as it stands in the editor; `None`: the saved draft.
    pub sql: Signal<Option<String>>,
    /// Instead of the text or the draft.
    pub version: Signal<Option<u32>>,
    /// Tables that it reads and writes, as far as the last check knows.
    pub reads: Signal<Vec<String>>,
    pub writes: Signal<Vec<String>>,
    /// Those of them that are known, see [`named_tables`].
    pub tables: Signal<BTreeMap<String, Table>>,
}

impl Subject {
    fn path(&self, tail: &str) -> String {
        self.team.with_value(|team| crate::api::path::team(team, tail))
    }

    /// A path below the tests of the job.
    fn tests_path(&self, tail: &str) -> Option<String> {
        self.job.map(|job| self.path(&format!("jobs/{job}/tests{tail}")))
    }

    fn table(&self, name: &str) -> Option<Table> {
        self.tables.with(|tables| tables.get(name).cloned())
    }

    /// Names and types of the columns that a row can give.
    fn columns(&self, table: &str) -> Option<String> {
        let table = self.table(table)?;
        let given = table.resolved.iter().filter(|column| column.kind != ColumnKind::Computed);
        let named: Vec<String> = given.map(|column| format!("{} {}", column.name, column.data_type)).collect();
        Some(named.join(", "))
    }
}
