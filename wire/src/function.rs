//! Functions: the built-in ones, for the editor's completion and the functions page, and those that users bring.

use serde::{Deserialize, Serialize};

use crate::macros::{wire, wire_words};

wire_words! {
    pub enum FunctionKind {
        Scalar = "scalar",
        Aggregate = "aggregate",
        Window = "window",
        Table = "table",
    }
}

wire! {
    pub struct FunctionInfo {
        pub name: String,
        pub kind: FunctionKind,
        pub signature: String,
        pub summary: String,
        pub category: String,
    }
}

wire! {
    /// One function of an uploaded WebAssembly module.
    pub struct FunctionEntry {
        /// As the module names it; in SQL it may get another name.
        pub name: String,
        pub kind: FunctionKind,
        /// Types in SQL words.
        pub arguments: Vec<String>,
        /// The same; a table function's columns as `ROW<…>`.
        pub result: String,
        /// What [`FunctionBody::Wasm`] takes as its entry.
        pub entry: String,
    }

    /// A function that a user brought, by whose name in SQL it is found.
    pub struct FunctionSource {
        pub kind: FunctionKind,
        pub body: FunctionBody,
    }
}

/// What a user's function does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "language", rename_all = "snake_case")]
pub enum FunctionBody {
    /// A function of a WebAssembly module that speaks the interface of `arrow-udf`.
    Wasm {
        /// Absolute path of the module on this host.
        module: String,
        /// SHA-256 of the module, in hexadecimal digits.
        hash: String,
        /// The whole signature that the module exports, as `gcd(int32,int32)->int32`. An aggregate's is that of its
        /// `_accumulate`.
        entry: String,
    },
    /// An expression over parameters.
    Sql {
        /// `(x DOUBLE, y DOUBLE) RETURNS DOUBLE RETURN SQRT(x * x + y * y)`
        definition: String,
    },
}
