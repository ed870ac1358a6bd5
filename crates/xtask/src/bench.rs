//! `cargo xtask bench`: criterion's benches, or the whole server: under load, relaying media, keeping objects, killed.

use std::process::Command;

use anyhow::Result;

use crate::run::{cargo, metadata, release_server, search_path, step};
use crate::tools;

/// Runs the bench of that name, or all of criterion's.
pub(crate) fn run(name: Option<&str>, arguments: &[String]) -> Result<()> {
    match name {
        Some("load") => load(arguments),
        Some("media") => media(arguments),
        Some("state") => state(arguments),
        Some("crash") => crash(arguments),
        Some(name) => {
            let bench = ["bench", "--workspace", "--all-features", "--bench", name, "--"];
            step(name, cargo().args(bench).args(arguments))
        }
        None => step("benches", cargo().args(["bench", "--workspace", "--all-features"])),
    }
}

fn load(arguments: &[String]) -> Result<()> {
    tools::ensure_installed(tools::FOR_LOAD)?;
    let build = ["build", "--release", "--package", "mediator-benches", "--bin", "load"];
    step("build the load bench", cargo().args(build))?;
    let load = metadata()?.target_directory.join("release/load");
    let mut command = Command::new(load);
    command.env("PATH", search_path()?);
    // A run of Kamailio alone must not wait for a server that does not build.
    if !only_kamailio(arguments) {
        let (name, server) = release_server()?;
        command.env(name, server);
    }
    step("load", command.args(arguments))
}

fn media(arguments: &[String]) -> Result<()> {
    tools::ensure_installed(tools::FOR_MEDIA)?;
    let build = ["build", "--release", "--package", "mediator-benches", "--bin", "media"];
    step("build the media bench", cargo().args(build))?;
    let media = metadata()?.target_directory.join("release/media");
    let (name, server) = release_server()?;
    let mut command = Command::new(media);
    step("media", command.env("PATH", search_path()?).env(name, server).args(arguments))
}

fn state(arguments: &[String]) -> Result<()> {
    let build = ["build", "--release", "--package", "mediator-benches", "--bin", "state"];
    step("build the state bench", cargo().args(build))?;
    let state = metadata()?.target_directory.join("release/state");
    let (name, server) = release_server()?;
    step("state", Command::new(state).env(name, server).args(arguments))
}

/// The crash test of the suite, many times over: 100 kills, or as many as the first argument says; the second is
/// the seed.
fn crash(arguments: &[String]) -> Result<()> {
    let argument =
        |at: usize, default: &str| arguments.get(at).cloned().unwrap_or_else(|| default.to_owned());
    let (name, server) = release_server()?;
    let test = ["test", "--package", "mediator-tests", "--test", "process", "--", "--nocapture"];
    let mut crash = cargo();
    crash.args(test).arg("store::crash").env(name, server);
    crash.env("CRASH_ROUNDS", argument(0, "100")).env("CRASH_SEED", argument(1, "1"));
    step("crash", &mut crash)
}

/// Whether `--only kamailio` is among the arguments.
fn only_kamailio(arguments: &[String]) -> bool {
    let pairs = arguments.windows(2);
    pairs.into_iter().any(|pair| pair == ["--only", "kamailio"])
        || arguments.iter().any(|argument| argument == "--only=kamailio")
}
