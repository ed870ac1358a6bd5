//! The one log entry that every writer produces: API, config, first-caller claims and expiries alike.

use alloc::sync::Arc;

use crate::{Binding, Number, Sid};

/// A change of the state that outlives a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// A binding was made, or replaced the one of the same sid.
    BindingPut(Arc<Binding>),
    /// A binding was removed, by hand or because its time was up.
    BindingRemoved {
        /// The binding.
        binding_sid: Sid,
    },
    /// A first caller claimed a binding.
    BindingClaimed {
        /// The binding.
        binding_sid: Sid,
        /// Who called first.
        origination_did: Number,
    },
}
