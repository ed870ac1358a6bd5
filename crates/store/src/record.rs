//! What is stored: one plain struct an object of the APIs, complete, checked before it came here.
//!
//! Names, units and defaults are the APIs'. Times are milliseconds since 1970 in UTC. Secrets are [`Secret`]s, which
//! `Debug` does not show; a store encrypts them at rest.

mod binding;
mod calls;
mod core;
mod dialout;
mod kind;
mod shown;

pub use binding::{BindingRecord, Ttl};
pub use calls::{CallRow, LegRow, MediaFigures};
pub use core::{
    AddressRecord, DidRecord, EndpointRecord, EndpointType, PartnerRecord, ProvisionedRecord,
    TokenRecord, TrunkGroupRecord, TrunkRecord,
};
pub use dialout::DialoutRecord;
pub use kind::{Kind, Record, Versioned};
pub use shown::rfc3339;

/// A JSON object, as attributes are: keys in alphabetical order.
pub type Object = serde_json::Map<String, serde_json::Value>;
