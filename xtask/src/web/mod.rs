//! `cargo xtask web`: the console as a folder of static files, ready to be embedded in the binary.
//!
//! Order: WASM by cargo and wasm-bindgen → shims and style sheets by esbuild → a boot script that
//! knows all hashed names → `index.html` → compressed copies → `manifest.json`, written last.
//! The folder is only touched where content changed, so a build that embeds it stays fresh.

mod boot;
mod budget;
mod bundle;
mod esbuild;
mod shim;
mod style;
mod wasm;

use crate::{need, place, say};
pub(crate) use budget::OverBudget;
use bundle::Bundle;
use clap::Args;

#[derive(Args, Clone, Default)]
pub(crate) struct Options {
    /// Build quickly: no wasm-opt, no compression, no budgets.
    #[arg(long)]
    pub(crate) dev: bool,
}

/// How much work goes into the size of the bundle.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effort {
    /// Quick to build, large to load.
    Dev,
    /// What is shipped: optimised, compressed, within budget.
    Release,
}

/// As [`build`], for those who want to use the bundle: one that is too large is told and handed over.
pub(crate) fn build_of_any_size(options: &Options) -> anyhow::Result<Option<OverBudget>> {
    match build(options) {
        Ok(()) => Ok(None),
        Err(error) => {
            let over = error.downcast::<OverBudget>()?;
            say::note(&over);
            Ok(Some(over))
        }
    }
}

/// Builds the bundle; it lies in [`place::web_dist`].
pub(crate) fn build(options: &Options) -> anyhow::Result<()> {
    let effort = if options.dev { Effort::Dev } else { Effort::Release };
    need::wasm_target()?;
    need::npm_packages(&place::shims())?;

    let work = place::web_target().join("bundle");
    std::fs::create_dir_all(&work)?;
    let mut bundle = Bundle::default();

    let console = say::step("Compile the console to WASM", || wasm::build(&work, effort))?;
    let wasm = bundle.add_hashed("console", "wasm", console.wasm);
    wasm::add_parts(&console.link, console.parts, &mut bundle)?;
    let style = say::step("Bundle style sheets and shims", || {
        let style = style::bundle(&work, effort, &mut bundle)?;
        shim::bundle(&work, effort, &mut bundle)?;
        bundle.add_icons()?;
        Ok(style)
    })?;
    boot::add(&work, effort, &console.script, &wasm, &style, &mut bundle)?;

    let sizes = say::step("Write the bundle", || bundle.write(&place::web_dist(), effort))?;
    if effort == Effort::Release {
        budget::check(&bundle, &sizes)?;
    }
    Ok(())
}
