//! `cargo xtask test`: what has to pass before a change lands, quick checks first.
//!
//! The last step is the one run of all tests, so that its closing line is the last line.

use anyhow::Result;

use crate::run::{cargo, is_here, release_server, step};
use crate::{tidy, tools};

/// Runs all steps.
pub(crate) fn run() -> Result<()> {
    tools::ensure_installed(tools::FOR_TESTS)?;
    step("format", cargo().args(["fmt", "--all", "--check"]))?;
    tidy::run()?;
    let lints =
        ["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
    step("lints", cargo().args(lints))?;
    deny()?;
    step("doc tests", cargo().args(["test", "--doc", "--workspace", "--all-features"]))?;
    let (name, server) = release_server()?;
    let mut tests = cargo();
    if is_here("cargo-nextest")? {
        tests.args(["nextest", "run", "--workspace", "--all-features"]);
    } else {
        // One process after the other; doc tests have run.
        tests.args(["test", "--workspace", "--all-features", "--all-targets", "--no-fail-fast"]);
    }
    // Where an error arose is in its words; backtraces of ours would bury them.
    step("tests", tests.env(name, server).env("RUST_LIB_BACKTRACE", "0"))
}

/// Licences, sources and bans; advisories where their database can be fetched.
fn deny() -> Result<()> {
    if !is_here("cargo-deny")? {
        step("install cargo-deny", cargo().args(["install", "--locked", "cargo-deny"]))?;
    }
    step("cargo deny", cargo().args(["deny", "check", "bans", "licenses", "sources"]))?;
    if step("fetch advisories", cargo().args(["deny", "fetch", "db"])).is_ok() {
        return step("advisories", cargo().args(["deny", "check", "advisories"]));
    }
    eprintln!("xtask: advisories are not checked: their database cannot be fetched from here");
    Ok(())
}
