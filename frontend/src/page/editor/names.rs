//! Names as they are written in SQL.

/// Words that Flink reserves and that people do use as names of columns.
const RESERVED: [&str; 36] = [
    "all",
    "and",
    "as",
    "by",
    "case",
    "count",
    "cross",
    "current",
    "date",
    "day",
    "default",
    "end",
    "from",
    "group",
    "hour",
    "in",
    "interval",
    "join",
    "key",
    "language",
    "limit",
    "method",
    "minute",
    "month",
    "on",
    "or",
    "order",
    "row",
    "rows",
    "second",
    "select",
    "table",
    "time",
    "timestamp",
    "user",
    "value",
];

/// Quoted only where it has to be.
pub(super) fn identifier(name: &str) -> String {
    let starts_well = name.chars().next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    let plain = starts_well && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    let reserved = RESERVED.contains(&name.to_ascii_lowercase().as_str());
    if plain && !reserved { name.to_owned() } else { format!("`{}`", name.replace('`', "``")) }
}

pub(super) fn table(database: &str, name: &str) -> String {
    format!("{}.{}", identifier(database), identifier(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_odd_names_are_quoted() {
        assert_eq!(identifier("user_id"), "user_id");
        assert_eq!(identifier("order"), "`order`");
        assert_eq!(identifier("Timestamp"), "`Timestamp`");
        assert_eq!(identifier("1st"), "`1st`");
        assert_eq!(identifier("a-b`c"), "`a-b``c`");
        assert_eq!(identifier(""), "``");
        assert_eq!(table("dw", "clicks 5m"), "dw.`clicks 5m`");
    }
}
