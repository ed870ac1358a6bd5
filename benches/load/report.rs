//! The table that a run prints, ready to be pasted into a Markdown page.

use std::fmt;
use std::time::Duration;

use mediator_benches::delay::Delays;
use mediator_benches::median;

use crate::Figures;
use crate::peer::Peer;
use crate::traffic::Outcome;

/// What the rounds of a run have measured.
#[derive(Debug)]
pub(crate) struct Report {
    bindings: u32,
    cpu: Figures<(Peer, u32)>,
    floor: Figures<u32>,
    /// Keyed by server, `None` without a server, and percent.
    delay: Figures<(Option<Peer>, usize)>,
    memory: Figures<Peer>,
    failures: u64,
    retransmissions: u64,
}

/// The percentiles of the delay that are shown.
const PERCENTILES: [usize; 2] = [50, 99];

impl Report {
    pub(crate) fn new(bindings: u32) -> Self {
        Self {
            bindings,
            cpu: Figures::new(),
            floor: Figures::new(),
            delay: Figures::new(),
            memory: Figures::new(),
            failures: 0,
            retransmissions: 0,
        }
    }

    /// CPU time of a call at a rate.
    pub(crate) fn cpu(&mut self, peer: Peer, rate: u32, a_call: Duration, outcome: Outcome) {
        self.cpu.entry((peer, rate)).or_default().push(micros(a_call));
        self.failures += outcome.failed;
        self.retransmissions += outcome.retransmissions;
    }

    /// CPU time of a call's datagrams alone.
    pub(crate) fn floor(&mut self, rate: u32, a_call: Duration) {
        self.floor.entry(rate).or_default().push(micros(a_call));
    }

    /// Delays through a server.
    pub(crate) fn delay(&mut self, peer: Peer, delays: &Delays) {
        self.failures += u64::from(delays.sent.saturating_sub(delays.completed));
        self.delays(Some(peer), delays);
    }

    /// Delays without a server.
    pub(crate) fn direct(&mut self, delays: &Delays) {
        self.delays(None, delays);
    }

    fn delays(&mut self, peer: Option<Peer>, delays: &Delays) {
        for percent in PERCENTILES {
            let figure = micros(delays.percentile(percent)) / 1000.0;
            self.delay.entry((peer, percent)).or_default().push(figure);
        }
    }

    /// Bytes of a held call.
    pub(crate) fn memory(&mut self, peer: Peer, bytes: u32) {
        self.memory.entry(peer).or_default().push(f64::from(bytes));
    }

    /// Calls that failed, in all.
    pub(crate) fn failures(&self) -> u64 {
        self.failures
    }

    /// Mediator's median divided by Kamailio's, where both were measured.
    fn ratio<K: Ord>(figures: &Figures<K>, key: impl Fn(Peer) -> K) -> String {
        let of = |peer| figures.get(&key(peer)).map(|figures| median(figures));
        match (of(Peer::Mediator), of(Peer::Kamailio)) {
            (Some(ours), Some(theirs)) => format!("{:.2}", ours / theirs),
            _ => "-".to_owned(),
        }
    }
}

/// A cell: the median, and the figures of the rounds where there are several.
fn cell(figures: Option<&Vec<f64>>, decimals: usize) -> String {
    let Some(figures) = figures else { return "-".to_owned() };
    if figures.len() == 1 {
        return format!("{:.decimals$}", median(figures));
    }
    let all: Vec<String> = figures.iter().map(|figure| format!("{figure:.decimals$}")).collect();
    format!("{:.decimals$} ({})", median(figures), all.join(" "))
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kamailio, mediator) = (Peer::Kamailio, Peer::Mediator);
        writeln!(out, "Median, and in parentheses each round; {} bindings.\n", self.bindings)?;
        writeln!(out, "| figure | floor | {} | {} | ratio |", kamailio.name(), mediator.name())?;
        writeln!(out, "|---|---|---|---|---|")?;
        for (rate, floor) in &self.floor {
            writeln!(
                out,
                "| CPU a call at {rate} calls/s, us | {} | {} | {} | {} |",
                cell(Some(floor), 0),
                cell(self.cpu.get(&(kamailio, *rate)), 0),
                cell(self.cpu.get(&(mediator, *rate)), 0),
                Self::ratio(&self.cpu, |peer| (peer, *rate)),
            )?;
        }
        for percent in PERCENTILES.iter().filter(|_| !self.delay.is_empty()) {
            writeln!(
                out,
                "| post-dial delay p{percent}, ms | {} | {} | {} | {} |",
                cell(self.delay.get(&(None, *percent)), 3),
                cell(self.delay.get(&(Some(kamailio), *percent)), 3),
                cell(self.delay.get(&(Some(mediator), *percent)), 3),
                Self::ratio(&self.delay, |peer| (Some(peer), *percent)),
            )?;
        }
        if !self.memory.is_empty() {
            writeln!(
                out,
                "| memory a held call, bytes | | {} | {} | {} |",
                cell(self.memory.get(&kamailio), 0),
                cell(self.memory.get(&mediator), 0),
                Self::ratio(&self.memory, |peer| peer),
            )?;
        }
        writeln!(out, "\n{} calls failed, {} retransmissions", self.failures, self.retransmissions)
    }
}
