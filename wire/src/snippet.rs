//! Saved pieces of SQL of a team, and the scripts that Millrace brings along to begin with.

use crate::ids::SnippetId;
use crate::macros::wire;

wire! {
    pub struct Snippet {
        pub id: SnippetId,
        pub name: String,
        pub description: String,
        pub sql: String,
        pub updated_at: i64,
        pub updated_by: String,
    }

    /// `POST …/snippets` and `PUT …/snippets/{id}`
    pub struct SnippetDraft {
        pub name: String,
        #[serde(default)]
        pub description: String,
        pub sql: String,
    }

    /// `GET /templates`
    pub struct ScriptTemplate {
        pub name: String,
        pub description: String,
        pub sql: String,
    }
}
