//! A file has one purpose and fits into a head: below 500 lines without its tests.

use super::Breach;
use super::source::Source;

const LIMIT: usize = 500;

pub(super) fn check(sources: &[Source]) -> Vec<Breach> {
    sources
        .iter()
        .filter(|source| ["rs", "ts", "css"].contains(&source.extension()) && !source.is_test())
        .filter_map(|source| {
            let lines = source.code_lines().count();
            (lines >= LIMIT).then(|| Breach {
                path: source.path.clone(),
                line: None,
                what: format!("{lines} lines; split it so that each file has one purpose (below {LIMIT})"),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::source::sample;
    use super::*;

    #[test]
    fn long_file_is_named() {
        let breaches = check(&sample("engine/src/plan.rs", &"line\n".repeat(LIMIT)));
        assert_eq!(breaches.len(), 1);
    }

    #[test]
    fn tests_in_the_file_do_not_count() {
        let text = format!("fn a() {{}}\n#[cfg(test)]\nmod tests {{\n{}", "line\n".repeat(LIMIT));
        assert_eq!(check(&sample("engine/src/plan.rs", &text)), []);
    }
}
