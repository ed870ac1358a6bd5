//! `cargo xtask tidy`: what the architecture promises and the compiler does not check.
//!
//! Each check gives findings; all are shown, and any one fails the command. A file that is too long
//! is only shown: it is a place to look, not a fault.

mod arrows;
mod code;
mod pure;
mod source;

#[cfg(test)]
mod tests;

use anyhow::{Result, ensure};

use crate::run::metadata;

/// Runs all checks.
pub(crate) fn run() -> Result<()> {
    eprintln!("xtask: tidy");
    let packages = metadata()?;
    let files = source::files()?;
    let mut findings = arrows::check(&packages);
    findings.extend(source::check(&files));
    findings.extend(pure::check(&packages, &files)?);
    for note in source::long_files(&files) {
        eprintln!("tidy: note: {note}");
    }
    for finding in &findings {
        eprintln!("tidy: {finding}");
    }
    ensure!(findings.is_empty(), "tidy: {} findings", findings.len());
    Ok(())
}
