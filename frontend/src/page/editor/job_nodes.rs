//! Jobs in their folders as the rows of a tree: folders first, each by name.

use std::collections::{BTreeMap, BTreeSet};

use millrace_wire::ids::JobId;
use millrace_wire::job::JobSummary;

/// What is known of a job here.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed {
    pub(super) id: JobId,
    pub(super) name: String,
    pub(super) folder: String,
}

impl Placed {
    pub(super) fn of(job: JobSummary) -> Placed {
        Placed { id: job.id, name: job.name, folder: job.folder }
    }
}

/// One row, as it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// A folder's path with a mark behind it, or a job's number: no two rows share it.
    pub(super) key: String,
    pub(super) level: usize,
    pub(super) name: String,
    pub(super) what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    Folder { path: String, open: bool, jobs: usize },
    Job(Placed),
}

#[derive(Default)]
struct Folder<'a> {
    folders: BTreeMap<(String, &'a str), Folder<'a>>,
    jobs: Vec<&'a Placed>,
}

impl<'a> Folder<'a> {
    fn below(&mut self, path: &'a str) -> &mut Folder<'a> {
        let parts = path.split('/').filter(|part| !part.is_empty());
        parts.fold(self, |folder, part| folder.folders.entry((part.to_lowercase(), part)).or_default())
    }

    fn count(&self) -> usize {
        self.jobs.len() + self.folders.values().map(Folder::count).sum::<usize>()
    }
}

/// What is seen when these folders are open.
pub(super) fn nodes(jobs: &[Placed], opened: &BTreeSet<String>) -> Vec<Node> {
    let mut root = Folder::default();
    for job in jobs {
        root.below(&job.folder).jobs.push(job);
    }
    let mut rows = Vec::new();
    push(&mut rows, &root, "", 1, opened);
    rows
}

fn push(rows: &mut Vec<Node>, folder: &Folder<'_>, path: &str, level: usize, opened: &BTreeSet<String>) {
    for ((_, name), inner) in &folder.folders {
        let path = if path.is_empty() { (*name).to_owned() } else { format!("{path}/{name}") };
        let open = opened.contains(&path);
        let what = What::Folder { path: path.clone(), open, jobs: inner.count() };
        rows.push(Node { key: format!("{path}/"), level, name: (*name).to_owned(), what });
        if open {
            push(rows, inner, &path, level + 1, opened);
        }
    }
    let mut jobs = folder.jobs.clone();
    jobs.sort_by_key(|job| job.name.to_lowercase());
    rows.extend(jobs.into_iter().map(|job| Node {
        key: job.id.to_string(),
        level,
        name: job.name.clone(),
        what: What::Job(job.clone()),
    }));
}

/// Every folder that there is, those without jobs of their own too.
pub(super) fn folders(jobs: &[Placed]) -> Vec<String> {
    let all = jobs.iter().flat_map(|job| with_parents(&job.folder));
    all.collect::<BTreeSet<String>>().into_iter().collect()
}

/// `a/b` lies in `a`.
pub(super) fn with_parents(path: &str) -> Vec<String> {
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    ends.filter_map(|end| path.get(..end)).filter(|path| !path.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(number: u8, name: &str, folder: &str) -> Placed {
        Placed { id: JobId(uuid::Uuid::from_bytes([number; 16])), name: name.to_owned(), folder: folder.to_owned() }
    }

    fn rows(opened: &[&str]) -> Vec<String> {
        let jobs = [
            placed(1, "zeta", ""),
            placed(2, "Alpha", ""),
            placed(3, "daily sums", "billing/daily"),
            placed(4, "late", "Archive"),
            placed(5, "bills", "billing"),
        ];
        let opened = opened.iter().map(|path| (*path).to_owned()).collect();
        let row = |node: Node| match node.what {
            What::Folder { path, jobs, .. } => format!("{} {path} {jobs}", node.level),
            What::Job(job) => format!("{} {}", node.level, job.name),
        };
        nodes(&jobs, &opened).into_iter().map(row).collect()
    }

    #[test]
    fn folders_stand_first_and_count_what_is_below() {
        assert_eq!(rows(&[]), ["1 Archive 1", "1 billing 2", "1 Alpha", "1 zeta"]);
        assert_eq!(
            rows(&["billing", "billing/daily"]),
            ["1 Archive 1", "1 billing 2", "2 billing/daily 1", "3 daily sums", "2 bills", "1 Alpha", "1 zeta"]
        );
        assert_eq!(rows(&["billing/daily"]), rows(&[]), "a folder in a closed one is not seen");
    }

    #[test]
    fn folders_without_jobs_of_their_own_are_offered() {
        assert_eq!(folders(&[placed(1, "a", "x/y/z"), placed(2, "b", "")]), ["x", "x/y", "x/y/z"]);
    }
}
