//! Cursor paging. Lists that fit in memory are cut here; the cursor is the position, opaque to clients.

use millrace_wire::page::Page;
use serde::Deserialize;

use crate::error::{Error, Result};

const DEFAULT_LIMIT: usize = 100;
const LARGEST_LIMIT: usize = 1000;

/// `?cursor=&limit=&q=`
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ListQuery {
    pub cursor: Option<String>,
    pub limit: Option<usize>,
    /// Words that must occur, whatever their case.
    pub q: Option<String>,
}

impl ListQuery {
    /// Where it begins, and how many at most.
    pub fn part(&self) -> Result<(usize, usize)> {
        let start = match self.cursor.as_deref() {
            None | Some("") => 0,
            Some(cursor) => cursor.parse::<usize>().map_err(|_| Error::bad_request("The cursor is not valid."))?,
        };
        Ok((start, limit_of(self.limit)))
    }

    /// The part of `all` that was asked for. `text`: what `q` looks into.
    pub fn cut<T>(&self, all: Vec<T>, text: impl Fn(&T) -> String) -> Result<Page<T>> {
        let words: Vec<String> =
            self.q.as_deref().unwrap_or_default().split_whitespace().map(str::to_lowercase).collect();
        let matching: Vec<T> = all
            .into_iter()
            .filter(|item| {
                if words.is_empty() {
                    return true;
                }
                let text = text(item).to_lowercase();
                words.iter().all(|word| text.contains(word))
            })
            .collect();
        let total = matching.len();
        let (start, limit) = self.part()?;
        let items: Vec<T> = matching.into_iter().skip(start).take(limit).collect();
        let end = start.saturating_add(items.len());
        let next = (end < total).then(|| end.to_string());
        Ok(Page { items, next, total: total as u64 })
    }
}

/// How much is on a page, by what was asked for.
pub fn limit_of(asked: Option<usize>) -> usize {
    asked.unwrap_or(DEFAULT_LIMIT).clamp(1, LARGEST_LIMIT)
}

/// A part of a list that the store cut and counted.
pub fn cut_by_store<T>(items: Vec<T>, (start, _): (usize, usize), total: u64) -> Page<T> {
    let end = start.saturating_add(items.len());
    let next = (!items.is_empty() && (end as u64) < total).then(|| end.to_string());
    Page { items, next, total }
}

/// A list that is always whole.
pub fn whole<T>(items: Vec<T>) -> Page<T> {
    let total = items.len() as u64;
    Page { items, next: None, total }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn query(cursor: Option<&str>, limit: usize, q: &str) -> ListQuery {
        ListQuery { cursor: cursor.map(str::to_owned), limit: Some(limit), q: Some(q.to_owned()) }
    }

    #[test]
    fn pages_follow_each_other_without_gap() {
        let all: Vec<u32> = (0..5).collect();
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let page = query(cursor.as_deref(), 2, "").cut(all.clone(), u32::to_string).unwrap();
            assert_eq!(page.total, 5);
            seen.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn all_words_must_occur() {
        let all = vec!["Orders in EU".to_owned(), "orders".to_owned(), "eu".to_owned()];
        let page = query(None, 10, "eu ORDERS").cut(all, Clone::clone).unwrap();
        assert_eq!(page.items, ["Orders in EU"]);
    }

    #[test]
    fn a_foreign_cursor_is_refused() {
        assert!(query(Some("x"), 2, "").cut(vec![1], |_| String::new()).is_err());
        assert!(query(Some("18446744073709551615"), 2, "").cut(vec![1], |_| String::new()).unwrap().items.is_empty());
    }
}
