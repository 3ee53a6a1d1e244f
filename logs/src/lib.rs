//! The log index of Millrace. See `docs/logs.md` for what it promises.
//!
//! ```text
//! append ─▶ journal ─▶ indexing thread ─▶ a folder per UTC day: packed lines, and a Tantivy index without texts
//! search ─────────────────────────────────▶ days that touch the time, each segment once
//! ```
//! Start reading at `index`, then `journal`, `writer` and `day` for how lines come in, `query` and `search` for how they are found.
//! **Invariants:** knows no HTTP, no users and no database; depends on `wire` only; every question takes an [`Allowed`]; a line
//! that [`LogIndex::sync`] has acknowledged is never lost by a crash and never shown twice.

mod codec;
mod day;
mod days;
mod error;
mod event;
mod fingerprint;
mod group_book;
mod index;
mod journal;
mod line;
mod mend;
mod query;
mod retention;
mod schema;
mod scope;
mod search;
mod seen;
mod source;
mod tail;
mod token;
mod writer;

pub use error::{Error, Notice, Result};
pub use index::{LogIndex, Options};
pub use line::{Day, Line, LineId, Source, Stream, UnknownId};
pub use query::{LineWords, Query, QueryError, Window};
pub use retention::Retention;
pub use scope::{Allowed, Jobs};
pub use search::{
    Answer, Context, Cursor, Export, Facet, FacetCounts, Group, Histogram, Hit, Order, Page, Search, Wanted,
};
pub use tail::{Subscription, Tailed};
