//! Rules for every file: what opens it, what must not be in it, how long it may be.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::code::{code_of, find_word, line_of};
use crate::run::{output, root};

/// The longest file that nobody needs to look at, in lines.
const LINES: usize = 600;
/// The one room that may hold unsafe code.
const UNSAFE_ROOM: &str = "crates/table/";
/// The one file that knows what lies beside the project.
const KNOWS_NEIGHBOURS: &str = ".ci/run";

/// A file of the project.
#[derive(Debug, Clone)]
pub(super) struct File {
    /// Its path from the root, with `/`.
    pub(super) path: String,
    /// What is in it.
    pub(super) text: String,
}

impl File {
    /// Whether it is Rust.
    pub(super) fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|ending| ending == "rs")
    }

    /// Whether it is no part of a crate's library or program: tests, benches, examples.
    pub(super) fn is_aside(&self) -> bool {
        let path = format!("/{}", self.path);
        path.ends_with("tests.rs")
            || ["/tests/", "/benches/", "/examples/"].iter().any(|part| path.contains(part))
    }
}

/// All text files that git tracks, or would track.
pub(super) fn files() -> Result<Vec<File>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]);
    let list = output(git.current_dir(root()))?;
    let mut files = Vec::new();
    for path in list.split('\0').filter(|path| !path.is_empty()) {
        let file: PathBuf = root().join(path);
        // A deleted file stays in the list until the deletion is committed.
        if !file.is_file() {
            continue;
        }
        let bytes = fs::read(&file).with_context(|| format!("read {path}"))?;
        // What is no text (sounds, messages of the RFCs) has no rules here.
        if let Ok(text) = String::from_utf8(bytes) {
            files.push(File { path: path.to_owned(), text });
        }
    }
    Ok(files)
}

/// The findings in all files.
pub(super) fn check(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        findings.extend(check_neighbours(file));
        if file.is_rust() {
            findings.extend(check_rust(file));
        }
    }
    findings
}

/// Files that are longer than [`LINES`].
pub(super) fn long_files(files: &[File]) -> Vec<String> {
    let rust = files.iter().filter(|file| file.is_rust());
    rust.map(|file| (file, file.text.lines().count()))
        .filter(|(_, lines)| *lines > LINES)
        .map(|(file, lines)| format!("{}: {lines} lines", file.path))
        .collect()
}

/// The project stands alone: it names nothing that lies beside it.
pub(super) fn check_neighbours(file: &File) -> Vec<String> {
    let neighbours = [concat!("../", "shared"), concat!("/work/", "shared")];
    let mut findings = Vec::new();
    for neighbour in neighbours.iter().filter(|_| file.path != KNOWS_NEIGHBOURS) {
        for (at, _) in file.text.match_indices(neighbour) {
            let line = line_of(&file.text, at);
            findings.push(format!("{}:{line}: names {neighbour}", file.path));
        }
    }
    findings
}

/// The rules for Rust files.
pub(super) fn check_rust(file: &File) -> Vec<String> {
    let mut findings = Vec::new();
    if !file.text.starts_with("//!") {
        findings.push(format!("{}:1: does not open with `//!`", file.path));
    }
    let code = code_of(&file.text);
    let mut refuse = |places: Vec<usize>, what: &str| {
        let lines = places.into_iter().map(|at| line_of(&code, at));
        findings.extend(lines.map(|line| format!("{}:{line}: {what}", file.path)));
    };
    for unfinished in ["todo!", "unimplemented!", "dbg!"] {
        refuse(find_macro(&code, unfinished), &format!("`{unfinished}`"));
    }
    refuse(code.match_indices("#[ignore").map(|(at, _)| at).collect(), "an ignored test");
    if !file.path.starts_with(UNSAFE_ROOM) {
        refuse(find_word(&code, "unsafe"), "unsafe code outside table");
        refuse(find_word(&code, "unsafe_code"), "a lint on unsafe code is changed");
    }
    findings
}

/// The places where a macro, named with its `!`, is used.
fn find_macro(code: &str, name: &str) -> Vec<usize> {
    let word = name.trim_end_matches('!');
    let called = |at: &usize| code.get(at + word.len()..).is_some_and(|rest| rest.starts_with('!'));
    find_word(code, word).into_iter().filter(called).collect()
}
