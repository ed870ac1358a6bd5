//! Media: the same streams through this server, through rtpengine and through a plain forwarder, in turn.
//!
//! 200 calls talk both ways, G.711 in packets of 20 ms: 20,000 packets a second. One process sends and receives all of
//! them. Machines have moods, so the peers take turns (A B A B), the figure is the median of the rounds, and only the
//! ratio within one run means anything. All traffic stays on 127.0.0.0/8, and every run ends by itself.

mod dialogs;
mod floor;
mod ng;
mod peer;
mod relay;
mod report;
mod sdp;
mod traffic;

use std::env;
use std::fs;
use std::net::Ipv4Addr;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use mediator_tests::stage::Stage;

use peer::{Cast, Peer, Running, Size};
use report::Report;
use traffic::{PACKETS_A_SECOND, Phones, Towards, place};

/// How long the calls talk before anything is measured, so that sources are known and pages are there.
const WARM_UP: Duration = Duration::from_secs(2);
/// How long the way without a server is measured.
const DIRECT: Duration = Duration::from_secs(2);
/// Calls before memory is read the first time.
const FIRST_CALLS: u32 = 20;
/// How long calls are held before memory is read: longer than the 32 s for which transactions stay after an answer.
const HOLD: Duration = Duration::from_secs(36);

/// Sends calls' media through Mediator, rtpengine and a plain forwarder in turn and prints what a packet costs.
#[derive(Debug, Parser)]
struct Options {
    /// The servers, in the order in which they take turns.
    #[arg(long, value_delimiter = ',', default_value = "floor,rtpengine,mediator")]
    only: Vec<Peer>,
    /// Calls that talk.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=2000))]
    calls: u32,
    /// Turns of each server.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: u32,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=120))]
    seconds: u32,
    /// Calls held while memory is measured, the ends talking a little first; 0 leaves memory out.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(0..=2000))]
    held: u32,
    /// Mediator's `media.threads`; its own default where this is absent.
    #[arg(long)]
    threads: Option<u16>,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What this program starts itself as.
#[derive(Debug, Subcommand)]
enum Role {
    /// Forwards packets and does nothing else.
    #[command(hide = true)]
    Floor(Scene),
    /// The media thread alone.
    #[command(hide = true)]
    Thread(Scene),
}

/// Where a role plays.
#[derive(Debug, clap::Args)]
struct Scene {
    server: Ipv4Addr,
    caller: Ipv4Addr,
    callee: Ipv4Addr,
    calls: u32,
}

fn main() -> Result<()> {
    let options = Options::parse();
    match &options.role {
        Some(Role::Floor(at)) => floor::forward(at.server, [at.caller, at.callee], at.calls),
        Some(Role::Thread(at)) => relay::relay(at.server, [at.caller, at.callee], at.calls),
        None => Bench::new(options)?.run(),
    }
}

/// A run of the bench.
struct Bench {
    options: Options,
    stage: Stage,
    cast: Cast,
}

impl Bench {
    fn new(options: Options) -> Result<Self> {
        let me = env::current_exe()?;
        let target = me.ancestors().nth(2).context("not in a target directory")?;
        Ok(Self { options, stage: Stage::new(target, "media")?, cast: Cast::new()? })
    }

    fn run(&self) -> Result<()> {
        let Options { calls, rounds, held, only, .. } = &self.options;
        let mut report = Report::new(*calls, only);
        for round in 1..=*rounds {
            report.load(load_average()?);
            self.direct(&mut report)?;
            for &peer in only {
                eprintln!("media: {}, round {round}", peer.name());
                self.turn(peer, &mut report)?;
            }
        }
        if *held > 0 {
            self.memories(&mut report)?;
        }
        print!("{report}");
        Ok(())
    }

    fn phones(&self, calls: u32) -> Result<Phones> {
        Phones::new([self.cast.caller.ip(), self.cast.callee.ip()], calls)
    }

    /// The phones among themselves.
    fn direct(&self, report: &mut Report) -> Result<()> {
        let (caller, callee) = (self.cast.caller.ip(), self.cast.callee.ip());
        let calls = 0..self.options.calls;
        let towards: Vec<Towards> =
            calls.map(|call| [place(callee, call), place(caller, call)]).collect();
        report.run(None, &self.phones(self.options.calls)?.talk(&towards, DIRECT)?);
        Ok(())
    }

    fn start(&self, peer: Peer, calls: u32) -> Result<Running<'_>> {
        let threads = self.options.threads;
        Running::start(peer, &self.stage, &self.cast, Size { calls, threads })
    }

    fn turn(&self, peer: Peer, report: &mut Report) -> Result<()> {
        let Options { calls, seconds, .. } = self.options;
        let mut server = self.start(peer, calls)?;
        let mut phones = self.phones(calls)?;
        let towards = server.place(calls)?;
        phones.talk(&towards, WARM_UP)?;
        let before = server.cpu()?;
        let outcome = phones.talk(&towards, Duration::from_secs(u64::from(seconds)))?;
        let used = server.cpu()?.saturating_sub(before);
        report.run(Some(peer), &outcome);
        report.cpu(peer, used / (calls * 2 * PACKETS_A_SECOND * seconds));
        server.stop()
    }

    /// What a call takes that is up: of Mediator, what it takes more than one whose media goes another way.
    fn memories(&self, report: &mut Report) -> Result<()> {
        for &peer in &self.options.only {
            match peer {
                // They keep nothing of a call.
                Peer::Floor | Peer::Thread => {}
                Peer::Rtpengine | Peer::Direct => report.memory(peer, self.memory(peer)?),
                Peer::Mediator => {
                    let direct = self.memory(Peer::Direct)?;
                    let all = self.memory(peer)?;
                    eprintln!("media: a call takes {all} bytes, {direct} of them signalling");
                    report.memory(peer, all.saturating_sub(direct));
                }
            }
        }
        Ok(())
    }

    /// Memory of a call that is held, in bytes.
    fn memory(&self, peer: Peer) -> Result<u32> {
        let held = self.options.held;
        eprintln!("media: {}, {held} held calls", peer.name());
        let mut server = self.start(peer, FIRST_CALLS + held)?;
        let mut phones = self.phones(FIRST_CALLS + held)?;
        let mut towards = server.place(FIRST_CALLS)?;
        phones.talk(&towards, WARM_UP)?;
        let before = server.memory()?;
        towards.extend(server.place(held)?);
        phones.talk(&towards, WARM_UP)?;
        thread::sleep(HOLD);
        let during = server.memory()?;
        server.stop()?;
        Ok(u32::try_from(during.saturating_sub(before) / u64::from(held))?)
    }
}

/// The load average of the last minute.
fn load_average() -> Result<f64> {
    let text = fs::read_to_string("/proc/loadavg")?;
    text.split(' ').next().unwrap_or_default().parse().context("no load average")
}
