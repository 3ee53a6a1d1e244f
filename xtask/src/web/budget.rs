//! How large the bundle may be. Sizes are those of the brotli copies, which browsers load.

use super::bundle::{Bundle, Size};
use crate::say;
use std::collections::BTreeMap;

/// One row of the table: what is weighed, the size to aim at, and the size that fails the build.
struct Budget {
    what: &'static str,
    target: u64,
    limit: u64,
    measured: Option<u64>,
}

/// The bundle is whole and written, but larger than it may be.
#[derive(Debug)]
pub(crate) struct OverBudget(String);

impl std::fmt::Display for OverBudget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "over budget: {}", self.0)
    }
}

impl std::error::Error for OverBudget {}

/// Prints the table and fails where a limit is passed.
pub(super) fn check(bundle: &Bundle, sizes: &BTreeMap<String, Size>) -> anyhow::Result<()> {
    let rows = [
        Budget {
            what: "WASM of the first load",
            target: 350_000,
            limit: 500_000,
            measured: sum(sizes, |path| path.starts_with("assets/console.") && path.ends_with(".wasm")),
        },
        Budget { what: "editor chunk", target: 120_000, limit: 140_000, measured: chunk(bundle, sizes, "editor") },
        Budget { what: "chart chunk", target: 22_000, limit: 30_000, measured: chunk(bundle, sizes, "chart") },
        Budget { what: "CSS", target: 15_000, limit: 25_000, measured: sum(sizes, |path| path.ends_with(".css")) },
        Budget { what: "fonts", target: 90_000, limit: 130_000, measured: sum(sizes, |path| path.ends_with(".woff2")) },
    ];
    say::note(format!("{:<24} {:>10} {:>10} {:>10}", "budget (brotli)", "size", "target", "limit"));
    let mut over = Vec::new();
    for row in &rows {
        let Some(measured) = row.measured else {
            say::note(format!("{:<24} {:>10}", row.what, "not there"));
            continue;
        };
        let remark = if measured > row.limit {
            over.push(row.what);
            "  over the limit"
        } else if measured > row.target {
            "  above target"
        } else {
            ""
        };
        say::note(format!(
            "{:<24} {:>10} {:>10} {:>10}{remark}",
            row.what,
            say::bytes(measured),
            say::bytes(row.target),
            say::bytes(row.limit)
        ));
    }
    if !over.is_empty() {
        return Err(OverBudget(over.join(", ")).into());
    }
    Ok(())
}

fn chunk(bundle: &Bundle, sizes: &BTreeMap<String, Size>, name: &str) -> Option<u64> {
    let parts = bundle.chunk_parts.get(name)?;
    sum(sizes, |path| parts.iter().any(|part| part == path))
}

/// The loaded size of all files that `wanted` picks; none where there is no such file.
fn sum(sizes: &BTreeMap<String, Size>, wanted: impl Fn(&str) -> bool) -> Option<u64> {
    sizes
        .iter()
        .filter(|(path, _)| wanted(path))
        .map(|(_, size)| size.brotli.unwrap_or(size.bytes))
        .reduce(|sum, size| sum + size)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(wasm: u64) -> BTreeMap<String, Size> {
        let size = Size { bytes: 3 * wasm, gzip: None, brotli: Some(wasm) };
        BTreeMap::from([("assets/console.1.wasm".to_owned(), size)])
    }

    #[test]
    fn compressed_size_is_what_counts() {
        assert!(check(&Bundle::default(), &sizes(499_000)).is_ok());
    }

    #[test]
    fn a_limit_passed_fails_the_build() {
        let error = check(&Bundle::default(), &sizes(501_000)).unwrap_err();
        assert!(error.to_string().contains("WASM of the first load"));
    }
}
