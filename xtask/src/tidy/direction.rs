//! Who may know whom. Imports that point the wrong way are named with the rule they break.

use super::Breach;
use super::source::Source;

/// Below `folder`, apart from `except`, no code may name any of `banned`.
struct Rule {
    folder: &'static str,
    except: &'static [&'static str],
    banned: &'static [&'static str],
    why: &'static str,
}

const RULES: [Rule; 15] = [
    Rule {
        folder: "wire/src/",
        except: &[],
        banned: &["millrace_engine", "millrace_backend", "tokio::", "axum::"],
        why: "wire holds types that cross the network and depends on nothing of ours",
    },
    Rule {
        folder: "frontend/src/",
        except: &[],
        banned: &["millrace_engine", "millrace_backend"],
        why: "the console depends on wire only",
    },
    Rule {
        folder: "logs/src/",
        except: &[],
        banned: &["millrace_engine", "millrace_backend", "axum::", "sqlx::", "tokio::"],
        why: "the log index knows no HTTP, no users and no database, and of ours only wire",
    },
    Rule {
        folder: "engine/src/",
        except: &[],
        banned: &["millrace_backend", "axum::"],
        why: "the engine knows no HTTP, no users and no metadata database",
    },
    Rule {
        folder: "engine/src/",
        except: &["engine/src/connector/database/"],
        banned: &["sqlx::"],
        why: "the engine speaks to databases in their connector only",
    },
    Rule {
        folder: "engine/src/sql/",
        except: &[],
        banned: &["crate::runtime", "crate::operator", "crate::checkpoint", "crate::link"],
        why: "checking a statement starts nothing",
    },
    Rule {
        folder: "engine/src/plan/",
        except: &[],
        banned: &["crate::runtime", "crate::checkpoint", "crate::link"],
        why: "planning is a pure function and starts nothing",
    },
    Rule {
        folder: "engine/src/operator/",
        except: &[],
        banned: &["crate::link", "crate::sql", "millrace_wire"],
        why: "operators know rows and state, neither text nor the network",
    },
    Rule {
        folder: "backend/src/",
        except: &["backend/src/http/", "backend/src/cli/"],
        banned: &["axum::"],
        why: "axum stays in http, apart from the line that serves",
    },
    Rule { folder: "backend/src/", except: &["backend/src/store/"], banned: &["sqlx::"], why: "SQL stays in store" },
    Rule {
        folder: "backend/src/app/", except: &[], banned: &["crate::http"], why: "http → app → store, never back"
    },
    Rule {
        folder: "backend/src/store/",
        except: &[],
        banned: &["crate::http", "crate::app"],
        why: "http → app → store, never back",
    },
    Rule { folder: "backend/src/http/", except: &[], banned: &["sqlx::"], why: "handlers call app, which calls store" },
    Rule {
        folder: "frontend/src/widget/",
        except: &[],
        banned: &["crate::page"],
        why: "page → widget → ui, never back",
    },
    Rule {
        folder: "frontend/src/ui/",
        except: &[],
        banned: &["crate::page", "crate::widget"],
        why: "page → widget → ui, never back",
    },
];

pub(super) fn check(sources: &[Source]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for source in sources.iter().filter(|source| source.extension() == "rs" && !source.is_test()) {
        for (line, text) in source.code_lines() {
            let code = text.split("//").next().unwrap_or_default();
            breaches.extend(against_rules(source, code).map(|why| breach(source, line, why)));
            breaches.extend(sideways(source, code).map(|why| breach(source, line, &why)));
        }
    }
    breaches
}

fn against_rules<'a>(source: &'a Source, code: &'a str) -> impl Iterator<Item = &'static str> + 'a {
    RULES
        .iter()
        .filter(|rule| source.path.starts_with(rule.folder))
        .filter(|rule| !rule.except.iter().any(|folder| source.path.starts_with(folder)))
        .filter(|rule| rule.banned.iter().any(|name| names(code, name)))
        .map(|rule| rule.why)
}

/// A page that imports another page.
fn sideways(source: &Source, code: &str) -> Option<String> {
    let own = source.path.strip_prefix("frontend/src/page/")?.split(['/', '.']).next()?;
    let (_, after) = code.split_once("crate::page::")?;
    let other: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!other.is_empty() && other != own && own != "mod")
        .then(|| format!("page {own} imports page {other}; shared parts belong into widget or ui"))
}

/// Whether `code` uses the path `name`, not merely a longer word that ends with it.
fn names(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + name.len()..].chars().next();
        let starts_a_word = before.is_none_or(|c| !c.is_alphanumeric() && c != '_');
        let ends_a_word = name.ends_with(':') || after.is_none_or(|c| !c.is_alphanumeric() && c != '_');
        starts_a_word && ends_a_word
    })
}

fn breach(source: &Source, line: usize, why: &str) -> Breach {
    Breach { path: source.path.clone(), line: Some(line), what: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::super::source::sample;
    use super::*;

    #[test]
    fn store_that_imports_app_is_named() {
        let breaches = check(&sample("backend/src/store/job.rs", "use crate::app::job;\n"));
        assert_eq!(breaches.len(), 1);
    }

    #[test]
    fn page_that_imports_another_page_is_named() {
        let text = "use crate::page::jobs::Row;\n";
        assert_eq!(check(&sample("frontend/src/page/tables/list.rs", text)).len(), 1);
        assert_eq!(check(&sample("frontend/src/page/jobs/list.rs", text)), []);
    }

    #[test]
    fn comments_and_longer_words_are_no_imports() {
        let text = "// axum::Router is elsewhere\nuse myaxum::Router;\n";
        assert_eq!(check(&sample("backend/src/app/job.rs", text)), []);
    }
}
