//! The pure crates decide and do nothing else: no std, no clock, no socket, no thread, no dice.
//!
//! A target without std cannot be fetched everywhere, so the compiler is given a standard library
//! that has none: a sysroot with links to the host's `core`, `alloc` and `compiler_builtins` only.
//! Whatever names std there, in the crate or in what it depends on, does not compile. What would
//! compile and still is not pure (a dependency that asks the system for random bytes) is looked for
//! by name.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use cargo_metadata::Metadata;

use super::code::{code_of, find_word, line_of};
use super::source::File;
use crate::run::{cargo, output};

/// The pure crates: package and directory.
const PURE: &[(&str, &str)] = &[
    ("mediator-model", "crates/model/"),
    ("mediator-sip", "crates/sip/"),
    ("mediator-media", "crates/media/"),
    ("mediator-call", "crates/call/"),
];

/// What a pure crate has without std.
const LIBRARIES: &[&str] = &["core", "alloc", "compiler_builtins"];

/// Names that have no place in pure code.
const IMPURE_NAMES: &[&str] = &[
    "std",
    "SystemTime",
    "UdpSocket",
    "TcpStream",
    "TcpListener",
    "thread_rng",
    "OsRng",
    "from_os_rng",
    "from_entropy",
    "getrandom",
    "tokio",
];

/// Packages that reach for the system, however deep in the tree.
const IMPURE_PACKAGES: &[&str] = &[
    "getrandom",
    "rand",
    "fastrand",
    "libc",
    "rustix",
    "nix",
    "tokio",
    "mio",
    "socket2",
    "chrono",
    "time",
    "jiff",
    "log",
    "tracing",
];

/// Checks all pure crates that are there.
pub(super) fn check(packages: &Metadata, files: &[File]) -> Result<Vec<String>> {
    let members = packages.workspace_packages();
    let mut findings = Vec::new();
    let sysroot = sysroot(packages.target_directory.as_std_path())?;
    for (package, directory) in PURE {
        if !members.iter().any(|member| member.name.as_str() == *package) {
            continue;
        }
        findings.extend(check_sources(directory, files));
        findings.extend(check_packages(package)?);
        findings.extend(check_build(package, &sysroot, packages)?);
    }
    Ok(findings)
}

/// The crate says `#![no_std]`, unconditionally, and no impure name is in its code.
pub(super) fn check_sources(directory: &str, files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    let library = format!("{directory}src/lib.rs");
    for file in files.iter().filter(|file| file.is_rust() && file.path.starts_with(directory)) {
        let code = code_of(&file.text);
        if file.path == library && !code.contains("#![no_std]") {
            findings.push(format!("{library}:1: a pure crate says `#![no_std]`"));
        }
        if file.is_aside() {
            continue;
        }
        for name in IMPURE_NAMES {
            for at in find_word(&code, name) {
                if !is_for_tests(&code, at) {
                    let line = line_of(&code, at);
                    findings.push(format!("{}:{line}: `{name}` in a pure crate", file.path));
                }
            }
        }
    }
    findings
}

/// Whether the item at that place stands behind `#[cfg(test)]`: on its line or on the one before.
fn is_for_tests(code: &str, at: usize) -> bool {
    let before = code.get(..at).unwrap_or_default();
    let mut lines = before.lines().rev();
    lines.by_ref().take(2).any(|line| line.contains("#[cfg(test)]"))
}

/// No dependency of the code, however deep, reaches for the system. What macros are built from runs
/// in the compiler and does not count.
fn check_packages(package: &str) -> Result<Vec<String>> {
    let arguments = ["--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"];
    let mut tree = cargo();
    tree.args(["tree", "--quiet", "--package", package]).args(arguments);
    let list = output(&mut tree)?;
    let names = list.lines().filter_map(|line| line.split(' ').next());
    Ok(names
        .filter(|name| IMPURE_PACKAGES.contains(name))
        .map(|name| format!("{package} depends on {name}, which reaches for the system"))
        .collect())
}

/// The crate compiles where there is no std.
fn check_build(package: &str, sysroot: &Path, packages: &Metadata) -> Result<Vec<String>> {
    let flags = format!("--sysroot {}", sysroot.display());
    // With --target the flags are for the crate alone; macros are built for the host, with std.
    let build = cargo()
        .args(["check", "--quiet", "--package", package, "--lib", "--target", &host()?])
        .arg("--target-dir")
        .arg(packages.target_directory.join("no-std"))
        .env("RUSTFLAGS", flags)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .status()
        .context("run cargo check")?;
    let finding = format!("{package} does not compile without std");
    Ok(if build.success() { Vec::new() } else { vec![finding] })
}

/// A sysroot with the host's libraries less std; made anew each time, because it is only links.
fn sysroot(target_directory: &Path) -> Result<PathBuf> {
    let host = host()?;
    let rustc = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let libraries = Path::new("lib/rustlib").join(&host).join("lib");
    let from = Path::new(rustc.trim()).join(&libraries);
    let sysroot = target_directory.join("no-std/sysroot");
    let to = sysroot.join(&libraries);
    if sysroot.exists() {
        fs::remove_dir_all(&sysroot)?;
    }
    fs::create_dir_all(&to)?;
    let mut found = 0;
    for entry in fs::read_dir(&from).with_context(|| format!("read {}", from.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        if LIBRARIES.iter().any(|library| is_library(&name.to_string_lossy(), library)) {
            symlink(entry.path(), to.join(&name))?;
            found += 1;
        }
    }
    ensure!(found >= LIBRARIES.len(), "{} does not hold core and alloc", from.display());
    Ok(sysroot)
}

/// Whether `file` is the compiled library, such as `libcore-0123456789abcdef.rlib`.
fn is_library(file: &str, library: &str) -> bool {
    let rest = file.strip_prefix("lib").and_then(|rest| rest.strip_prefix(library));
    rest.is_some_and(|rest| rest.starts_with('-'))
}

/// The triple of the machine this runs on.
fn host() -> Result<String> {
    let version = output(Command::new("rustc").arg("-vV"))?;
    let line = version.lines().find_map(|line| line.strip_prefix("host: "));
    line.map(str::to_owned).context("rustc does not tell its host")
}
