//! What a message costs on the way through this crate: CPU microseconds of the server's thread.
//!
//! `cargo bench -p mediator-net --bench socket_cost [-- SECTION...]`, with SECTION one of `udp`,
//! `copy`, `inbox`, `tcp`, `idle`. A peer thread offers 900-byte messages at a fixed rate; the
//! server thread answers each one. What is printed is the run time of the server's thread (Linux,
//! `/proc/thread-self/schedstat`): costs, not latencies, and without the peer's work. The rows of a
//! section are alternatives, run in turn, each figure the least of several rounds, for whatever else
//! runs on the machine only adds. Compare rows, not days.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

mod copy;
mod inboxes;
mod tcp;
mod udp;

const MESSAGE_BYTES: usize = 900;
const RUN: Duration = Duration::from_millis(600);
const ROUNDS: usize = 5;

fn main() {
    let arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let wanted: Vec<String> = arguments.collect();
    let sections: [(&str, fn()); 5] = [
        ("udp", udp::run),
        ("copy", copy::run),
        ("inbox", inboxes::run),
        ("tcp", tcp::run),
        ("idle", tcp::run_idle),
    ];
    for (name, run) in sections {
        if wanted.is_empty() || wanted.iter().any(|one| one == name) {
            run();
            println!();
        }
    }
}

/// The time that this thread has run on a CPU, since a moment that it remembers.
struct ThreadCpu(Duration);

impl ThreadCpu {
    fn start() -> Self {
        Self(Self::read())
    }

    fn elapsed(&self) -> Duration {
        Self::read().saturating_sub(self.0)
    }

    fn read() -> Duration {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
        let nanos = text.split(' ').next().and_then(|field| field.parse().ok());
        Duration::from_nanos(nanos.expect("a number"))
    }
}

/// A message of [`MESSAGE_BYTES`] that ends as the framer of section `tcp` wants it.
fn message() -> Vec<u8> {
    let mut text = b"OPTIONS sip:bench@127.0.0.1 SIP/2.0\r\nCall-ID: 1\r\n".to_vec();
    text.resize(MESSAGE_BYTES - 4, b'x');
    text.extend_from_slice(b"\r\n\r\n");
    text
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Messages, and the CPU time that they took.
type Spent = (u32, Duration);

fn micros_each((messages, cpu): Spent) -> f64 {
    cpu.as_secs_f64() * 1e6 / f64::from(messages.max(1))
}

/// Runs each alternative in each condition, in turn, and prints the least of each.
fn table<V: Copy, C: Copy>(
    variants: &[(&str, V)],
    conditions: &[(&str, C)],
    mut run: impl FnMut(V, C) -> f64,
) {
    print!("{:<28}", "");
    for (name, _) in conditions {
        print!("{name:>18}");
    }
    println!();
    let mut least = vec![vec![f64::INFINITY; conditions.len()]; variants.len()];
    for _ in 0..ROUNDS {
        for (row, (_, variant)) in least.iter_mut().zip(variants) {
            for (cell, (_, condition)) in row.iter_mut().zip(conditions) {
                *cell = cell.min(run(*variant, *condition));
            }
        }
    }
    for (row, (name, _)) in least.iter().zip(variants) {
        print!("{name:<28}");
        for cell in row {
            print!("{cell:>18.2}");
        }
        println!();
    }
}

/// Calls `send` at `rate` a second for [`RUN`], then sets `stop`. Evenly spaced, as independent calls
/// are; the peer's core is its own to burn. A rate of 0 is as fast as it goes.
fn offer(rate: u32, stop: &AtomicBool, mut send: impl FnMut(&[u8])) {
    let message = message();
    let start = Instant::now();
    let mut sent = 0_u32;
    while start.elapsed() < RUN {
        if rate > 0 {
            let due = Duration::from_secs_f64(f64::from(sent) / f64::from(rate));
            while start.elapsed() < due {
                std::hint::spin_loop();
            }
        }
        send(&message);
        sent += 1;
    }
    stop.store(true, Ordering::Relaxed);
}
