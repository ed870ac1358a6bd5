//! Load: the same call through this server and through Kamailio, in turn, and what it costs.
//!
//! An INVITE to a DID out of a table of 100,000 bindings, caller ID masked, 100/180/200/ACK/BYE/200
//! with SDP over UDP, the callee rings 20 ms; 14 messages a call. Machines have moods, so the peers
//! take turns (A B A B), the figure is the median of the rounds, and only the ratio within one run
//! means anything. All traffic stays on 127.0.0.0/8, and every run ends by itself.

mod floor;
mod peer;
mod report;
mod traffic;

use std::collections::BTreeMap;
use std::env;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use mediator_benches::{delay, table};
use mediator_tests::stage::Stage;

use peer::{Cast, Peer, Running};
use report::Report;
use traffic::Traffic;

/// Calls before anything is measured, so that pages and caches are there.
const WARM_UP: Traffic = Traffic { rate: 100, calls: 100, hold: Duration::ZERO };
/// How long a server may take to finish what a run has left to it, before its CPU is read.
const SETTLE: Duration = Duration::from_secs(1);
/// The rate at which calls are set up that are then held: low, so that the transactions of the last
/// few seconds do not count as much as the calls.
const HOLD_RATE: u32 = 200;

/// Loads Mediator and Kamailio in turn and prints what a call costs.
#[derive(Debug, Parser)]
struct Options {
    /// The servers, in the order in which they take turns.
    #[arg(long, value_delimiter = ',', default_value = "kamailio,mediator")]
    only: Vec<Peer>,
    /// Turns of each server.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: u32,
    /// Calls a second whose CPU is measured.
    #[arg(long, value_delimiter = ',', default_value = "500,1000")]
    rates: Vec<u32>,
    /// Seconds of each CPU measurement.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=120))]
    seconds: u32,
    /// Size of the table.
    #[arg(long, default_value_t = 100_000,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(table::LARGEST)))]
    bindings: u32,
    /// Calls held while memory is measured; 0 leaves memory out.
    #[arg(long, default_value_t = 5000, value_parser = clap::value_parser!(u32).range(0..=50_000))]
    held: u32,
    /// Seconds that the calls are held before memory is read: longer than the 32 s for which
    /// transactions stay after an answer (RFC 6026 section 7).
    #[arg(long, default_value_t = 36)]
    hold_seconds: u64,
    /// Calls a second whose post-dial delay is measured; 0 leaves it out.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(0..=2000))]
    delay_rate: u32,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What this program starts itself as.
#[derive(Debug, Subcommand)]
enum Role {
    /// Echoes datagrams: the other end of the floor.
    #[command(hide = true)]
    Echo {
        /// Where to listen.
        address: SocketAddr,
    },
}

fn main() -> Result<()> {
    let options = Options::parse();
    if let Some(Role::Echo { address }) = options.role {
        return floor::echo(address);
    }
    let bench = Bench::new(options)?;
    let mut report = bench.turns()?;
    if bench.options.held > 0 {
        for &peer in &bench.options.only {
            eprintln!("load: {}, {} held calls", peer.name(), bench.options.held);
            let bytes = bench.memory(peer)?;
            report.memory(peer, bytes);
        }
    }
    print!("{report}");
    ensure!(report.failures() == 0, "{} calls failed", report.failures());
    Ok(())
}

/// A run of the bench.
struct Bench {
    options: Options,
    stage: Stage,
    cast: Cast,
    table: PathBuf,
}

impl Bench {
    fn new(options: Options) -> Result<Self> {
        let me = env::current_exe()?;
        let target = me.ancestors().nth(2).context("not in a target directory")?;
        let stage = Stage::new(target, "load")?;
        let table = stage.write("table.csv", &table::injection(options.bindings))?;
        Ok(Self { options, stage, cast: Cast::new()?, table })
    }

    /// CPU and delay of every server, in turn.
    fn turns(&self) -> Result<Report> {
        let Options { rounds, seconds, delay_rate, .. } = self.options;
        let mut report = Report::new(self.options.bindings);
        for round in 1..=rounds {
            for &rate in &self.options.rates {
                let length = Duration::from_secs(2);
                report.floor(rate, floor::measure(&self.stage, rate, length)?);
            }
            if delay_rate > 0 {
                let target = self.cast.callee.sip();
                let direct = self.delay(target)?;
                report.direct(&direct);
            }
            for &peer in &self.options.only {
                eprintln!("load: round {round} of {rounds}, {}, {seconds} s a rate", peer.name());
                self.turn(peer, &mut report).with_context(|| peer.name())?;
            }
        }
        Ok(report)
    }

    /// One turn of one server.
    fn turn(&self, peer: Peer, report: &mut Report) -> Result<()> {
        let server = Running::start(peer, &self.stage, &self.cast, self.options.bindings)?;
        self.run(WARM_UP)?;
        for &rate in &self.options.rates {
            let calls = rate * self.options.seconds;
            let before = server.cpu()?;
            let outcome = self.run(Traffic { rate, calls, hold: Duration::ZERO })?;
            thread::sleep(SETTLE);
            let used = server.cpu()?.saturating_sub(before);
            report.cpu(peer, rate, used / calls, outcome);
        }
        if self.options.delay_rate > 0 {
            report.delay(peer, &self.delay(self.cast.server.sip())?);
        }
        server.stop()
    }

    fn run(&self, traffic: Traffic) -> Result<traffic::Outcome> {
        traffic.run(&self.stage, &self.cast, &self.table)
    }

    /// Post-dial delay of calls that are sent to `target`.
    fn delay(&self, target: SocketAddr) -> Result<delay::Delays> {
        let rate = self.options.delay_rate;
        let calls = (rate * self.options.seconds).min(self.options.bindings);
        let ends = delay::Ends { caller: &self.cast.caller, callee: &self.cast.callee, target };
        delay::measure(ends, rate, calls)
    }

    /// Memory of a call that is held, in bytes.
    fn memory(&self, peer: Peer) -> Result<u32> {
        let held = self.options.held;
        let server = Running::start(peer, &self.stage, &self.cast, self.options.bindings)?;
        self.run(WARM_UP)?;
        thread::sleep(SETTLE);
        let before = server.memory()?;
        let ramp = Duration::from_secs(u64::from(held.div_ceil(HOLD_RATE)));
        let settle = Duration::from_secs(self.options.hold_seconds);
        // The first call has to outlast the last one's settling.
        let hold = ramp + settle + Duration::from_secs(2);
        let traffic = Traffic { rate: HOLD_RATE, calls: held, hold };
        let running = traffic.start(&self.stage, &self.cast, &self.table)?;
        thread::sleep(ramp + settle);
        let during = server.memory()?;
        let outcome = running.finish()?;
        ensure!(outcome.failed == 0, "{}: {} held calls failed", peer.name(), outcome.failed);
        server.stop()?;
        Ok(u32::try_from(during.saturating_sub(before) / u64::from(held))?)
    }
}

/// Figures by what they belong to.
type Figures<K> = BTreeMap<K, Vec<f64>>;
