//! The tree of a query against one line.

use std::cell::OnceCell;
use std::ops::Range;

use super::{Node, NumberField, TextField, ValueField};
use crate::fingerprint::fingerprint;
use crate::line::Line;
use crate::token::{Word, folded, words};

/// A line with its words, which are cut once for all queries that are asked about it.
pub struct LineWords<'a> {
    line: &'a Line,
    message: OnceCell<Vec<Word>>,
    target: OnceCell<Vec<Word>>,
}

impl<'a> LineWords<'a> {
    pub fn of(line: &'a Line) -> LineWords<'a> {
        LineWords { line, message: OnceCell::new(), target: OnceCell::new() }
    }

    fn words(&self, field: TextField) -> &[Word] {
        match field {
            TextField::Message => self.message.get_or_init(|| words(&self.line.message)),
            TextField::Target => self.target.get_or_init(|| words(&self.line.target)),
        }
    }

    fn value(&self, field: ValueField) -> String {
        let line = self.line;
        match field {
            ValueField::Organisation => folded(&line.organisation),
            ValueField::Team => folded(&line.team),
            ValueField::Job => line.job.map(|job| job.to_string()).unwrap_or_default(),
            ValueField::JobName => folded(&line.job_name),
            ValueField::Run => folded(&line.stream.to_string()),
            ValueField::Worker => folded(&line.worker),
            ValueField::Operator => folded(&line.operator),
            ValueField::Source => line.source.as_str().to_owned(),
            ValueField::Version => folded(&line.version),
        }
    }
}

pub(super) fn matches(node: &Node, line: &LineWords<'_>) -> bool {
    match node {
        Node::All => true,
        Node::Text { field, words, open_end } => !found(line.words(*field), words, *open_end).is_empty(),
        // A text that is empty is not in the index at all.
        Node::Value { field, value, open_end: true } => {
            let found = line.value(*field);
            !found.is_empty() && found.starts_with(value)
        }
        Node::Value { field, value, open_end: false } => !value.is_empty() && line.value(*field) == *value,
        Node::Has(field) => !line.value(*field).is_empty(),
        Node::Levels(levels) => levels.contains(&line.line.level),
        Node::Number { field, from, to } => {
            let number = match field {
                NumberField::Attempt => u64::from(line.line.attempt),
                NumberField::Seq => line.line.seq,
            };
            (*from..=*to).contains(&number)
        }
        Node::Time(window) => window.contains(line.line.at),
        // The frames that follow are not known yet: a live tail knows groups of errors by their message alone.
        Node::Group(group) => fingerprint(&line.line.message, std::iter::empty()) == Some(*group),
        Node::And(parts) => parts.iter().all(|part| matches(part, line)),
        Node::Or(parts) => parts.iter().any(|part| matches(part, line)),
        Node::Not(inner) => !matches(inner, line),
    }
}

/// Spans in the message, in order, without overlaps.
pub(super) fn marks(node: &Node, line: &LineWords<'_>) -> Vec<Range<usize>> {
    let mut marks = Vec::new();
    collect(node, line, &mut marks);
    marks.sort_by_key(|span| (span.start, span.end));
    let mut apart: Vec<Range<usize>> = Vec::with_capacity(marks.len());
    for span in marks {
        match apart.last_mut() {
            Some(last) if span.start < last.end => last.end = last.end.max(span.end),
            _ => apart.push(span),
        }
    }
    apart
}

fn collect(node: &Node, line: &LineWords<'_>, marks: &mut Vec<Range<usize>>) {
    match node {
        Node::Text { field: TextField::Message, words, open_end } => {
            marks.extend(found(line.words(TextField::Message), words, *open_end).into_iter().flatten());
        }
        Node::And(parts) | Node::Or(parts) => parts.iter().for_each(|part| collect(part, line, marks)),
        // What must not be there is not marked.
        _ => {}
    }
}

/// Every place where the words stand in a row: the spans of each.
fn found(text: &[Word], asked: &[(usize, String)], open_end: bool) -> Vec<Vec<Range<usize>>> {
    let Some(((_, first), rest)) = asked.split_first() else { return Vec::new() };
    let fits = |word: &Word, asked: &str, is_last: bool| {
        if is_last && open_end { word.text.starts_with(asked) } else { word.text == asked }
    };
    let mut found = Vec::new();
    for (at, word) in text.iter().enumerate().filter(|(_, word)| fits(word, first, rest.is_empty())) {
        let mut spans = vec![word.span.clone()];
        let behind = text.get(at..).unwrap_or_default();
        for (number, (offset, asked)) in rest.iter().enumerate() {
            let is_last = number + 1 == rest.len();
            let wanted = word.position + offset;
            let near = behind.iter().take_while(|next| next.position <= wanted);
            let next = near.into_iter().find(|next| next.position == wanted && fits(next, asked, is_last));
            spans.extend(next.map(|next| next.span.clone()));
        }
        if spans.len() == asked.len() {
            found.push(spans);
        }
    }
    found
}
