//! The servers that are loaded: ours, and Kamailio as the proxy to be measured against.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use mediator_tests::child::Actor;
use mediator_tests::config::{Config, Direction, Mode};
use mediator_tests::server::binary;
use mediator_tests::stage::{Loopback, Stage, Transport, wait_bound};

use mediator_benches::{table, usage};

/// How long a server may take to read its table and come up.
const READY_LIMIT: Duration = Duration::from_mins(2);
/// How long a server may take to end.
const END_LIMIT: Duration = Duration::from_secs(45);
/// Kamailio's settings are a template.
const KAMAILIO: &str = include_str!("kamailio.cfg");

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Peer {
    /// Kamailio with its fm allocator: `-x fm -X fm`.
    Kamailio,
    /// This project.
    Mediator,
}

impl Peer {
    /// Its name in the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kamailio => "Kamailio, fm",
            Self::Mediator => "Mediator",
        }
    }
}

/// The addresses of one run.
#[derive(Debug)]
pub(crate) struct Cast {
    pub(crate) caller: Loopback,
    pub(crate) server: Loopback,
    pub(crate) callee: Loopback,
}

impl Cast {
    /// Three addresses that nobody else uses.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            caller: Loopback::lease()?,
            server: Loopback::lease()?,
            callee: Loopback::lease()?,
        })
    }
}

/// A server that runs and holds the table.
#[derive(Debug)]
pub(crate) struct Running {
    actor: Actor,
}

impl Running {
    /// Starts a server with `bindings` bindings and waits until it takes calls.
    pub(crate) fn start(peer: Peer, stage: &Stage, cast: &Cast, bindings: u32) -> Result<Self> {
        let actor = match peer {
            Peer::Kamailio => kamailio(stage, cast, bindings)?,
            Peer::Mediator => mediator(stage, cast, bindings)?,
        };
        Ok(Self { actor })
    }

    /// CPU time of all its processes so far.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        usage::cpu(&usage::tree(self.actor.pid())?).with_context(|| self.actor.tail())
    }

    /// Memory of all its processes now, in bytes.
    pub(crate) fn memory(&self) -> Result<u64> {
        usage::memory(&usage::tree(self.actor.pid())?).with_context(|| self.actor.tail())
    }

    /// Ends the server with SIGTERM.
    pub(crate) fn stop(mut self) -> Result<()> {
        ensure!(self.actor.ended()?.is_none(), "ended by itself\n{}", self.actor.tail());
        self.actor.terminate()?;
        self.actor.wait(END_LIMIT).map(drop)
    }
}

fn kamailio(stage: &Stage, cast: &Cast, bindings: u32) -> Result<Actor> {
    let text = KAMAILIO
        .replace("{listen}", &cast.server.sip().to_string())
        .replace("{callee}", &cast.callee.sip().to_string())
        .replace("{bindings}", &bindings.to_string());
    let config = stage.write("kamailio.cfg", &text)?;
    let mut command = Command::new("kamailio");
    // -DD -E: in the foreground, as our child. 1 GiB of shared memory, 16 MiB a process.
    command.args(["-DD", "-E", "-x", "fm", "-X", "fm", "-m", "1024", "-M", "16", "-f"]);
    command.arg(config).arg("-Y").arg(stage.dir()).current_dir(stage.dir());
    let mut actor = Actor::start(stage.dir(), "kamailio", &command)?;
    wait_bound(cast.server.sip(), Transport::Udp).with_context(|| actor.tail())?;
    ensure!(actor.ended()?.is_none(), "Kamailio did not start\n{}", actor.tail());
    Ok(actor)
}

fn mediator(stage: &Stage, cast: &Cast, bindings: u32) -> Result<Actor> {
    let (dids, tables) = table::configuration(bindings);
    let endpoint = format!(
        "[[endpoint]]\nname = \"masking\"\ntype = \"mediator\"\nlogin = \"load\"\npassword = \
         \"load\"\ndids = {dids}\noutbound = \"carrier-out\""
    );
    let config = Config::new(cast.server.ip())
        // Signalling alone is measured.
        .mode(Mode::Direct)
        .carrier("carrier-in", cast.caller.sip(), Direction::Inbound)
        .carrier("carrier-out", cast.callee.sip(), Direction::Outbound)
        .object(&endpoint)
        .object(&tables);
    let path = stage.write("mediator.toml", &config.text())?;
    let mut command = Command::new(binary()?);
    command.arg("serve").arg("--config").arg(path).current_dir(stage.dir());
    let mut actor = Actor::start(stage.dir(), "mediator", &command)?;
    actor.line(0, READY_LIMIT, "the line `ready`", |line| line == "ready")?;
    Ok(actor)
}
