//! `cargo xtask bench state`: what it costs to keep objects, on a `file:` store of the release build.
//!
//! One server, in this order: creations through the API at a steady rate, post-dial delay with and without them, an
//! import up to the whole table, pages of it, memory, a start with all of it. The clients are open-loop: a request is
//! late from the moment at which it was due, so that a server that stands still cannot look quick.

mod import;
mod load;
mod report;
mod server;

use std::env;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use mediator_benches::{delay, median, table};
use mediator_tests::api::Api;
use mediator_tests::stage::Stage;

use report::Report;
use server::{Cast, Running};

/// Measures the store through the API and prints a table.
#[derive(Debug, Parser)]
struct Options {
    /// Bindings in the end.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(20_000..=2_000_000))]
    bindings: u32,
    /// Creations a second through the API.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
    /// Seconds of each measurement at that rate.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=120))]
    seconds: u32,
    /// Turns of the post-dial delay, with and without creations; 0 leaves it out.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=20))]
    rounds: u32,
    /// Calls a second whose post-dial delay is measured.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=2000))]
    calls: u32,
    /// Starts with the whole table.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    starts: u32,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let me = env::current_exe()?;
    let target = me.ancestors().nth(2).context("not in a target directory")?;
    let stage = Stage::new(target, "state")?;
    let cast = Cast::new()?;
    let mut bench = Bench { stage, cast, report: Report::new(), made: 0, options };
    bench.run()?;
    print!("{}", bench.report);
    Ok(())
}

/// A run of the bench.
struct Bench {
    options: Options,
    stage: Stage,
    cast: Cast,
    report: Report,
    /// Bindings so far: number `i` is that of [`table`].
    made: u32,
}

impl Bench {
    fn run(&mut self) -> Result<()> {
        let floor = load::disk(&self.stage, self.options.rate.min(1000))?;
        self.report.latency("floor: a file's 4 KiB written and fdatasync'ed", &floor);
        let running = Running::start(&self.stage, &self.cast, self.options.bindings)?;
        let empty = running.memory()?;
        self.creations(&running)?;
        self.delays()?;
        self.import()?;
        let bytes = running.memory()?.saturating_sub(empty) / u64::from(self.made);
        self.report.bytes("memory a binding, after import", bytes);
        self.pages()?;
        running.stop()?;
        self.starts(empty)
    }

    fn api(&self) -> SocketAddr {
        self.cast.api()
    }

    /// Creations at a steady rate, nothing else.
    fn creations(&mut self, running: &Running) -> Result<()> {
        let (rate, seconds) = (self.options.rate, self.options.seconds);
        eprintln!("state: {rate} creations/s for {seconds} s");
        let before = running.cpu()?;
        let outcome = load::create(self.api(), self.made, rate, rate * seconds)?;
        let cpu = running.cpu()?.saturating_sub(before);
        ensure!(outcome.failed == 0, "{} creations failed", outcome.failed);
        self.made += rate * seconds;
        self.report.latency(&format!("creation at {rate}/s, durable"), &outcome.latencies);
        self.report.micros("CPU a creation", cpu / (rate * seconds));
        Ok(())
    }

    /// Post-dial delay without and with creations, in turn.
    fn delays(&mut self) -> Result<()> {
        let (calls, seconds) = (self.options.calls, self.options.seconds);
        let ends = delay::Ends {
            caller: &self.cast.caller,
            callee: &self.cast.callee,
            target: self.cast.server.sip(),
        };
        let wanted = (calls * seconds).min(self.made);
        for round in 1..=self.options.rounds {
            eprintln!("state: delay, round {round}");
            let alone = delay::measure(ends, calls, wanted)?;
            let (api, first, rate) = (self.api(), self.made, self.options.rate);
            let writer = std::thread::spawn(move || load::create(api, first, rate, rate * seconds));
            let beside = delay::measure(ends, calls, wanted)?;
            let outcome = writer.join().expect("the thread does not panic")?;
            ensure!(outcome.failed == 0, "{} creations failed", outcome.failed);
            self.made += rate * seconds;
            let failed = 2 * wanted - alone.completed - beside.completed;
            ensure!(failed == 0, "{failed} calls failed");
            self.report.delays(&alone, &beside);
        }
        Ok(())
    }

    /// The rest of the table, by import.
    fn import(&mut self) -> Result<()> {
        let rest = self.options.bindings.saturating_sub(self.made);
        eprintln!("state: import of {rest}");
        let start = Instant::now();
        import::run(self.api(), self.made, rest)?;
        self.report.rate("import, durable, bindings/s", rest, start.elapsed());
        self.made += rest;
        Ok(())
    }

    /// Pages of a thousand out of the whole table, by each filter that has an index.
    fn pages(&mut self) -> Result<()> {
        let api = Api::mediator(self.api(), server::LOGIN, server::LOGIN);
        let total = self.made;
        let middle = total / 2;
        let last = (total - 1000).to_string();
        let one = api.list("/bindings", &[("limit", "1")])?.0;
        let sid = one.first().and_then(|item| item["binding_sid"].as_str()).unwrap_or_default();
        let quoted = |field: &str, value: &str| format!("{field} eq \"{value}\"");
        let filters = [
            ("no filter", vec![]),
            ("no filter, the last page", vec![("offset", last)]),
            (
                "redirect_did",
                vec![("filter", quoted("redirect_did", &table::redirect_did(middle)))],
            ),
            (
                "origination_did",
                vec![("filter", quoted("origination_did", &table::caller(middle)))],
            ),
            (
                "destination_did",
                vec![("filter", quoted("destination_did", &table::destination(middle)))],
            ),
            ("binding_sid", vec![("filter", quoted("binding_sid", sid))]),
            ("name", vec![("filter", quoted("name", "b7"))]),
            ("order date_created desc", vec![("order", "date_created desc".to_owned())]),
            ("no index: attributes.n", vec![("filter", "attributes.n eq 12345".to_owned())]),
        ];
        for (name, arguments) in filters {
            let mut all = vec![("limit", "1000")];
            all.extend(arguments.iter().map(|(name, value)| (*name, value.as_str())));
            let mut times = Vec::new();
            for _ in 0..3 {
                let start = Instant::now();
                let (items, _) = api.list("/bindings", &all)?;
                times.push(start.elapsed().as_secs_f64() * 1000.0);
                ensure!(!items.is_empty(), "{name}: nothing found");
            }
            self.report.millis(&format!("page of 1000 of {total}: {name}"), median(&times));
        }
        Ok(())
    }

    /// Starts with the whole table.
    fn starts(&mut self, empty: u64) -> Result<()> {
        let mut times = Vec::new();
        for turn in 1..=self.options.starts {
            eprintln!("state: start {turn}");
            let start = Instant::now();
            let running = Running::start(&self.stage, &self.cast, self.options.bindings)?;
            times.push(start.elapsed().as_secs_f64() * 1000.0);
            let api = Api::mediator(self.api(), server::LOGIN, server::LOGIN);
            let total = api.list("/bindings", &[("limit", "1")])?.1;
            ensure!(total == self.made, "{total} of {} bindings", self.made);
            if turn == self.options.starts {
                let bytes = running.memory()?.saturating_sub(empty) / u64::from(self.made);
                self.report.bytes("memory a binding, after a start", bytes);
            }
            running.stop()?;
        }
        self.report
            .millis(&format!("start with {} bindings, until ready", self.made), median(&times));
        Ok(())
    }
}

/// Percentile of sorted times.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * percent / 100).copied().unwrap_or_default()
}
