//! What of a checkpoint a changed script can take over.

use std::collections::BTreeMap;

use super::Manifest;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Kept,
    /// The script has no such operator any more; its state is left behind.
    Dropped,
    /// Starts empty.
    New,
    Incompatible {
        why: String,
    },
}

/// One stateful operator or source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compatibility {
    pub node: String,
    pub kind: String,
    pub name: String,
    pub verdict: Verdict,
}

/// Compares a checkpoint with the stateful nodes of a plan.
pub fn compatibility(manifest: &Manifest, plan: &[super::NodeEntry]) -> Vec<Compatibility> {
    let before: BTreeMap<&str, &super::NodeEntry> =
        manifest.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let of = |node: &super::NodeEntry, verdict| Compatibility {
        node: node.id.clone(),
        kind: node.kind.clone(),
        name: node.name.clone(),
        verdict,
    };
    let mut report = Vec::new();
    for node in plan {
        let verdict = match before.get(node.id.as_str()) {
            None => Verdict::New,
            Some(old) if old.state == node.state => Verdict::Kept,
            Some(old) => {
                Verdict::Incompatible { why: format!("its state was [{}] and would be [{}]", old.state, node.state) }
            }
        };
        report.push(of(node, verdict));
    }
    let gone = manifest.nodes.iter().filter(|node| !plan.iter().any(|new| new.id == node.id));
    report.extend(gone.map(|node| of(node, Verdict::Dropped)));
    report
}
