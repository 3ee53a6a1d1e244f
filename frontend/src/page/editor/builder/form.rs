//! What the steps share: the query, and what is missing in it.

use leptos::prelude::*;

use super::check::Gap;
use super::model::{Column, Condition, Conditions, Query};
use super::output::outputs;
use super::sql::aggregate;
use super::value::Kind;
use crate::i18n::builder as text;

#[derive(Clone, Copy)]
pub(super) struct Form {
    pub(super) team: StoredValue<String>,
    pub(super) query: RwSignal<Query>,
    pub(super) gaps: Memo<Vec<Gap>>,
}

impl Form {
    pub(super) fn lacks(&self, gap: &Gap) -> bool {
        self.gaps.with(|gaps| gaps.contains(gap))
    }

    pub(super) fn columns(&self) -> Memo<Vec<Column>> {
        let query = self.query;
        Memo::new(move |_| {
            query.with(|query| query.source.as_ref().map(|source| source.columns.clone()).unwrap_or_default())
        })
    }
}

/// Of which rows the conditions speak.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Part {
    Where,
    Having,
}

impl Part {
    pub(super) fn of(self, query: &Query) -> &Conditions {
        match self {
            Part::Where => &query.filters,
            Part::Having => &query.having,
        }
    }

    pub(super) fn of_mut(self, query: &mut Query) -> &mut Conditions {
        match self {
            Part::Where => &mut query.filters,
            Part::Having => &mut query.having,
        }
    }

    pub(super) fn find(self, query: &Query, id: u32) -> Option<&Condition> {
        self.of(query).list.iter().find(|one| one.id == id)
    }

    pub(super) fn find_mut(self, query: &mut Query, id: u32) -> Option<&mut Condition> {
        self.of_mut(query).list.iter_mut().find(|one| one.id == id)
    }

    /// What a condition can speak of: value and words.
    pub(super) fn subjects(self, query: &Query) -> Vec<(String, String)> {
        match self {
            Part::Where => {
                let columns = query.source.iter().flat_map(|source| &source.columns);
                columns.map(|column| (column.name.clone(), column.name.clone())).collect()
            }
            Part::Having => {
                let outputs = outputs(query);
                let name = |id: u32| {
                    let key = format!("aggregate {id}");
                    outputs.iter().find(|output| output.key == key).map(|output| output.name.clone())
                };
                let aggregates = query.aggregates.iter();
                aggregates.filter_map(|one| Some((one.id.to_string(), name(one.id)?))).collect()
            }
        }
    }

    pub(super) fn kind(self, query: &Query, subject: &str) -> Kind {
        match self {
            Part::Where => {
                let column = query.source.as_ref().and_then(|source| source.column(subject));
                column.map_or(Kind::Other, Column::kind)
            }
            Part::Having => aggregate(query, subject).map_or(Kind::Other, |(_, kind)| kind),
        }
    }

    pub(super) fn line(self, number: usize) -> String {
        match self {
            Part::Where => text::filter_number(number),
            Part::Having => text::having_number(number),
        }
    }
}

/// A gap in words, for who is at the foot of the form.
pub(super) fn words(gap: &Gap, query: &Query) -> String {
    let place = |part: Part, id: u32| part.of(query).list.iter().position(|one| one.id == id);
    match gap {
        Gap::Table => text::choose_table().to_owned(),
        Gap::Fields if query.shape == super::model::Shape::Plain => text::gap_fields().to_owned(),
        Gap::Fields => text::gap_fields_grouped().to_owned(),
        Gap::Value(id) => match (place(Part::Where, *id), place(Part::Having, *id)) {
            (Some(at), _) => text::gap_value_at(Part::Where.line(at + 1)),
            (None, Some(at)) => text::gap_value_at(Part::Having.line(at + 1)),
            (None, None) => text::gap_value().to_owned(),
        },
        Gap::Of(id) => {
            let at = query.aggregates.iter().position(|one| one.id == *id).unwrap_or_default();
            text::gap_of_at(text::aggregate_number(at + 1))
        }
        Gap::Size => text::gap_size_at().to_owned(),
        Gap::Step => text::gap_step_at().to_owned(),
        Gap::Multiple => text::gap_multiple().to_owned(),
        Gap::EventTime => text::no_event_time(query.source.as_ref().map(|source| source.full()).unwrap_or_default()),
        Gap::Target => text::gap_target().to_owned(),
        Gap::Column(name, _) => text::gap_column_at(name),
    }
}
