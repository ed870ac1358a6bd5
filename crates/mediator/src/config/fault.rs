//! What is wrong with a config file: every fault found, each one line that names file, line, key and remedy.
//!
//! Faults go into the log when a reload fails, so none quotes a secret, a telephone number or a peer's address: the line
//! leads there.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;

/// Why one value is refused, with the remedy.
pub(super) type Reason = Cow<'static, str>;

/// The most faults that are listed; the rest are counted.
pub const MAX_FAULTS: usize = 100;

/// One fault, or one thing worth knowing, at one line of a config file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// The key with its sections, `sip.ring_timeout`; empty where the text is no TOML.
    pub key: String,
    /// What is wrong and what to write instead.
    pub reason: Reason,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() {
            write!(f, "{}: {}", self.line, self.reason)
        } else {
            write!(f, "{}: {}: {}", self.line, self.key, self.reason)
        }
    }
}

/// Why a config file cannot be used. `Display` is one line a fault, without a newline at the end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConfigError {
    /// The file cannot be read.
    Unreadable {
        /// The file.
        path: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The file can be read, but not used.
    Faulty {
        /// The file.
        path: String,
        /// What is wrong, by line; at most [`MAX_FAULTS`].
        faults: Vec<Fault>,
        /// Faults beyond those listed.
        more: usize,
    },
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, reason } => write!(f, "{path}: {reason}"),
            Self::Faulty { path, faults, more } => {
                for (at, fault) in faults.iter().enumerate() {
                    let separator = if at == 0 { "" } else { "\n" };
                    write!(f, "{separator}{path}:{fault}")?;
                }
                if *more > 0 {
                    write!(f, "\n{path}: and {more} more")?;
                }
                Ok(())
            }
        }
    }
}

/// Collects faults while a file is read; every section writes into the same one.
#[derive(Default)]
pub(super) struct Findings {
    faults: RefCell<Vec<Placed>>,
    more: Cell<usize>,
    notices: RefCell<Vec<Placed>>,
}

struct Placed {
    offset: usize,
    key: String,
    reason: Reason,
}

/// What [`Findings`] come to: the faults and how many more, and the notices.
pub(super) struct Found {
    pub(super) faults: Vec<Fault>,
    pub(super) more: usize,
    pub(super) notices: Vec<Fault>,
}

impl Findings {
    /// Notes a fault at a byte offset of the file.
    pub(super) fn fault(&self, offset: usize, key: String, reason: impl Into<Reason>) {
        let mut faults = self.faults.borrow_mut();
        if faults.len() < MAX_FAULTS {
            faults.push(Placed { offset, key, reason: reason.into() });
        } else {
            self.more.set(self.more.get() + 1);
        }
    }

    /// Notes what works, but perhaps not as its writer thinks. Beyond [`MAX_FAULTS`] they are dropped.
    pub(super) fn notice(&self, offset: usize, key: String, reason: impl Into<Reason>) {
        let mut notices = self.notices.borrow_mut();
        if notices.len() < MAX_FAULTS {
            notices.push(Placed { offset, key, reason: reason.into() });
        }
    }

    /// Everything noted, by line.
    pub(super) fn into_found(self, text: &str) -> Found {
        Found {
            faults: by_line(self.faults.into_inner(), text),
            more: self.more.get(),
            notices: by_line(self.notices.into_inner(), text),
        }
    }
}

fn by_line(mut placed: Vec<Placed>, text: &str) -> Vec<Fault> {
    placed.sort_by_key(|placed| placed.offset);
    placed
        .into_iter()
        .map(|Placed { offset, key, reason }| Fault {
            line: line_of(text, offset),
            key: on_one_line(Cow::Owned(key)).into_owned(),
            reason: on_one_line(reason),
        })
        .collect()
}

/// Quoted keys may hold newlines: a fault stays one line.
fn on_one_line(text: Cow<'static, str>) -> Cow<'static, str> {
    if text.chars().any(char::is_control) {
        Cow::Owned(text.replace(char::is_control, " "))
    } else {
        text
    }
}

/// The line, from 1, of a byte offset. Counts from the start: asked at most [`MAX_FAULTS`] times a file.
fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
