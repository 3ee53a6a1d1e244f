//! The last net: what a process says that was handed secrets.

use std::collections::BTreeMap;

use millrace_wire::sql::Diagnostic;

/// The text with the name in place of each secret that it holds.
pub fn masked(text: &str, secrets: &BTreeMap<String, String>) -> String {
    // The longest first: one secret may be a part of another.
    let mut by_length: Vec<_> = secrets.iter().filter(|(_, secret)| !secret.is_empty()).collect();
    by_length.sort_by_key(|(_, secret)| std::cmp::Reverse(secret.len()));
    by_length.into_iter().fold(text.to_owned(), |text, (name, secret)| text.replace(secret, &format!("${{{name}}}")))
}

pub fn masked_diagnostic(diagnostic: Diagnostic, secrets: &BTreeMap<String, String>) -> Diagnostic {
    if secrets.is_empty() {
        return diagnostic;
    }
    Diagnostic {
        message: masked(&diagnostic.message, secrets),
        hint: diagnostic.hint.map(|hint| masked(&hint, secrets)),
        replacement: diagnostic.replacement.map(|text| masked(&text, secrets)),
        ..diagnostic
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_where_secrets_stood() {
        let secrets = [("a", "hush"), ("b", "hush-hush"), ("c", "")];
        let secrets = secrets.map(|(name, secret)| (name.to_owned(), secret.to_owned())).into();
        assert_eq!(masked("'hush-hush' and hush", &secrets), "'${b}' and ${a}");
        assert_eq!(masked("nothing", &secrets), "nothing");
    }
}
