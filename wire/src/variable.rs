//! Variables of a team: what `${name}` in its scripts stands for.

use crate::connection::JobRef;
use crate::ids::VariableId;
use crate::macros::wire;
use crate::sql::Span;

wire! {
    pub struct Variable {
        pub id: VariableId,
        pub name: String,
        /// Of a secret empty: it goes in and never comes out.
        pub value: String,
        pub secret: bool,
        pub description: String,
        pub updated_at: i64,
        pub updated_by: String,
    }

    /// `POST …/variables` and `PUT …/variables/{id}`
    pub struct VariableDraft {
        pub name: String,
        /// Absent keeps the stored one, as long as a secret stays a secret.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub value: Option<String>,
        #[serde(default)]
        pub secret: bool,
        #[serde(default)]
        pub description: String,
    }

    /// `GET …/variables/{id}/uses`: jobs whose draft or newest version names it.
    pub struct VariableUses {
        pub jobs: Vec<JobRef>,
        /// Besides those: jobs that the caller may not see.
        pub hidden: u64,
    }

    /// `POST …/sql/parameters`
    pub struct ListParameters {
        pub sql: String,
    }

    /// One `${name}` of a script, however often it stands there.
    pub struct ScriptParameter {
        pub name: String,
        /// The team has such a variable.
        pub known: bool,
        pub secret: bool,
        /// What it stands for: the variable's value, or the script's default. Absent for secrets and unknown names.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub value: Option<String>,
        /// The value is the default that the script gives.
        pub is_default: bool,
        pub description: String,
        /// Where it stands.
        pub places: Vec<Span>,
    }
}
