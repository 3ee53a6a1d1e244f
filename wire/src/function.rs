//! The built-in functions, for the editor's completion and the functions page.

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
