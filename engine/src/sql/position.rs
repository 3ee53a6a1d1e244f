//! Byte offsets → lines and columns, both counted from 1.

use millrace_wire::sql::Span as WireSpan;

use super::Span;

pub struct LineIndex<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> LineIndex<'a> {
    pub fn new(text: &'a str) -> Self {
        let after_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        LineIndex { text, starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    /// Line and column of a byte offset; columns count characters.
    pub fn line_column(&self, offset: usize) -> (u32, u32) {
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let mut end = offset.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let column = self.text.get(start..end).map_or(0, |before| before.chars().count()) + 1;
        (narrow(line), narrow(column))
    }

    /// With the end at the last character itself.
    pub fn wire(&self, span: Span) -> WireSpan {
        let (line, column) = self.line_column(span.start);
        let last = self
            .text
            .get(..span.end.min(self.text.len()))
            .and_then(|text| text.char_indices().next_back())
            .map_or(0, |(at, _)| at);
        let (end_line, end_column) = self.line_column(last.max(span.start));
        WireSpan { start: narrow(span.start), end: narrow(span.end), line, column, end_line, end_column }
    }
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
