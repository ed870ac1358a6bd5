//! The table that a run prints, ready to be pasted into a Markdown page.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use mediator_benches::median;

use crate::peer::Peer;
use crate::traffic::Outcome;

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Row {
    Cpu,
    DelayHalf,
    DelayMost,
    Lost,
    Memory,
}

impl Row {
    const ALL: [Self; 5] = [Self::Cpu, Self::DelayHalf, Self::DelayMost, Self::Lost, Self::Memory];

    fn name(self) -> &'static str {
        match self {
            Self::Cpu => "CPU a packet, us",
            Self::DelayHalf => "one-way delay p50, ms",
            Self::DelayMost => "one-way delay p99, ms",
            Self::Lost => "packets lost, of a million",
            Self::Memory => "memory a call, bytes",
        }
    }

    fn decimals(self) -> usize {
        match self {
            Self::Cpu => 2,
            Self::DelayHalf | Self::DelayMost => 3,
            Self::Lost | Self::Memory => 0,
        }
    }
}

/// What the rounds of a run have measured.
#[derive(Debug)]
pub(crate) struct Report {
    calls: u32,
    /// In the order of the columns; `None` is without a server.
    columns: Vec<Option<Peer>>,
    figures: BTreeMap<(Row, Option<Peer>), Vec<f64>>,
    load: Vec<f64>,
}

impl Report {
    pub(crate) fn new(calls: u32, peers: &[Peer]) -> Self {
        let columns = [None].into_iter().chain(peers.iter().copied().map(Some)).collect();
        Self { calls, columns, figures: BTreeMap::new(), load: Vec::new() }
    }

    /// A run of all streams through a server, or without one.
    pub(crate) fn run(&mut self, peer: Option<Peer>, outcome: &Outcome) {
        self.put(Row::DelayHalf, peer, millis(outcome.delay(500)));
        self.put(Row::DelayMost, peer, millis(outcome.delay(990)));
        // Far fewer than 2^52 packets.
        #[allow(clippy::cast_precision_loss)]
        self.put(Row::Lost, peer, outcome.lost() as f64 / outcome.sent.max(1) as f64 * 1e6);
    }

    /// What the server took for each packet of a run.
    pub(crate) fn cpu(&mut self, peer: Peer, a_packet: Duration) {
        self.put(Row::Cpu, Some(peer), a_packet.as_secs_f64() * 1e6);
    }

    /// Bytes of a held call.
    pub(crate) fn memory(&mut self, peer: Peer, bytes: u32) {
        self.put(Row::Memory, Some(peer), f64::from(bytes));
        if !self.columns.contains(&Some(peer)) {
            self.columns.push(Some(peer));
        }
    }

    /// How many processes wanted to run: the load average of the last minute.
    pub(crate) fn load(&mut self, average: f64) {
        self.load.push(average);
    }

    fn put(&mut self, row: Row, peer: Option<Peer>, figure: f64) {
        self.figures.entry((row, peer)).or_default().push(figure);
    }

    fn cell(&self, row: Row, column: Option<Peer>) -> String {
        let Some(figures) = self.figures.get(&(row, column)) else { return "-".to_owned() };
        let decimals = row.decimals();
        let all: Vec<String> =
            figures.iter().map(|figure| format!("{figure:.decimals$}")).collect();
        match all.as_slice() {
            [one] => one.clone(),
            all => format!("{:.decimals$} ({})", median(figures), all.join(" ")),
        }
    }

    /// Our median divided by theirs, where both were measured. Of several rows of ours the whole server counts.
    fn ratio(&self, row: Row, theirs: Peer) -> String {
        let of = |peer| self.figures.get(&(row, Some(peer))).map(|figures| median(figures));
        match (of(Peer::Mediator).or_else(|| of(Peer::Thread)), of(theirs)) {
            (Some(ours), Some(theirs)) if theirs > 0.0 => format!("{:.2}", ours / theirs),
            _ => "-".to_owned(),
        }
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let load: Vec<String> = self.load.iter().map(|load| format!("{load:.1}")).collect();
        writeln!(out, "Median, and in parentheses each round; {} calls.", self.calls)?;
        writeln!(out, "Load average before each round: {}.\n", load.join(" "))?;
        write!(out, "| figure |")?;
        for column in &self.columns {
            write!(out, " {} |", column.map_or("no server", Peer::name))?;
        }
        writeln!(out, " of rtpengine | of the floor |")?;
        writeln!(out, "|---|{}---|---|", "---|".repeat(self.columns.len()))?;
        for row in Row::ALL {
            if !self.figures.keys().any(|(measured, _)| *measured == row) {
                continue;
            }
            write!(out, "| {} |", row.name())?;
            for column in &self.columns {
                write!(out, " {} |", self.cell(row, *column))?;
            }
            let (rtpengine, floor) = (Peer::Rtpengine, Peer::Floor);
            writeln!(out, " {} | {} |", self.ratio(row, rtpengine), self.ratio(row, floor))?;
        }
        Ok(())
    }
}
