//! Bindings as they are stored, and as calls look them up.

use std::sync::Arc;
use std::time::Duration;

use mediator_model::{Attributes, Binding, BindingKey, ClaimWindow, Number, Sid, UnixMillis};

use super::Object;

/// Seconds from 1 to a hundred years; `None` is the API's -1: for ever, or no claim.
pub type Ttl = Option<u32>;

/// A binding, with all that the API shows of it.
#[derive(Clone, PartialEq, Debug)]
pub struct BindingRecord {
    /// Its id.
    pub sid: Sid,
    /// The mediator endpoint that owns it.
    pub account_sid: Sid,
    /// For people. Default "N/A".
    pub name: Box<str>,
    /// The number of ours that callers dial.
    pub redirect_did: Number,
    /// The caller; `None`: any, or nobody yet.
    pub origination_did: Option<Number>,
    /// Where calls go.
    pub destination_did: Number,
    /// Keys for leg B.
    pub dtmf: Option<Box<str>>,
    /// As they came, unknown ones too.
    pub attributes: Object,
    /// Seconds from creation to its end.
    pub maximum_ttl: Ttl,
    /// Seconds that it waits for its first caller.
    pub wait_origination_did_ttl: Ttl,
    /// When it was made.
    pub date_created: UnixMillis,
    /// While it waits for its first caller: until when.
    pub claim_until: Option<UnixMillis>,
}

impl BindingRecord {
    /// What it is found by.
    pub const fn key(&self) -> BindingKey {
        BindingKey { redirect_did: self.redirect_did, origination_did: self.origination_did }
    }

    /// When its `maximum_ttl` is over.
    pub fn expires(&self) -> Option<UnixMillis> {
        self.maximum_ttl.map(|ttl| self.date_created + Duration::from_secs(ttl.into()))
    }

    /// The earliest time at which it is deleted by itself.
    pub fn deadline(&self) -> Option<UnixMillis> {
        match (self.expires(), self.claim_until) {
            (Some(end), Some(until)) => Some(end.min(until)),
            (end, until) => end.or(until),
        }
    }

    /// Whether it is past its end at `now`.
    pub fn is_expired(&self, now: UnixMillis) -> bool {
        self.deadline().is_some_and(|end| end <= now)
    }

    /// What calls look up. Attributes were checked before they were stored: one that is refused now is left out.
    pub fn to_binding(&self) -> Arc<Binding> {
        Arc::new(Binding {
            key: self.key(),
            claim: self
                .claim_until
                .map_or(ClaimWindow::Closed, |until| ClaimWindow::OpenUntil(until.into())),
            expires: self.expires().map(Into::into),
            destination_did: self.destination_did,
            attributes: hot_attributes(&self.attributes),
            sid: self.sid,
            account_sid: self.account_sid,
            dtmf: self.dtmf.as_deref().map(Into::into),
        })
    }
}

/// The attributes that calls act on, and all of them as text for the call's record; `None` where there are none.
pub(super) fn hot_attributes(all: &Object) -> Option<Box<Attributes>> {
    if all.is_empty() {
        return None;
    }
    let mut attributes = Attributes::default();
    for (key, value) in all {
        let text = match value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        // The API checks before it stores; a value that an older version took is not worth a call.
        let _ = attributes.set(key, &text);
    }
    attributes.json = serde_json::to_string(all).ok().map(Into::into);
    Some(Box::new(attributes))
}
