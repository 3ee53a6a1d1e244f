//! Text made to fit, and small word questions.

/// Cuts the middle, since ends tell things apart: `0198f3a2…0001`.
pub fn middle(text: &str, keep: usize) -> String {
    let count = text.chars().count();
    if count <= keep {
        return text.to_owned();
    }
    let tail = keep.saturating_sub(1) / 2;
    let head = keep.saturating_sub(1) - tail;
    let start: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(count - tail).collect();
    format!("{start}…{end}")
}

/// True when every word of the query occurs in the text, whatever the case.
pub fn matches(text: &str, query: &str) -> bool {
    let text = text.to_lowercase();
    query.to_lowercase().split_whitespace().all(|word| text.contains(word))
}

/// Two letters that stand for a person: `Lin Chen` → `LC`.
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| word.chars().next());
    let first = words.next();
    let last = words.next_back();
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

/// A short name for addresses from a name for people: `Ads & Search` → `ads-search`.
pub fn slug(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars().flat_map(char::to_lowercase) {
        if letter.is_ascii_alphanumeric() {
            out.push(letter);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out.trim_end_matches('-').to_owned()
}

/// A name for SQL from any text: `orders.v1-eu` → `orders_v1_eu`.
pub fn sql_name(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() || letter == '_' {
            out.push(letter.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
    }
    let out = out.trim_end_matches('_').to_owned();
    if out.starts_with(|first: char| first.is_ascii_digit()) { format!("t_{out}") } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_cut() {
        assert_eq!(middle("short", 10), "short");
        assert_eq!(middle("0123456789", 5), "01…89");
        assert_eq!(middle("äöüß东京", 4), "äö…京");
        assert_eq!(middle("abc", 0), "…");
    }

    #[test]
    fn all_words_have_to_occur() {
        assert!(matches("ods.Push_Receipt kafka", "push KAFKA"));
        assert!(!matches("ods.push_receipt", "push lake"));
        assert!(matches("anything", "  "));
    }

    #[test]
    fn names_are_abbreviated() {
        assert_eq!(initials("Lin Chen"), "LC");
        assert_eq!(initials("ada"), "A");
        assert_eq!(initials("Johann Sebastian Bach"), "JB");
        assert_eq!(initials(" "), "");
    }

    #[test]
    fn names_become_addresses_and_identifiers() {
        assert_eq!(slug("Ads & Search "), "ads-search");
        assert_eq!(sql_name("orders.v1-eu"), "orders_v1_eu");
        assert_eq!(sql_name("2026.clicks"), "t_2026_clicks");
        assert_eq!(sql_name("--"), "");
    }
}
