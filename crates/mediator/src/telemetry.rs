//! Logs: to standard error, written by a thread of their own, so that no shard ever waits for a terminal or a disk.
//!
//! Lines for which the queue has no room are dropped and counted. Standard output is not ours: it carries the lines that tell
//! who started the server that it is ready.

use std::any::Any;
use std::io::{self, IsTerminal};
use std::panic;
use std::thread;

use tracing::error;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::cli::{LogArgs, LogFormat};
use crate::metrics::{Kind, Page, Source};

mod queue;
mod stamp;

use queue::{LineQueue, LineWriter, line_queue};
use stamp::Stamp;

/// Why there can be no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// No thread to write it.
    #[error(transparent)]
    Thread(#[from] io::Error),
    /// There is one already.
    #[error(transparent)]
    Twice(#[from] TryInitError),
}

/// Logging, for as long as it lives: dropping it writes what waits.
#[derive(Debug)]
pub struct Telemetry {
    _writer: LineWriter,
    queue: LineQueue,
}

impl Telemetry {
    /// Begins to log, panics included. Once a process.
    pub fn start(log: &LogArgs) -> Result<Self, LogError> {
        let (queue, writer) = line_queue(io::stderr())?;
        let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(queue.clone())
            .with_timer(Stamp)
            .with_ansi(colours);
        let lines = match log.log_format {
            LogFormat::Human => lines.boxed(),
            LogFormat::Json => lines.json().flatten_event(true).boxed(),
        };
        // One filter for all, so that what nobody wants to know costs one comparison.
        tracing_subscriber::registry().with(log.log.clone()).with(lines).try_init()?;
        panic::set_hook(Box::new(log_panic));
        Ok(Self { _writer: writer, queue })
    }

    /// Counts the lines that were dropped.
    pub fn dropped_lines(&self) -> DroppedLines {
        DroppedLines(self.queue.clone())
    }
}

/// How many log lines found the queue full.
#[derive(Clone, Debug)]
pub struct DroppedLines(LineQueue);

impl Source for DroppedLines {
    fn collect(&self, page: &mut Page) {
        page.family(
            "mediator_log_lines_dropped_total",
            "Log lines dropped because the writer lagged behind.",
            Kind::Counter,
        );
        page.sample(&[], self.0.dropped());
    }
}

fn log_panic(panic: &panic::PanicHookInfo<'_>) {
    let place = panic.location().map_or((String::new(), 0), |at| (at.file().to_owned(), at.line()));
    error!(
        file = place.0,
        line = place.1,
        thread = thread::current().name().unwrap_or("unnamed"),
        what = panic_text(panic.payload()),
        "panic: a defect of this server",
    );
}

/// What a panic says, as far as it may be logged: a text made at run time may hold numbers and addresses.
fn panic_text(payload: &(dyn Any + Send)) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("(text withheld)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn withholds_panic_texts_that_may_hold_numbers() {
        let literal = panic::catch_unwind(|| panic!("a lock is poisoned")).unwrap_err();
        assert_eq!(panic_text(&*literal), "a lock is poisoned");
        let number = String::from("14155550100");
        let formatted = panic::catch_unwind(|| panic!("no call of {number}")).unwrap_err();
        assert_eq!(panic_text(&*formatted), "(text withheld)");
    }
}
