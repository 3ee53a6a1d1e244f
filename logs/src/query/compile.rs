//! The tree of a query → a query of the index.

use std::ops::Bound;

use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, EmptyQuery, ExistsQuery, Occur, PhrasePrefixQuery, PhraseQuery, Query, RangeQuery,
    RegexQuery, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};

use super::{Node, NumberField, TextField, ValueField};
use crate::codec::level_number;
use crate::schema::{column, fields};

/// Words that the open end of a phrase is tried with.
const MOST_ENDINGS: u32 = 4096;

pub(super) fn compile(node: &Node) -> Box<dyn Query> {
    match node {
        Node::All => Box::new(AllQuery),
        Node::Text { field, words, open_end } => text(text_field(*field), words, *open_end),
        Node::Value { field, value, open_end: false } => term(Term::from_field_text(value_field(*field), value)),
        Node::Value { field, value, open_end: true } => {
            let pattern = format!("{}.*", escaped(value));
            match RegexQuery::from_pattern(&pattern, value_field(*field)) {
                Ok(query) => Box::new(query),
                // A value longer than the pattern takes is no beginning of anything that is stored.
                Err(_) => Box::new(EmptyQuery),
            }
        }
        Node::Has(field) => Box::new(ExistsQuery::new(value_column(*field).to_owned(), false)),
        Node::Levels(levels) => {
            let each = levels.iter().map(|level| Term::from_field_u64(fields().level, u64::from(level_number(*level))));
            Box::new(BooleanQuery::union(each.map(term).collect()))
        }
        Node::Number { from, to, .. } if from > to => Box::new(EmptyQuery),
        Node::Number { field, from, to } => {
            let field = number_field(*field);
            let bound = |number| Bound::Included(Term::from_field_u64(field, number));
            Box::new(RangeQuery::new(bound(*from), bound(*to)))
        }
        Node::Time(window) if window.from >= window.to => Box::new(EmptyQuery),
        Node::Time(window) => {
            let bound = |at| Term::from_field_i64(fields().time, at);
            Box::new(RangeQuery::new(Bound::Included(bound(window.from)), Bound::Excluded(bound(window.to))))
        }
        Node::Group(group) => term(Term::from_field_u64(fields().fingerprint, *group)),
        Node::And(parts) => all_of(parts),
        Node::Or(parts) => Box::new(BooleanQuery::union(parts.iter().map(compile).collect())),
        Node::Not(inner) => all_of(std::slice::from_ref(&Node::Not(inner.clone()))),
    }
}

fn all_of(parts: &[Node]) -> Box<dyn Query> {
    let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
    for part in parts {
        clauses.push(match part {
            Node::Not(inner) => (Occur::MustNot, compile(inner)),
            part => (Occur::Must, compile(part)),
        });
    }
    // What only says what it is not begins with everything.
    if clauses.iter().all(|(occur, _)| *occur == Occur::MustNot) {
        clauses.push((Occur::Must, Box::new(AllQuery)));
    }
    Box::new(BooleanQuery::new(clauses))
}

fn text(field: Field, words: &[(usize, String)], open_end: bool) -> Box<dyn Query> {
    let terms: Vec<(usize, Term)> =
        words.iter().map(|(position, word)| (*position, Term::from_field_text(field, word))).collect();
    match (words, open_end) {
        ([], _) => Box::new(EmptyQuery),
        ([(_, word)], true) => beginning(field, word),
        ([(_, word)], false) => term(Term::from_field_text(field, word)),
        (_, true) => {
            let mut query = PhrasePrefixQuery::new_with_offset(terms);
            query.set_max_expansions(MOST_ENDINGS);
            Box::new(query)
        }
        (_, false) => Box::new(PhraseQuery::new_with_offset(terms)),
    }
}

/// All words from this one to before the next that does not begin with it.
fn beginning(field: Field, word: &str) -> Box<dyn Query> {
    let lower = Bound::Included(Term::from_field_text(field, word));
    let next = word.char_indices().rev().find_map(|(at, last)| {
        let after = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32)?;
        Some(format!("{}{after}", word.get(..at)?))
    });
    let upper = next.map_or(Bound::Unbounded, |next| Bound::Excluded(Term::from_field_text(field, &next)));
    Box::new(RangeQuery::new(lower, upper))
}

fn term(term: Term) -> Box<dyn Query> {
    Box::new(TermQuery::new(term, IndexRecordOption::Basic))
}

fn escaped(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len() + 8);
    for letter in value.chars() {
        if letter.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

fn text_field(field: TextField) -> Field {
    match field {
        TextField::Message => fields().message,
        TextField::Target => fields().target,
    }
}

fn number_field(field: NumberField) -> Field {
    match field {
        NumberField::Attempt => fields().attempt,
        NumberField::Seq => fields().seq,
    }
}

fn value_field(field: ValueField) -> Field {
    let fields = fields();
    match field {
        ValueField::Organisation => fields.organisation,
        ValueField::Team => fields.team,
        ValueField::Job => fields.job,
        ValueField::JobName => fields.job_name,
        ValueField::Run => fields.stream,
        ValueField::Worker => fields.worker,
        ValueField::Operator => fields.operator,
        ValueField::Source => fields.source,
        ValueField::Version => fields.version,
    }
}

fn value_column(field: ValueField) -> &'static str {
    match field {
        ValueField::Organisation => "organisation",
        ValueField::Team => column::TEAM,
        ValueField::Job => column::JOB,
        ValueField::JobName => column::JOB_NAME,
        ValueField::Run => column::STREAM,
        ValueField::Worker => column::WORKER,
        ValueField::Operator => column::OPERATOR,
        ValueField::Source => column::SOURCE,
        ValueField::Version => column::VERSION,
    }
}
