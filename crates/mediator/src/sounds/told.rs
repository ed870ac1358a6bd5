//! What was logged a short time ago, so that it is not logged for each call.

use std::time::{Duration, Instant};

use hashbrown::HashMap;
use parking_lot::Mutex;

/// How long nothing more is said of a source.
const QUIET: Duration = Duration::from_mins(1);
/// The most sources; where there are more, the others are not told of until some have passed.
const MAX_TOLD: usize = 1024;

/// Sources that something was said of.
#[derive(Default)]
pub(super) struct Told {
    at: Mutex<HashMap<Box<str>, Instant>>,
}

impl Told {
    /// Whether something is to be said of a source now: once a minute.
    pub(super) fn is_due(&self, source: &str, now: Instant) -> bool {
        let mut told = self.at.lock();
        if told.len() >= MAX_TOLD {
            told.retain(|_, at| now.duration_since(*at) < QUIET);
        }
        let last = told.get(source);
        let is_quiet = last.is_some_and(|at| now.duration_since(*at) < QUIET);
        if is_quiet || (last.is_none() && told.len() >= MAX_TOLD) {
            return false;
        }
        told.insert(source.into(), now);
        true
    }
}
