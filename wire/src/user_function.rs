//! Functions that a team brings: uploaded modules and SQL macros, each with its versions.

use crate::connection::JobRef;
use crate::function::{FunctionEntry, FunctionInfo, FunctionKind};
use crate::ids::FunctionId;
use crate::macros::{wire, wire_words};
use crate::preview::ResultColumn;
use crate::sql::Diagnostic;

wire_words! {
    pub enum FunctionLanguage {
        /// A function of a WebAssembly module.
        Wasm = "wasm",
        /// A macro: an expression over parameters.
        Sql = "sql",
    }
}

wire! {
    /// A row of the list.
    pub struct UserFunctionSummary {
        pub id: FunctionId,
        pub name: String,
        pub kind: FunctionKind,
        pub language: FunctionLanguage,
        pub signature: String,
        pub remark: String,
        /// The newest one.
        pub version: u32,
        /// Jobs whose newest version uses it.
        pub jobs: u64,
        pub updated_by: String,
        pub updated_at: i64,
    }

    pub struct UserFunction {
        pub id: FunctionId,
        pub name: String,
        pub remark: String,
        /// Newest first; there is always one.
        pub versions: Vec<UserFunctionVersion>,
        /// By the newest version of each job.
        pub used_by: Vec<FunctionUse>,
        pub created_at: i64,
        pub updated_at: i64,
        pub updated_by: String,
    }

    pub struct FunctionParameter {
        pub name: String,
        pub data_type: String,
    }

    /// Never changed once it is there.
    pub struct UserFunctionVersion {
        pub number: u32,
        pub kind: FunctionKind,
        pub language: FunctionLanguage,
        pub signature: String,
        pub parameters: Vec<FunctionParameter>,
        /// Of a macro.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub definition: Option<String>,
        /// Of a module: which of its functions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub entry: Option<String>,
        /// SHA-256 of the module, in hexadecimal digits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub module_hash: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub module_bytes: Option<u64>,
        pub created_by: String,
        pub created_at: i64,
    }

    /// A job, and which version of the function it was saved with.
    pub struct FunctionUse {
        pub job: JobRef,
        pub job_version: u32,
        pub version: u32,
    }

    /// `POST …/functions`: a macro.
    pub struct NewMacro {
        pub name: String,
        /// `(x DOUBLE, y DOUBLE) RETURNS DOUBLE RETURN SQRT(x * x + y * y)`
        pub definition: String,
        #[serde(default)]
        pub remark: String,
        /// Make a new version of a function that is there already; refused with 409 without it.
        #[serde(default)]
        pub overwrite: bool,
    }

    /// `POST …/functions/check`: a macro as it would be saved.
    pub struct MacroCheck {
        /// Spans count from the start of the definition.
        pub problems: Vec<Diagnostic>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub info: Option<FunctionInfo>,
        /// What a new version of it would follow, when the name is that of a function of the team.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub existing: Option<u32>,
    }

    /// `POST …/functions/inspect`: what an uploaded module holds.
    pub struct ModuleContent {
        pub hash: String,
        pub bytes: u64,
        pub functions: Vec<FunctionEntry>,
    }

    /// `PATCH …/functions/{function}`
    pub struct FunctionChange {
        pub remark: String,
    }

    /// `POST …/functions/{function}/test`
    pub struct TestFunction {
        /// The newest one when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub version: Option<u32>,
        /// One value per parameter and row, as text; `null` is NULL. Arrays, rows and maps as SQL expressions.
        pub rows: Vec<Vec<Option<String>>>,
    }

    pub struct FunctionTest {
        /// What was run.
        pub sql: String,
        pub columns: Vec<ResultColumn>,
        pub rows: Vec<Vec<serde_json::Value>>,
        /// Why it ended, when it did not get to the end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub failure: Option<String>,
        pub ms: u64,
    }

    /// A function as a job's version was saved with it.
    pub struct PinnedFunction {
        pub function: FunctionId,
        pub version: u32,
        pub kind: FunctionKind,
        pub signature: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub definition: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub entry: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub module_hash: Option<String>,
        /// The function's newest version, when it is a later one and the function is still there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub newer: Option<u32>,
    }
}
