//! An assignment → a planned dataflow.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use millrace_wire::link::{Assignment, Failure};

use super::diagnostic::failure_of_problems;
use crate::catalog::CatalogText;
use crate::connector::ConnectorContext;
use crate::format::bad_record_queue::BadRecordQueue;
use crate::local::BATCH_ROWS;
use crate::plan::dataflow::{Dataflow, plan};
use crate::plan::settings::Settings;
use crate::runtime::{ConnectorEndpoints, RunCommitters};
use crate::sql::bind;

pub(super) struct Planned {
    pub(super) dataflow: Dataflow,
    pub(super) committers: Arc<RunCommitters>,
    pub(super) bad_records: Arc<BadRecordQueue>,
}

pub(super) fn plan_assignment(assignment: &Assignment, runtime: tokio::runtime::Handle) -> Result<Planned, Failure> {
    let catalog = CatalogText {
        default_database: assignment.default_database.clone(),
        tables: assignment.tables.clone(),
        functions: assignment.functions.clone(),
        function_roots: None,
        secrets: assignment.secrets.clone(),
    };
    let wrong = |problems: Vec<crate::sql::Problem>| failure_of_problems(&problems, &assignment.sql);
    let script = bind(&assignment.sql, &catalog).map_err(wrong)?;
    let committers = Arc::new(RunCommitters::default());
    let bad_records = Arc::new(BadRecordQueue::new(assignment.tables.keys().cloned()));
    let endpoints = ConnectorEndpoints {
        context: ConnectorContext {
            file_roots: assignment.file_roots.iter().map(PathBuf::from).collect(),
            identity: assignment.identity.clone(),
            start_at_ms: assignment.start_at_ms,
            committers: Arc::clone(&committers) as Arc<_>,
            read_only: false,
            bad_records: Some(Arc::clone(&bad_records)),
            batch_rows: BATCH_ROWS,
            runtime,
        },
        collect: None,
    };
    let dataflow = plan(&script, &settings(assignment), &endpoints).map_err(wrong)?;
    if dataflow.nodes.is_empty() {
        return Err(Failure {
            code: "parse".to_owned(),
            message: "The script has no INSERT.".to_owned(),
            retry: false,
            operator: None,
        });
    }
    Ok(Planned { dataflow, committers, bad_records })
}

fn settings(assignment: &Assignment) -> Settings {
    let job = &assignment.settings;
    Settings {
        parallelism: job.parallelism.clamp(1, 128),
        checkpoint_interval: Some(Duration::from_millis(job.checkpoint_interval_ms)),
        state_ttl: Duration::from_millis(job.state_ttl_ms),
        ..Settings::default()
    }
}
