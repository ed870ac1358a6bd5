//! The table that a run prints, ready to be pasted into a Markdown page.

use std::fmt;
use std::time::Duration;

use mediator_benches::delay::Delays;
use mediator_benches::median;

use crate::percentile;

/// What was measured, in order.
#[derive(Debug)]
pub(crate) struct Report {
    rows: Vec<(String, String)>,
    /// p50 and p99 of each round, in ms: without and with creations.
    alone: [Vec<f64>; 2],
    beside: [Vec<f64>; 2],
}

impl Report {
    pub(crate) fn new() -> Self {
        Self { rows: Vec::new(), alone: Default::default(), beside: Default::default() }
    }

    fn row(&mut self, name: &str, value: String) {
        eprintln!("state: {name}: {value}");
        self.rows.push((name.to_owned(), value));
    }

    /// p50, p99 and the longest.
    pub(crate) fn latency(&mut self, name: &str, sorted: &[Duration]) {
        let ms = |percent| millis(percentile(sorted, percent));
        let value = format!("{:.2} / {:.2} / {:.2} ms", ms(50), ms(99), ms(100));
        self.row(&format!("{name}: p50 / p99 / longest"), value);
    }

    pub(crate) fn micros(&mut self, name: &str, time: Duration) {
        self.row(name, format!("{} us", time.as_micros()));
    }

    pub(crate) fn millis(&mut self, name: &str, time: f64) {
        self.row(name, format!("{time:.1} ms"));
    }

    pub(crate) fn bytes(&mut self, name: &str, bytes: u64) {
        self.row(name, format!("{bytes} bytes"));
    }

    pub(crate) fn rate(&mut self, name: &str, count: u32, time: Duration) {
        let value = format!(
            "{:.0} ({count} in {:.1} s)",
            f64::from(count) / time.as_secs_f64(),
            time.as_secs_f64()
        );
        self.row(name, value);
    }

    /// One round without and with creations.
    pub(crate) fn delays(&mut self, alone: &Delays, beside: &Delays) {
        for (of, delays) in [(&mut self.alone, alone), (&mut self.beside, beside)] {
            for (figures, percent) in of.iter_mut().zip([50, 99]) {
                figures.push(millis(delays.percentile(percent)));
            }
        }
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The median, and all rounds in parentheses.
fn cell(figures: &[f64]) -> String {
    let all: Vec<String> = figures.iter().map(|figure| format!("{figure:.3}")).collect();
    format!("{:.3} ({})", median(figures), all.join(" "))
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "| figure | measured |\n|---|---|")?;
        for (name, value) in &self.rows {
            writeln!(out, "| {name} | {value} |")?;
        }
        let pairs = self.alone.iter().zip(&self.beside).zip(["p50", "p99"]);
        for ((alone, beside), percentile) in pairs.filter(|((alone, _), _)| !alone.is_empty()) {
            writeln!(out, "| post-dial delay {percentile}, ms | {} |", cell(alone))?;
            writeln!(out, "| the same beside creations | {} |", cell(beside))?;
            writeln!(out, "| ratio | {:.2} |", median(beside) / median(alone))?;
        }
        Ok(())
    }
}
