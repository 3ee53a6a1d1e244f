//! Checks of names and addresses that several resources share.

use crate::error::{Error, Result};

/// A team's short name in URLs.
pub fn slug(field: &str, slug: &str) -> Result<()> {
    let shape = slug.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && slug.starts_with(|c: char| c.is_ascii_lowercase())
        && !slug.ends_with('-');
    if shape && (2..=40).contains(&slug.len()) {
        return Ok(());
    }
    Err(Error::field(field, "Use 2 to 40 lower-case letters, digits and dashes, starting with a letter."))
}

/// A name that SQL can use without quotes: databases and tables.
pub fn sql_name(field: &str, name: &str) -> Result<()> {
    let shape = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if shape && name.len() <= 80 {
        return Ok(());
    }
    Err(Error::field(field, "Use letters, digits and underscores, starting with a letter, at most 80."))
}

/// A name for people: not blank, of one line.
pub fn display_name(field: &str, name: &str) -> Result<()> {
    if name.trim().is_empty() {
        return Err(Error::field(field, "Enter a name."));
    }
    if name.chars().count() > 120 || name.chars().any(char::is_control) {
        return Err(Error::field(field, "Use at most 120 characters on one line."));
    }
    Ok(())
}

pub fn description(field: &str, text: &str) -> Result<()> {
    if text.chars().count() > 2000 {
        return Err(Error::field(field, "Use at most 2000 characters."));
    }
    Ok(())
}

/// Words for people; may be empty.
pub fn one_line(field: &str, text: &str) -> Result<()> {
    if text.chars().count() > 120 || text.chars().any(char::is_control) {
        return Err(Error::field(field, "Use at most 120 characters on one line."));
    }
    Ok(())
}

pub fn tags(field: &str, tags: &[String]) -> Result<()> {
    const MOST: usize = 20;
    let bad = |tag: &String| tag.is_empty() || tag.chars().count() > 40 || tag.chars().any(char::is_control);
    if tags.len() > MOST || tags.iter().any(bad) {
        return Err(Error::field(field, format!("Use at most {MOST} tags of 1 to 40 characters.")));
    }
    Ok(())
}

pub fn email(field: &str, email: &str) -> Result<()> {
    let parts = email.split_once('@');
    let plausible = parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    if plausible && email.len() <= 254 && !email.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Ok(());
    }
    Err(Error::field(field, "Enter an e-mail address."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs() {
        for good in ["demo", "a1", "data-platform"] {
            assert!(slug("slug", good).is_ok(), "{good}");
        }
        for bad in ["", "a", "Demo", "1a", "a-", "a_b", "ä1", &"a".repeat(41)] {
            assert!(slug("slug", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sql_names() {
        assert!(sql_name("name", "_orders2").is_ok());
        for bad in ["", "2x", "a b", "a;drop", "a.b", "a`b"] {
            assert!(sql_name("name", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn emails() {
        assert!(email("email", "anna@example.org").is_ok());
        for bad in ["", "anna", "@example.org", "anna@", "a b@c", "a@b\r\nBcc: x@y", "a@b@c"] {
            assert!(email("email", bad).is_err(), "{bad}");
        }
    }
}
