//! Words that must not be committed: unfinished work, tests switched off, paths of one machine.

use super::Breach;
use super::source::Source;

struct Rule {
    extensions: &'static [&'static str],
    /// Written in two parts, so that this file does not name itself.
    word: (&'static str, &'static str),
    why: &'static str,
}

const CODE: &[&str] = &["rs", "ts"];
const ALL: &[&str] = &["rs", "ts", "css", "md", "toml", "json", "yaml", "yml", "sql"];

const RULES: [Rule; 10] = [
    Rule { extensions: CODE, word: ("todo", "!("), why: "finish it or leave it out" },
    Rule { extensions: CODE, word: ("unimplemented", "!("), why: "finish it or leave it out" },
    Rule { extensions: CODE, word: ("dbg", "!("), why: "a trace of debugging" },
    Rule { extensions: CODE, word: ("#[ig", "nore"), why: "a test is fixed, removed, or says why it is skipped" },
    Rule { extensions: CODE, word: ("test.on", "ly("), why: "it switches off all other tests" },
    Rule { extensions: CODE, word: ("test.fix", "me("), why: "a test is fixed or removed" },
    Rule { extensions: CODE, word: ("waitFor", "Timeout("), why: "wait for a condition, not for time" },
    Rule { extensions: ALL, word: ("/ro", "ot/"), why: "a path of one machine" },
    Rule { extensions: ALL, word: ("/ho", "me/"), why: "a path of one machine" },
    Rule { extensions: ALL, word: ("/wo", "rk/"), why: "a path of one machine" },
];

pub(super) fn check(sources: &[Source]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for source in sources {
        for rule in RULES.iter().filter(|rule| rule.extensions.contains(&source.extension())) {
            let word = format!("{}{}", rule.word.0, rule.word.1);
            for (index, line) in source.text.lines().enumerate() {
                if line.contains(&word) {
                    breaches.push(Breach {
                        path: source.path.clone(),
                        line: Some(index + 1),
                        what: format!("`{word}`: {}", rule.why),
                    });
                }
            }
        }
    }
    breaches
}

#[cfg(test)]
mod tests {
    use super::super::source::sample;
    use super::*;

    #[test]
    fn unfinished_work_is_named() {
        let text = format!("fn a() {{ {}{}) }}\n", "todo", "!(");
        assert_eq!(check(&sample("wire/src/a.rs", &text)).len(), 1);
    }

    #[test]
    fn clean_code_passes() {
        assert_eq!(check(&sample("wire/src/a.rs", "fn a() {}\n")), []);
    }
}
