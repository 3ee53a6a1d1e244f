//! Folders of jobs: paths such as `billing/daily`, the empty text for the root.

const MOST_LEVELS: usize = 5;
const LONGEST_PART: usize = 60;

/// The path without blanks around its parts, or what is wrong with it.
pub(super) fn clean(path: &str) -> Result<String, String> {
    if path.trim().is_empty() {
        return Ok(String::new());
    }
    let parts: Vec<&str> = path.split('/').map(str::trim).collect();
    let is_bad =
        |part: &&str| part.is_empty() || part.chars().count() > LONGEST_PART || part.chars().any(char::is_control);
    if parts.len() > MOST_LEVELS || parts.iter().any(is_bad) {
        return Err(format!(
            "A folder has at most {MOST_LEVELS} levels with / between, each of 1 to {LONGEST_PART} characters."
        ));
    }
    Ok(parts.join("/"))
}

/// Where a job of this folder lies when `from` is put in the place `to`; nothing when it does not lie in `from`.
pub(super) fn moved(folder: &str, from: &str, to: &str) -> Option<String> {
    let below = match from {
        "" => folder,
        _ => folder.strip_prefix(from).filter(|rest| rest.is_empty() || rest.starts_with('/'))?,
    };
    let below = below.trim_start_matches('/');
    Some(match (to, below) {
        ("", below) => below.to_owned(),
        (to, "") => to.to_owned(),
        (to, below) => format!("{to}/{below}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_trimmed_and_bounded() {
        assert_eq!(clean(" billing / daily "), Ok("billing/daily".to_owned()));
        assert_eq!(clean("  "), Ok(String::new()));
        assert_eq!(clean("a/b/c/d/e"), Ok("a/b/c/d/e".to_owned()));
        let long = "漢".repeat(60);
        assert_eq!(clean(&long), Ok(long.clone()));
        for bad in ["a/b/c/d/e/f", "a//b", "/a", "a/", "a/\u{7}", &format!("{long}x")] {
            assert!(clean(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_lies_below_moves_along() {
        assert_eq!(moved("billing", "billing", "invoices").as_deref(), Some("invoices"));
        assert_eq!(moved("billing/daily/eu", "billing", "a/b").as_deref(), Some("a/b/daily/eu"));
        assert_eq!(moved("billing/daily", "billing", "").as_deref(), Some("daily"));
        assert_eq!(moved("billing", "billing", "").as_deref(), Some(""));
        assert_eq!(moved("billings", "billing", "x"), None);
        assert_eq!(moved("", "billing", "x"), None);
        assert_eq!(moved("a", "", "x").as_deref(), Some("x/a"));
    }
}
