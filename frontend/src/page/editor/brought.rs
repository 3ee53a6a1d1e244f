//! SQL that an address brings along, as the link "Query" of a table does.

/// The text with the statement in it, and where the caret goes: before its semicolon, so that one can go on writing and
/// preview it at once. What stood there stays; a statement that is there already is not added again.
pub(super) fn with_statement(text: &str, sql: &str) -> (String, u32) {
    let sql = sql.trim();
    let (text, at) = match text.find(sql) {
        Some(at) => (text.to_owned(), at),
        None if text.trim().is_empty() => (sql.to_owned(), 0),
        None => {
            let before = ended(text.trim_end());
            (format!("{before}\n\n{sql}"), before.len() + 2)
        }
    };
    let length = sql.strip_suffix(';').unwrap_or(sql).len();
    (text, u32::try_from(at + length).unwrap_or(u32::MAX))
}

/// A statement without its semicolon would run into the next one. After a comment it would be part of the comment.
fn ended(text: &str) -> String {
    let last_line = text.lines().next_back().unwrap_or_default();
    match (text.ends_with(';'), last_line.contains("--")) {
        (true, _) => text.to_owned(),
        (false, false) => format!("{text};"),
        (false, true) => format!("{text}\n;"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: &str = "SELECT * FROM `main`.`bids`;";

    fn brought(text: &str) -> (String, String) {
        let (text, caret) = with_statement(text, QUERY);
        let rest = text.get(caret as usize..).unwrap_or_default().to_owned();
        (text, rest)
    }

    #[test]
    fn an_empty_scratch_becomes_the_statement() {
        assert_eq!(brought(" \n"), (QUERY.to_owned(), ";".to_owned()));
    }

    #[test]
    fn what_stood_there_stays_and_is_ended() {
        assert_eq!(brought("SELECT 1;\n").0, format!("SELECT 1;\n\n{QUERY}"));
        assert_eq!(brought("SELECT '漢'"), (format!("SELECT '漢';\n\n{QUERY}"), ";".to_owned()));
        assert_eq!(brought("SELECT 1 -- one").0, format!("SELECT 1 -- one\n;\n\n{QUERY}"));
    }

    #[test]
    fn the_same_statement_is_not_added_twice() {
        let text = format!("SELECT 1;\n\n{QUERY}\n\nSELECT 2;");
        assert_eq!(brought(&text), (text.clone(), ";\n\nSELECT 2;".to_owned()));
    }
}
