//! SIPp on both sides of a server: so many calls at such a rate, each with the scenario's hold.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use mediator_tests::child::Actor;
use mediator_tests::sipp::stat::Counters;
use mediator_tests::stage::{Stage, Transport, wait_bound};

use crate::peer::Cast;

/// What a run may take beyond its calls before it is given up.
const GRACE: Duration = Duration::from_secs(40);

/// So many calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traffic {
    /// New calls a second.
    pub(crate) rate: u32,
    /// All calls.
    pub(crate) calls: u32,
    /// From ACK to BYE.
    pub(crate) hold: Duration,
}

/// How a run ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    /// Calls that did not get through the scenario, at the caller.
    pub(crate) failed: u64,
    /// Messages that the caller had to send again.
    pub(crate) retransmissions: u64,
}

/// SIPp on both sides, at work.
#[derive(Debug)]
pub(crate) struct Running<'a> {
    stage: &'a Stage,
    traffic: Traffic,
    caller: Actor,
    _callee: Actor,
}

impl Traffic {
    /// Starts the callee, then the caller; `table` is the injection file.
    pub(crate) fn start<'a>(
        &self,
        stage: &'a Stage,
        cast: &Cast,
        table: &Path,
    ) -> Result<Running<'a>> {
        let callee = sipp(stage, "callee", include_str!("scenarios/uas.xml"), cast.callee.sip())?;
        let callee = Actor::start(stage.dir(), "callee", &callee)?;
        wait_bound(cast.callee.sip(), Transport::Udp).with_context(|| callee.tail())?;
        let mut caller =
            sipp(stage, "caller", include_str!("scenarios/uac.xml"), cast.caller.sip())?;
        caller.arg("-inf").arg(table).arg(cast.server.sip().to_string());
        caller.args(["-r", &self.rate.to_string(), "-m", &self.calls.to_string()]);
        caller.args(["-d", &self.hold.as_millis().to_string(), "-l", &self.calls.to_string()]);
        caller.args(["-timeout", &format!("{}s", self.limit().as_secs())]);
        caller.args(["-trace_stat", "-fd", "1", "-stf"]).arg(stage.path("caller.csv"));
        let caller = Actor::start(stage.dir(), "caller", &caller)?;
        Ok(Running { stage, traffic: *self, caller, _callee: callee })
    }

    /// Runs to the end.
    pub(crate) fn run(&self, stage: &Stage, cast: &Cast, table: &Path) -> Result<Outcome> {
        self.start(stage, cast, table)?.finish()
    }

    /// The longest time that a run may take.
    fn limit(&self) -> Duration {
        Duration::from_secs(u64::from(self.calls / self.rate.max(1))) + self.hold + GRACE
    }
}

impl Running<'_> {
    /// Waits for the caller's end and reads its counters. A call that was never started, because
    /// SIPp fell behind until its time-out, counts as failed.
    pub(crate) fn finish(mut self) -> Result<Outcome> {
        self.caller.wait(self.traffic.limit() + Duration::from_secs(5))?;
        let counters = Counters::read(&self.stage.path("caller.csv"));
        let counters = counters.with_context(|| self.caller.tail())?;
        let failed = u64::from(self.traffic.calls).saturating_sub(counters.successful);
        Ok(Outcome { failed, retransmissions: counters.retransmissions })
    }
}

/// A SIPp bound to `local` that plays the text of a scenario.
fn sipp(stage: &Stage, name: &str, scenario: &str, local: SocketAddr) -> Result<Command> {
    let scenario = stage.write(&format!("{name}.xml"), scenario)?;
    let (ip, port) = (local.ip().to_string(), local.port().to_string());
    let mut command = Command::new("sipp");
    command.arg("-sf").arg(scenario).args(["-i", &ip, "-p", &port, "-bind_local"]);
    command.args(["-mi", &ip, "-mp", "6000", "-nostdin"]).current_dir(stage.dir());
    Ok(command)
}
