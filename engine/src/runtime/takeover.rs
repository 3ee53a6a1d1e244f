//! What a script, as it is now, would make of the state of a checkpoint: asked before a job is started.

use std::path::Path;

use millrace_wire::report::{OperatorState, SourcePosition, SourceRead, StateReport, StateVerdict};

use super::node_entries;
use crate::catalog::CatalogText;
use crate::checkpoint::{CheckpointStore, Compatibility, Manifest, NodeEntry, Verdict, compatibility};
use crate::connector::SplitPosition;
use crate::plan::dataflow::{Dataflow, NodeKind};
use crate::sql::planned;

/// The stateful operators and the sources of a script.
pub struct Takeover {
    plan: Vec<NodeEntry>,
    sources: Vec<PlannedSource>,
}

struct PlannedSource {
    node: String,
    table: String,
    bounded: bool,
    startup: String,
}

fn planned_sources(dataflow: &Dataflow) -> Vec<PlannedSource> {
    let source = |node: &crate::plan::dataflow::Node| match &node.kind {
        NodeKind::Source { table, source, .. } => Some(PlannedSource {
            node: node.id.to_string(),
            table: table.name.clone(),
            bounded: source.bounded(),
            startup: table.options.get("scan.startup.mode").cloned().unwrap_or_default(),
        }),
        _ => None,
    };
    dataflow.nodes.iter().filter_map(source).collect()
}

impl Takeover {
    /// `None` when the script is wrong, or does nothing.
    pub fn of_script(sql: &str, catalog: &CatalogText, parallelism: u32) -> Option<Takeover> {
        planned(sql, catalog, parallelism)
            .map(|dataflow| Takeover { plan: node_entries(&dataflow), sources: planned_sources(&dataflow) })
    }

    /// What becomes of each stateful operator, and from where each source is read, when the script starts from this
    /// checkpoint, or from none.
    pub fn report(&self, checkpoint: Option<&Path>) -> StateReport {
        let (manifest, problem) = match checkpoint.map(CheckpointStore::manifest) {
            None => (None, None),
            Some(Ok(manifest)) => (Some(manifest), None),
            Some(Err(error)) => (None, Some(error.message)),
        };
        let operators = match &manifest {
            None => self.plan.iter().filter(|node| !node.state.is_empty()).map(begins_empty).collect(),
            Some(manifest) => compatibility(manifest, &self.plan)
                .into_iter()
                .filter(|entry| self.has_state(&entry.node) || held_state(manifest, &entry.node))
                .map(in_words)
                .collect(),
        };
        let sources = self.sources.iter().map(|source| source.read_from(manifest.as_ref())).collect();
        StateReport { operators, sources, problem }
    }

    fn has_state(&self, id: &str) -> bool {
        self.plan.iter().any(|node| node.id == id && !node.state.is_empty())
    }

    /// One sentence for each operator whose state is not kept. A checkpoint that cannot be read is one as well.
    pub fn losses(&self, checkpoint: &Path) -> Vec<String> {
        let manifest = match CheckpointStore::manifest(checkpoint) {
            Ok(manifest) => manifest,
            Err(error) => return vec![error.message],
        };
        let sentence = |entry: Compatibility| match entry.verdict {
            Verdict::Dropped if held_state(&manifest, &entry.node) => {
                Some(format!("{} {}: its state is dropped.", entry.kind, entry.name))
            }
            Verdict::Incompatible { why } => Some(format!(
                "{} {} cannot take over its state: {why}. The job would not start.",
                entry.kind, entry.name
            )),
            Verdict::Kept | Verdict::New | Verdict::Dropped => None,
        };
        compatibility(&manifest, &self.plan).into_iter().filter_map(sentence).collect()
    }
}

impl PlannedSource {
    fn read_from(&self, manifest: Option<&Manifest>) -> SourceRead {
        let stored = manifest.map(|manifest| manifest.sources.as_slice()).unwrap_or_default();
        let own = stored.iter().filter(|source| source.node == self.node);
        let positions: Vec<SourcePosition> = own
            .map(|source| SourcePosition { split: source.split.clone(), position: shown(&source.position) })
            .collect();
        SourceRead {
            table: self.table.clone(),
            bounded: self.bounded,
            goes_on: !positions.is_empty(),
            startup: self.startup.clone(),
            positions,
        }
    }
}

/// The offset where there is one: what else a position holds is of no use to people.
fn shown(position: &SplitPosition) -> String {
    match position.0.get("offset") {
        Some(offset) => offset.to_string(),
        None => position.0.to_string(),
    }
}

fn held_state(manifest: &Manifest, id: &str) -> bool {
    manifest.nodes.iter().any(|node| node.id == id && !node.state.is_empty())
}

fn begins_empty(node: &NodeEntry) -> OperatorState {
    OperatorState {
        kind: node.kind.clone(),
        name: node.name.clone(),
        verdict: StateVerdict::New,
        detail: String::new(),
    }
}

fn in_words(entry: Compatibility) -> OperatorState {
    let (verdict, detail) = match entry.verdict {
        Verdict::Kept => (StateVerdict::Kept, String::new()),
        Verdict::Dropped => (StateVerdict::Lost, "The script has no such operator any more.".to_owned()),
        Verdict::New => (StateVerdict::New, String::new()),
        Verdict::Incompatible { why } => (StateVerdict::Refused, format!("It cannot take over its state: {why}.")),
    };
    OperatorState { kind: entry.kind, name: entry.name, verdict, detail }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::checkpoint::Written;

    const TABLES: &str = "CREATE TABLE t (k STRING, n BIGINT) WITH ('connector' = 'datagen'); \
                          CREATE TABLE s (k STRING, n BIGINT) WITH ('connector' = 'print');";

    fn script(select: &str) -> Takeover {
        let catalog = CatalogText { default_database: "d".to_owned(), ..CatalogText::default() };
        let sql = format!("{TABLES} INSERT INTO s {select};");
        Takeover::of_script(&sql, &catalog, 1).unwrap()
    }

    #[test]
    fn the_report_names_what_is_dropped_and_what_stops_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let store = CheckpointStore::open(folder.path()).unwrap();
        let counted = script("SELECT k, COUNT(*) FROM t GROUP BY k");
        let about = Written {
            number: 1,
            savepoint: true,
            run: "r".to_owned(),
            plan_hash: "p".to_owned(),
            at: 0,
            nodes: counted.plan.clone(),
        };
        let (directory, _) = store.write(about, &[]).unwrap();
        let path = store.path(&directory);

        assert!(script("SELECT k, COUNT(*) FROM t GROUP BY k").losses(&path).is_empty());
        let gone = script("SELECT k, n FROM t").losses(&path);
        assert!(gone.len() == 1 && gone[0].ends_with("its state is dropped."), "{gone:?}");
        let verdicts = |script: Takeover| {
            let report = script.report(Some(&path));
            report.operators.into_iter().map(|operator| (operator.kind, operator.verdict)).collect::<Vec<_>>()
        };
        let aggregate = |verdict| ("Group aggregate".to_owned(), verdict);
        assert!(verdicts(script("SELECT k, COUNT(*) FROM t GROUP BY k")).contains(&aggregate(StateVerdict::Kept)));
        assert!(verdicts(script("SELECT k, n FROM t")).contains(&aggregate(StateVerdict::Lost)));
        let fresh = script("SELECT k, COUNT(*) FROM t GROUP BY k").report(None);
        assert!(fresh.operators.iter().all(|operator| operator.verdict == StateVerdict::New));
        assert_eq!((fresh.sources.len(), fresh.sources[0].goes_on, fresh.sources[0].bounded), (1, false, false));
        assert!(script("SELECT k, n FROM t").report(Some(&folder.path().join("nowhere"))).problem.is_some());
        let mut other = script("SELECT k, COUNT(*) FROM t GROUP BY k");
        other.plan.iter_mut().filter(|node| !node.state.is_empty()).for_each(|node| node.state.push_str(" more"));
        assert!(other.report(Some(&path)).operators.iter().any(|operator| operator.verdict == StateVerdict::Refused));
        let refused = other.losses(&path);
        let about = |loss: &&String| loss.starts_with("Group aggregate k cannot take over its state: its state was [");
        assert_eq!(refused.iter().filter(about).count(), 1, "{refused:?}");
        assert_eq!(counted.losses(&folder.path().join("nowhere")).len(), 1);
    }
}
