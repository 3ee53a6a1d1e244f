//! Calls to esbuild, and what its metafile says about the files it wrote.

use super::Effort;
use crate::{command, place};
use anyhow::Context;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The oldest browsers that know what the style sheets use: `light-dark()`, nesting, layers.
const BROWSERS: &str = "--target=chrome125,firefox128,safari17.5";

/// What esbuild reports about one bundle.
#[derive(Deserialize)]
pub(super) struct Report {
    outputs: BTreeMap<String, Output>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    entry_point: Option<String>,
    inputs: BTreeMap<String, serde::de::IgnoredAny>,
    imports: Vec<Import>,
}

#[derive(Deserialize)]
struct Import {
    path: String,
    kind: String,
}

/// One file that esbuild wrote.
pub(super) struct Written {
    /// File name, with the hash that esbuild put into it.
    pub(super) name: String,
    pub(super) content: Vec<u8>,
    /// The path of the entry that it was made from, where it is one.
    pub(super) entry: Option<String>,
    /// Paths of the sources inside.
    pub(super) inputs: Vec<String>,
    /// Names of written files that are loaded together with it.
    pub(super) imports: Vec<String>,
}

/// Bundles `entries` into `work/<name>` and returns every file written.
pub(super) fn bundle(entries: &[PathBuf], work: &Path, name: &str, effort: Effort) -> anyhow::Result<Vec<Written>> {
    let out = work.join(name);
    if out.is_dir() {
        std::fs::remove_dir_all(&out)?;
    }
    let metafile = work.join(format!("{name}.meta.json"));
    let mut esbuild = command::node(&place::shims().join("node_modules/esbuild/bin/esbuild"));
    esbuild.current_dir(work).env("NODE_PATH", place::shims().join("node_modules"));
    esbuild.args(entries);
    esbuild.args(["--bundle", "--format=esm", "--splitting", "--log-level=warning", BROWSERS]);
    esbuild.args(["--legal-comments=none", "--loader:.woff2=file", "--loader:.svg=dataurl"]);
    esbuild.args(["--entry-names=[name].[hash]", "--chunk-names=part.[hash]"]);
    esbuild.arg("--asset-names=[name].[hash]");
    esbuild.arg(format!("--outdir={}", out.display()));
    esbuild.arg(format!("--metafile={}", metafile.display()));
    if effort == Effort::Release {
        esbuild.arg("--minify");
    }
    command::quietly(&mut esbuild)?;

    let report: Report =
        serde_json::from_slice(&std::fs::read(&metafile)?).context("esbuild wrote a metafile that cannot be read")?;
    report
        .outputs
        .into_iter()
        .map(|(path, output)| {
            let imports = output.imports.into_iter();
            Ok(Written {
                content: std::fs::read(work.join(&path))?,
                name: file_name(&path),
                entry: output.entry_point,
                inputs: output.inputs.into_keys().collect(),
                imports: imports
                    .filter(|import| import.kind == "import-statement")
                    .map(|import| file_name(&import.path))
                    .collect(),
            })
        })
        .collect()
}

fn file_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}
