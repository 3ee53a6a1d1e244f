//! Facets as clauses of the query: `level:error`, `job_name:("orders per minute" OR clicks)`. What a person wrote
//! otherwise stays as it is.

/// The values that the query's own clauses of this field name.
pub(super) fn values(query: &str, field: &str) -> Vec<String> {
    tokens(query).into_iter().filter_map(|token| read(token, field)).flatten().collect()
}

/// The query with the value taken in, or out where it was in.
pub(super) fn toggled(query: &str, field: &str, value: &str) -> String {
    let mut chosen = values(query, field);
    match chosen.iter().position(|known| known == value) {
        Some(at) => drop(chosen.remove(at)),
        None => chosen.push(value.to_owned()),
    }
    let rest = tokens(query).into_iter().filter(|token| read(token, field).is_none()).map(str::to_owned);
    rest.chain(written(field, &chosen)).collect::<Vec<_>>().join(" ")
}

fn written(field: &str, chosen: &[String]) -> Option<String> {
    let words: Vec<String> = chosen.iter().map(|value| quoted(value)).collect();
    match words.as_slice() {
        [] => None,
        [one] => Some(format!("{field}:{one}")),
        several => Some(format!("{field}:({})", several.join(" OR "))),
    }
}

fn quoted(value: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || letter == '_';
    if !value.is_empty() && value.chars().all(is_plain) && !matches!(value, "AND" | "OR" | "NOT" | "TO") {
        return value.to_owned();
    }
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The values of a clause that this page could have written; of any other, nothing.
fn read(token: &str, field: &str) -> Option<Vec<String>> {
    let rest = token.strip_prefix(field)?.strip_prefix(':')?;
    match rest.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        None => Some(vec![unquoted(rest)?]),
        Some(inner) => {
            let words = tokens(inner);
            let is_or = |(index, word): (usize, &&str)| (index % 2 == 1) == (*word == "OR");
            let whole = words.len() % 2 == 1 && words.iter().enumerate().all(is_or);
            if !whole {
                return None;
            }
            words.iter().step_by(2).map(|word| unquoted(word)).collect()
        }
    }
}

fn unquoted(word: &str) -> Option<String> {
    let Some(inner) = word.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')) else {
        let is_plain = !word.is_empty() && word.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
        return is_plain.then(|| word.to_owned());
    };
    let mut value = String::new();
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => value.push(letters.next()?),
            '"' => return None,
            other => value.push(other),
        }
    }
    Some(value)
}

/// Parts between blanks, those within quotes and brackets left whole.
fn tokens(query: &str) -> Vec<&str> {
    let (mut depth, mut in_quotes, mut escaped, mut start) = (0_usize, false, false, None);
    let mut found = Vec::new();
    for (at, letter) in query.char_indices() {
        let ends = letter.is_whitespace() && depth == 0 && !in_quotes;
        if ends {
            found.extend(start.take().and_then(|from: usize| query.get(from..at)));
            continue;
        }
        start.get_or_insert(at);
        if escaped {
            escaped = false;
            continue;
        }
        match letter {
            '\\' => escaped = true,
            '"' => in_quotes = !in_quotes,
            '(' if !in_quotes => depth += 1,
            ')' if !in_quotes => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    found.extend(start.and_then(|from| query.get(from..)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_and_go() {
        let one = toggled("broker away", "level", "error");
        assert_eq!(one, "broker away level:error");
        let two = toggled(&one, "level", "warn");
        assert_eq!(two, "broker away level:(error OR warn)");
        assert_eq!(values(&two, "level"), ["error", "warn"]);
        let back = toggled(&toggled(&two, "level", "error"), "level", "warn");
        assert_eq!(back, "broker away");
    }

    #[test]
    fn names_with_blanks_and_quotes_are_quoted() {
        let query = toggled("", "job_name", "orders per \"minute\" \\");
        assert_eq!(query, r#"job_name:"orders per \"minute\" \\""#);
        assert_eq!(values(&query, "job_name"), ["orders per \"minute\" \\"]);
        assert_eq!(toggled(&query, "job_name", "orders per \"minute\" \\"), "");
        assert_eq!(toggled("", "worker", "host-a"), "worker:\"host-a\"");
        assert_eq!(toggled("", "job_name", "OR"), "job_name:\"OR\"");
    }

    #[test]
    fn what_somebody_wrote_stays() {
        for query in ["level:>=warn", "level:(error AND x)", "level:(error", "(level:error OR x)", "\"level:error\""] {
            assert_eq!(values(query, "level"), Vec::<String>::new(), "{query}");
            assert!(toggled(query, "level", "info").starts_with(query), "{query}");
        }
        assert_eq!(toggled("a  \"b  c\" -(d e)", "level", "info"), "a \"b  c\" -(d e) level:info");
        assert_eq!(values("mylevel:error", "level"), Vec::<String>::new());
    }
}
