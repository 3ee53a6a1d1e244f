//! What a dataflow promises about delivery, and why.

use std::collections::BTreeSet;

use millrace_wire::graph::{DeliveryGuarantee, Guarantee};

use super::{Node, NodeKind};
use crate::connector::weakest;
use crate::plan::settings::Settings;

pub(super) fn guarantee(nodes: &[Node], settings: &Settings) -> Guarantee {
    let mut all = Vec::new();
    let mut writes = false;
    let mut transactions = BTreeSet::new();
    for node in nodes {
        match &node.kind {
            NodeKind::Source { table, source, .. } if !source.replayable() => all.push(Guarantee {
                level: DeliveryGuarantee::BestEffort,
                reason: format!("{} cannot be read again after a failure.", table.name),
            }),
            NodeKind::Sink { table: Some(_), sink, .. } => {
                writes = true;
                all.push(sink.guarantee());
                transactions.extend(sink.transaction());
            }
            _ => {}
        }
    }
    if transactions.len() > 1 {
        all.push(Guarantee {
            level: DeliveryGuarantee::AtLeastOnce,
            reason: format!(
                "It commits to {} clusters, one after the other: after a failure between two commits, records can be \
                 there twice in those that came first.",
                transactions.len()
            ),
        });
    }
    if writes && settings.checkpoint_interval.is_none_or(|interval| interval.is_zero()) {
        all.push(Guarantee {
            level: DeliveryGuarantee::BestEffort,
            reason: "Checkpoints are switched off, so a failure starts the job from the beginning.".to_owned(),
        });
    }
    weakest(all)
}
