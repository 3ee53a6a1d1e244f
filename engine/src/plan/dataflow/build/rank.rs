//! Operators that look at the order of rows: LIMIT, ORDER BY, Top-N, deduplication.

use millrace_wire::graph::ChangelogMode;

use super::Builder;
use crate::operator::NumberColumn;
use crate::plan::dataflow::{NodeKind, problem};
use crate::plan::logical::{RankSpec, Rel, SortKey};
use crate::sql::Problem;
use crate::types::{LogicalType, Schema};

impl Builder<'_> {
    pub(super) fn limit(
        &mut self,
        rel: &Rel,
        input: &Rel,
        sort: &[SortKey],
        offset: u64,
        fetch: Option<u64>,
    ) -> Result<usize, Problem> {
        let to = fetch.map_or(u64::MAX, |fetch| offset.saturating_add(fetch));
        let rank = RankSpec {
            partition: Vec::new(),
            sort: sort.to_vec(),
            from: offset.saturating_add(1),
            to,
            number: false,
            window: None,
        };
        let from = self.rel(input)?;
        comparable(&input.schema, sort.iter().map(|key| key.column), "LIMIT")?;
        Ok(self.general_rank(rel, from, &rank, NumberColumn::Absent, false))
    }

    pub(super) fn sort(&mut self, rel: &Rel, input: &Rel, sort: &[SortKey]) -> Result<usize, Problem> {
        if self.settings.batch {
            return self.limit(rel, input, sort, 0, None);
        }
        let from = self.rel(input)?;
        comparable(&input.schema, sort.iter().map(|key| key.column), "ORDER BY")?;
        if self.nodes[from].changelog != ChangelogMode::Append {
            return Err(problem("unsupported", "ORDER BY event time over rows that change is not supported."));
        }
        let time_column = sort.first().map_or(0, |key| key.column);
        let kind = NodeKind::TimeSort { sort: sort.to_vec(), time_column };
        Ok(self.keyed(rel, from, kind, &[], ChangelogMode::Append, format!("TimeSort {sort:?}")))
    }

    pub(super) fn rank(&mut self, rel: &Rel, input: &Rel, rank: &RankSpec) -> Result<usize, Problem> {
        let from = self.rel(input)?;
        let keys = rank.partition.iter().copied().chain(rank.sort.iter().map(|key| key.column));
        comparable(&input.schema, keys, "ROW_NUMBER")?;
        let number = if rank.number { NumberColumn::Given } else { NumberColumn::Unread };
        let append = self.nodes[from].changelog == ChangelogMode::Append;
        if self.settings.batch || !append {
            return Ok(self.general_rank(rel, from, rank, number, false));
        }
        // Deduplication: the first or last row by event time.
        let one = (rank.from, rank.to) == (1, 1);
        let by_time = match rank.sort.as_slice() {
            [key] if one && input.schema.event_time.contains(&key.column) => Some((key.column, key.ascending)),
            _ => None,
        };
        let latest_first = matches!(by_time, Some((_, false)));
        if let Some(window) = rank.window {
            // The end makes the window, and where others may end alike, the start is part of the key.
            let is_bound = |column: usize| column == window.end || (column == window.start && !window.session);
            let partition: Vec<usize> = rank.partition.iter().copied().filter(|column| !is_bound(*column)).collect();
            let text = format!("WindowRank {partition:?} {window:?} {}", rank_text(rank, number));
            let kind = NodeKind::WindowRank {
                partition: partition.clone(),
                window,
                sort: rank.sort.clone(),
                from: rank.from,
                to: rank.to,
                number,
                latest_first,
            };
            return Ok(self.keyed(rel, from, kind, &partition, ChangelogMode::Append, text));
        }
        if let Some((time_column, true)) = by_time {
            let text = format!("FirstRow {:?} {time_column} {number:?}", rank.partition);
            let (keys, ttl) = (rank.partition.clone(), self.settings.state_ttl);
            let kind = NodeKind::FirstRow { keys, time_column, number, ttl };
            return Ok(self.keyed(rel, from, kind, &rank.partition, ChangelogMode::Append, text));
        }
        Ok(self.general_rank(rel, from, rank, number, latest_first))
    }

    fn general_rank(
        &mut self,
        rel: &Rel,
        from: usize,
        rank: &RankSpec,
        number: NumberColumn,
        latest_first: bool,
    ) -> usize {
        let append = self.nodes[from].changelog == ChangelogMode::Append;
        let by_place = number == NumberColumn::Given || rank.from > 1 || (rank.to == 1 && append);
        let at_end = self.settings.batch;
        let text = format!("Rank {:?} {latest_first} {}", rank.partition, rank_text(rank, number));
        let kind = NodeKind::Rank {
            partition: rank.partition.clone(),
            sort: rank.sort.clone(),
            from: rank.from,
            to: rank.to,
            number,
            latest_first,
            by_place,
            ttl: self.settings.state_ttl,
            at_end,
        };
        let changelog = if at_end { ChangelogMode::Append } else { ChangelogMode::Retract };
        self.keyed(rel, from, kind, &rank.partition, changelog, text)
    }
}

fn rank_text(rank: &RankSpec, number: NumberColumn) -> String {
    format!("{:?} {}..={} {number:?}", rank.sort, rank.from, rank.to)
}

/// Keys are compared as bytes; maps have no such form.
pub(super) fn comparable(schema: &Schema, mut keys: impl Iterator<Item = usize>, what: &str) -> Result<(), Problem> {
    let wrong = keys.find_map(|key| schema.fields.get(key).filter(|field| !has_bytes(&field.ty.logical)));
    match wrong {
        Some(field) => Err(problem(
            "unsupported",
            format!("{what} by the column '{}' of type {} is not supported.", field.name, field.ty.logical),
        )),
        None => Ok(()),
    }
}

fn has_bytes(ty: &LogicalType) -> bool {
    match ty {
        LogicalType::Map(..) | LogicalType::Multiset(_) => false,
        LogicalType::Array(element) => has_bytes(&element.logical),
        LogicalType::Row(fields) => fields.iter().all(|field| has_bytes(&field.ty.logical)),
        _ => true,
    }
}
