//! Whole lists, for those that are short by nature.

use millrace_wire::page::Page;
use serde::de::DeserializeOwned;

use super::path::with_query;
use super::{Failure, get};

const PAGE: &str = "500";
/// Beyond this a list is not whole: `total` says how many there are.
const MOST_PAGES: u32 = 4;

/// Follows the cursor to the end, or to the most a page can show.
pub async fn all<T: DeserializeOwned>(path: &str) -> Result<Page<T>, Failure> {
    let first = if path.contains('?') { format!("{path}&limit={PAGE}") } else { with_query(path, &[("limit", PAGE)]) };
    let mut whole: Page<T> = get(&first).await?;
    for _ in 1..MOST_PAGES {
        let Some(cursor) = whole.next.take() else { break };
        let more: Page<T> = get(&format!("{first}&cursor={}", crate::format::percent::encode(&cursor))).await?;
        whole.items.extend(more.items);
        whole.next = more.next;
    }
    Ok(whole)
}
