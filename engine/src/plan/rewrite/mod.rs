//! Rules over the relational plan. Each keeps the meaning and the output schema of what it rewrites.

mod fold;
mod fuse;
mod origin;
mod prune;

pub(crate) use fold::constant;
pub use fuse::{Fused, fuse};
pub use origin::window_below;
pub use prune::{ScanColumns, null_literal, prune};

/// What holds for every plan, whoever runs it; called at the end of binding.
pub fn rewrite(script: &mut crate::plan::logical::BoundScript) {
    for sink in &mut script.sinks {
        fold::fold(&mut sink.query);
    }
}
