//! What a script, as it is now, would make of the state of a checkpoint: asked before a job is started.

use std::path::Path;

use super::node_entries;
use crate::catalog::CatalogText;
use crate::checkpoint::{CheckpointStore, NodeEntry, Verdict, compatibility};
use crate::sql::planned;

/// The stateful operators of a script.
pub struct Takeover {
    plan: Vec<NodeEntry>,
}

impl Takeover {
    /// `None` when the script is wrong, or does nothing.
    pub fn of_script(sql: &str, catalog: &CatalogText, parallelism: u32) -> Option<Takeover> {
        planned(sql, catalog, parallelism).map(|dataflow| Takeover { plan: node_entries(&dataflow) })
    }

    /// One sentence for each operator whose state is not kept. A checkpoint that cannot be read is one as well.
    pub fn losses(&self, checkpoint: &Path) -> Vec<String> {
        let manifest = match CheckpointStore::manifest(checkpoint) {
            Ok(manifest) => manifest,
            Err(error) => return vec![error.message],
        };
        let has_state = |id: &str| manifest.nodes.iter().any(|node| node.id == id && !node.state.is_empty());
        let sentence = |entry: crate::checkpoint::Compatibility| match entry.verdict {
            Verdict::Dropped if has_state(&entry.node) => {
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
        let mut other = script("SELECT k, COUNT(*) FROM t GROUP BY k");
        other.plan.iter_mut().filter(|node| !node.state.is_empty()).for_each(|node| node.state.push_str(" more"));
        let refused = other.losses(&path);
        let about = |loss: &&String| loss.starts_with("Group aggregate k cannot take over its state: its state was [");
        assert_eq!(refused.iter().filter(about).count(), 1, "{refused:?}");
        assert_eq!(counted.losses(&folder.path().join("nowhere")).len(), 1);
    }
}
