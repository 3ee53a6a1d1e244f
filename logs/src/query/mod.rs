//! What somebody looks for: a text is parsed into a tree, and the tree asks the index or one line.
//!
//! ```text
//! text ──parse──▶ Node ──compile──▶ Tantivy query        over what is indexed
//!                      └─matcher──▶ yes or no, and spans  over one line: live tail, marks in answers
//! ```
//! Both ways use the words of `token`, and a test holds them together.

mod compile;
mod matcher;
mod parse;
mod scan;
#[cfg(test)]
mod tests;
mod time;

use std::ops::Range;

use millrace_wire::log::LogLevel;

pub use matcher::LineWords;

/// A parsed query. Empty text finds everything.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    pub(crate) node: Node,
}

impl Query {
    /// `now`, in UTC milliseconds, is what `now` in the text stands for.
    pub fn parse(text: &str, now: i64) -> Result<Query, QueryError> {
        parse::parse(text, now).map(|node| Query { node })
    }

    pub const fn everything() -> Query {
        Query { node: Node::All }
    }

    pub fn matches(&self, line: &LineWords<'_>) -> bool {
        matcher::matches(&self.node, line)
    }

    /// Where in the message of a line the words of this query stand.
    pub fn marks(&self, line: &LineWords<'_>) -> Vec<Range<usize>> {
        matcher::marks(&self.node, line)
    }

    pub(crate) fn compiled(&self) -> Box<dyn tantivy::query::Query> {
        compile::compile(&self.node)
    }

    /// Outside of this time nothing can be found.
    pub(crate) fn window(&self) -> Window {
        self.node.window()
    }
}

/// What is wrong with a query, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// Bytes of the text.
    pub span: Range<usize>,
    pub message: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    All,
    /// Words in a row; the last may be the beginning of one.
    Text {
        field: TextField,
        words: Vec<(usize, String)>,
        open_end: bool,
    },
    /// A value as a whole, or its beginning.
    Value {
        field: ValueField,
        value: String,
        open_end: bool,
    },
    Has(ValueField),
    Levels(Vec<LogLevel>),
    /// Both ends included.
    Number {
        field: NumberField,
        from: u64,
        to: u64,
    },
    Time(Window),
    Group(u64),
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextField {
    Message,
    Target,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueField {
    Organisation,
    Team,
    Job,
    JobName,
    Run,
    Worker,
    Operator,
    Source,
    Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberField {
    Attempt,
    Seq,
}

/// From the first millisecond to before the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub from: i64,
    pub to: i64,
}

impl Window {
    pub const ALWAYS: Window = Window { from: i64::MIN, to: i64::MAX };

    pub fn contains(self, at: i64) -> bool {
        (self.from..self.to).contains(&at)
    }

    pub(crate) fn and(self, other: Window) -> Window {
        Window { from: self.from.max(other.from), to: self.to.min(other.to) }
    }
}

impl Node {
    fn window(&self) -> Window {
        match self {
            Node::Time(window) => *window,
            Node::And(parts) => parts.iter().fold(Window::ALWAYS, |window, part| window.and(part.window())),
            _ => Window::ALWAYS,
        }
    }
}
