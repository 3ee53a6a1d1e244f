//! Rules over the relational plan. Each keeps the meaning and the output schema of what it rewrites.

mod as_of;
mod fold;
mod fuse;
mod interval;
mod join;
mod origin;
mod prune;
mod rank;
mod time;

pub(crate) use as_of::{only_newest, unique_key};
pub(crate) use fold::constant;
pub use fuse::{Fused, fuse};
pub(crate) use join::all_of;
pub use origin::{is_processing_time, session_by, window_below};
pub use prune::{ScanColumns, null_literal, prune};
pub(crate) use rank::conjuncts;

/// What holds for every plan, whoever runs it; called at the end of binding. Gives the reason when a query is not
/// possible.
pub fn rewrite(script: &mut crate::plan::logical::BoundScript) -> Result<(), String> {
    let batch = crate::plan::settings::Settings::default().apply(&script.settings).is_ok_and(|settings| settings.batch);
    for sink in &mut script.sinks {
        fold::fold(&mut sink.query);
        join::joins(&mut sink.query);
        rank::rank(&mut sink.query, batch);
        as_of::check(&sink.query)?;
        // Over bounded input the watermark comes at the end, and nothing is late.
        if !batch {
            time::settle(&mut sink.query)?;
        }
    }
    Ok(())
}
