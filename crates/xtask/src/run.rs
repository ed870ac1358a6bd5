//! Running programs, with a heading for each, and finding what cargo has built.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use cargo_metadata::{Metadata, MetadataCommand};

/// The cargo that runs this.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// The workspace's directory.
pub(crate) fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).map(PathBuf::from).unwrap_or(here)
}

/// Runs a step of a command; a failure ends the whole.
pub(crate) fn step(name: &str, command: &mut Command) -> Result<()> {
    eprintln!("xtask: {name}");
    let start = Instant::now();
    let status = command
        .status()
        .with_context(|| format!("{name}: cannot start {}", command.get_program().display()))?;
    ensure!(status.success(), "{name} failed: {status}");
    eprintln!("xtask: {name}: {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// What a program prints to standard output; a failure shows its standard error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_owned();
    let output = command.output().with_context(|| format!("run {}", program.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{} failed: {}\n{said}", program.display(), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} speaks UTF-8", program.display()))
}

/// The search path, and behind it where Debian keeps servers, which is not on every user's path.
pub(crate) fn search_path() -> Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let servers = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    Ok(env::join_paths(env::split_paths(&path).chain(servers))?)
}

/// Whether the program is on the search path.
pub(crate) fn is_here(program: &str) -> Result<bool> {
    let path = search_path()?;
    Ok(env::split_paths(&path).any(|dir| dir.join(program).is_file()))
}

/// All packages of the workspace, their dependencies not resolved.
pub(crate) fn metadata() -> Result<Metadata> {
    let mut command = MetadataCommand::new();
    command.current_dir(root()).no_deps();
    command.exec().context("read cargo metadata")
}

/// Builds the server for release; gives the environment variable under which tests and benches find
/// it.
pub(crate) fn release_server() -> Result<(&'static str, OsString)> {
    step("release build", cargo().args(["build", "--release", "--package", "mediator"]))?;
    let binary = metadata()?.target_directory.join("release/mediator");
    ensure!(binary.is_file(), "cargo has built no {binary}");
    Ok(("MEDIATOR_BIN", binary.into_os_string()))
}
