//! Arrays in PostgreSQL's text form: `{1,NULL,"a \"b\"",{2}}`.

use arrow::array::{Array as _, ArrayRef};

use super::super::database::{Plain, plain};
use crate::error::{EngineError, Result};

/// What stands in an array.
#[derive(Debug, PartialEq)]
pub(in crate::connector) enum Item {
    Null,
    Text(Vec<u8>),
    Array(Vec<Item>),
}

/// `None` when it is no array.
pub(in crate::connector) fn read_array(text: &[u8]) -> Option<Vec<Item>> {
    // Arrays that do not begin at 1 say so before: `[0:1]={…}`.
    let text = match text.first()? {
        b'[' => text.get(text.iter().position(|byte| *byte == b'=')? + 1..)?,
        _ => text,
    };
    let mut rest = text;
    let items = items(&mut rest, 0)?;
    rest.is_empty().then_some(items)
}

/// PostgreSQL itself has six dimensions at most.
const DEEPEST: usize = 6;

fn items(rest: &mut &[u8], depth: usize) -> Option<Vec<Item>> {
    let mut found = Vec::new();
    if depth >= DEEPEST || take(rest)? != b'{' {
        return None;
    }
    if rest.first() == Some(&b'}') {
        take(rest)?;
        return Some(found);
    }
    loop {
        found.push(match rest.first()? {
            b'{' => Item::Array(items(rest, depth + 1)?),
            b'"' => Item::Text(quoted(rest)?),
            _ => bare(rest)?,
        });
        match take(rest)? {
            b',' => {}
            b'}' => return Some(found),
            _ => return None,
        }
    }
}

fn quoted(rest: &mut &[u8]) -> Option<Vec<u8>> {
    take(rest)?;
    let mut text = Vec::new();
    loop {
        match take(rest)? {
            b'"' => return Some(text),
            b'\\' => text.push(take(rest)?),
            byte => text.push(byte),
        }
    }
}

fn bare(rest: &mut &[u8]) -> Option<Item> {
    let end = rest.iter().position(|byte| matches!(byte, b',' | b'}'))?;
    let (text, tail) = rest.split_at(end);
    *rest = tail;
    Some(if text.eq_ignore_ascii_case(b"NULL") { Item::Null } else { Item::Text(text.to_owned()) })
}

fn take(rest: &mut &[u8]) -> Option<u8> {
    let (byte, tail) = rest.split_first()?;
    *rest = tail;
    Some(*byte)
}

pub(super) fn write_array(items: &ArrayRef, out: &mut String) -> Result<()> {
    out.push('{');
    for row in 0..items.len() {
        if row > 0 {
            out.push(',');
        }
        if items.is_null(row) {
            out.push_str("NULL");
            continue;
        }
        match plain(items, row)? {
            Plain::List(inner) => write_array(&inner, out)?,
            value => {
                out.push('"');
                for letter in super::text(value)?.chars() {
                    if matches!(letter, '"' | '\\') {
                        out.push('\\');
                    }
                    out.push(letter);
                }
                out.push('"');
            }
        }
    }
    out.push('}');
    if out.len() > i32::MAX as usize {
        return Err(EngineError::user("bad_value", "An array is too large for the database."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Item {
        Item::Text(text.as_bytes().to_vec())
    }

    #[test]
    fn arrays_as_the_server_prints_them() {
        assert_eq!(read_array(b"{}"), Some(vec![]));
        assert_eq!(read_array(b"{1,NULL,3}"), Some(vec![text("1"), Item::Null, text("3")]));
        assert_eq!(read_array(br#"{"a,\"b\"","NULL",""}"#), Some(vec![text("a,\"b\""), text("NULL"), text("")]));
        assert_eq!(read_array(b"[0:1]={1,2}"), Some(vec![text("1"), text("2")]));
        assert_eq!(read_array(b"{{1},{2}}"), Some(vec![Item::Array(vec![text("1")]), Item::Array(vec![text("2")])]));
        for wrong in ["", "1", "{", "{1", "{1}x", "{\"", "{\"a\\", "{{{{{{{1}}}}}}}", "[0:1"] {
            assert_eq!(read_array(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
