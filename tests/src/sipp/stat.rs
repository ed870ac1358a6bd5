//! SIPp's statistics file (`-trace_stat`): columns named in the first line, the last line counts.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// What a whole run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    /// Calls that went through the whole scenario.
    pub successful: u64,
    /// Calls that did not.
    pub failed: u64,
    /// Messages that were sent again.
    pub retransmissions: u64,
}

impl Counters {
    /// Reads the last line of the file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    /// Reads the last line of the file's text.
    pub fn parse(text: &str) -> Result<Self> {
        let mut lines = text.lines();
        let names = lines.next().context("the file is empty")?;
        let values = lines.next_back().context("no line of figures")?;
        let column = |wanted: &str| -> Result<u64> {
            let at = names.split(';').position(|name| name == wanted);
            let value = at.and_then(|at| values.split(';').nth(at));
            let value = value.with_context(|| format!("no column {wanted}"))?;
            value.parse().with_context(|| format!("{wanted} is {value}"))
        };
        Ok(Self {
            successful: column("SuccessfulCall(C)")?,
            failed: column("FailedCall(C)")?,
            retransmissions: column("Retransmissions(C)")?,
        })
    }
}
