//! Paths into JSON: `$.a[0]`, `strict $..b[?(@.c > 1)]`.

use super::path_filter::Condition;

/// A path, ready to be walked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Path {
    /// What is not there is empty, not an error.
    pub(super) lax: bool,
    pub(super) steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// `.a`, `['a']`, `['a', 'b']`
    Names(Vec<String>),
    /// `[0]`, `[-1]`, `[0, 2]`
    Indices(Vec<i64>),
    /// `[1:3]`, `[-2:]`: the end is not included.
    Slice { from: Option<i64>, to: Option<i64> },
    /// `.*`, `[*]`
    All,
    /// `..`: the next step at every depth.
    Deep,
    /// `[?(…)]`
    Filter(Condition),
    /// `.length()`
    Length,
}

impl Path {
    /// Leads to at most one value, which comes as it is; any other path gives a list.
    pub(super) fn is_definite(&self) -> bool {
        let last = self.steps.len().saturating_sub(1);
        self.steps.iter().enumerate().all(|(at, step)| match step {
            Step::Names(names) => names.len() == 1 || at == last,
            Step::Indices(indices) => indices.len() == 1,
            Step::Length => true,
            Step::Slice { .. } | Step::All | Step::Deep | Step::Filter(_) => false,
        })
    }
}
