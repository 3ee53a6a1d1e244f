//! The Rust part of the console: cargo, then the cut into parts, then wasm-bindgen as a library, then wasm-opt.

use super::Effort;
use super::bundle::Bundle;
use crate::need::hex;
use crate::{command, place, say};
use anyhow::Context;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use wasm_bindgen_cli_support::Bindgen;

/// What wasm-bindgen makes of the console.
pub(super) struct Console {
    pub(super) wasm: Vec<u8>,
    /// The ES module that loads and wraps the WASM.
    pub(super) script: PathBuf,
    /// The parts that are loaded when a page needs them: the name by which `link` asks for each, and its WASM.
    pub(super) parts: Vec<(String, Vec<u8>)>,
    /// The ES module that loads the parts; it is imported by `script` and names their files.
    pub(super) link: PathBuf,
}

pub(super) fn build(work: &Path, effort: Effort) -> anyhow::Result<Console> {
    let (profile, folder) = match effort {
        Effort::Dev => ("dev", "debug"),
        Effort::Release => ("wasm-release", "wasm-release"),
    };
    let mut cargo = command::cargo();
    cargo.args(["rustc", "--package", "millrace-frontend", "--bin", "millrace-frontend"]);
    cargo.args(["--target", "wasm32-unknown-unknown", "--profile", profile]);
    cargo.arg("--target-dir").arg(place::web_target());
    // The cut needs to know what refers to what.
    cargo.args(["--", "-Clink-args=--emit-relocs"]);
    command::run(&mut cargo)?;
    let compiled = place::web_target().join("wasm32-unknown-unknown").join(folder).join("millrace-frontend.wasm");

    let out = work.join("bindgen");
    if out.is_dir() {
        std::fs::remove_dir_all(&out)?;
    }
    std::fs::create_dir_all(&out)?;
    let whole = std::fs::read(&compiled)?;
    let first = work.join("console.first.wasm");
    let mut cut = wasm_split_cli_support::Options::new(&whole);
    cut.output_dir = &out;
    cut.main_out_path = &first;
    cut.main_module = "./console.js";
    cut.link_name = LINK;
    let cut =
        wasm_split_cli_support::transform(cut).map_err(|error| anyhow::anyhow!("the cut into parts: {error:?}"))?;

    Bindgen::new()
        .input_path(&first)
        .keep_lld_exports(true)
        .out_name("console")
        .web(true)?
        .typescript(false)
        .omit_default_module_path(true)
        .remove_name_section(effort == Effort::Release)
        .remove_producers_section(true)
        .generate(&out)
        .context("wasm-bindgen refused the console")?;

    let mut kept = BTreeSet::new();
    let mut made_small = |input: &Path| match effort {
        Effort::Dev => std::fs::read(input).map_err(anyhow::Error::from),
        Effort::Release => optimise(input, work, &mut kept),
    };
    let wasm = made_small(&out.join("console_bg.wasm"))?;
    let mut parts = Vec::new();
    for part in cut.split_modules {
        let name = part.file_name().unwrap_or_default().to_string_lossy().into_owned();
        parts.push((name, made_small(&part)?));
    }
    if effort == Effort::Release {
        remove_earlier(work, &kept)?;
    }
    Ok(Console { wasm, script: out.join("console.js"), parts, link: out.join(LINK) })
}

/// The file that loads the parts, beside the script of wasm-bindgen, which imports it.
const LINK: &str = "./__wasm_split.js";

/// Runs wasm-opt, unless the same input was optimised before.
fn optimise(input: &Path, work: &Path, kept: &mut BTreeSet<PathBuf>) -> anyhow::Result<Vec<u8>> {
    let before = std::fs::read(input)?;
    let output = work.join(format!("opt-{}.wasm", &hex(&Sha256::digest(&before))[..16]));
    if !output.is_file() {
        let unfinished = work.join("opt.unfinished");
        let mut wasm_opt = command::node(&place::shims().join("node_modules/binaryen/bin/wasm-opt"));
        wasm_opt.arg(input).arg("-o").arg(&unfinished).arg("-Oz");
        // What rustc uses by default for this target; without them wasm-opt refuses the input.
        wasm_opt.args([
            "--enable-bulk-memory",
            "--enable-bulk-memory-opt",
            "--enable-multivalue",
            "--enable-mutable-globals",
            "--enable-nontrapping-float-to-int",
            "--enable-reference-types",
            "--enable-sign-ext",
        ]);
        command::quietly(&mut wasm_opt)?;
        std::fs::rename(&unfinished, &output)?;
    }
    let after = std::fs::read(&output)?;
    kept.insert(output);
    let (from, to) = (say::bytes(before.len() as u64), say::bytes(after.len() as u64));
    say::note(format!("wasm-opt: {from} to {to}"));
    Ok(after)
}

/// Removes what was optimised for builds before this one.
fn remove_earlier(work: &Path, kept: &BTreeSet<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(work)? {
        let path = entry?.path();
        let is_optimised = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("opt-"));
        if is_optimised && !kept.contains(&path) {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Adds the parts under names with a hash, and tells the script that asks for them.
pub(super) fn add_parts(link: &Path, parts: Vec<(String, Vec<u8>)>, bundle: &mut Bundle) -> anyhow::Result<()> {
    let mut script = std::fs::read_to_string(link).context("no script that loads the parts")?;
    for (name, wasm) in parts {
        let stem = name.trim_end_matches(".wasm");
        let path = bundle.add_hashed(stem, "wasm", wasm);
        // The script ends up in a file of `assets/`, beside the parts.
        let file = path.rsplit('/').next().unwrap_or_default();
        script = script.replace(&format!("./{name}"), &format!("./{file}"));
    }
    std::fs::write(link, script)?;
    Ok(())
}
