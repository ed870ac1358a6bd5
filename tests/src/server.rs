//! The server under test: the real binary, its configuration, its ready line, its end.

use std::env;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};

use crate::child::Actor;
use crate::stage::Stage;

/// How long the server may take from its start to `ready`.
const READY_LIMIT: Duration = Duration::from_secs(20);
/// How long the server may take from SIGTERM, without calls, to its exit.
const EXIT_LIMIT: Duration = Duration::from_secs(10);

/// A running `mediator serve`.
#[derive(Debug)]
pub struct Server {
    actor: Actor,
    listening: Vec<String>,
}

impl Server {
    /// Writes `config` to the stage as `mediator.toml`, starts the server with it and waits for
    /// `ready`.
    pub fn start(stage: &Stage, config: &str) -> Result<Self> {
        let path = stage.write("mediator.toml", config)?;
        let mut actor = Self::spawn(stage, &path)?;
        actor.line(0, READY_LIMIT, "the line `ready`", |line| line == "ready")?;
        let listening = actor
            .output()
            .lines()
            .filter_map(|line| line.strip_prefix("listening "))
            .map(str::to_owned)
            .collect();
        Ok(Self { actor, listening })
    }

    /// Starts the server with a configuration that it must refuse; gives the exit status and what
    /// it wrote to standard error.
    pub fn start_refused(stage: &Stage, config: &str) -> Result<(ExitStatus, String)> {
        let path = stage.write("mediator.toml", config)?;
        let mut actor = Self::spawn(stage, &path)?;
        let status = actor.wait(EXIT_LIMIT)?;
        Ok((status, actor.errors()))
    }

    fn spawn(stage: &Stage, config: &Path) -> Result<Actor> {
        let mut command = Command::new(binary()?);
        command
            .arg("serve")
            .arg("--config")
            .arg(config)
            .current_dir(stage.dir())
            .env("NO_COLOR", "1");
        Actor::start(stage.dir(), "mediator", &command)
    }

    /// What stood behind `listening ` on the server's lines, such as `sip udp 127.0.0.1:5060`.
    pub fn listening(&self) -> &[String] {
        &self.listening
    }

    /// The pid of the server.
    pub fn pid(&self) -> u32 {
        self.actor.pid()
    }

    /// The log so far: what the server has written to standard error.
    pub fn log(&self) -> String {
        self.actor.errors()
    }

    /// Asks the server to read its configuration again.
    pub fn reload(&self) -> Result<()> {
        self.actor.hang_up()
    }

    /// Asks the server to end (SIGTERM), and does not wait for it.
    pub fn terminate(&self) -> Result<()> {
        self.actor.terminate()
    }

    /// Ends the server as an operator does: SIGTERM must give exit code 0 without calls left, and
    /// the log must be free of errors, each of which would be a bug of ours.
    pub fn stop(self) -> Result<()> {
        self.actor.terminate()?;
        self.ended()
    }

    /// As [`Self::stop`], for a server that was told already.
    pub fn ended(mut self) -> Result<()> {
        let status = self.actor.wait(EXIT_LIMIT)?;
        ensure!(status.success(), "SIGTERM ended in {status}\n{}", self.actor.tail());
        let log = self.actor.errors() + &self.actor.output();
        if let Some(line) = log.lines().find(|line| is_error(line)) {
            bail!("the server logged an error: {line}");
        }
        Ok(())
    }
}

/// Whether a log line, in text or JSON, is of level error, or tells of a panic.
fn is_error(line: &str) -> bool {
    line.split_whitespace().take(3).any(|word| word == "ERROR")
        || line.contains("\"level\":\"ERROR\"")
        || line.contains("panicked at")
}

/// The server's binary: `MEDIATOR_BIN`, else built by cargo into the directory this test runs from.
pub fn binary() -> Result<PathBuf> {
    static BINARY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let found = BINARY.get_or_init(|| find_binary().map_err(|error| format!("{error:#}")));
    found.clone().map_err(|error| anyhow!(error))
}

fn find_binary() -> Result<PathBuf> {
    if let Some(path) = env::var_os("MEDIATOR_BIN") {
        let path = PathBuf::from(path);
        ensure!(path.is_file(), "MEDIATOR_BIN names {}, which is no file", path.display());
        return Ok(path);
    }
    let me = env::current_exe()?;
    // <target>/<profile>/deps/<test>, or <target>/<profile>/<program>.
    let profile = me
        .ancestors()
        .skip(1)
        .find(|dir| dir.file_name().is_some_and(|name| name != "deps"))
        .context("the running program is not in a target directory")?;
    let target = profile.parent().context("a profile directory has a parent")?;
    let name = profile.file_name().unwrap_or_default().to_string_lossy();
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--quiet", "--package", "mediator", "--profile"])
        .arg(if name == "debug" { "dev" } else { &name })
        .arg("--target-dir")
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .context("run cargo build")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo build -p mediator failed:\n{said}");
    Ok(profile.join("mediator"))
}

/// Runs `mediator` with `arguments` to its end; gives its exit status and what it printed, standard
/// output before standard error.
pub fn run(arguments: &[&str]) -> Result<(ExitStatus, String)> {
    let output = Command::new(binary()?).args(arguments).env("NO_COLOR", "1").output()?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Ok((output.status, text))
}

/// The line that announces a SIP socket.
pub fn listening_line(transport: &str, address: SocketAddr) -> String {
    format!("sip {transport} {address}")
}
