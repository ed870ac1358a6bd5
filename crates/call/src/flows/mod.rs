//! Call flows: one file each.

mod binding;
mod dialout;
mod inbound;

pub(crate) use dialout::Staged;

/// The flow that runs a call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FlowKind {
    /// A mediator endpoint's number: a binding decides.
    Binding,
    /// A `third_party` endpoint's number: it gets the call.
    Inbound,
    /// A dialout: we call two numbers, one after the other, and join them.
    Dialout,
}

impl FlowKind {
    /// The word for logs and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Binding => "binding",
            Self::Inbound => "inbound",
            Self::Dialout => "dialout",
        }
    }
}
