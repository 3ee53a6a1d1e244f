//! `cargo xtask measure`: what a person waits for and what an idle machine spends, with optimised programs.

use crate::binary::{self, Profile};
use crate::{say, test, web};

pub(crate) fn run() -> anyhow::Result<()> {
    let binaries = binary::build(Profile::Release, &web::Options::default())?.binaries;
    say::step("Measure", || test::measure(&binaries))
}
