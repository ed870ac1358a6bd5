//! Dialouts: a call that we begin ourselves, to one number and then to another.

use alloc::boxed::Box;

use crate::{Attributes, Number, Sid};

/// A dialout whose time has come (contract §3).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dialout {
    /// Its id, `dialout_sid`.
    pub sid: Sid,
    /// The mediator endpoint that owns it.
    pub account_sid: Sid,
    /// Who is called first.
    pub stage_one: Number,
    /// Who is called when the first has answered.
    pub stage_two: Number,
    /// The number that both see.
    pub redirect_did: Number,
    /// What is shown, said and played.
    pub attributes: Box<Attributes>,
}
