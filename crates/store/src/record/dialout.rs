//! Dialouts that wait for their time.

use mediator_model::{Number, Sid, UnixMillis};

use super::Object;

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
