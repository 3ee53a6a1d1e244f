//! What is still missing in the form, each with its place.

use super::assign::{Fit, assigned};
use super::model::{Condition, Length, Query, Shape, Unit, WindowKind};
use super::output::outputs;
use super::sql::{aggregate, condition};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    Table,
    Fields,
    /// The condition with this number.
    Value(u32),
    /// The aggregate with this number has no column that fits.
    Of(u32),
    Size,
    Step,
    /// The size is no multiple of the step.
    Multiple,
    EventTime,
    Target,
    /// A column of the target.
    Column(String, Fit),
}

/// In the order of the form; nothing when the SQL is whole.
pub(super) fn gaps(query: &Query) -> Vec<Gap> {
    let Some(source) = &query.source else { return vec![Gap::Table] };
    let mut gaps = Vec::new();
    if outputs(query).is_empty() {
        gaps.push(Gap::Fields);
    }
    let incomplete = |one: &&Condition| {
        let column = source.column(&one.subject);
        column.and_then(|column| condition(&one.subject, column.kind(), one)).is_none()
    };
    gaps.extend(query.filters.list.iter().filter(incomplete).map(|one| Gap::Value(one.id)));
    if query.shape != Shape::Plain {
        let fits = |one: &super::model::Aggregate| {
            let column = source.column(&one.column);
            one.function == super::model::Function::CountAll
                || column.is_some_and(|column| one.function.fits(column.kind()))
        };
        gaps.extend(query.aggregates.iter().filter(|one| !fits(one)).map(|one| Gap::Of(one.id)));
        let incomplete = |one: &&Condition| {
            let found = aggregate(query, &one.subject);
            found.and_then(|(subject, kind)| condition(&subject, kind, one)).is_none()
        };
        gaps.extend(query.having.list.iter().filter(incomplete).map(|one| Gap::Value(one.id)));
    }
    if query.shape == Shape::Windowed {
        gaps.extend(window_gaps(query));
    }
    if query.inserts {
        if query.target.table.is_none() {
            gaps.push(Gap::Target);
        }
        let open = assigned(query).into_iter().filter(|one| !one.is_settled());
        gaps.extend(open.map(|one| Gap::Column(one.column.name, one.fit)));
    }
    gaps
}

fn window_gaps(query: &Query) -> Vec<Gap> {
    let window = &query.window;
    let mut gaps = Vec::new();
    if query.source.as_ref().is_some_and(|source| source.event_time().is_none()) {
        gaps.push(Gap::EventTime);
    }
    let (size, step) = (seconds(&window.size), seconds(&window.step));
    if size.is_none() {
        gaps.push(Gap::Size);
    }
    match (window.kind, size, step) {
        (WindowKind::Hop | WindowKind::Cumulate, _, None) => gaps.push(Gap::Step),
        (WindowKind::Hop | WindowKind::Cumulate, Some(size), Some(step)) if size % step != 0 => {
            gaps.push(Gap::Multiple);
        }
        _ => {}
    }
    gaps
}

/// A whole number above zero, of at most six digits.
fn seconds(length: &Length) -> Option<u64> {
    let text = length.count.trim();
    let is_plain = text.len() <= 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    let count: u64 = text.parse().ok().filter(|count| is_plain && *count > 0)?;
    let unit = match length.unit {
        Unit::Second => 1,
        Unit::Minute => 60,
        Unit::Hour => 3_600,
        Unit::Day => 86_400,
    };
    Some(count * unit)
}
