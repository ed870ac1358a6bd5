//! Bindings: where a call to one of our numbers goes, by who calls.

use alloc::boxed::Box;
use core::num::NonZeroU64;
use core::ops::Deref;

use crate::{Attributes, Number, Sid, UnixMillis};

/// What a binding is found by: the number dialled and the caller's, or any caller.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct BindingKey {
    /// The number of ours that was dialled.
    pub redirect_did: Number,
    /// The caller; `None` is any caller.
    pub origination_did: Option<Number>,
}

/// Until when a binding without a caller waits for its first one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClaimWindow {
    /// `wait_origination_did_ttl` -1, or the caller is set: nobody claims.
    Closed,
    /// The first caller with a number claims it; at this time it is deleted unclaimed.
    OpenUntil(End),
}

/// When something ends by itself: a [`UnixMillis`] whose option takes one word, not two, for there are millions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct End(NonZeroU64);

impl End {
    /// The time.
    pub const fn at(self) -> UnixMillis {
        UnixMillis(self.0.get() - 1)
    }
}

impl From<UnixMillis> for End {
    /// The last millisecond of all is the one before it.
    fn from(at: UnixMillis) -> Self {
        Self(NonZeroU64::MIN.saturating_add(at.0))
    }
}

/// Keys to be sent as DTMF: 0-9 * # A-D and `,`. One word, as few bindings have any.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keys(Box<Box<str>>);

impl From<&str> for Keys {
    fn from(keys: &str) -> Self {
        Self(Box::new(keys.into()))
    }
}

impl Deref for Keys {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// Where a call to one of our numbers goes.
///
/// Laid out as a call looks at it: what a lookup reads lies together at the beginning, in one or two cache lines.
#[derive(Clone, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Binding {
    /// What it is found by.
    pub key: BindingKey,
    /// The window for a first caller's claim.
    pub claim: ClaimWindow,
    /// When it is deleted; `None`: never (`maximum_ttl` -1).
    pub expires: Option<End>,
    /// The number that is dialled.
    pub destination_did: Number,
    /// What is shown, said and played. Boxed: most bindings have none, and a million of them share memory.
    pub attributes: Option<Box<Attributes>>,
    /// Its id, `binding_sid`.
    pub sid: Sid,
    /// The mediator endpoint that owns it.
    pub account_sid: Sid,
    /// Sent to leg B after it answers.
    pub dtmf: Option<Keys>,
}

impl Binding {
    /// Whether it is past its end, or its claim window has closed unclaimed, at `now`.
    pub fn is_expired(&self, now: UnixMillis) -> bool {
        self.deadline().is_some_and(|end| end <= now)
    }

    /// The earliest time at which it is deleted by itself.
    pub fn deadline(&self) -> Option<UnixMillis> {
        let end = match self.claim {
            ClaimWindow::OpenUntil(until) => Some(self.expires.map_or(until, |end| end.min(until))),
            ClaimWindow::Closed => self.expires,
        };
        end.map(End::at)
    }
}

#[cfg(test)]
mod tests;
