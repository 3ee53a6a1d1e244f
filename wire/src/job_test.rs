//! SQL tests: rows in, rows expected, kept with the job.

use crate::ids::{JobId, JobTestId};
use crate::macros::{wire, wire_words};
use crate::preview::{PreviewRow, ResultColumn};
use crate::sql::Diagnostic;
use crate::test_run::{ResultView, SuppliedRow};

wire_words! {
    pub enum RowOrder {
        Any = "any",
        Exact = "exact",
    }
}

wire! {
    /// All that a source table, or one that is looked up, holds in a test.
    pub struct TestInput {
        pub table: String,
        pub rows: Vec<SuppliedRow>,
    }

    pub struct ExpectedSink {
        pub table: String,
        pub view: ResultView,
        pub order: RowOrder,
        /// Two FLOAT or DOUBLE values are the same when they differ by no more, relative to the larger one above 1.
        #[serde(default)]
        pub float_tolerance: f64,
        /// Columns that are not compared, the time of processing for example.
        #[serde(default)]
        pub ignore: Vec<String>,
        pub rows: Vec<SuppliedRow>,
    }

    /// `POST …/jobs/{job}/tests`, `PUT …/jobs/{job}/tests/{test}`
    pub struct TestDraft {
        pub name: String,
        pub inputs: Vec<TestInput>,
        pub expected: Vec<ExpectedSink>,
        #[serde(default = "one")]
        pub parallelism: u32,
    }

    pub struct JobTest {
        pub id: JobTestId,
        pub job: JobId,
        #[serde(flatten)]
        pub draft: TestDraft,
        pub updated_by: String,
        pub updated_at: i64,
        /// The newest result that was stored.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub last: Option<LastResult>,
    }

    pub struct LastResult {
        pub passed: bool,
        pub at: i64,
        /// Absent: of the draft.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub version: Option<u32>,
        pub ms: u64,
    }

    /// `GET …/jobs/{job}/tests`
    pub struct JobTests {
        pub tests: Vec<JobTest>,
        pub gate: TestGate,
    }

    /// Whether a version can be started only when all tests of its job pass.
    pub struct TestGate {
        pub job: bool,
        /// For every job of the team.
        pub team: bool,
    }

    /// `PUT …/jobs/{job}/tests-gate`, `PUT /teams/{team}/tests-gate`
    pub struct SetTestGate {
        pub must_pass: bool,
    }

    /// `POST …/jobs/{job}/tests/run`
    pub struct RunTests {
        /// Text to test instead of the saved draft.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub sql: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub version: Option<u32>,
        /// Empty: all of them.
        #[serde(default)]
        pub tests: Vec<JobTestId>,
        /// A test that is not saved yet, instead of the saved ones.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub draft: Option<TestDraft>,
    }

    pub struct TestReport {
        pub results: Vec<TestResult>,
        pub passed: u32,
        pub failed: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub version: Option<u32>,
    }

    pub struct TestResult {
        /// Absent for a test that is not saved.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub test: Option<JobTestId>,
        pub name: String,
        pub passed: bool,
        pub ms: u64,
        /// The script or the test could not be run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub error: Option<Diagnostic>,
        pub sinks: Vec<SinkDiff>,
    }

    /// Of one sink that the test expects something of.
    pub struct SinkDiff {
        pub table: String,
        pub columns: Vec<ResultColumn>,
        pub passed: bool,
        /// In words where the lists do not say it: the order is another one.
        pub note: String,
        pub matched: u64,
        /// Expected, and not there.
        pub missing: Vec<PreviewRow>,
        /// There, and not expected.
        pub unexpected: Vec<PreviewRow>,
        /// Of the same key, with other values.
        pub different: Vec<DifferentRow>,
        /// What the sink got, in the view of the expectation: the first 1,000 rows.
        pub actual: Vec<PreviewRow>,
    }

    pub struct DifferentRow {
        pub expected: PreviewRow,
        pub actual: PreviewRow,
        /// Indices of the columns that differ.
        pub columns: Vec<u32>,
    }
}

const fn one() -> u32 {
    1
}
