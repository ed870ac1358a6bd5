//! Dialouts that wait for their time.

use std::sync::Arc;

use mediator_model::{Dialout, Number, Sid, UnixMillis};

use super::Object;
use super::binding::hot_attributes;

/// A dialout, from its creation until the two are joined or the call has failed.
#[derive(Clone, PartialEq, Debug)]
pub struct DialoutRecord {
    /// Its id.
    pub sid: Sid,
    /// The mediator endpoint that owns it.
    pub account_sid: Sid,
    /// Who is called first.
    pub stage_one_destination_did: Number,
    /// Who is called when the first has answered.
    pub stage_two_destination_did: Number,
    /// The number that both see.
    pub redirect_did: Number,
    /// As they came, unknown ones too; `hide_origination_did` is always there.
    pub attributes: Object,
    /// When it was made.
    pub date_created: UnixMillis,
    /// When stage one is dialled.
    pub due: UnixMillis,
    /// Whether it was handed over for dialling: it is no longer listed, cannot be changed, and is never dialled twice.
    pub dialling: bool,
}

impl DialoutRecord {
    /// What is dialled. Attributes were checked before they were stored: one that is refused now is left out.
    pub fn to_dialout(&self) -> Arc<Dialout> {
        Arc::new(Dialout {
            sid: self.sid,
            account_sid: self.account_sid,
            stage_one: self.stage_one_destination_did,
            stage_two: self.stage_two_destination_did,
            redirect_did: self.redirect_did,
            attributes: hot_attributes(&self.attributes).unwrap_or_default(),
        })
    }
}
