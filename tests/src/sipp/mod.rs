//! SIPp as UAC or UAS: one scenario, its counters and every message it saw.
//!
//! SIPp's exit code alone does not tell that a call was made (it is 0 after a signal too), so the
//! counters of its statistics file are read as well.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::child::Actor;
use crate::stage::{Stage, Transport, wait_bound};

pub mod log;
pub mod stat;
#[cfg(test)]
mod tests;

use log::Logged;
use stat::Counters;

/// How long a scenario may run.
const RUN_LIMIT: Duration = Duration::from_secs(40);

/// A SIPp that is about to start.
#[derive(Debug)]
pub struct Sipp {
    name: String,
    scenario: PathBuf,
    local: SocketAddr,
    transport: Transport,
    calls: u32,
    arguments: Vec<String>,
    fills: Vec<(String, String)>,
}

impl Sipp {
    /// A SIPp on the address `local`; `name` names its files on the stage, `scenario` a file of
    /// `tests/process/scenarios` without its ending.
    pub fn new(name: &str, scenario: &str, local: SocketAddr) -> Self {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("process/scenarios");
        Self {
            name: name.to_owned(),
            scenario: dir.join(scenario).with_extension("xml"),
            local,
            transport: Transport::Udp,
            calls: 1,
            arguments: Vec::new(),
            fills: Vec::new(),
        }
    }

    /// Uses TCP, one connection for all calls.
    #[must_use]
    pub fn tcp(mut self) -> Self {
        self.transport = Transport::Tcp;
        self
    }

    /// The number of calls after which it ends; default 1.
    #[must_use]
    pub fn calls(mut self, calls: u32) -> Self {
        self.calls = calls;
        self
    }

    /// Replaces `[key]` in the scenario.
    #[must_use]
    pub fn key(self, key: &str, value: &str) -> Self {
        self.arguments(&["-key", key, value])
    }

    /// Replaces `{key}` in the scenario's text before SIPp reads it: for status codes, which SIPp
    /// wants as literals.
    #[must_use]
    pub fn fill(mut self, key: &str, value: &str) -> Self {
        self.fills.push((format!("{{{key}}}"), value.to_owned()));
        self
    }

    /// The user name and password for `[authentication]`.
    #[must_use]
    pub fn credentials(self, user: &str, password: &str) -> Self {
        self.arguments(&["-au", user, "-ap", password])
    }

    /// The length of a `<pause/>` without one of its own.
    #[must_use]
    pub fn pause(self, pause: Duration) -> Self {
        self.arguments(&["-d", &pause.as_millis().to_string()])
    }

    /// Further command line arguments.
    #[must_use]
    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    /// Starts as UAS; returns once the socket is open.
    pub fn answer(self, stage: &Stage) -> Result<Running> {
        let (local, transport) = (self.local, self.transport);
        let running = self.start(stage, None)?;
        wait_bound(local, transport).with_context(|| running.actor.tail())?;
        Ok(running)
    }

    /// Starts as UAC that sends to `remote`, calling the user `service`.
    pub fn call(self, stage: &Stage, service: &str, remote: SocketAddr) -> Result<Running> {
        self.arguments(&["-s", service]).start(stage, Some(remote))
    }

    /// Writes the scenario, filled in, to the stage.
    fn write_scenario(&self, stage: &Stage) -> Result<PathBuf> {
        let text = fs::read_to_string(&self.scenario);
        let mut text = text.with_context(|| format!("read {}", self.scenario.display()))?;
        for (key, value) in &self.fills {
            ensure!(text.contains(key), "no {key} in {}", self.scenario.display());
            text = text.replace(key, value);
        }
        stage.write(&format!("{}.xml", self.name), &text)
    }

    fn start(self, stage: &Stage, remote: Option<SocketAddr>) -> Result<Running> {
        let scenario = self.write_scenario(stage)?;
        let (ip, port) = (self.local.ip().to_string(), self.local.port().to_string());
        let messages = stage.path(&format!("{}.messages", self.name));
        let counters = stage.path(&format!("{}.csv", self.name));
        let mut command = Command::new("sipp");
        command.args(remote.map(|remote| remote.to_string()));
        command.arg("-sf").arg(scenario);
        command.args(["-i", &ip, "-p", &port, "-bind_local", "-mi", &ip, "-mp", "6000"]);
        command.args(["-m", &self.calls.to_string(), "-nostdin"]);
        command.args(["-timeout", &format!("{}s", RUN_LIMIT.as_secs()), "-timeout_error"]);
        command.args(["-trace_stat", "-fd", "1", "-stf"]).arg(&counters);
        command.args(["-trace_msg", "-message_file"]).arg(&messages);
        command.args(["-trace_err", "-error_file"]);
        command.arg(stage.path(&format!("{}.errors", self.name)));
        if self.transport == Transport::Tcp {
            command.args(["-t", "t1", "-reconnect_close", "false", "-max_reconnect", "1"]);
        }
        command.args(&self.arguments).current_dir(stage.dir());
        let actor = Actor::start(stage.dir(), &self.name, &command)?;
        Ok(Running { name: self.name, calls: self.calls, actor, messages, counters })
    }
}

/// A SIPp that runs.
#[derive(Debug)]
pub struct Running {
    name: String,
    calls: u32,
    actor: Actor,
    messages: PathBuf,
    counters: PathBuf,
}

impl Running {
    /// Waits for the end; all calls must have gone through the whole scenario. Gives the messages.
    pub fn succeed(mut self) -> Result<Vec<Logged>> {
        let status = self.actor.wait(RUN_LIMIT + Duration::from_secs(5))?;
        let counters = Counters::read(&self.counters).with_context(|| self.actor.tail())?;
        let (name, calls) = (&self.name, self.calls);
        ensure!(
            status.success() && counters.failed == 0 && counters.successful == u64::from(calls),
            "{name}: {calls} calls wanted, {counters:?}, {status}\n{}\n{}",
            self.transcript(),
            self.actor.tail(),
        );
        self.messages()
    }

    /// The messages seen so far.
    pub fn messages(&self) -> Result<Vec<Logged>> {
        log::read(&self.messages)
    }

    /// The first lines of all messages, for an error message.
    fn transcript(&self) -> String {
        let messages = self.messages().unwrap_or_default();
        let lines: Vec<String> = messages
            .iter()
            .map(|message| format!("  {:?} {}", message.direction, message.start_line()))
            .collect();
        lines.join("\n")
    }
}
