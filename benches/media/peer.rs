//! The servers that relay: ours, rtpengine in user space, and the floor.

use std::env;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use mediator_benches::{table, usage};
use mediator_tests::child::Actor;
use mediator_tests::config::{Config, Direction, Mode};
use mediator_tests::server::binary;
use mediator_tests::stage::{Loopback, Stage};

use crate::dialogs::Dialogs;
use crate::floor;
use crate::ng::Ng;
use crate::traffic::{Towards, place};

/// How long a server may take to come up.
const READY_LIMIT: Duration = Duration::from_secs(20);
/// How long a server may take to end.
const END_LIMIT: Duration = Duration::from_secs(45);
/// Where rtpengine is controlled.
const NG_PORT: u16 = 2223;

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Peer {
    /// A plain forwarder with a socket a stream.
    Floor,
    /// rtpengine without its kernel module.
    Rtpengine,
    /// The media thread of this project alone.
    Thread,
    /// This project.
    Mediator,
    /// This project, but media does not come through it: for memory alone.
    Direct,
}

impl Peer {
    /// Its name in the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Rtpengine => "rtpengine, user space",
            Self::Thread => "media thread alone",
            Self::Mediator => "Mediator",
            Self::Direct => "Mediator, direct media",
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
        let (caller, server) = (Loopback::lease()?, Loopback::lease()?);
        Ok(Self { caller, server, callee: Loopback::lease()? })
    }

    /// Where the phones of a call have their media.
    fn phones(&self, call: u32) -> [SocketAddr; 2] {
        [place(self.caller.ip(), call), place(self.callee.ip(), call)]
    }
}

/// How large a server is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Calls that it is to have at most.
    pub(crate) calls: u32,
    /// Mediator's `media.threads`.
    pub(crate) threads: Option<u16>,
}

/// How calls come to be.
#[derive(Debug)]
enum Control {
    /// They are there from the start.
    Fixed,
    Ng(Ng),
    Sip(Dialogs),
}

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Running<'a> {
    cast: &'a Cast,
    actor: Actor,
    control: Control,
    calls: u32,
}

impl<'a> Running<'a> {
    /// Starts a server.
    pub(crate) fn start(peer: Peer, stage: &Stage, cast: &'a Cast, size: Size) -> Result<Self> {
        let (actor, control) = match peer {
            Peer::Floor => (role("floor", stage, cast, size.calls)?, Control::Fixed),
            Peer::Thread => (role("thread", stage, cast, size.calls)?, Control::Fixed),
            Peer::Rtpengine => rtpengine(stage, cast)?,
            Peer::Mediator => mediator(Mode::Relay, stage, cast, size)?,
            Peer::Direct => mediator(Mode::Direct, stage, cast, size)?,
        };
        Ok(Self { cast, actor, control, calls: 0 })
    }

    /// Sets up so many further calls.
    pub(crate) fn place(&mut self, calls: u32) -> Result<Vec<Towards>> {
        let mut all = Vec::new();
        for call in self.calls..self.calls + calls {
            let phones = self.cast.phones(call);
            let towards = match &mut self.control {
                Control::Fixed => Ok(floor::towards(self.cast.server.ip(), call)),
                Control::Ng(ng) => ng.place(call, phones),
                Control::Sip(dialogs) => dialogs.place(call, phones),
            };
            let named = || format!("call {call}\n{}", self.actor.tail());
            all.push(towards.with_context(named)?);
        }
        self.calls += calls;
        Ok(all)
    }

    /// CPU time of its threads so far.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        usage::threads_run_time(self.actor.pid()).with_context(|| self.actor.tail())
    }

    /// Memory of all its processes now, in bytes.
    pub(crate) fn memory(&self) -> Result<u64> {
        usage::memory(&usage::tree(self.actor.pid())?).with_context(|| self.actor.tail())
    }

    /// Ends its calls, then the server with SIGTERM.
    pub(crate) fn stop(mut self) -> Result<()> {
        ensure!(self.actor.ended()?.is_none(), "ended by itself\n{}", self.actor.tail());
        match &mut self.control {
            Control::Fixed => {}
            Control::Ng(ng) => (0..self.calls).try_for_each(|call| ng.hang_up(call))?,
            Control::Sip(dialogs) => dialogs.hang_up().with_context(|| self.actor.tail())?,
        }
        self.actor.terminate()?;
        self.actor.wait(END_LIMIT).map(drop)
    }
}

/// This program once more, as a server that has its calls from the start.
fn role(name: &str, stage: &Stage, cast: &Cast, calls: u32) -> Result<Actor> {
    let mut command = Command::new(env::current_exe()?);
    command.arg(name);
    for ip in [cast.server.ip(), cast.caller.ip(), cast.callee.ip()] {
        command.arg(ip.to_string());
    }
    command.arg(calls.to_string());
    let mut actor = Actor::start(stage.dir(), name, &command)?;
    actor.line(0, READY_LIMIT, "the line `ready`", |line| line == "ready")?;
    Ok(actor)
}

fn rtpengine(stage: &Stage, cast: &Cast) -> Result<(Actor, Control)> {
    let ip = cast.server.ip();
    let mut command = Command::new("rtpengine");
    // No kernel table, and no configuration file of the system's.
    command.args(["--config-file=none", "--table=-1", "--foreground", "--log-stderr"]);
    command.args(["--log-level=4", "--port-min=30000", "--port-max=39999"]);
    command.arg(format!("--interface={ip}")).arg(format!("--listen-ng={ip}:{NG_PORT}"));
    command.arg(format!("--pidfile={}", stage.path("rtpengine.pid").display()));
    let mut actor = Actor::start(stage.dir(), "rtpengine", &command)?;
    let ng = Ng::connect(SocketAddr::from((ip, NG_PORT))).with_context(|| actor.tail())?;
    ensure!(actor.ended()?.is_none(), "rtpengine did not start\n{}", actor.tail());
    Ok((actor, Control::Ng(ng)))
}

fn mediator(mode: Mode, stage: &Stage, cast: &Cast, size: Size) -> Result<(Actor, Control)> {
    let (dids, tables) = table::configuration(size.calls);
    let endpoint = format!(
        "[[endpoint]]\nname = \"masking\"\ntype = \"mediator\"\nlogin = \"load\"\npassword = \
         \"load\"\ndids = {dids}\noutbound = \"carrier-out\""
    );
    let mut config = Config::new(cast.server.ip())
        .mode(mode)
        .carrier("carrier-in", cast.caller.sip(), Direction::Inbound)
        .carrier("carrier-out", cast.callee.sip(), Direction::Outbound)
        .object(&endpoint)
        .object(&tables);
    if let Some(threads) = size.threads {
        config = config.media("threads", &threads.to_string());
    }
    let path = stage.write("mediator.toml", &config.text())?;
    let mut command = Command::new(binary()?);
    command.arg("serve").arg("--config").arg(path).current_dir(stage.dir());
    let mut actor = Actor::start(stage.dir(), "mediator", &command)?;
    actor.line(0, READY_LIMIT, "the line `ready`", |line| line == "ready")?;
    let dialogs = Dialogs::new(cast.caller.sip(), cast.callee.sip(), cast.server.sip())?;
    Ok((actor, Control::Sip(dialogs)))
}
