//! The server under test, on a folder that stays from one start to the next.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use mediator_benches::{table, usage};
use mediator_tests::child::Actor;
use mediator_tests::config::{Config, Direction, Mode};
use mediator_tests::server::binary;
use mediator_tests::stage::{Loopback, Stage};

/// Login and password of the account.
pub(crate) const LOGIN: &str = "masking";
const READY_LIMIT: Duration = Duration::from_mins(2);
const END_LIMIT: Duration = Duration::from_mins(1);
/// Callers of one DID.
const CALLERS_A_DID: usize = 100;

/// The addresses of a run.
#[derive(Debug)]
pub(crate) struct Cast {
    pub(crate) caller: Loopback,
    pub(crate) server: Loopback,
    pub(crate) callee: Loopback,
}

impl Cast {
    pub(crate) fn new() -> Result<Self> {
        let (caller, server, callee) = (Loopback::lease()?, Loopback::lease()?, Loopback::lease()?);
        Ok(Self { caller, server, callee })
    }

    /// Where the API is.
    pub(crate) fn api(&self) -> SocketAddr {
        SocketAddr::from((self.server.ip(), 8080))
    }
}

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Running {
    actor: Actor,
}

impl Running {
    /// Starts it and waits for `ready`.
    pub(crate) fn start(stage: &Stage, cast: &Cast, bindings: u32) -> Result<Self> {
        let dids: Vec<String> =
            (0..bindings).step_by(CALLERS_A_DID).map(table::redirect_did).collect();
        let dids: Vec<&str> = dids.iter().map(String::as_str).collect();
        let config = Config::new(cast.server.ip())
            // Signalling alone is measured.
            .mode(Mode::Direct)
            .store(&format!("file:{}", stage.path("data").display()))
            .carrier("carrier-in", cast.caller.sip(), Direction::Inbound)
            .carrier("carrier-out", cast.callee.sip(), Direction::Outbound)
            .masking(LOGIN, &dids, "carrier-out");
        let path = stage.write("mediator.toml", &config.text())?;
        let mut command = Command::new(binary()?);
        command.arg("serve").arg("--config").arg(path).args(["--log", "warn"]);
        command.current_dir(stage.dir());
        let mut actor = Actor::start(stage.dir(), "mediator", &command)?;
        actor.line(0, READY_LIMIT, "the line `ready`", |line| line == "ready")?;
        Ok(Self { actor })
    }

    /// CPU time so far.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        usage::cpu(&usage::tree(self.actor.pid())?)
    }

    /// Memory now, in bytes.
    pub(crate) fn memory(&self) -> Result<u64> {
        usage::memory(&usage::tree(self.actor.pid())?)
    }

    /// Ends it with SIGTERM.
    pub(crate) fn stop(mut self) -> Result<()> {
        ensure!(self.actor.ended()?.is_none(), "ended by itself\n{}", self.actor.tail());
        self.actor.terminate()?;
        let status = self.actor.wait(END_LIMIT)?;
        ensure!(status.success(), "{status}\n{}", self.actor.tail());
        Ok(())
    }
}
