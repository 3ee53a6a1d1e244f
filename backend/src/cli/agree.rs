//! Asking before something is done that cannot be taken back.

use std::io::{IsTerminal as _, Write as _};

use anyhow::bail;

/// `nothing`: what to say where nobody can be asked, such as `nothing was applied`.
pub(super) fn agreed(question: &str, nothing: &str) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("{nothing}: say --yes, or call this from a terminal");
    }
    eprint!("{question} [y/N] ");
    std::io::stderr().flush()?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}
