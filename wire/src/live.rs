//! What the server sends by itself over SSE (`GET …/live`): each event has an id, `Last-Event-ID` resumes.

use serde::{Deserialize, Serialize};

use crate::ids::{FunctionId, JobId, TableId};
use crate::job::{CurrentRun, DesiredState};
use crate::metric::MetricReport;
use crate::run::RunEvent;
use crate::session::BrokerStatus;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum LiveEvent {
    /// State, figures or desired state of a job changed.
    Job {
        job: JobId,
        desired: DesiredState,
        current: Option<CurrentRun>,
    },
    /// Per-operator figures, for the live graph.
    Metrics {
        job: JobId,
        report: MetricReport,
    },
    RunEvent {
        job: JobId,
        event: RunEvent,
    },
    /// A job was created, renamed or deleted: lists reload.
    JobsChanged {
        job: JobId,
    },
    TablesChanged {
        table: TableId,
    },
    FunctionsChanged {
        function: FunctionId,
    },
    ConnectionsChanged,
    VariablesChanged,
    SnippetsChanged,
    /// Somebody's preview ended and is in their history now.
    PreviewKept,
    Broker {
        status: BrokerStatus,
    },
    /// The server could not resume from the given id: reload what is shown.
    Reset,
}
