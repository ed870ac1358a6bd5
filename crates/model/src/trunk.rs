//! Trunk groups: an ordered set of ways to endpoints, with the rules for leaving one for the next.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use smallvec::SmallVec;

use crate::{EndpointIndex, Sid};

/// A trunk group's place in one [`crate::Directory`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct TrunkGroupIndex(pub u32);

/// A trunk: its group and its place there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct TrunkIndex {
    /// The group.
    pub group: TrunkGroupIndex,
    /// The place in [`TrunkGroup::trunks`].
    pub trunk: u32,
}

/// What becomes of a 3xx from leg B (RFC 3261 §8.1.3.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AllowForward {
    /// Not followed: the caller gets 480.
    #[default]
    Disabled,
    /// The Contact's number is dialled through the same trunk.
    Direct,
    /// The Contact's URI is dialled as it is.
    DirectUri,
    /// As `Direct`, the caller ID being the forwarding number.
    Protected,
    /// The Contact's number is routed anew.
    Reroute,
}

/// A list of SIP codes as the API writes it, `"408;503;"`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CodeList(pub SmallVec<[u16; 4]>);

impl CodeList {
    /// The list `"408;"`, the default.
    pub fn timeouts() -> Self {
        Self(SmallVec::from_slice(&[408]))
    }

    /// Reads `"408;500;503;"`; white space and a missing last `;` are tolerated, repeated codes are kept once.
    /// `None`: something in it is no final code from 300 to 699.
    pub fn parse(text: &str) -> Option<Self> {
        let mut list = Self::default();
        for code in text.split(';').map(str::trim).filter(|code| !code.is_empty()) {
            let code = failure_code(code)?;
            if !list.contains(code) {
                list.0.push(code);
            }
        }
        Some(list)
    }

    /// Whether `code` is in the list.
    pub fn contains(&self, code: u16) -> bool {
        self.0.contains(&code)
    }
}

/// As the API writes it: `408;503;`.
impl fmt::Display for CodeList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|code| write!(f, "{code};"))
    }
}

/// Three digits, 300-699 (RFC 3261 §21); `u16::from_str` alone would take `+408`.
fn failure_code(text: &str) -> Option<u16> {
    let digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|code| digits && (300..700).contains(code))
}

/// What happens when every trunk of a group is dead.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LastResort {
    /// The first by order is tried all the same.
    #[default]
    First,
    /// 502.
    Reject502,
    /// 503.
    Reject503,
}

/// When a trunk is left for the next, and when it is dead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FailurePolicy {
    /// Codes that move on and count towards dead. Default `408;`.
    pub hard_codes: CodeList,
    /// Codes that move on and do not count. Default `408;`.
    pub soft_codes: CodeList,
    /// Hard failures that make a trunk dead. Default 3.
    pub hard_threshold: u32,
    /// Within this time. Default 60 s.
    pub hard_interval: Duration,
    /// For this time. Default 120 s.
    pub hard_cooldown: Duration,
    /// All dead. Default first.
    pub last_resort: LastResort,
    /// Failed OPTIONS in a row that make a trunk dead. Default 3.
    pub options_threshold: u32,
    /// Time between OPTIONS to each trunk; `None`: no probing.
    pub options_interval: Option<Duration>,
}

impl Default for FailurePolicy {
    fn default() -> Self {
        Self {
            hard_codes: CodeList::timeouts(),
            soft_codes: CodeList::timeouts(),
            hard_threshold: 3,
            hard_interval: Duration::from_mins(1),
            hard_cooldown: Duration::from_mins(2),
            last_resort: LastResort::First,
            options_threshold: 3,
            options_interval: None,
        }
    }
}

/// One way to an endpoint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trunk {
    /// Its id.
    pub sid: Sid,
    /// For people and logs.
    pub name: Box<str>,
    /// Where it leads.
    pub endpoint: EndpointIndex,
    /// Lower first.
    pub priority: u16,
    /// The share of calls among trunks of one priority; all 0: equal shares.
    pub weight: u16,
    /// Calls at once from it: `None` unlimited, 0 none.
    pub in_capacity: Option<u32>,
    /// Calls at once to it: `None` unlimited, 0 none.
    pub out_capacity: Option<u32>,
    /// What becomes of a 3xx.
    pub allow_forward: AllowForward,
}

/// An ordered set of trunks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrunkGroup {
    /// Its id.
    pub sid: Sid,
    /// For people and logs.
    pub name: Box<str>,
    /// Its trunks, in the order they were made.
    pub trunks: Vec<Trunk>,
    /// When to move on.
    pub failure: FailurePolicy,
}

#[cfg(test)]
mod tests;
