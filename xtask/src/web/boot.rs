//! The first script and the page: they tie the hashed names together, without inline script.

use super::Effort;
use super::bundle::Bundle;
use super::esbuild;
use super::style::Style;
use anyhow::Context;
use std::collections::BTreeMap;
use std::path::Path;

/// Adds the boot script and `index.html`.
pub(super) fn add(
    work: &Path,
    effort: Effort,
    console: &Path,
    wasm: &str,
    style: &Style,
    bundle: &mut Bundle,
) -> anyhow::Result<()> {
    let entry = work.join("boot.js");
    std::fs::write(&entry, script(console, wasm, bundle)?)?;
    let mut boot = None;
    for file in esbuild::bundle(&[entry], work, "boot", effort)? {
        let is_entry = file.entry.is_some();
        let path = bundle.add_named(&file.name, file.content);
        if is_entry {
            boot = Some(path);
        }
    }
    let boot = boot.context("esbuild wrote no boot script")?;
    let icon = bundle.assets.get("favicon.svg").cloned();
    bundle.add_page(page(&boot, wasm, style, icon.as_deref()));
    Ok(())
}

/// Starts the console. `globalThis.millrace` is how Rust finds lazy chunks and icons; see
/// `frontend/js/README.md`.
fn script(console: &Path, wasm: &str, bundle: &Bundle) -> anyhow::Result<String> {
    let console = serde_json::to_string(&console.display().to_string())?;
    let chunks = urls(&bundle.chunks)?;
    let assets = urls(&bundle.assets)?;
    Ok(format!(
        r#"import start from {console};
const chunks = {chunks};
const assets = {assets};
globalThis.millrace = {{
  load(name) {{
    const url = chunks[name];
    return url ? import(/* @vite-ignore */ url) : Promise.reject(new Error("no script named " + name));
  }},
  asset(name) {{ return assets[name] ?? null; }},
}};
// The theme is set before the first paint, so that nothing flashes.
try {{
  for (const name of ["theme", "density"]) {{
    const value = localStorage.getItem("millrace." + name);
    if (value && value !== "system") document.documentElement.dataset[name] = value;
  }}
}} catch {{}}
const boot = document.getElementById("boot");
start({{ module_or_path: "/{wasm}" }}).then(
  () => boot?.remove(),
  (error) => {{
    console.error(error);
    if (boot) boot.textContent = "The console could not start. Reload the page; the reason is in the browser's console.";
  }},
);
"#
    ))
}

fn urls(paths: &BTreeMap<String, String>) -> anyhow::Result<String> {
    let urls: BTreeMap<&str, String> = paths.iter().map(|(name, path)| (name.as_str(), format!("/{path}"))).collect();
    Ok(serde_json::to_string(&urls)?)
}

fn page(boot: &str, wasm: &str, style: &Style, icon: Option<&str>) -> String {
    let icon =
        icon.map_or(String::new(), |path| format!("<link rel=\"icon\" type=\"image/svg+xml\" href=\"/{path}\">\n"));
    let Style { sheet, font } = style;
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Millrace</title>
{icon}<link rel="stylesheet" href="/{sheet}">
<link rel="preload" as="font" type="font/woff2" href="/{font}" crossorigin>
<link rel="preload" as="fetch" type="application/wasm" href="/{wasm}" crossorigin>
<script type="module" src="/{boot}"></script>
</head>
<body>
<div id="boot"></div>
<noscript>Millrace needs JavaScript and WebAssembly.</noscript>
</body>
</html>
"#
    )
}
