//! Links in documents lead somewhere.

use super::Breach;
use super::source::Source;
use crate::place;

pub(super) fn check(sources: &[Source]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for source in sources.iter().filter(|source| source.extension() == "md") {
        let mut in_code = false;
        for (index, line) in source.text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                in_code = !in_code;
            }
            if in_code {
                continue;
            }
            for target in targets(line).filter(|target| !exists(&source.path, target)) {
                breaches.push(Breach {
                    path: source.path.clone(),
                    line: Some(index + 1),
                    what: format!("the link to {target} leads nowhere"),
                });
            }
        }
    }
    breaches
}

/// The targets of `[text](target)` that are files of ours.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|target| !target.contains("://") && !target.starts_with('#') && !target.starts_with("mailto:"))
}

fn exists(document: &str, target: &str) -> bool {
    let file = target.split('#').next().unwrap_or(target);
    let root = place::root();
    let folder = root.join(document).parent().map(std::path::Path::to_owned).unwrap_or(root);
    folder.join(file).exists()
}

#[cfg(test)]
mod tests {
    use super::super::source::sample;
    use super::*;

    #[test]
    fn dead_link_is_named_and_live_ones_are_not() {
        let text = "See [this](Cargo.toml), [that](no-such-file.md) and [there](https://example.org).\n";
        let breaches = check(&sample("README.md", text));
        assert_eq!(breaches.len(), 1);
        assert!(breaches[0].what.contains("no-such-file.md"));
    }
}
