//! Whose lines somebody may see. Every question takes one; text of a query cannot reach it.

use std::collections::{BTreeMap, BTreeSet};

use millrace_wire::ids::JobId;
use tantivy::DocId;
use tantivy::columnar::Column;
use tantivy::index::SegmentReader;

use crate::line::Line;
use crate::schema::column;

/// Built by the caller from rights.
#[derive(Clone, Debug, PartialEq)]
pub enum Allowed {
    /// Everything, also what belongs to no team, such as the server's own lines.
    All,
    /// Lines of these teams, by the name that lines carry. A line without a team is never among them.
    Teams(BTreeMap<String, Jobs>),
}

/// Which lines of a team.
#[derive(Clone, Debug, PartialEq)]
pub enum Jobs {
    /// All, also those that belong to no job.
    All,
    /// All but those of these jobs.
    Except(BTreeSet<JobId>),
    /// Those of these jobs only; a line that belongs to no job is not among them.
    Only(BTreeSet<JobId>),
}

impl Allowed {
    pub fn nothing() -> Allowed {
        Allowed::Teams(BTreeMap::new())
    }

    pub fn team(name: &str) -> Allowed {
        Allowed::Teams(BTreeMap::from([(name.to_owned(), Jobs::All)]))
    }

    pub fn sees(&self, line: &Line) -> bool {
        self.sees_parts(&line.team, line.job)
    }

    pub(crate) fn sees_parts(&self, team: &str, job: Option<JobId>) -> bool {
        match self {
            Allowed::All => true,
            Allowed::Teams(_) if team.is_empty() => false,
            Allowed::Teams(teams) => teams.get(team).is_some_and(|jobs| jobs.takes(job)),
        }
    }

    /// The same for the documents of one segment.
    pub(crate) fn in_segment(&self, segment: &SegmentReader) -> tantivy::Result<SegmentScope> {
        let Allowed::Teams(teams) = self else { return Ok(SegmentScope::All) };
        let columns = segment.fast_fields();
        let Some(team_column) = columns.str(column::TEAM)? else { return Ok(SegmentScope::Nothing) };
        let job_column = columns.str(column::JOB)?;
        let mut rules: Vec<Option<SegmentJobs>> = (0..team_column.num_terms()).map(|_| None).collect();
        for (name, jobs) in teams {
            let Some(ord) = team_column.dictionary().term_ord(name.as_bytes())? else { continue };
            let ords = |ids: &BTreeSet<JobId>| -> tantivy::Result<BTreeSet<u64>> {
                let Some(column) = &job_column else { return Ok(BTreeSet::new()) };
                let mut ords = BTreeSet::new();
                for id in ids {
                    ords.extend(column.dictionary().term_ord(id.to_string().as_bytes())?);
                }
                Ok(ords)
            };
            let rule = match jobs {
                Jobs::All => SegmentJobs::All,
                Jobs::Except(ids) => SegmentJobs::Except(ords(ids)?),
                Jobs::Only(ids) => SegmentJobs::Only(ords(ids)?),
            };
            if let Some(place) = usize::try_from(ord).ok().and_then(|ord| rules.get_mut(ord)) {
                *place = Some(rule);
            }
        }
        if rules.iter().all(Option::is_none) {
            return Ok(SegmentScope::Nothing);
        }
        let jobs = job_column.map(|column| column.ords().clone());
        Ok(SegmentScope::Teams(Box::new(SegmentTeams { teams: team_column.ords().clone(), jobs, rules })))
    }
}

impl Jobs {
    fn takes(&self, job: Option<JobId>) -> bool {
        match self {
            Jobs::All => true,
            Jobs::Except(ids) => job.is_none_or(|job| !ids.contains(&job)),
            Jobs::Only(ids) => job.is_some_and(|job| ids.contains(&job)),
        }
    }
}

pub(crate) enum SegmentScope {
    All,
    Nothing,
    Teams(Box<SegmentTeams>),
}

pub(crate) struct SegmentTeams {
    teams: Column<u64>,
    jobs: Option<Column<u64>>,
    /// By the number of a team in this segment.
    rules: Vec<Option<SegmentJobs>>,
}

enum SegmentJobs {
    All,
    Except(BTreeSet<u64>),
    Only(BTreeSet<u64>),
}

impl SegmentScope {
    pub(crate) fn takes(&self, document: DocId) -> bool {
        let (teams, jobs, rules) = match self {
            SegmentScope::All => return true,
            SegmentScope::Nothing => return false,
            SegmentScope::Teams(of) => (&of.teams, &of.jobs, &of.rules),
        };
        let team = teams.first(document).and_then(|ord| usize::try_from(ord).ok());
        let job = || jobs.as_ref().and_then(|jobs| jobs.first(document));
        match team.and_then(|team| rules.get(team)) {
            None | Some(None) => false,
            Some(Some(SegmentJobs::All)) => true,
            Some(Some(SegmentJobs::Except(ords))) => job().is_none_or(|job| !ords.contains(&job)),
            Some(Some(SegmentJobs::Only(ords))) => job().is_some_and(|job| ords.contains(&job)),
        }
    }

    pub(crate) const fn takes_all(&self) -> bool {
        matches!(self, SegmentScope::All)
    }
}
