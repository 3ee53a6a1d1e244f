//! Addresses of the API, below `/api/v1`.

use crate::format::percent;

/// `/teams/{team}/{rest}`; the rest is expected to be encoded.
pub fn team(team: &str, rest: &str) -> String {
    format!("/teams/{}/{rest}", percent::encode(team))
}

/// Adds the pairs that hold something as a query string.
pub fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let filled: Vec<(String, String)> = pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    if filled.is_empty() { path.to_owned() } else { format!("{path}?{}", percent::query(&filled)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_values_are_left_out() {
        assert_eq!(with_query("/x", &[("q", ""), ("state", "")]), "/x");
        assert_eq!(with_query("/x", &[("q", "a b"), ("state", "")]), "/x?q=a%20b");
        assert_eq!(team("a/b", "jobs"), "/teams/a%2Fb/jobs");
    }
}
