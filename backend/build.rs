//! Embeds the browser bundle: every file below `MILLRACE_WEB_DIST` becomes a row of a table, with its compressed copies.
//!
//! Without the variable the table is empty and the server says how to build the console.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=MILLRACE_WEB_DIST");
    let mut files = BTreeMap::new();
    if let Some(folder) = env::var_os("MILLRACE_WEB_DIST").map(PathBuf::from) {
        // Also said of a folder that is not there yet, so that cargo looks again once it is.
        println!("cargo:rerun-if-changed={}", folder.display());
        if folder.is_dir() {
            collect(&folder, &folder, &mut files)?;
        }
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?);
    fs::write(out.join("bundle.rs"), table(&files))
}

/// Paths below the folder, with slashes, to files.
fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if let Ok(name) = path.strip_prefix(root) {
            files.insert(name.to_string_lossy().replace('\\', "/"), path);
        }
    }
    Ok(())
}

fn table(files: &BTreeMap<String, PathBuf>) -> String {
    let mut code = String::from("pub(super) static BUNDLE: &[Embedded] = &[\n");
    let is_copy = |name: &str| {
        let original = name.strip_suffix(".br").or_else(|| name.strip_suffix(".gz"));
        original.is_some_and(|original| files.contains_key(original))
    };
    for (name, path) in files.iter().filter(|(name, _)| !is_copy(name)) {
        let copy = |suffix: &str| match files.get(&format!("{name}{suffix}")) {
            Some(path) => format!("Some(include_bytes!({path:?}))"),
            None => "None".to_owned(),
        };
        let (brotli, gzip) = (copy(".br"), copy(".gz"));
        // Writing to a string cannot fail.
        let _ = writeln!(
            code,
            "    Embedded {{ path: {name:?}, plain: include_bytes!({path:?}), brotli: {brotli}, gzip: {gzip} }},"
        );
    }
    code.push_str("];\n");
    code
}
