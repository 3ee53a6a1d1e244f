//! Where things lie: the workspace, the target directory, and what is built below it.

use std::path::{Path, PathBuf};

/// The root of the workspace that cargo was called in. Two clones may share a target directory, and then this very
/// program may have been compiled in the other one.
pub(crate) fn root() -> PathBuf {
    let called_in = std::env::var_os("CARGO_MANIFEST_DIR");
    let manifest = called_in.map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest.parent().map_or_else(|| manifest.clone(), Path::to_owned)
}

/// The native target directory: `CARGO_TARGET_DIR`, else `target` in the workspace.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// The finished browser bundle.
pub(crate) fn web_dist() -> PathBuf {
    target().join("web-dist")
}

/// Where cargo builds the console for the browser; apart, so that it never waits on a native build.
pub(crate) fn web_target() -> PathBuf {
    target().join("web")
}

/// Sources of the JavaScript shims, and the folder where npm installs.
pub(crate) fn shims() -> PathBuf {
    root().join("frontend/js")
}
