//! The style sheets: fonts first, then `frontend/style/index.css`, which names the rest in order.

use super::Effort;
use super::bundle::Bundle;
use super::esbuild;
use crate::place;
use anyhow::{Context, bail};
use std::path::Path;

/// What the page links to.
pub(super) struct Style {
    pub(super) sheet: String,
    /// The font of the interface, which the page asks for early.
    pub(super) font: String,
}

/// Variable fonts, Latin subset, from npm: family, file in `node_modules`, name in the bundle.
const FONTS: [(&str, &str, &str); 2] = [
    ("Inter", "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2", "inter.woff2"),
    (
        "JetBrains Mono",
        "@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2",
        "jetbrains-mono.woff2",
    ),
];

/// The characters of the Latin subset, as the font packages declare them.
const LATIN: &str = "U+0000-00FF,U+0131,U+0152-0153,U+02BB-02BC,U+02C6,U+02DA,U+02DC,U+0304,\
    U+0308,U+0329,U+2000-206F,U+20AC,U+2122,U+2191,U+2193,U+2212,U+2215,U+FEFF,U+FFFD";

pub(super) fn bundle(work: &Path, effort: Effort, bundle: &mut Bundle) -> anyhow::Result<Style> {
    let index = place::root().join("frontend/style/index.css");
    if !index.is_file() {
        bail!("frontend/style/index.css is missing; it imports the style sheets in order");
    }
    let mut source = String::new();
    for (family, file, name) in FONTS {
        let from = place::shims().join("node_modules").join(file);
        std::fs::copy(&from, work.join(name)).with_context(|| format!("no font file {file}"))?;
        source.push_str(&format!(
            "@font-face {{ font-family: \"{family}\"; src: url(\"./{name}\") format(\"woff2\"); \
             font-weight: 100 900; font-style: normal; font-display: swap; unicode-range: {LATIN}; }}\n"
        ));
    }
    // Imports must stand before rules, so the fonts are a sheet of their own.
    std::fs::write(work.join("font.css"), source)?;
    let entry = work.join("console.css");
    let imports = format!("@import \"./font.css\";\n@import \"{}\";\n", index.display());
    std::fs::write(&entry, imports)?;

    let mut sheet = None;
    let mut font = None;
    for file in esbuild::bundle(&[entry], work, "style", effort)? {
        let is_interface_font = file.inputs.iter().any(|input| input.ends_with("inter.woff2"));
        let is_sheet = file.name.ends_with(".css");
        let path = bundle.add_named(&file.name, file.content);
        if is_sheet {
            sheet = Some(path);
        } else if is_interface_font && path.ends_with(".woff2") {
            font = Some(path);
        }
    }
    Ok(Style {
        sheet: sheet.context("esbuild wrote no style sheet")?,
        font: font.context("the interface font is not in the bundle")?,
    })
}
