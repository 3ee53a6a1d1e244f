//! Style sheets use roles; a raw colour stands in the token sheet only.

use super::Breach;
use super::source::Source;

/// Where the scale of colours is defined.
const TOKENS: &str = "frontend/style/tokens";
const FUNCTIONS: [&str; 6] = ["rgb(", "rgba(", "hsl(", "hsla(", "oklch(", "oklab("];

pub(super) fn check(sources: &[Source]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for source in sources {
        let is_sheet = source.path.starts_with("frontend/style/") && source.extension() == "css";
        if !is_sheet || source.path.starts_with(TOKENS) {
            continue;
        }
        for (index, line) in source.text.lines().enumerate() {
            if let Some(colour) = raw_colour(line) {
                breaches.push(Breach {
                    path: source.path.clone(),
                    line: Some(index + 1),
                    what: format!("raw colour {colour}; use a role of tokens.css"),
                });
            }
        }
    }
    breaches
}

fn raw_colour(line: &str) -> Option<String> {
    let value = line.split_once(':').map_or("", |(_, value)| value);
    for function in FUNCTIONS {
        if value.contains(function) {
            return Some(function.to_owned() + "…)");
        }
    }
    value.match_indices('#').find_map(|(at, _)| {
        let digits: String = value[at + 1..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        let is_colour = [3, 4, 6, 8].contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_hexdigit());
        is_colour.then(|| format!("#{digits}"))
    })
}

#[cfg(test)]
mod tests {
    use super::super::source::sample;
    use super::*;

    #[test]
    fn raw_colours_are_named_and_roles_pass() {
        let text = ".a { color: #fff; }\n.b { color: var(--text); }\n.c { background: rgb(0 0 0 / 20%); }\n";
        assert_eq!(check(&sample("frontend/style/ui/a.css", text)).len(), 2);
        assert_eq!(check(&sample("frontend/style/tokens.css", text)), []);
    }
}
