//! `cargo xtask lint`: clippy over all Rust, types over all TypeScript; warnings are refused.

use crate::{binary, command, need, place, say};

pub(crate) fn run() -> anyhow::Result<()> {
    need::compilers()?;
    need::wasm_target()?;
    say::step("Lint the native crates", || {
        let mut cargo = command::cargo();
        cargo.args(["clippy", "--workspace", "--exclude", "millrace-frontend", "--all-targets"]);
        cargo.args(["--", "-D", "warnings"]);
        binary::embed_bundle(&mut cargo);
        command::run(&mut cargo)
    })?;
    say::step("Lint the console", || {
        let mut cargo = command::cargo();
        cargo.args(["clippy", "--package", "millrace-frontend", "--target", "wasm32-unknown-unknown"]);
        cargo.arg("--target-dir").arg(place::web_target());
        cargo.args(["--", "-D", "warnings"]);
        command::run(&mut cargo)
    })?;
    say::step("Check the types of TypeScript", || {
        let folder = place::root().join("e2e");
        need::npm_packages(&place::shims())?;
        need::npm_packages(&folder)?;
        for project in ["tsconfig.json", "tsconfig.shims.json"] {
            let mut compiler = command::node(&folder.join("node_modules/typescript/bin/tsc"));
            command::run(compiler.arg("--project").arg(folder.join(project)))?;
        }
        Ok(())
    })
}
