//! Requests that are due at fixed times, whether the ones before were answered or not.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mediator_benches::table;
use mediator_tests::http::Http;
use mediator_tests::stage::Stage;
use serde_json::json;

use crate::server::LOGIN;

/// Connections: so many requests may be under way before one has to wait for an answer.
const CONNECTIONS: usize = 64;

/// How it went.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// From the time when each request was due to its answer, in ascending order.
    pub(crate) latencies: Vec<Duration>,
    /// Requests that were not answered with 200.
    pub(crate) failed: usize,
}

/// The body that creates binding `i`, without a name and attributes.
pub(crate) fn plain(i: u32) -> String {
    json!({
        "redirect_did": table::redirect_did(i), "origination_did": table::caller(i),
        "destination_did": table::destination(i), "maximum_ttl": -1,
    })
    .to_string()
}

/// The body that creates binding `i` with a name that a tenth of them have, and attributes.
fn named(i: u32) -> String {
    json!({
        "redirect_did": table::redirect_did(i), "origination_did": table::caller(i),
        "destination_did": table::destination(i), "maximum_ttl": -1, "name": format!("b{}", i % 10),
        "attributes": { "hide_origination_did": "true", "n": i },
    })
    .to_string()
}

/// Creates bindings from `first` on, `rate` of them a second.
pub(crate) fn create(to: SocketAddr, first: u32, rate: u32, count: u32) -> Result<Outcome> {
    let next = AtomicU32::new(0);
    let begin = Instant::now() + Duration::from_millis(100);
    let authorization = format!("Basic {}", STANDARD.encode(format!("{LOGIN}:{LOGIN}")));
    let headers = [("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
    let work = || -> Result<Outcome> {
        let (mut http, mut outcome) = (Http::new(to), Outcome::default());
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            if i >= count {
                return Ok(outcome);
            }
            let due = begin + Duration::from_secs_f64(f64::from(i) / f64::from(rate));
            let body = named(first + i);
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let answer =
                http.exchange("POST", "/mediator/v1/bindings", &headers, Some(body.as_bytes()))?;
            outcome.latencies.push(due.elapsed());
            if answer.status != 200 {
                eprintln!("state: {}: {}", answer.status, answer.text());
                outcome.failed += 1;
            }
        }
    };
    let mut all = Outcome::default();
    thread::scope(|scope| -> Result<()> {
        let workers: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            let outcome = worker.join().expect("the thread does not panic")?;
            all.latencies.extend(outcome.latencies);
            all.failed += outcome.failed;
        }
        Ok(())
    })?;
    all.latencies.sort_unstable();
    Ok(all)
}

/// What the disk itself takes: a block written and flushed, one after the other for a second or so.
pub(crate) fn disk(stage: &Stage, times: u32) -> Result<Vec<Duration>> {
    let mut file = File::create(stage.path("floor"))?;
    let block = [0xA5; 4096];
    let mut took = Vec::new();
    for i in 0..times {
        let start = Instant::now();
        file.seek(SeekFrom::Start(u64::from(i % 256) * 4096))?;
        file.write_all(&block)?;
        file.sync_data()?;
        took.push(start.elapsed());
    }
    took.sort_unstable();
    Ok(took)
}
